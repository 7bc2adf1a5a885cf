"""The last linear layer of an encoder with a head: what enters it, and how it is set.

Architectures differ in what stands between the encoder and that layer: a pooler with tanh (BERT,
DeBERTa, MPNet), a random dense layer (RoBERTa, DistilBERT, ELECTRA), a mean (ModernBERT), nothing
(spans). A linear probe that is fitted to the layer's very inputs needs to know none of that: put
into the layer, it makes the whole model predict as the probe does.

Source: A. Kumar et al., "Fine-Tuning can Distort Pretrained Features and Underperform
Out-of-Distribution", 2022, arXiv:2202.10054: linear probing first, then fine-tuning from there.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import safe_open

from toolkit.errors import ModelError

if TYPE_CHECKING:
    import torch

    from toolkit.kinds.encoder.linear_probe import LinearProbe


def new_modules(model: Any) -> list[str]:
    """The names of the modules with weights that stand outside the encoder, so in its head."""
    encoder = f"{model.base_model_prefix}."
    return [
        name
        for name, module in model.named_modules()
        if module._parameters and not name.startswith(encoder)
    ]


def check_saved(fresh: Sequence[str], folder: Path) -> None:
    """Refuse an adapter without the modules that were random while it was trained.

    Args:
        fresh: names of the modules whose weights no file of the base held.
        folder: of the adapter.

    Raises:
        ModelError: naming the first such module.
    """
    if not fresh:
        return
    with safe_open(str(folder / "adapter_model.safetensors"), framework="np") as file:
        saved = [f".{name}" for name in file.keys()]  # noqa: SIM118
    for module in fresh:
        if not any(f".{module}." in name for name in saved):
            raise ModelError(
                f"the base's files have no weights for {module!r}, and neither has the adapter in "
                f"{folder}: they were random when it was trained, so that nobody has the model "
                "that was; name that module in modules_to_save and train again"
            )


def output_layer(model: Any, outputs: int) -> str:
    """The name of the last linear layer of the head.

    Args:
        model: an encoder with a head, without PEFT around it.
        outputs: how many outputs the layer has.

    Raises:
        ModelError: the model has no such layer.
    """
    from torch import nn

    encoder = f"{model.base_model_prefix}."
    found = [
        _plain(name)
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear)
        and module.out_features == outputs
        and not name.startswith(encoder)
        and ".modules_to_save." not in name
    ]
    if not found:
        raise ModelError(
            f"{type(model).__name__} has no head that ends in a linear layer of {outputs} outputs, "
            "so it cannot begin from a linear probe; give --model another encoder"
        )
    return found[-1]


WRAPPED = ("original_module", "base_layer")
"""Under which names PEFT keeps a module that it has put something trained beside."""


def _plain(name: str) -> str:
    """The name that a module has without PEFT."""
    return ".".join(part for part in name.split(".") if part not in WRAPPED)


def _place(model: Any, name: str) -> tuple[Any, str]:
    """The module that holds the layer, and the layer's name in it; what PEFT added is left out."""
    holder, place = model, ""
    for part in name.split("."):
        holder, place = (getattr(holder, place) if place else holder), part
        while inner := next((w for w in WRAPPED if hasattr(getattr(holder, place), w)), None):
            holder, place = getattr(holder, place), inner
    return holder, place


def layer_of(model: Any, name: str) -> Any:
    """The layer of that name; where PEFT has put a trained copy beside it, the original one."""
    holder, place = _place(model, name)
    return getattr(holder, place)


@contextlib.contextmanager
def entering(model: Any, name: str) -> Iterator[list[torch.Tensor]]:
    """Within the context, each pass of the model appends what enters the layer to the list."""
    inputs: list[torch.Tensor] = []
    hook = layer_of(model, name).register_forward_pre_hook(
        lambda module, given: inputs.append(given[0])
    )
    try:
        yield inputs
    finally:
        hook.remove()


@contextlib.contextmanager
def passing(model: Any, name: str) -> Iterator[None]:
    """Within the context, the layer passes on what enters it: the model's logits are its inputs.

    A model that applies the layer to each token and takes one token's logits afterwards
    (decoders) then returns that token's inputs.
    """
    from torch import nn

    holder, place = _place(model, name)
    layer = getattr(holder, place)
    setattr(holder, place, nn.Identity())
    try:
        yield
    finally:
        setattr(holder, place, layer)


def has_bias(model: Any, name: str) -> bool:
    """Whether the layer has a bias; those of decoders have none."""
    return layer_of(model, name).bias is not None


def put(model: Any, name: str, probe: LinearProbe) -> None:
    """Set the layer's weights to those of a probe that was fitted to what enters it.

    Raises:
        ModelError: the layer is quantized.
    """
    import torch

    layer = layer_of(model, name)
    if not layer.weight.is_floating_point():
        raise ModelError(
            f"the head {name!r} is quantized and cannot begin from a linear probe; name it in "
            "quantization.llm_int8_skip_modules"
        )
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(probe.weight))
        if layer.bias is not None:
            layer.bias.copy_(torch.from_numpy(probe.bias))


def without_dropout(model: Any, *, encoder: bool) -> None:
    """Take the dropout between the encoder and the head's last layer away, or that of both.

    A probe is fitted to whole states, and its weights are as large as those allow: with a tenth of
    them at zero, the loss of a price's probe rose tenfold, and the first steps of training unlearnt
    the head that it is to begin from.

    Args:
        model: an encoder with a head.
        encoder: whether the encoder loses its own dropout too.
    """
    inside = f"{model.base_model_prefix}."
    for name, module in model.named_modules():
        if "Dropout" in type(module).__name__ and (encoder or not name.startswith(inside)):
            module.p = 0.0


def weights(model: Any, name: str) -> LinearProbe:
    """The layer's weights as they are, to be put back later."""
    from toolkit.kinds.encoder.linear_probe import LinearProbe

    layer = layer_of(model, name)
    weight = layer.weight.detach().float().cpu().numpy().copy()
    bias = np.zeros(len(weight), dtype=np.float32)
    if layer.bias is not None:
        bias = layer.bias.detach().float().cpu().numpy().copy()
    return LinearProbe(weight, bias)
