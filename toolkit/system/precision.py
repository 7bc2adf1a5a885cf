"""Computing in bfloat16 where the machine has instructions for it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from toolkit.system import device


def bfloat16_pays() -> bool:
    """Whether this machine has bfloat16 instructions; without them it is slower than float32."""
    return device.bfloat16()


def autocast(model: Any = None) -> Any:
    """A context in which models compute in bfloat16 where that pays.

    Args:
        model: the one, where it is known: with weights in float16 it computes in that, because
            PyTorch does not mix the two.
    """
    import torch

    mixes = getattr(model, "dtype", None) != torch.float16
    return torch.autocast(device.kind(), torch.bfloat16, enabled=mixes and bfloat16_pays())


@contextlib.contextmanager
def autocast_layers(model: Any) -> Iterator[None]:
    """:func:`autocast` for the layers of a language model, but not for its head.

    The head computes in the type of its weights: logits in bfloat16 have two to three digits, so
    that several tokens would tie for the most probable one.
    """
    import torch

    head = model.get_output_embeddings()
    with autocast(model) as context:
        kind = context.device
        enabled = torch.is_autocast_enabled(kind)

        def leave(module: Any, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
            torch.set_autocast_enabled(kind, False)
            return (inputs[0].to(module.weight.dtype), *inputs[1:])

        def enter(module: Any, inputs: Any, output: Any) -> None:
            torch.set_autocast_enabled(kind, enabled)

        handles = [head.register_forward_pre_hook(leave), head.register_forward_hook(enter)]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()
