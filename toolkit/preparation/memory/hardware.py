"""Machines that recipes are estimated for: this one, and GPUs by name.

Times are rough: the floating-point operations of a training step (see
:mod:`toolkit.preparation.memory.operations`) at a share of what a machine can do at best, and on a
GPU what it takes to hand it one operation after the other, which with small models is half of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from toolkit.recipe import Recipe

USED = 0.3
"""The share of its best speed that a machine reaches in training."""
CALL = 18e-6
"""Seconds that a processor takes to hand a GPU one operation on tensors. From trainings of a Llama
of a billion parameters on an H100: 17e-6 with LoRA, 24e-6 with 4-bit layers and checkpointing, see
``docs/how-to/gpu-recipes.md``."""
BATCH = 8
"""``per_device_train_batch_size`` where a recipe names none: transformers' default."""
CORE = 100e9
"""Operations a second of a core at best where nothing was measured: 32 a cycle at 3 GHz."""


@dataclass(frozen=True)
class Machine:
    """A machine that recipes are estimated for.

    Args:
        name: its usual name, also for ``--for``.
        memory: bytes.
        speed: floating-point operations a second at best, in 16 bits on a GPU.
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
    Machine("RTX 4060 Ti 16 GB", 15 * GIB, 44e12),
    Machine("RTX 4080", 15 * GIB, 97e12),
    Machine("RTX 3090", 23 * GIB, 71e12),
    Machine("RTX 4090", 23 * GIB, 165e12),
    Machine("T4", 15 * GIB, 65e12, bfloat16=False, price_per_hour=0.10),
    Machine("L4", 22 * GIB, 121e12),
    Machine("A100 40 GB", 39 * GIB, 312e12, price_per_hour=1.00),
    Machine("H100 80 GB", 79 * GIB, 989e12),
    Machine("Apple M3 Pro, 18 GB", 12 * GIB, 7e12),
    Machine("Apple M3 Max, 48 GB", 36 * GIB, 14e12),
    Machine("Apple M2 Ultra, 128 GB", 96 * GIB, 27e12),
)
"""Memory is what a program can use; speeds are the makers' figures for dense 16-bit products with
sums in 32 bits (of Apple's GPUs those for 32 bits, of whose memory the system lets a program take
two thirds to three quarters); both prices are those of the guide that the price recipes follow."""
LARGEST = next(machine for machine in GPUS if machine.name == "H100 80 GB")


def this(*, measure: bool = False) -> Machine:
    """The machine that this process runs on: its GPU, or its processor and main memory.

    Args:
        measure: time a product of matrices instead of assuming a speed; imports torch.
    """
    import os

    import psutil

    if measure:
        from toolkit.system import device

        if (memory := device.memory()) is not None:
            kind = device.kind()
            return Machine(
                str(device.name()), memory[1], _timed(kind), True,
                device.bfloat16(emulated=False),
            )  # fmt: skip
        speed = _timed("cpu") / USED  # seconds() multiplies by USED: training as fast as this
    else:
        speed = CORE * (os.cpu_count() or 1)
    return Machine("this machine", int(psutil.virtual_memory().total), speed, False)


def _timed(device: str) -> float:
    """Operations a second of a product of two large matrices on a device."""
    import time

    import torch

    from toolkit.system import device as devices

    size = 1024 if device == "cpu" else 4096
    dtype = torch.float32 if device == "cpu" else torch.float16
    left, right = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    left @ right
    devices.wait()
    rounds, started = 0, time.perf_counter()
    while time.perf_counter() - started < 0.3:
        left @ right
        devices.wait()
        rounds += 1
    return rounds * 2 * size**3 / (time.perf_counter() - started)


def seconds(
    machine: Machine, recipe: Recipe, step: Mapping[str, Any], rows: int, tokens: int
) -> float:
    """About how many seconds training takes on a machine.

    Args:
        machine: the machine.
        recipe: gives the batch, and epochs or ``max_steps``.
        step: ``step_operations``, ``step_tokens`` and ``step_calls`` of an estimate
            (:meth:`~toolkit.preparation.memory.operations.Work.document`).
        rows: the number of training rows.
        tokens: tokens of a row.
    """
    training = recipe.training
    batch = int(training.get("per_device_train_batch_size", BATCH))
    together = batch * int(training.get("gradient_accumulation_steps", 1))
    seen = float(rows) * float(training.get("num_train_epochs", 3))
    if int(training.get("max_steps", -1)) > 0:
        seen = float(training["max_steps"]) * together
    computing = seen * tokens * step["step_operations"] / step["step_tokens"]
    calling = seen / batch * step["step_calls"] * CALL if machine.gpu else 0.0
    return float(computing / (machine.speed * USED) + calling)


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
