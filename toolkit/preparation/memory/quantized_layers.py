"""Layers without content that hold and need as much memory as those of bitsandbytes.

A 4-bit weight is half a byte, and every 64 weights share an absolute maximum of four bytes (with
double quantization one byte, and four more for every 256 maxima). An 8-bit weight is a byte, and
every row has a scale. The forward and the backward pass each unpack a layer's weights to the
compute type and drop them again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

BLOCK, BLOCKS = 64, 256
KEPT = ("lm_head", "embed_out", "classifier", "score", "qa_outputs")
"""Names of heads, which transformers does not quantize."""


class Product(torch.autograd.Function):
    """``x @ weight.T`` with a weight that is unpacked for each pass and dropped after it."""

    @staticmethod
    def forward(ctx: Any, x: Any, layer: Any, dtype: Any) -> Any:
        ctx.layer, ctx.dtype = layer, dtype
        return x.to(dtype) @ layer.unpacked(dtype).t()

    @staticmethod
    def backward(ctx: Any, gradient: Any) -> Any:
        return gradient.to(ctx.dtype) @ ctx.layer.unpacked(ctx.dtype), None, None


class PackedLinear(nn.Linear):
    """A frozen linear layer with packed weights.

    Args:
        like: the layer it stands for.
        bits: 4 or 8.
        double: whether the scales are quantized as well.
        compute: the type that it multiplies in; ``None``: that of its input.
    """

    def __init__(self, like: nn.Linear, bits: int, double: bool, compute: Any) -> None:
        nn.Module.__init__(self)
        self.in_features, self.out_features = like.in_features, like.out_features
        self.compute = compute
        count = like.weight.numel()
        size = count // 2 if bits == 4 else count
        self.weight = nn.Parameter(torch.empty(size, 1, dtype=torch.uint8), requires_grad=False)
        self.bias = like.bias
        if bits == 8:
            scales = 4 * self.out_features
        else:
            blocks = -(-count // BLOCK)
            scales = blocks + 4 * -(-blocks // BLOCKS) if double else 4 * blocks
        self.register_buffer("scales", torch.empty(scales, dtype=torch.uint8))

    def unpacked(self, dtype: Any) -> Any:
        return torch.empty(self.out_features, self.in_features, dtype=dtype)

    def forward(self, x: Any) -> Any:
        dtype = self.compute or x.dtype
        out = Product.apply(x, self, dtype)  # type: ignore[no-untyped-call]
        out = out if self.bias is None else out + self.bias.to(dtype)
        return out.to(x.dtype)


def quantize(model: Any, fields: Mapping[str, Any]) -> None:
    """Replace a meta model's linear layers by packed ones, where transformers does so.

    Args:
        model: a model on the meta device; changed in place.
        fields: fields of ``BitsAndBytesConfig``.
    """
    bits = 4 if fields.get("load_in_4bit") else 8 if fields.get("load_in_8bit") else 0
    if not bits:
        return
    compute = fields.get("bnb_4bit_compute_dtype", "float32") if bits == 4 else "float16"
    dtype = getattr(torch, compute) if isinstance(compute, str) else compute
    skipped = (*(fields.get("llm_int8_skip_modules") or ()), *KEPT)
    output = model.get_output_embeddings()
    for parent_name, parent in list(model.named_modules()):
        for name, layer in list(parent.named_children()):
            where = f"{parent_name}.{name}".split(".")
            if type(layer) is not nn.Linear or layer is output or set(where) & set(skipped):
                continue
            double = bool(fields.get("bnb_4bit_use_double_quant"))
            setattr(parent, name, PackedLinear(layer, bits, double, dtype))
    model.is_quantized = True
