"""Machines that recipes are estimated for: this one, and GPUs by name.

Times are rough: floating-point operations by the usual count (two a parameter and token forward,
two for the gradients of the activations, two more for those of the weights where all are trained,
and the forward pass again with checkpointing), at a share of what a machine can do at best.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from toolkit.recipe import Recipe

USED = 0.3
"""The share of its best speed that a machine reaches in training."""
CORE = 100e9
"""Operations a second of a core at best where nothing was measured: 32 a cycle at 3 GHz."""


@dataclass(frozen=True)
class Machine:
    """A machine that recipes are estimated for.

    Args:
        name: what people and ``--for`` call it.
        memory: bytes.
        speed: operations a second at best, in 16 bits on a GPU.
        gpu: whether it is a GPU.
        bfloat16: whether it has bfloat16 instructions.
        price_per_hour: in dollars, where one is known; a recipe's ``[cost]`` takes precedence.
    """

    name: str
    memory: int
    speed: float
    gpu: bool = True
    bfloat16: bool = True
    price_per_hour: float | None = None


GIB = 2**30
GPUS = (
    Machine("RTX 3080", 10 * GIB, 59e12),
    Machine("T4", 15 * GIB, 65e12, bfloat16=False, price_per_hour=0.10),
    Machine("L4", 22 * GIB, 121e12),
    Machine("A100 40 GB", 39 * GIB, 312e12, price_per_hour=1.00),
    Machine("H100 80 GB", 79 * GIB, 989e12),
)
"""Memory is what a program can use; speeds are the makers' figures for dense 16-bit products; the
two prices are those of the guide that the price recipes follow."""


def this(*, measure: bool = False) -> Machine:
    """The machine that this process runs on: its GPU, or its processor and main memory.

    Args:
        measure: time a product of matrices instead of assuming a speed; imports torch.
    """
    import os

    import psutil

    if measure:
        import torch

        if torch.cuda.is_available():
            found = torch.cuda.get_device_properties(torch.cuda.current_device())
            return Machine(
                found.name, int(found.total_memory), _timed("cuda"), True,
                bool(torch.cuda.is_bf16_supported()),
            )  # fmt: skip
        speed = _timed("cpu") / USED  # seconds() multiplies by USED: training as fast as this
    else:
        speed = CORE * (os.cpu_count() or 1)
    return Machine("this machine", int(psutil.virtual_memory().total), speed, False)


def _timed(device: str) -> float:
    """Operations a second of a product of two large matrices on a device."""
    import time

    import torch

    size = 4096 if device == "cuda" else 1024
    dtype = torch.bfloat16 if device == "cuda" else torch.float32
    left, right = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    left @ right
    rounds, started = 0, time.perf_counter()
    while time.perf_counter() - started < 0.3:
        left @ right
        if device == "cuda":
            torch.cuda.synchronize()
        rounds += 1
    return rounds * 2 * size**3 / (time.perf_counter() - started)


def seconds(machine: Machine, recipe: Recipe, parameters: int, rows: int, tokens: int) -> float:
    """About how many seconds training takes on a machine.

    Args:
        machine: the machine.
        recipe: gives epochs, checkpointing, and whether all parameters are trained.
        parameters: the number of parameters of the model.
        rows: the number of training rows.
        tokens: tokens of a row.
    """
    passes = 4 if recipe.lora is not None else 6
    passes += 2 if recipe.training.get("gradient_checkpointing") else 0
    epochs = float(recipe.training.get("num_train_epochs", 3))
    operations = passes * parameters * rows * tokens * epochs
    return operations / (machine.speed * USED)


def price(machine: Machine, cost: Mapping[str, Any], taken: float) -> float | None:
    """Dollars for ``taken`` seconds, by the recipe's ``[cost]`` or the machine's own price."""
    hourly = cost.get("machine_price_per_hour", machine.price_per_hour)
    return None if hourly is None else float(hourly) * taken / 3600


def obstacle(machine: Machine, recipe: Recipe, peak: int) -> str | None:
    """Why a recipe with a peak of so many bytes cannot run on a machine; ``None``: it can."""
    if peak > machine.memory * 0.95:
        return f"takes {peak / GIB:.1f} GiB, has {machine.memory / GIB:.0f}"
    if machine.gpu and not machine.bfloat16 and recipe.training.get("bf16"):
        return "has no bfloat16"
    return None
