"""What a model reads and what its answers are made of, so that two copies of it can be compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from toolkit.kinds.base import TaskModel
from toolkit.kinds.language.text_model import TextModel
from toolkit.task import Row

if TYPE_CHECKING:
    import numpy as np

AT_ONCE = 16
"""Prompts of a batch: the logits of a whole vocabulary take much memory."""


def read_tokens(kind: TaskModel, row: Row) -> list[list[int]]:
    """The token ids that a model reads for a row: its prompt, or each window of an encoder."""
    if isinstance(kind, TextModel):
        return [kind.prompt(row)]
    encoder: Any = kind
    return [list(piece["input_ids"]) for piece in encoder.features(row)]


def answer_logits(kind: TaskModel, rows: Sequence[Row], *, adapter: bool) -> list[np.ndarray]:
    """The logits that the answer to each row begins with, as float32.

    Args:
        kind: a loaded model.
        rows: the rows.
        adapter: with what was trained, or of the untouched base.

    Returns:
        for each row, of a language model those of the first new token, shape (vocabulary,); of a
        classifier those of the classes, in the order of the head, shape (classes,); of question
        answering those of starts and ends in the first window, shape (2, tokens).
    """
    import numpy as np

    if isinstance(kind, TextModel):
        language: Any = kind
        found: list[np.ndarray] = []
        for start in range(0, len(rows), AT_ONCE):
            logits = language.row_logits(rows[start : start + AT_ONCE], adapter=adapter)
            # Behind an encoder's text there is one place, behind a prompt the last of several.
            found += list(logits[:, -1].float().cpu().numpy())
        return found
    encoder: Any = kind
    features = [encoder.features(row)[0] for row in rows]
    results: list[Any] = [None] * len(rows)
    for batch, out, _ in encoder.forward(features, adapter=adapter):
        sides = [out.logits] if hasattr(out, "logits") else [out.start_logits, out.end_logits]
        stacked = np.stack([side.float().cpu().numpy() for side in sides], axis=1)
        for place, logits in zip(batch, stacked, strict=True):
            read = len(features[place]["input_ids"])
            results[place] = logits[0] if len(sides) == 1 else logits[:, :read]
    return results
