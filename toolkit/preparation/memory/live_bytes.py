"""How much memory a computation holds at once, measured by running it on tensors without content.

Under :class:`torch._subclasses.FakeTensorMode` every operation gives tensors of the right shape and
type that hold nothing; the bytes that are alive at each moment are counted from their storages. So
what autograd keeps for the backward pass, what an attention kernel needs and what is freed in
between is measured on the model's own code, without formulas that would have to follow its changes.
"""

from __future__ import annotations

import weakref
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from toolkit.preparation.memory.operations import operations


class Live(TorchDispatchMode):
    """Counts the bytes of all storages that are alive; use as a context manager.

    Storages that are made within the block are counted; :meth:`hold` adds older ones.

    Attributes:
        now: bytes that are alive now.
        peak: the most so far; set it to :attr:`now` to measure from here on.
        calls: how many of torch's operations on tensors have been called so far.
        operations: how many floating-point operations they would have taken.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.now = self.peak = self.calls = self.operations = 0
        self._sizes: dict[int, int] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.ops.aten._local_scalar_dense.default:
            # A model asks for a value, such as whether any state is infinite; there is none.
            return 0.0 if args[0].is_floating_point() else 0
        result = _computed(func, args, kwargs or {})
        self.calls += not str(func).startswith("prim.")  # those ask for a tensor's properties
        self.operations += operations(func, args, kwargs or {}, result)
        for leaf in tree_leaves(result):
            if isinstance(leaf, torch.Tensor):
                self.hold(leaf)
        return result

    def hold(self, tensor: torch.Tensor) -> None:
        """Count a tensor's storage until it is freed; once, however many views it has."""
        storage = tensor.untyped_storage()
        key = storage._cdata
        if key in self._sizes:
            return
        self._sizes[key] = storage.nbytes()
        self.now += storage.nbytes()
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._dropped, key)

    def _dropped(self, key: int) -> None:
        self.now -= self._sizes.pop(key, 0)


def _computed(func: Any, args: Any, kwargs: Any) -> Any:
    """The result of an operation.

    Products of experts exist on a CPU for float32 too, but without content for bfloat16 alone.
    """
    dtype = getattr(args[0], "dtype", None) if args else None
    if func.name() != "aten::_grouped_mm" or dtype == torch.bfloat16:
        return func(*args, **kwargs)
    halves = [
        a.bfloat16() if isinstance(a, torch.Tensor) and a.is_floating_point() else a for a in args
    ]
    return func(*halves, **kwargs).to(dtype)
