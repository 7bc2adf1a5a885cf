"""What differs between the supported versions of transformers, in one place.

5.18 to 5.24 renamed two things, and warn where the old names are used: a language model's cache
(``past_key_values``, now ``cache``), and gradient checkpointing (now activation checkpointing).
Recipes go on calling it ``gradient_checkpointing``; both names are read.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cache
from typing import Any

RENAMED = {
    "gradient_checkpointing": "activation_checkpointing",
    "gradient_checkpointing_kwargs": "activation_checkpointing_kwargs",
}
"""Training arguments by their names before transformers 5.24, and since."""


@cache
def _cache_name() -> str:
    from transformers.modeling_outputs import CausalLMOutputWithPast

    fields = {field.name for field in dataclasses.fields(CausalLMOutputWithPast)}
    return "cache" if "cache" in fields else "past_key_values"


def cached(found: Any) -> dict[str, Any]:
    """The argument of a model's ``forward`` or ``generate`` that hands it a cache.

    Args:
        found: keys and values of earlier tokens; ``None``: there are none.
    """
    return {_cache_name(): found}


def cache_of(output: Any) -> Any:
    """The keys and values in a language model's output."""
    return getattr(output, _cache_name())


def training_fields(arguments: type, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of training arguments under the names that the installed version takes.

    Args:
        arguments: the class of the training arguments.
        fields: values by the names that recipes use.
    """
    known = {field.name for field in dataclasses.fields(arguments)}
    return {
        RENAMED[name] if RENAMED.get(name) in known else name: value
        for name, value in fields.items()
    }


def checkpoint_layers(model: Any, how: Mapping[str, Any] | None) -> None:
    """Compute layers again in the backward pass instead of keeping their activations.

    Args:
        model: a transformers model, or a ``PeftModel`` around one.
        how: arguments of ``torch.utils.checkpoint.checkpoint``.
    """
    enable = getattr(model, "activation_checkpointing_enable", None)
    (enable or model.gradient_checkpointing_enable)(None if how is None else dict(how))


def keep_activations(model: Any) -> None:
    """The reverse of :func:`checkpoint_layers`."""
    disable = getattr(model, "activation_checkpointing_disable", None)
    (disable or model.gradient_checkpointing_disable)()
