"""Whether a recipe fits, and the smallest change with which it would."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.errors import PreflightError
from toolkit.preparation.memory.estimation import Estimate, Shape, estimate, smaller
from toolkit.preparation.memory.hardware import BATCH
from toolkit.recipe import Recipe
from toolkit.system import device

if TYPE_CHECKING:
    from toolkit.task import Task

GIB = 2**30
SPARE = 0.05
"""The share of the free memory that stays unused, because an estimate is not exact."""
CGROUPS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
USED = ("/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory/memory.usage_in_bytes")
NF4 = {
    "load_in_4bit": True,
    "bnb_4bit_quant_type": "nf4",
    "bnb_4bit_use_double_quant": True,
    "bnb_4bit_compute_dtype": "bfloat16",
}
"""The fields of ``[quantization]`` that are suggested for 4 bits."""


@dataclass(frozen=True)
class Fit:
    """An estimate beside the memory that is free.

    Args:
        estimate: the memory that the recipe takes.
        room: bytes that are free on the device of the model.
        change: ``--set`` options with which it would fit, where it does not; ``None``: there are
            none.
        changed: the estimate with these options.
    """

    estimate: Estimate
    room: int
    change: tuple[str, ...] | None = None
    changed: Estimate | None = None

    @property
    def fits(self) -> bool:
        """Whether it fits as it is."""
        return self.estimate.peak <= self.room * (1 - SPARE)

    def sentence(self) -> str:
        """How much the recipe takes and how much is free, as a sentence."""
        parts = self.estimate
        where = "GPU memory" if parts.gpu else "memory"
        return (
            f"about {parts.peak / GIB:.1f} GiB of {where} for this run at its peak (weights "
            f"{parts.weights / GIB:.2f}, trained {parts.trained / GIB:.2f}, optimizer "
            f"{parts.optimizer / GIB:.2f}, a step {parts.activations / GIB:.2f}, scoring "
            f"{parts.scoring / GIB:.2f}); {self.room / GIB:.1f} GiB are free"
        )


def available(*, gpu: bool) -> int:
    """Bytes that are free for a run: on the GPU in use, or in main memory and its cgroup."""
    if gpu and (memory := device.memory()) is not None:
        return memory[0]
    import psutil

    free = int(psutil.virtual_memory().available)
    for limit, used in zip(CGROUPS, USED, strict=True):
        found = _number(limit), _number(used)
        if found[0] is not None and found[1] is not None:
            free = min(free, max(0, found[0] - found[1]))
    return free


def _number(path: str) -> int | None:
    """The bytes in a file of a cgroup; ``None`` for ``max`` (no limit) and absent files."""
    try:
        return int(Path(path).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def fit(
    task: Task | type[Task],
    recipe: Recipe,
    shape: Shape,
    *,
    gpu: bool,
    room: int | None = None,
    tokenizer: Any = None,
    head: Mapping[str, Any] | None = None,
    trust_remote_code: bool = False,
) -> Fit:
    """The estimate and the free memory; where it does not fit, also the smallest change that helps.

    Args:
        room: bytes that are free; by default those of this machine.
        task, recipe, shape, gpu, tokenizer, head, trust_remote_code: as for
            :func:`toolkit.preparation.memory.estimation`.
    """
    room = available(gpu=gpu) if room is None else room

    def takes(changed: Recipe, at: Shape) -> Estimate:
        return estimate(
            task, changed, at, gpu=gpu, tokenizer=tokenizer, head=head,
            trust_remote_code=trust_remote_code,
        )  # fmt: skip

    found = Fit(takes(recipe, shape), room)
    if found.fits:
        return found
    for options, changed, at in changes(recipe, shape, task):
        smaller_one = Fit(takes(changed, at), room)
        if smaller_one.fits:
            return replace(found, change=options, changed=smaller_one.estimate)
    return found


def require(found: Fit) -> None:
    """Check that a recipe fits.

    Raises:
        PreflightError: it does not fit; names the smallest change that helps, if there is one.
    """
    if found.fits:
        return
    start = f"this run does not fit: it takes {found.sentence()}"
    if found.change is None or found.changed is None:
        raise PreflightError(
            f"{start}; no smaller batch, shorter row, checkpointing or 4-bit base would make it "
            "fit: take a smaller --model, or a larger machine (toolkit recipes names some)"
        )
    options = " ".join(f"--set {option}" for option in found.change)
    raise PreflightError(
        f"{start}; the smallest change that makes it fit ({found.changed.peak / GIB:.1f} GiB): "
        f"{options}"
    )


def changes(
    recipe: Recipe, shape: Shape, task: Task | type[Task]
) -> Iterator[tuple[tuple[str, ...], Recipe, Shape]]:
    """Changes from small to large: ``--set`` options, the recipe with them, its rows.

    A smaller batch with more gradient accumulation trains the same; gradient checkpointing costs
    time; shorter rows cost text; 4 bits change the model.
    """
    same = list(_batches(recipe, shape))
    yield from same
    checkpointed = smaller(recipe, gradient_checkpointing=True)
    steps = [((), recipe), (("training.gradient_checkpointing=true",), checkpointed)]
    if not recipe.training.get("gradient_checkpointing"):
        option = steps[1][0]
        yield option, checkpointed, shape
        for options, changed, at in _batches(checkpointed, shape):
            yield (*option, *options), changed, at
    last_options, last = steps[1]
    least = list(_batches(last, shape))
    options, smallest, _ = least[-1] if least else ((), last, shape)
    base = (*(() if recipe.training.get("gradient_checkpointing") else last_options), *options)
    if recipe.lora is not None and not recipe.quantization and _quantizes(task):
        four = replace(smallest, quantization=NF4)
        yield (*base, *(f"quantization.{k}={_toml(v)}" for k, v in NF4.items())), four, shape
        for length in _shorter(shape):
            yield (
                (*base, f"training.max_length={length}",
                 *(f"quantization.{k}={_toml(v)}" for k, v in NF4.items())),
                smaller(four, max_length=length), _cut(shape, length),
            )  # fmt: skip
    else:
        for length in _shorter(shape):
            yield (
                (*base, f"training.max_length={length}"),
                smaller(smallest, max_length=length), _cut(shape, length),
            )  # fmt: skip


def _quantizes(task: Task | type[Task]) -> bool:
    """Whether bitsandbytes is installed, which quantization needs."""
    import importlib.util

    return importlib.util.find_spec("bitsandbytes") is not None


def _batches(recipe: Recipe, shape: Shape) -> Iterator[tuple[tuple[str, ...], Recipe, Shape]]:
    """Half the batch, a quarter, …, each with as many times more accumulation."""
    batch = int(recipe.training.get("per_device_train_batch_size", BATCH))
    steps = int(recipe.training.get("gradient_accumulation_steps", 1))
    divisor = 2
    while batch % divisor == 0:
        fields = {
            "per_device_train_batch_size": batch // divisor,
            "gradient_accumulation_steps": steps * divisor,
        }
        options = tuple(f"training.{name}={value}" for name, value in fields.items())
        yield options, smaller(recipe, **fields), shape
        divisor *= 2


def _shorter(shape: Shape) -> Iterator[int]:
    length = shape.length // 2
    while length > shape.answer + 16:
        yield length
        length //= 2


def _cut(shape: Shape, length: int) -> Shape:
    prompt = None if shape.prompt is None else min(shape.prompt, length)
    return replace(shape, length=length, prompt=prompt)


def _toml(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
