"""The dry run of the causal-LM kind: training and scoring of made-up rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from toolkit.kinds.batching import MAX_BATCH, rounded
from toolkit.kinds.causal_lm.number_distribution import TRUNK, tree_rows
from toolkit.kinds.causal_lm.number_scoring import SOFTMAX_ROWS
from toolkit.kinds.causal_lm.number_search import NODES
from toolkit.kinds.causal_lm.trainer import Collator, summed_loss
from toolkit.kinds.language.dry_run import grow
from toolkit.kinds.language.generate import LONG_ANSWERS, SHORT_ANSWER
from toolkit.kinds.language.prompt import IGNORED
from toolkit.system import upstream


class CausalDryRun:
    """See :class:`toolkit.kinds.base.DryRun`.

    Args:
        walks: whether numbers have several tokens, whose tree is scored behind the prompts.
        joined: whether several rows share a sequence, with a custom attention mask.
    """

    def __init__(self, *, walks: bool = False, joined: bool = False) -> None:
        self.walks = walks
        self.joined = joined

    def batch(self, rows: int, length: int, answer: int) -> Mapping[str, Any]:
        answer = max(1, min(answer, length - 1))
        labels = [IGNORED] * (length - answer) + [0] * answer
        row = {"input_ids": [0] * length, "labels": labels}
        if self.joined:
            row |= {"position_ids": list(range(length)), "segments": [1] * length}
        return Collator(0)([row] * rows)

    def loss(self, model: Any, batch: Mapping[str, Any]) -> Any:
        return summed_loss(model, model, batch)[0]

    def score(self, model: Any, length: int, answer: int, tokens: int) -> None:
        if not self.walks and answer > SHORT_ANSWER:
            tokens *= LONG_ANSWERS
        width = rounded(length)
        rows = max(1, min(MAX_BATCH, tokens // width))
        if self.walks:
            vocabulary = model.config.get_text_config().vocab_size
            rows = len(tree_rows([length] * MAX_BATCH, tokens, vocabulary)[0])
        ids = torch.zeros(rows, width, dtype=torch.long)
        out = model(
            input_ids=ids, attention_mask=torch.ones_like(ids), use_cache=True, logits_to_keep=1
        )
        cache = upstream.cache_of(out)
        torch.softmax(out.logits[:, -1].float(), -1)
        del out
        # All but the last of the answer's tokens, or but those of the last pass over a tree.
        new = NODES - TRUNK if self.walks else max(0, answer - 1)
        last = TRUNK if self.walks else 1
        # A sliding window holds no more than it does already.
        held = [layer for layer in cache.layers if not getattr(layer, "is_sliding", False)]
        new = new if held else 0
        grow(held, new)
        mask = torch.ones(rows, width + new + last, dtype=torch.long)
        # Nodes of a tree stand a few positions behind the prompt, however many they are.
        nodes = torch.zeros(rows, last, dtype=torch.long)
        out = model(
            input_ids=nodes, attention_mask=mask, position_ids=nodes + width - 1,
            use_cache=True, logits_to_keep=last, **upstream.cached(cache),
        )  # fmt: skip
        torch.softmax(out.logits.flatten(0, 1)[:SOFTMAX_ROWS].float(), -1)
