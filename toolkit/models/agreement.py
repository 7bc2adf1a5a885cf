"""Whether the logits of a model with an adapter are what they should be."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from toolkit.errors import ModelError
from toolkit.models.adapters import merged, merging_layers

MERGE_TOLERANCE = 1e-4
"""How far merged logits may be from unmerged ones, as a share of the largest logit.

A float32 has 24 bits, so that each sum is right to 6e-8 of its size; over some dozens of layers
with sums of some thousand products, 1e-6 to 1e-5 remain. An adapter that is merged wrongly changes
logits by as much as the adapter itself does, a thousandth of them and more."""


def merges_exactly(model: Any, logits: Callable[[], Any]) -> bool:
    """Whether the model's logits are the same with its adapter merged and beside the weights.

    Args:
        model: a ``PeftModel`` with an active adapter.
        logits: computes the model's logits on some inputs.
    """
    if not merging_layers(model):
        return True
    with _in_own_precision(model):
        beside = logits().float()
        with merged(model):
            found = logits().float()
    difference = float((found - beside).abs().max())
    return difference <= MERGE_TOLERANCE * max(1.0, float(beside.abs().max()))


def in_float32(model: Any) -> bool:
    """Whether a model computes in float32: it is stored so, and no training runs it in less."""
    import torch

    stored = model.get_input_embeddings().weight.dtype
    return stored == torch.float32 and "_original_forward" not in vars(model)


@contextlib.contextmanager
def _in_own_precision(model: Any) -> Iterator[None]:
    """Within the context a model that is being trained computes in the type of its weights.

    For training in bfloat16 accelerate puts a forward pass of its own before the model's, and keeps
    that one as ``_original_forward``. The two to three digits of bfloat16 would hide how a merge
    rounds behind how the sums do, and every merge would look wrong.
    """
    trained, own = vars(model).get("forward"), vars(model).get("_original_forward")
    if own is None:
        yield
        return
    model.forward = own
    try:
        yield
    finally:
        model.forward = trained


def check_numbers(tuned: Any, base: Any) -> None:
    """Raise :class:`ModelError` where logits of an adapter are NaN or infinite, and name the cause.

    Args:
        tuned: logits with the adapter.
        base: those of the base for the same inputs.
    """
    if bool(tuned.isfinite().all()):
        return
    if not bool(base.isfinite().all()):
        raise ModelError(
            "the base itself gives NaN or infinite logits on the canary prompts; load it in "
            "bfloat16 or float32 (--set training.model_init_kwargs.dtype=float32)"
        )
    raise ModelError(
        "the adapter gives NaN or infinite logits on the canary prompts: its training diverged; "
        "train again with a lower training.learning_rate"
    )
