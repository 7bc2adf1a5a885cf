"""A plain transformers folder: weights, tokenizer with its chat template, generation settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from toolkit.kinds import TaskModel, TextModel
from toolkit.models import is_local

TYPES = ("float32", "bfloat16", "float16")


def write(kind: TaskModel, model: Any, folder: Path) -> None:
    """Write a model in one piece.

    Args:
        kind: whose tokenizer, limits and recipe belong to the model.
        model: what :func:`toolkit.pipeline.whole_model.in_one_piece` gave.
        folder: an empty folder.
    """
    settle(kind, model)
    model.save_pretrained(str(folder))
    write_tokenizer(kind, folder)


def settle(kind: TaskModel, model: Any) -> None:
    """Give a model's configuration the limits by which its answers were measured."""
    name = kind.recipe.model
    model.config._name_or_path = "" if is_local(name) else name
    model.config.pad_token_id = kind.tokenizer.pad_token_id
    if not isinstance(kind, TextModel):
        return
    from transformers import GenerationConfig

    # Of a single token it is written as a number, which older readers expect.
    stops = list(kind.limits.stops)
    model.config.eos_token_id = stops[0] if len(stops) == 1 else stops
    settings = {
        "do_sample": False, "max_new_tokens": kind.answer_room, **kind.recipe.generation,
        "eos_token_id": model.config.eos_token_id, "pad_token_id": kind.tokenizer.pad_token_id,
        "bos_token_id": kind.tokenizer.bos_token_id,
        "decoder_start_token_id": getattr(model.config, "decoder_start_token_id", None),
    }  # fmt: skip
    model.generation_config = GenerationConfig(**settings)


def write_tokenizer(kind: TaskModel, folder: Path) -> None:
    """Write the tokenizer; inputs that the trained model never saw are none that it makes."""
    tokenizer = kind.tokenizer
    unread = getattr(kind, "unread", ())
    if unread:
        # Only what a tokenizer was made with is saved.
        names = [name for name in tokenizer.model_input_names if name not in unread]
        tokenizer.model_input_names = tokenizer.init_kwargs["model_input_names"] = names
    tokenizer.save_pretrained(str(folder))
