"""One step of training on one row, looked at and undone: for those who want to see what it does.

Forward, loss, backward, step, as the trainer does them, on the model in memory; afterwards each
weight, gradient and switch of the model is what it was, bit for bit.
"""

from __future__ import annotations

import contextlib
import math
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.errors import ModelError, UsageError
from toolkit.kinds.language.prompt import IGNORED
from toolkit.task import Row

if TYPE_CHECKING:
    from toolkit.kinds.language.model import LanguageModel
    from toolkit.kinds.language.text_model import TextModel

_LAYER_LISTS = ("layers", "layer", "h", "block", "blocks")
"""What architectures call the list of their layers."""


@dataclass(frozen=True)
class LayerGradient:
    """The norm of the gradient on one layer's part of the adapter.

    Args:
        name: of the layer, such as ``layer 3`` or ``decoder layer 0``.
        a, b: of LoRA's matrices A and B; A reads the layer's input, B writes to its output.
        other: of what else is trained there, such as a magnitude vector or a whole layer.
        parameters: how many numbers are trained there.
    """

    name: str
    a: float
    b: float
    other: float
    parameters: int

    @property
    def norm(self) -> float:
        """Of all of it together."""
        return math.hypot(self.a, self.b, self.other)


@dataclass(frozen=True)
class OneStep:
    """A step of training on one row.

    Args:
        tokens: ids of the tokens with a loss, the answer's.
        before, after: the probability of each, from 0 to 1, before and after the step.
        layers: the gradient by layer, in the model's order.
        optimizer: its class, such as ``AdamW``.
        rate: the learning rate.
        clip: the norm to which a larger gradient is scaled down; ``None``: to none.
        moved: the norm of what the step has added to the adapter's weights.
        weights: the norm of these before it.
    """

    tokens: tuple[int, ...]
    before: tuple[float, ...]
    after: tuple[float, ...]
    layers: tuple[LayerGradient, ...]
    optimizer: str
    rate: float
    clip: float | None
    moved: float
    weights: float

    @property
    def loss_before(self) -> float:
        """The cross-entropy of the answer's tokens before the step, in nats."""
        return loss(self.before)

    @property
    def loss_after(self) -> float:
        """The same after the step."""
        return loss(self.after)

    @property
    def norm(self) -> float:
        """The norm of the whole gradient, before it is clipped."""
        return math.hypot(*(layer.norm for layer in self.layers))

    @property
    def parameters(self) -> int:
        """How many numbers the step may change."""
        return sum(layer.parameters for layer in self.layers)


def loss(probabilities: Sequence[float]) -> float:
    """The mean of −log p, in nats: the cross-entropy of an answer's tokens."""
    return sum(-math.log(max(p, 1e-45)) for p in probabilities) / max(1, len(probabilities))


def one_step(model: TextModel, row: Row, *, adapter: str, fresh: bool = False) -> OneStep:
    """Take one optimizer step of cross-entropy on a row, and take it back.

    The learning rate, the optimizer and the clipping are those of the recipe; a schedule has its
    peak there. The optimizer is new, so that it has no momentum yet. There is no dropout.

    Args:
        model: a language model with adapters.
        row: a row with its answer.
        adapter: which of its adapters is trained.
        fresh: begin with the adapter as it is before training: A random, B zero.

    Raises:
        UsageError: the model has no adapter, or the row does not fit it.
        ModelError: a loss or a gradient is not finite.
    """
    from toolkit.kinds.language.model import LanguageModel

    if not isinstance(model, LanguageModel) or model.whole is not None or not model.has_adapter:
        raise UsageError("there is no adapter on this model that a step could train")
    ids, labels = model.encoded(row)
    room = model.max_length
    if room is not None and len(ids) > room:
        raise UsageError(f"the row has {len(ids):,} tokens and the run trains on up to {room:,}")
    with _undone(model, adapter) as trained:
        if fresh:
            _begin_anew(model, adapter)
        return _taken(model, (ids, labels), trained)


def _taken(model: LanguageModel, encoded: tuple[list[int], list[int]], trained: Any) -> OneStep:
    import torch

    parameters = list(trained.values())
    logs, tokens = _log_probabilities(model, encoded)
    value = -logs.mean()
    if not math.isfinite(float(value.detach())):
        raise ModelError("the loss of this row is not finite, so there is no step to take")
    value.backward()
    layers = _layers(trained)
    arguments, optimizer = _optimizer(model, parameters)
    clip = float(arguments.max_grad_norm or 0) or None
    if clip is not None:
        torch.nn.utils.clip_grad_norm_(parameters, clip)
    start = [parameter.detach().clone() for parameter in parameters]
    optimizer.step()
    with torch.no_grad():
        after, _ = _log_probabilities(model, encoded)
    return OneStep(
        tuple(tokens), _shares(logs), _shares(after), layers, type(optimizer).__name__,
        float(arguments.learning_rate), clip,
        _norm(now.detach() - then for now, then in zip(parameters, start, strict=True)),
        _norm(start),
    )  # fmt: skip


def _log_probabilities(
    model: LanguageModel, encoded: tuple[list[int], list[int]]
) -> tuple[Any, list[int]]:
    """Log probabilities of the tokens with a loss, shape (n,), and their ids."""
    import torch

    logits, labels = model.labelled_logits([encoded])
    chosen = labels[0] != IGNORED
    wanted = labels[0][chosen]
    logs = torch.log_softmax(logits[0][chosen].float(), -1)
    return logs.gather(-1, wanted[:, None])[:, 0], wanted.tolist()


def _shares(logs: Any) -> tuple[float, ...]:
    return tuple(logs.detach().exp().tolist())


def _norm(tensors: Any) -> float:
    return math.sqrt(sum(float(tensor.float().square().sum()) for tensor in tensors))


def _optimizer(model: LanguageModel, parameters: Sequence[Any]) -> tuple[Any, Any]:
    """The recipe's training arguments, and its optimizer for those parameters."""
    from transformers import Trainer

    from toolkit.kinds import fit

    # Nothing is written there; the arguments want a name.
    folder = Path(tempfile.gettempdir()) / "toolkit-one-step"
    arguments = fit.arguments(model, model.recipe, folder, **model.fixed_arguments)
    made, settings = Trainer.get_optimizer_cls_and_kwargs(arguments)
    group = {"params": list(parameters), "weight_decay": arguments.weight_decay}
    return arguments, made([group], **settings)


# -- the adapter, and all that is undone -----------------------------------------------------------
@contextlib.contextmanager
def _undone(model: LanguageModel, adapter: str) -> Iterator[dict[str, Any]]:
    """Within the context an adapter can be trained; its parameters by name.

    Afterwards all parameters and buffers of the model have the values, the gradients and the
    switches that they had before.
    """
    import torch

    inner = model.model
    active = inner.active_adapter
    switches = [(p, p.requires_grad, p.grad) for p in inner.parameters()]
    copies: list[tuple[Any, Any]] = []
    try:
        inner.set_adapter(adapter)
        trained = {name: p for name, p in inner.named_parameters() if p.requires_grad}
        copies = [(p, p.detach().clone()) for p in trained.values()]
        copies += [(buffer, buffer.detach().clone()) for buffer in inner.buffers()]
        with torch.enable_grad():
            yield trained
    finally:
        with torch.no_grad():
            for parameter, before in copies:
                parameter.copy_(before)
        inner.set_adapter(active)
        for parameter, trains, gradient in switches:
            parameter.requires_grad_(trains)
            parameter.grad = gradient


def _begin_anew(model: LanguageModel, adapter: str) -> None:
    """Give an adapter the weights that a new one begins with, from the run's seed."""
    import torch
    from peft.tuners.lora import LoraLayer

    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(model.seed)
        for module in model.model.modules():
            if isinstance(module, LoraLayer):
                module.reset_lora_parameters(adapter, init_lora_weights=True)


# -- gradients by layer ----------------------------------------------------------------------------
def _layers(trained: Mapping[str, Any]) -> tuple[LayerGradient, ...]:
    """The gradients of an adapter's parameters, gathered by layer, in the model's order."""
    found: dict[str, dict[str, list[Any]]] = {}
    counts: dict[str, int] = {}
    for name, parameter in trained.items():
        layer = layer_of(name)
        counts[layer] = counts.get(layer, 0) + parameter.numel()
        kinds = found.setdefault(layer, {"A": [], "B": [], "": []})
        if parameter.grad is not None:
            kinds[_matrix(name)].append(parameter.grad)
    gathered = tuple(
        LayerGradient(name, _norm(kinds["A"]), _norm(kinds["B"]), _norm(kinds[""]), counts[name])
        for name, kinds in found.items()
    )
    if not all(math.isfinite(layer.norm) for layer in gathered):
        raise ModelError("a gradient of this row is not finite, so there is no step to take")
    return gathered


def _matrix(name: str) -> str:
    found = re.search(r"\.lora_(?:embedding_)?([AB])\b", name)
    return found.group(1) if found else ""


def layer_of(name: str) -> str:
    """The layer of the model that a parameter of an adapter belongs to, as people name it.

    Args:
        name: as ``named_parameters`` gives it, such as
            ``base_model.model.model.layers.3.self_attn.q_proj.lora_A.default.weight``.
    """
    parts = name.removeprefix("base_model.model.").split(".")
    number = next((at for at, part in enumerate(parts) if part.isdigit()), None)
    if number is None or parts[number - 1] not in _LAYER_LISTS:
        own = next((at for at, p in enumerate(parts) if p.startswith(("lora_", "modules_"))), 1)
        return parts[own - 1]
    stack = [part for part in parts[: number - 1] if part in ("encoder", "decoder")]
    return " ".join([*stack, "layer", parts[number]])
