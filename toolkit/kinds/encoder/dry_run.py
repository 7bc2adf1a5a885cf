"""The dry run of encoder kinds: training and scoring of made-up rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch._subclasses.fake_tensor import DynamicOutputShapeException

from toolkit.kinds.batching import MAX_BATCH, pad_right, rounded
from toolkit.models import adapters


class EncoderDryRun:
    """See :class:`toolkit.kinds.base.DryRun`. Heads are small: any loss takes as much memory."""

    def batch(self, rows: int, length: int, answer: int) -> Mapping[str, Any]:
        return pad_right([{"input_ids": [0] * length}] * rows, 0)

    def loss(self, model: Any, batch: Mapping[str, Any]) -> Any:
        tensors = [v for v in _outputs(model, batch).values() if isinstance(v, torch.Tensor)]
        return sum(value.float().sum() for value in tensors)  # caches have no loss

    def score(self, model: Any, length: int, answer: int, tokens: int) -> None:
        rows = max(1, min(MAX_BATCH, tokens // rounded(length)))
        _outputs(model, self.batch(rows, length, answer))


def _outputs(model: Any, batch: Mapping[str, Any]) -> Any:
    """The model's outputs, or its states where the head looks for tokens that are not there.

    BART's and T5's heads for classes search a text for its end, which a text without content does
    not have.
    """
    try:
        return model(**batch)
    except DynamicOutputShapeException:
        inner = adapters.without_peft(model)
        written = (
            {"decoder_input_ids": batch["input_ids"]} if inner.config.is_encoder_decoder else {}
        )
        return inner.base_model(**batch, **written)
