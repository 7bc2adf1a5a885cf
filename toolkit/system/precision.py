"""Computing in bfloat16 where the machine does so itself."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any


def bfloat16_pays() -> bool:
    """Whether this machine computes in bfloat16 itself; elsewhere it is slower than float32."""
    import torch

    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported())
    tell = getattr(torch.cpu, "get_capabilities", dict)  # younger than the oldest torch we support
    able: dict[str, object] = tell()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))


def autocast() -> Any:
    """A context that computes in bfloat16 where that pays."""
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.autocast(device, torch.bfloat16, enabled=bfloat16_pays())


@contextlib.contextmanager
def autocast_layers(model: Any) -> Iterator[None]:
    """:func:`autocast` for the layers of a language model; its head computes as its weights are.

    Logits in bfloat16 have two to three digits, and would tie where they should decide.
    """
    import torch

    head = model.get_output_embeddings()
    with autocast() as context:
        device = context.device
        enabled = torch.is_autocast_enabled(device)

        def leave(module: Any, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
            torch.set_autocast_enabled(device, False)
            return (inputs[0].to(module.weight.dtype), *inputs[1:])

        def enter(module: Any, inputs: Any, output: Any) -> None:
            torch.set_autocast_enabled(device, enabled)

        handles = [head.register_forward_pre_hook(leave), head.register_forward_hook(enter)]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()
