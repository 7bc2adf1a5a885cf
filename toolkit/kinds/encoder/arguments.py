"""The training arguments of encoder kinds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from transformers import TrainingArguments


@dataclass
class EncoderArguments(TrainingArguments):  # type: ignore[misc]
    """transformers' ``TrainingArguments`` and two fields that TRL's ``SFTConfig`` has as well.

    Args:
        max_length: tokens of a row, special tokens included; by default as many as the model reads.
        model_init_kwargs: keyword arguments for ``from_pretrained``.
    """

    max_length: int | None = field(default=None)
    model_init_kwargs: dict[str, Any] | None = field(default=None)
