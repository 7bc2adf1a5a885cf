"""How many floating-point operations a training step takes, counted on the model's own code.

The formulas are those of ``torch.utils.flop_counter`` for products of matrices and attention. The
usual one (six a parameter and token) counts an encoder's word vectors too, which are only looked
up, and leaves attention out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any


@dataclass(frozen=True)
class Work:
    """What a training step on one batch computes.

    Args:
        operations: floating-point operations of the forward and backward pass, those of the
            checkpointed layers that are computed again among them.
        tokens: of the batch, padding included.
        calls: torch's operations on whole tensors, each of which the processor hands to a GPU.
    """

    operations: int
    tokens: int
    calls: int

    def document(self) -> dict[str, int]:
        """As JSON values, for ``run.json`` and the stored estimates."""
        return {
            "step_operations": self.operations,
            "step_tokens": self.tokens,
            "step_calls": self.calls,
        }


def operations(function: Any, arguments: Any, keywords: Mapping[str, Any], result: Any) -> int:
    """Floating-point operations of a call of one of torch's operations; 0 for what only copies.

    Args:
        function: the operation, as ``__torch_dispatch__`` gets it.
        arguments, keywords: its arguments; tensors may be without content.
        result: what it returned.
    """
    formula = _formulas().get(getattr(function, "_overloadpacket", None))
    return 0 if formula is None else int(formula(*arguments, **keywords, out_val=result))


@cache
def _formulas() -> Mapping[Any, Any]:
    """The formulas of torch, which has none for the attention kernels of processors: those too."""
    import torch
    from torch.utils.flop_counter import (
        flop_registry,
        sdpa_backward_flop_count,
        sdpa_flop_count,
    )

    def forward(query: Any, key: Any, value: Any, *_: Any, **__: Any) -> int:
        return int(sdpa_flop_count(query.shape, key.shape, value.shape))

    def backward(gradient: Any, query: Any, key: Any, value: Any, *_: Any, **__: Any) -> int:
        shapes = (gradient.shape, query.shape, key.shape, value.shape)
        return int(sdpa_backward_flop_count(*shapes))

    aten = torch.ops.aten
    return {
        **flop_registry,
        aten._scaled_dot_product_flash_attention_for_cpu: forward,
        aten._scaled_dot_product_flash_attention_for_cpu_backward: backward,
    }
