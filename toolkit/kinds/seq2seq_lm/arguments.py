"""The training arguments of the seq2seq kind."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from transformers import Seq2SeqTrainingArguments


@dataclass
class Seq2SeqArguments(Seq2SeqTrainingArguments):  # type: ignore[misc]
    """transformers' ``Seq2SeqTrainingArguments`` and the fields that bound texts and load models.

    Args:
        max_length: tokens of a text, special tokens included; the tokenizer's limit by default.
        max_target_length: tokens of a target, the end-of-sequence token included.
        model_init_kwargs: keyword arguments for ``from_pretrained``.
    """

    max_length: int | None = field(default=None)
    max_target_length: int | None = field(default=None)
    model_init_kwargs: dict[str, Any] | None = field(default=None)
