"""The base beside an adapter, and after it, with the weights of its files.

PEFT's ``disable_adapter()`` and ``unload()`` do not undo all that an adapter brings along: biases
that are trained with it (``bias = "all"``) change in the base itself, and ``unload()`` leaves the
trained copies of ``modules_to_save`` in the base (peft#850). What would come after – the base that
the adapter is compared with, or the training with the next seed – would start from there.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

KEPT = "toolkit_base_weights"
"""The attribute of a ``PeftModel`` with its :class:`BaseWeights`."""


class BaseWeights:
    """A base's layers, and the values of its parameters, before an adapter changes them.

    Args:
        model: the base.
        bias: ``bias`` of the adapter's ``LoraConfig``: ``none``, ``all`` or ``lora_only``.
        whole: whether any weight may change, and not biases alone.
    """

    def __init__(self, model: Any, bias: str, *, whole: bool = False) -> None:
        # PEFT trains whatever has "bias" in its name, T5's table of relative positions too.
        self.values = [
            (parameter, parameter.detach().clone())
            for name, parameter in model.named_parameters()
            if whole or (bias != "none" and "bias" in name)
        ]
        self.modules = dict(model.named_modules(remove_duplicate=False))
        self.forward = vars(model).get("forward")

    def keep_changed(self) -> None:
        """Forget the values that an adapter that has been loaded since has left as they were."""
        self.values = [
            (parameter, value)
            for parameter, value in self.values
            if not parameter.detach().equal(value)
        ]

    @contextlib.contextmanager
    def swapped(self) -> Iterator[None]:
        """Within the context, the parameters have these values again."""
        trained = [parameter.data for parameter, _ in self.values]
        for parameter, value in self.values:
            parameter.data = value.to(parameter.device, parameter.dtype)
        try:
            yield
        finally:
            for (parameter, _), value in zip(self.values, trained, strict=True):
                parameter.data = value

    def restore(self, base: Any) -> None:
        """Give a base its layers again, and the parameters their values."""
        for name, module in self.modules.items():
            # Layers that were put in parts on several devices have other names since.
            with contextlib.suppress(AttributeError):
                if name and base.get_submodule(name) is not module:
                    base.set_submodule(name, module)
        for parameter, value in self.values:
            parameter.data.copy_(value)
        # A trainer may have put a forward pass of its own before the model's.
        if self.forward is None:
            vars(base).pop("forward", None)
        else:
            base.forward = self.forward


def remember(peft: Any, weights: BaseWeights) -> None:
    """Note with a ``PeftModel`` what its base was; of two adapters only one can train biases."""
    first = known(peft)
    if first is None:
        setattr(peft, KEPT, weights)
    else:
        first.values = first.values or weights.values


def known(peft: Any) -> BaseWeights | None:
    """What :func:`remember` noted; ``None``: nothing."""
    found: BaseWeights | None = getattr(peft, KEPT, None)
    return found


def changed(peft: Any) -> bool:
    """Whether the adapter has changed the base's own parameters, so that rows cannot mix both."""
    weights = known(peft)
    return weights is not None and bool(weights.values)


@contextlib.contextmanager
def untouched(peft: Any) -> Iterator[None]:
    """Within the context, a ``PeftModel`` computes what its base does without any adapter."""
    weights = known(peft)
    with contextlib.ExitStack() as stack:
        with warnings.catch_warnings():  # that biases stay as they are, which is seen to here
            warnings.filterwarnings("ignore", "Careful, disabling adapter layers")
            stack.enter_context(peft.disable_adapter())
        stack.enter_context(weights.swapped() if weights else contextlib.nullcontext())
        yield


def removed(peft: Any) -> Any:
    """The base of a ``PeftModel``, without PEFT and as it was; the ``PeftModel`` is used up."""
    weights = known(peft)
    base = peft.unload()
    if weights is not None:
        weights.restore(base)
    return base
