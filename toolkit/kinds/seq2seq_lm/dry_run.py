"""The dry run of the seq2seq kind: training and scoring of made-up rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from toolkit.kinds.batching import MAX_BATCH, rounded
from toolkit.kinds.language.dry_run import grow
from toolkit.kinds.language.generate import LONG_ANSWERS, SHORT_ANSWER
from toolkit.kinds.seq2seq_lm.trainer import Collator, target_loss
from toolkit.models import adapters
from toolkit.system import upstream


class Seq2SeqDryRun:
    """See :class:`toolkit.kinds.base.DryRun`; ``length`` counts the text without the answer."""

    def batch(self, rows: int, length: int, answer: int) -> Mapping[str, Any]:
        return Collator(0)([{"input_ids": [0] * length, "labels": [0] * answer}] * rows)

    def loss(self, model: Any, batch: Mapping[str, Any]) -> Any:
        return target_loss(model, model, batch)[0]

    def score(self, model: Any, length: int, answer: int, tokens: int) -> None:
        if answer > SHORT_ANSWER:
            tokens *= LONG_ANSWERS
        width = rounded(length)
        rows = max(1, min(MAX_BATCH, tokens // width))
        ids = torch.zeros(rows, width, dtype=torch.long)
        mask = torch.ones_like(ids)
        read = adapters.without_peft(model).get_encoder()(input_ids=ids, attention_mask=mask)
        step = torch.zeros(rows, 1, dtype=torch.long)
        out = model(
            encoder_outputs=read, attention_mask=mask, decoder_input_ids=step, use_cache=True
        )
        cache = upstream.cache_of(out)
        grow(cache.self_attention_cache.layers, max(0, answer - 2))
        model(
            encoder_outputs=read, attention_mask=mask, decoder_input_ids=step,
            use_cache=True, **upstream.cached(cache),
        )  # fmt: skip
