"""The dry run of the causal-LM kind: training and scoring of made-up rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from toolkit.kinds.batching import MAX_BATCH, rounded
from toolkit.kinds.causal_lm.number_distribution import BEAMS, walk_tokens
from toolkit.kinds.causal_lm.trainer import Collator, summed_loss
from toolkit.kinds.language.dry_run import grow
from toolkit.kinds.language.generate import LONG_ANSWERS, SHORT_ANSWER
from toolkit.kinds.language.prompt import IGNORED
from toolkit.system import upstream


class CausalDryRun:
    """See :class:`toolkit.kinds.base.DryRun`.

    Args:
        walks: whether numbers are read token by token, with the cache repeated for each beam.
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
        if self.walks:
            tokens = walk_tokens(tokens)
        elif answer > SHORT_ANSWER:
            tokens *= LONG_ANSWERS
        width = rounded(length)
        rows = max(1, min(MAX_BATCH, tokens // width))
        ids = torch.zeros(rows, width, dtype=torch.long)
        out = model(
            input_ids=ids, attention_mask=torch.ones_like(ids), use_cache=True, logits_to_keep=1
        )
        cache = upstream.cache_of(out)
        torch.softmax(out.logits[:, -1].float(), -1)
        del out
        if self.walks:
            cache.batch_select_indices(torch.zeros(rows * BEAMS, dtype=torch.long))
            ids = torch.zeros(rows * BEAMS, width, dtype=torch.long)
        new = max(0, answer - 1)  # all but the last of the answer's tokens
        grow(cache.layers, new)
        mask = torch.ones(len(ids), width + new + 1, dtype=torch.long)
        out = model(
            input_ids=ids[:, :1], attention_mask=mask, use_cache=True, logits_to_keep=1,
            **upstream.cached(cache),
        )  # fmt: skip
        torch.softmax(out.logits[:, -1].float(), -1)
