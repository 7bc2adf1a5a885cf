"""Ensembles: several checkpoints of one training, stored as members beside the best adapter."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

from toolkit.errors import RecipeError, RunError
from toolkit.kinds.checkpoints import problem, step_of
from toolkit.models import adapters
from toolkit.recipe import Recipe
from toolkit.system import distributed
from toolkit.task import Task

MEMBERS = "members"
"""The folder of an ensemble's adapters, inside that of the adapter."""


UNMIXED = ("use_dora", "trainable_token_indices", "modules_to_save", "lora_bias")
"""Fields of ``LoraConfig`` whose weights are no part of the mean of several adapters' updates."""


def wanted(task: Task, recipe: Recipe, *, mixed: bool = False) -> int:
    """How many checkpoints form the ensemble; 0: there is none.

    Args:
        task: the task, whose option ``ensemble`` is the number.
        recipe: how to train.
        mixed: whether the members become one adapter, the mean of their updates.

    Raises:
        RecipeError: ``task.ensemble`` is not 0 or at least 2, or the recipe trains no adapter, or
            one that cannot stand beside others of its kind.
    """
    value = task.options.get("ensemble", 0)
    if not isinstance(value, int) or value < 0 or value == 1:
        raise RecipeError(f"task.ensemble is {value!r}; it can be 0 (none) or 2 and more")
    if value and recipe.lora is None:
        raise RecipeError("task.ensemble takes adapters: choose a recipe with [lora]")
    if value:
        fields = recipe.lora or {}
        biased = ("bias",) if fields.get("bias", "none") != "none" else ()
        for name in (*biased, *(name for name in UNMIXED if mixed and fields.get(name))):
            raise RecipeError(
                f"task.ensemble does not go with lora.{name}: what it trains cannot be held for "
                "several checkpoints at once; leave one of them out"
            )
    return value


def saving(recipe: Recipe, count: int) -> Recipe:
    """The recipe, keeping at least ``count`` checkpoints; unchanged where that is 0."""
    if not count:
        return recipe
    fields = {**recipe.training}
    fields["save_total_limit"] = max(count, int(fields.get("save_total_limit") or 0))
    return dataclasses.replace(recipe, training=fields)


def saved(checkpoints: Path) -> list[Path]:
    """The complete checkpoints of a training, the oldest first, without the untrained start."""
    return sorted(
        (one for one in checkpoints.glob("checkpoint-*") if step_of(one) and problem(one) is None),
        key=lambda one: int(one.name.rpartition("-")[2]),
    )


def kept_or_why(checkpoints: Path, adapter: Path, count: int, base: str) -> str | None:
    """Store an ensemble as :func:`keep` does, or the reason why there is none.

    All of several processes get the same answer, and the first of them stores.
    """
    reason: str | None = distributed.agreed(lambda: too_few(checkpoints))
    if reason is None and distributed.first():
        keep(checkpoints, adapter, count, base)
    return reason


def too_few(checkpoints: Path) -> str | None:
    """Why there are too few checkpoints for an ensemble; ``None`` where there are enough."""
    number = len(saved(checkpoints))
    if number >= 2:
        return None
    return (
        f"training saved {number} checkpoint, and an ensemble takes two; save more often with "
        "--set training.eval_steps=… or train longer"
    )


def keep(checkpoints: Path, adapter: Path, count: int, model: str = "") -> None:
    """Copy the adapters of the newest checkpoints into the folder of the best one.

    Args:
        checkpoints: the trainer's output folder.
        adapter: the folder of the best one.
        count: how many are wanted.
        model: the recipe's model, which the members' settings name.

    Raises:
        RecipeError: training saved fewer than two.
    """
    if reason := too_few(checkpoints):
        raise RecipeError(f"task.ensemble: {reason}")
    found = saved(checkpoints)
    for checkpoint in found[-count:]:
        folder = adapter / MEMBERS / checkpoint.name
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("adapter_config.json", "adapter_model.safetensors"):
            shutil.copyfile(checkpoint / name, folder / name)
        adapters.settle_config(folder / "adapter_config.json", model)


def kept(adapter: Path, count: int) -> list[Path]:
    """The folders of an ensemble's members, inside an adapter's.

    Raises:
        RunError: ``count`` is not 0, and there are none.
    """
    found = sorted(file.parent for file in (adapter / MEMBERS).glob("*/adapter_config.json"))
    if count and not found:
        raise RunError(
            f"{adapter} holds no {MEMBERS} for the ensemble; remove that folder and go on with: "
            "toolkit resume"
        )
    return found
