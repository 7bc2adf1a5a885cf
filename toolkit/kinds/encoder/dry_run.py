"""The dry run of encoder kinds: training and scoring of made-up rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from toolkit.kinds.batching import MAX_BATCH, pad_right, rounded


class EncoderDryRun:
    """See :class:`toolkit.kinds.base.DryRun`. Heads are small: any loss takes as much memory."""

    def batch(self, rows: int, length: int, answer: int) -> Mapping[str, Any]:
        return pad_right([{"input_ids": [0] * length}] * rows, 0)

    def loss(self, model: Any, batch: Mapping[str, Any]) -> Any:
        outputs = model(**batch)
        return sum(value.float().sum() for value in outputs.values() if value is not None)

    def score(self, model: Any, length: int, answer: int, tokens: int) -> None:
        rows = max(1, min(MAX_BATCH, tokens // rounded(length)))
        model(**self.batch(rows, length, answer))
