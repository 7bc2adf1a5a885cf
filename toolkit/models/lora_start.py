"""Adapters that start from the base's own weights (PiSSA, OLoRA), on a base that stays as it is.

These methods split a layer's weight W into a part of low rank, ``s B0 A0``, and a residual. The
part is trained as an adapter and the residual takes the weight's place. An adapter so trained fits
no other base than that residual, and the base that it is compared with is gone.

Here the weight stays, and the adapter has twice the rank: ``s (B A - B0 A0)`` beside W. The second
half is fixed, so that training is that of the method; what is saved is a plain LoRA adapter, which
any PEFT puts on the plain base. PEFT's own conversion of finished adapters is the same sum.

Sources: F. Meng, Z. Wang, M. Zhang, "PiSSA: Principal Singular Values and Singular Vectors
Adaptation of Large Language Models", 2024, arXiv:2404.02948 (appendix C has the sum);
K. Büyükakyüz, "OLoRA: Orthonormal Low-Rank Adaptation of Large Language Models", 2024,
arXiv:2406.01775.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from toolkit.errors import ModelError, RecipeError

HELD = "toolkit_lora_start"
"""The attribute of a ``PeftModel`` with its :class:`Start`."""
PREPARED: Mapping[str, str] = {
    "eva": "activations of the training rows",
    "corda": "activations of the training rows",
    "lora_ga": "gradients on the training rows",
    "loftq": "a quantized copy of the base",
}
"""Starts that PEFT computes from more than the weights, in steps of their own before it."""


def check(fields: Mapping[str, Any]) -> None:
    """Refuse a start that cannot be made, or whose adapter would not fit the plain base.

    Args:
        fields: of ``LoraConfig``.

    Raises:
        RecipeError: naming what can be taken.
    """
    init = fields.get("init_lora_weights")
    if isinstance(init, str) and (needed := PREPARED.get(init.lower())):
        raise RecipeError(
            f"lora.init_lora_weights={init} starts from {needed}, which is not prepared here; take "
            "pissa, olora, orthogonal or gaussian"
        )


def splits(fields: Mapping[str, Any]) -> bool:
    """Whether the start splits the base's weights."""
    init = fields.get("init_lora_weights")
    return isinstance(init, str) and (init == "olora" or init.startswith("pissa"))


def widened(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of the plain adapter of twice the rank, with the same scale."""
    found = dict(fields)
    found["init_lora_weights"] = True
    found["r"] = 2 * int(fields.get("r", 8))
    factor = math.sqrt(2) if fields.get("use_rslora") else 2
    found["lora_alpha"] = fields.get("lora_alpha", 8) * factor
    if fields.get("rank_pattern"):
        found["rank_pattern"] = {name: 2 * r for name, r in fields["rank_pattern"].items()}
    if fields.get("alpha_pattern"):
        found["alpha_pattern"] = {
            name: factor * alpha for name, alpha in fields["alpha_pattern"].items()
        }
    return found


class Start:
    """The fixed halves of an adapter that :func:`begin` has made."""

    def __init__(self) -> None:
        self.halves: list[tuple[Any, int]] = []
        self.kept: list[Any] = []

    def fix(self, parameter: Any, dim: int) -> None:
        """Let no gradient reach the second half of a parameter along a dimension."""
        self.halves.append((parameter, dim))

        def without_second(gradient: Any) -> Any:
            gradient = gradient.clone()
            _second(gradient, dim).zero_()
            return gradient

        parameter.register_hook(without_second)

    def take(self) -> None:
        """Note the fixed halves as they are, those of a checkpoint that training goes on from."""
        self.kept = [_second(p.detach(), dim).clone() for p, dim in self.halves]

    def hold(self) -> None:
        """Undo what a step has changed all the same, such as by weight decay."""
        for (parameter, dim), value in zip(self.halves, self.kept, strict=True):
            _second(parameter.data, dim).copy_(value)

    @property
    def fixed(self) -> int:
        """How many weights are not trained."""
        return sum(parameter.numel() // 2 for parameter, _ in self.halves)


def _second(tensor: Any, dim: int) -> Any:
    half = tensor.shape[dim] // 2
    return tensor.narrow(dim, half, half)


def of(peft: Any) -> Start | None:
    """The start of a model's adapter, where it is one of these."""
    found: Start | None = getattr(peft, HELD, None)
    return found


def begin(peft: Any, init: str) -> None:
    """Put the start into a fresh adapter of the fields that :func:`widened` gives.

    Args:
        peft: a ``PeftModel``.
        init: ``init_lora_weights`` of the recipe.

    Raises:
        ModelError: a layer's weight cannot be split: it is quantized, or of an embedding.
    """
    import torch
    from peft.tuners.lora import LoraLayer

    start = Start()
    for name, layer in peft.base_model.model.named_modules():
        if not isinstance(layer, LoraLayer):
            continue
        weight = getattr(layer.get_base_layer(), "weight", None)
        if "default" not in layer.lora_A or weight is None or not weight.is_floating_point():
            raise ModelError(
                f"lora.init_lora_weights={init} splits the weights of linear layers, and {name} is "
                "quantized or none; leave that setting out"
            )
        down, up = layer.lora_A["default"].weight, layer.lora_B["default"].weight
        if weight.device.type != "meta":
            rank = layer.r["default"] // 2
            turned = weight.T if getattr(layer, "fan_in_fan_out", False) else weight
            first, second = _split(turned.detach().float(), rank, layer.scaling["default"], init)
            with torch.no_grad():
                down.copy_(torch.cat([first, first], dim=0))
                up.copy_(torch.cat([second, -second], dim=1))
        start.fix(down, 0)
        start.fix(up, 1)
    setattr(peft, HELD, start)


def _split(weight: Any, rank: int, scale: float, init: str) -> tuple[Any, Any]:
    """A0 and B0 of a weight, shapes (rank, inputs) and (outputs, rank).

    Args:
        weight: shape (outputs, inputs).
        rank: of the part that is trained.
        scale: what the adapter's product is multiplied with.
        init: ``olora``, ``pissa`` or ``pissa_niter_N`` (N steps of subspace iteration).
    """
    import torch

    if rank > min(weight.shape):
        raise ModelError(
            f"lora.init_lora_weights={init} cannot take rank {rank} out of a layer of "
            f"{weight.shape[1]} inputs and {weight.shape[0]} outputs; lower lora.r"
        )
    if init == "olora":
        q, r = torch.linalg.qr(weight)
        return r[:rank], q[:, :rank]
    if "_niter_" in init:
        left, sizes, right = torch.svd_lowrank(weight, rank, niter=int(init.rpartition("_")[2]))
        right = right.T
    else:
        left, sizes, right = torch.linalg.svd(weight, full_matrices=False)
    roots = (sizes[:rank] / scale).sqrt()
    return roots[:, None] * right[:rank], left[:, :rank] * roots
