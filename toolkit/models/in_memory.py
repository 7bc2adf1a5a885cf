"""A model that is in memory already, as in a notebook: it is used, and given back as it was."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from toolkit.errors import ModelError
from toolkit.models.adapters import LoraRequest
from toolkit.models.loading import LoadRequest


class InMemory:
    """A backend whose base and adapter are one ``PeftModel`` of somebody's: nothing is loaded.

    The base is that model with its adapters switched off. Its layers stay where they are.

    Args:
        peft: the model, whose active adapter is used.
    """

    name = "transformers"

    def __init__(self, peft: Any) -> None:
        self.peft = peft

    def load(self, request: LoadRequest) -> Any:
        return self.detach(self.peft)

    def add_lora(self, model: Any, request: LoraRequest) -> Any:
        raise ModelError("a model in memory is judged, and not trained")

    def attach(self, model: Any, folder: Path) -> Any:
        self.peft.base_model.enable_adapter_layers()
        return self.peft.eval()

    def detach(self, model: Any) -> Any:
        self.peft.base_model.disable_adapter_layers()
        return self.peft.eval()


def has_adapter(model: Any) -> bool:
    """Whether a model is a ``PeftModel``, of whichever release; PEFT is not imported."""
    return hasattr(model, "peft_config") and hasattr(model, "get_base_model")


def active(peft: Any) -> str:
    """The name of the adapter that a ``PeftModel`` uses.

    Raises:
        ModelError: there are several, or it trains what cannot be told from its base.
    """
    names = list(peft.active_adapters)
    if len(names) != 1:
        raise ModelError(
            f"the model has {len(names)} active adapters; activate the one to judge: "
            "model.set_adapter(NAME)"
        )
    if peft.peft_config[names[0]].bias != "none":
        raise ModelError(
            "the adapter trains the base's own biases (bias in its LoraConfig), so that the base "
            "is no more in memory; save it, and judge the folder with toolkit evaluate"
        )
    return str(names[0])


@contextlib.contextmanager
def given_back(model: Any) -> Iterator[None]:
    """Within the context a model may be used; afterwards it is in every respect as before.

    That is: training or evaluation mode of each module, which parameters are trained and their
    values, which adapters are active or switched off, hooks, and both configurations.
    """
    modules = list(model.modules())
    modes = [module.training for module in modules]
    trained = [(weight, weight.requires_grad) for weight in model.parameters()]
    states = [_state(module) for module in modules]
    owners = [one for one in (model, getattr(model, "base_model", None)) if one is not None]
    owners += [model.get_base_model()] if hasattr(model, "get_base_model") else []
    configs = _configurations(owners)
    try:
        yield
    finally:
        for module, mode, state in zip(modules, modes, states, strict=True):
            module.training = mode
            _restore(module, state)
        for weight, wanted in trained:
            weight.requires_grad_(wanted)
        for config, values in configs:
            vars(config).clear()
            vars(config).update(values)


HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
ADAPTERS = ("_active_adapter", "_disable_adapters", "merged_adapters", "active_adapter")
"""Attributes of PEFT's layers and models that say which adapters take part."""


def _state(module: Any) -> dict[str, Any]:
    """A module's hooks and adapters, copied."""
    own = vars(module)
    return {
        name: own[name].copy() if hasattr(own[name], "copy") else own[name]
        for name in (*HOOKS, *ADAPTERS, "forward")
        if name in own
    }


def _restore(module: Any, state: dict[str, Any]) -> None:
    own = vars(module)
    for name in (*ADAPTERS, "forward"):
        if name in state:
            own[name] = state[name]
        else:
            own.pop(name, None)
    for name in HOOKS:
        if name in state and own[name] != state[name]:
            own[name].clear()
            own[name].update(state[name])


def _configurations(owners: list[Any]) -> list[tuple[Any, dict[str, Any]]]:
    """The configurations of a model, each once, with copies of their values."""
    found: dict[int, tuple[Any, dict[str, Any]]] = {}
    for owner in owners:
        for name in ("config", "generation_config"):
            config = getattr(owner, name, None)
            if hasattr(config, "__dict__") and id(config) not in found:
                found[id(config)] = (config, dict(vars(config)))
    return list(found.values())
