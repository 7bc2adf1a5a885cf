"""Writing one to four texts at a time on a CPU, without what the libraries waste on so few rows.

A text is written token by token, and each layer multiplies its weights with one row a text.

*Products.* In float32 what ``torch.nn.functional.linear`` calls for this (MKL 2024.2) is made for
many rows: with one row it uses one core, with two it takes nearly twice as long, though reading the
weights, which takes the time, is the same work. The same product the other way round,
``(weight @ rows.T).T``, uses all cores: on two cores 9.8 ms for 41 million weights and two rows
against 33 ms, and against 18 ms for one row, which is therefore written twice. From five rows on
the usual way is as fast.

*Mixed batches.* PEFT picks the rows of each adapter by lists of indices, which copies them out and
back in every layer. Rows of one adapter that follow each other are a slice, which copies nothing.

``tests/benchmarks/comparing.py`` measures what comes of it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from toolkit.kinds.base import BASE

FEW = 4
LARGE = 2**19
"""Weights from which a layer does not fit a core's cache, so that reading them takes the time."""


@contextmanager
def few_rows(model: Any) -> Iterator[None]:
    """Let a model's layers take few rows this way, while it lasts.

    Changed are large float32 layers on a CPU, and plain LoRA layers in mixed batches: what they
    give is the same. All others stay as they are.
    """
    changed: list[tuple[Any, str]] = []
    for layer in model.modules():
        if _is_large(layer):
            changed.append((layer, "forward"))
            layer.forward = _product(layer)
        elif _is_plain_lora(layer):
            changed.append((layer, "_mixed_batch_forward"))
            layer._mixed_batch_forward = _mixed(layer)
    try:
        yield
    finally:
        for layer, name in changed:
            delattr(layer, name)


def _is_large(layer: Any) -> bool:
    import torch

    return (
        type(layer) is torch.nn.Linear
        and layer.weight.numel() >= LARGE
        and layer.weight.device.type == "cpu"
        and layer.weight.dtype == torch.float32
        and "forward" not in vars(layer)
    )


def _product(layer: Any) -> Any:
    usual, width = layer.forward, layer.in_features

    def forward(x: Any) -> Any:
        count = x.numel() // width
        if not 1 <= count <= FEW:
            return usual(x)
        rows = x.reshape(count, width)
        if count == 1:
            rows = rows.repeat(2, 1)
        out = (layer.weight @ rows.T).T[:count].contiguous()
        if layer.bias is not None:
            out += layer.bias
        return out.view(*x.shape[:-1], layer.out_features)

    return forward


def _is_plain_lora(layer: Any) -> bool:
    from peft.tuners.lora.layer import Linear

    return type(layer) is Linear and not layer.lora_variant


def _mixed(layer: Any) -> Any:
    usual = layer._mixed_batch_forward

    def forward(x: Any, *arguments: Any, adapter_names: list[str], **keywords: Any) -> Any:
        if arguments or any(value is not None for value in keywords.values()):
            return usual(x, *arguments, adapter_names=adapter_names, **keywords)
        result = layer.base_layer(x)
        start = 0
        for name, group in itertools.groupby(adapter_names):
            stop = start + len(list(group))
            if name != BASE and name in layer.lora_A:
                down, up = layer.lora_A[name], layer.lora_B[name]
                part = x[start:stop].to(down.weight.dtype)
                result[start:stop] += (up(down(part)) * layer.scaling[name]).to(result.dtype)
            start = stop
        return result

    return forward
