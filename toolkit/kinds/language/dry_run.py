"""What the dry runs of language kinds share: a cache as it is while text is written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch


def grow(layers: Iterable[Any], new: int) -> None:
    """Make a cache's layers hold ``new`` more tokens, as they do once those have been written.

    Layers with a sliding window hold the tokens of the window alone.

    Args:
        layers: layers whose keys and values have the shape (rows, heads, tokens, size).
        new: the number of tokens; with 0 the layers stay as they are.
    """
    for layer in layers if new else ():
        for name in ("keys", "values"):
            held = getattr(layer, name)
            more = held.new_zeros(*held.shape[:2], new, held.shape[3])
            grown = torch.cat([held, more], dim=2)
            if getattr(layer, "is_sliding", False):
                grown = grown[:, :, 1 - layer.sliding_window :]
            setattr(layer, name, grown)
        if getattr(layer, "is_sliding", False):
            layer.cumulative_length += new
