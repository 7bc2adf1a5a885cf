"""The training arguments of encoder kinds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from transformers import TrainingArguments


@dataclass
class EncoderArguments(TrainingArguments):  # type: ignore[misc]
    """transformers' ``TrainingArguments`` and three fields; TRL's ``SFTConfig`` has two of them.

    Args:
        max_length: tokens of a row, special tokens included; by default as many as the model reads.
        model_init_kwargs: keyword arguments for ``from_pretrained``.
        dropout: whether the encoder keeps its dropout, whatever its architecture calls it.
    """

    max_length: int | None = field(default=None)
    model_init_kwargs: dict[str, Any] | None = field(default=None)
    dropout: bool = field(default=True)
