"""Merging for good: what an adapter has learned goes into its base's weights, and PEFT is gone."""

from __future__ import annotations

import warnings
from typing import Any

from toolkit.errors import ModelError
from toolkit.models import adapters

TYPES = ("float32", "bfloat16", "float16")
"""The types that weights can be merged and stored in."""


def merge(peft: Any, dtype: str | None = None) -> Any:
    """The base of a ``PeftModel`` with the active adapter in its weights, without PEFT.

    Where an adapter is on one of two tied ends (input embeddings and head), the two are untied
    first: in training it never reached the other one (peft#2018).

    Args:
        peft: the model, which is used up. Its base must not be quantized: rounding to 4 bits again
            moves logits by up to 0.6 (peft#1836).
        dtype: one of :data:`TYPES`; ``None``: the type that the base has. Sums are made in the
            wider of both, and rounded once.

    Raises:
        ModelError: PEFT cannot merge it, or the merged weights are no finite numbers.
    """
    import torch
    from peft.tuners.lora import LoraLayer

    if getattr(peft.get_base_model(), "is_quantized", False):
        raise ModelError("an adapter is merged into an unquantized base, and this one is quantized")
    for name, layer in peft.named_modules():
        if isinstance(layer, LoraLayer) and not adapters.mergeable(layer):
            raise ModelError(
                f"the adapter has a bias on {name!r}, where the base has none, so it cannot be "
                "merged; serve it beside its base"
            )
    if dtype == "float32":
        peft = peft.float()
    _untie(peft)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Input and output embeddings are no longer tied")
            merged = peft.merge_and_unload(safe_merge=True)
    except (ValueError, TypeError, NotImplementedError, AttributeError, RuntimeError) as error:
        raise ModelError(f"the adapter cannot be merged: {' '.join(str(error).split())}") from error
    return (merged.to(getattr(torch, dtype)) if dtype else merged).eval()


def _untie(peft: Any) -> None:
    """Give the head weights of its own where it shares those of the embeddings, and one is adapted.

    Args:
        peft: the model; changed in place.
    """
    import torch
    from peft.tuners.lora import LoraLayer

    model = peft.get_base_model()
    ends = model.get_input_embeddings(), model.get_output_embeddings()
    if None in ends or not any(isinstance(end, LoraLayer) for end in ends):
        return
    inner, outer = (end.get_base_layer() if isinstance(end, LoraLayer) else end for end in ends)
    if outer.weight.data_ptr() == inner.weight.data_ptr():
        outer.weight = torch.nn.Parameter(outer.weight.detach().clone(), requires_grad=False)
        model.config.get_text_config().tie_word_embeddings = False
        model.config.tie_word_embeddings = False
