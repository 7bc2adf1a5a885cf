"""Memory for the states of optimizers, by transformers' names for them."""

from __future__ import annotations

from collections.abc import Sequence

USUAL = "adamw_torch_fused"
BLOCK = 256
"""Values that share a scale in bitsandbytes' 8-bit states."""
SMALL = 4096
"""Smaller tensors keep their states in 32 bits, even with an 8-bit optimizer."""
STATES = {"sgd": 0, "rmsprop": 1, "lion": 1, "adagrad": 1, "ademamix": 3}
"""Beginning of a name → states for each value; all others have two."""


def state_bytes(name: str, parameters: Sequence[tuple[int, int]]) -> int:
    """Bytes of an optimizer's states.

    Args:
        name: transformers' ``optim``, such as ``paged_adamw_8bit``.
        parameters: for each trained tensor the number of its values and the bytes of a value.
    """
    bare = name.removeprefix("paged_")
    if bare.startswith("adafactor"):
        return sum(2 * size * int(count**0.5) for count, size in parameters)
    states = next((n for start, n in STATES.items() if bare.startswith(start)), 2)
    total = 0
    for count, size in parameters:
        if "8bit" in bare and count >= SMALL:
            total += states * (count + 4 * -(-count // BLOCK))
        else:
            total += states * count * (4 if "bit" in bare else size)
    return total
