"""How likely a language model finds the right answers: the loss of their tokens, row by row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from toolkit.kinds.batches import batch_tokens, batches
from toolkit.kinds.language.prompt import IGNORED

if TYPE_CHECKING:
    from toolkit.kinds.language.kind import LanguageModel
    from toolkit.task import Row


def target_losses(kind: LanguageModel, rows: Sequence[Row]) -> list[tuple[float, int]]:
    """Summed cross-entropy of each row's answer, EOS included, and its number of tokens.

    Args:
        kind: with the model loaded, and in the state that is asked about.
        rows: rows with their answers.
    """
    import torch

    encoded = [kind.renderer.example(kind.example(row)) for row in rows]
    found: list[tuple[float, int]] = [(0.0, 0)] * len(rows)
    lengths = [max(len(ids), len(labels)) for ids, labels in encoded]
    for batch in batches(lengths, batch_tokens(kind.model)):
        with torch.inference_mode():
            logits, labels = kind.labelled_logits([encoded[i] for i in batch])
            losses = torch.nn.functional.cross_entropy(
                logits.float().transpose(1, 2), labels, ignore_index=IGNORED, reduction="none"
            ).sum(1)
            counts = labels.ne(IGNORED).sum(1)
        for i, loss, count in zip(batch, losses.tolist(), counts.tolist(), strict=True):
            found[i] = (float(loss), int(count))
    return found
