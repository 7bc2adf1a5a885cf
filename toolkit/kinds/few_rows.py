"""Products of a few rows, as writing one to four texts at a time asks for, on a CPU.

A text is written token by token, and each layer multiplies its weights with one row a text. In
float32 what ``torch.nn.functional.linear`` calls for this (MKL 2024.2) is made for many rows: with
one row it uses one core, with two it takes nearly twice as long, though the weights, whose reading
is what takes the time, are the same. The same product the other way round, ``(weight @ rows.T).T``,
uses all cores: on two cores 9.8 ms for 41 million weights and two rows against 33 ms, and against
18 ms for one row, which is therefore written twice. From five rows on the usual way is as fast.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

FEW = 4
LARGE = 2**19
"""Weights from which a layer does not fit a core's cache, so that reading them takes the time."""


@contextmanager
def few_rows(model: Any) -> Iterator[None]:
    """Let a model's large float32 layers on a CPU take one to four rows this way, while it lasts.

    Layers of other types, small ones, and all layers elsewhere than on a CPU stay as they are.
    """
    import torch

    changed = [
        layer
        for layer in model.modules()
        if type(layer) is torch.nn.Linear
        and layer.weight.numel() >= LARGE
        and layer.weight.device.type == "cpu"
        and layer.weight.dtype == torch.float32
        and "forward" not in vars(layer)
    ]
    for layer in changed:
        layer.forward = _forward(layer)
    try:
        yield
    finally:
        for layer in changed:
            del layer.forward


def _forward(layer: Any) -> Any:
    usual, width = layer.forward, layer.in_features

    def forward(x: Any) -> Any:
        count = x.numel() // width
        if not 1 <= count <= FEW:
            return usual(x)
        rows = x.reshape(count, width)
        if count == 1:
            rows = rows.repeat(2, 1)
        out = (layer.weight @ rows.T).T[:count]
        if layer.bias is not None:
            out = out + layer.bias
        return out.reshape(*x.shape[:-1], layer.out_features)

    return forward
