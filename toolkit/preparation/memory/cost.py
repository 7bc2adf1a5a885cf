"""What recipes take: memory, time and cost, here and on GPUs by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from toolkit.models.paths import EMBEDDED
from toolkit.preparation.memory import hardware, stored
from toolkit.recipe import Recipe
from toolkit.task import Task

ROWS = 10_000
"""Training rows that times are for, where nobody says how many."""
MIB = 2**20


def described(
    task: type[Task],
    recipe: Recipe,
    where: Sequence[hardware.Machine],
    *,
    rows: int = ROWS,
    compute: bool = False,
) -> dict[str, Any]:
    """What a recipe takes, and what of it each machine has, as JSON values.

    Args:
        task: whose recipe it is.
        recipe: the recipe.
        where: the machines.
        rows: training rows, of half the recipe's longest length each.
        compute: estimate anew where nothing is kept; imports torch.
    """
    options = dict(recipe.task)
    used = min(rows, int(options["rows"])) if options.get("rows") else rows
    tokens = stored.length(recipe) // 2
    found: dict[str, Any] = {"rows": used, "tokens_a_row": tokens, "machines": {}}
    for machine in where:
        held = stored.kept(task, recipe, gpu=machine.gpu)
        if compute and held is None:
            held = stored.made(task, recipe, gpu=machine.gpu)
        if held is None:
            continue
        # A recipe's price is that of where it is run; GPUs by name have their own.
        cost = {} if machine in hardware.GPUS else recipe.cost
        found["gpu" if machine.gpu else "cpu"] = held
        peak = int(held["peak_mb"] * MIB)
        taken = hardware.seconds(machine, recipe, held["parameters_total"], used, tokens)
        found["machines"][machine.name] = {
            "fits": hardware.suits(machine, recipe, peak) is None,
            "why_not": hardware.suits(machine, recipe, peak),
            "peak_gib": round(peak / hardware.GIB, 2),
            "hours": round(taken / 3600, 3),
            "price": _rounded(hardware.price(machine, cost, taken) if machine.gpu else None),
        }
    return found


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def next_recipe(task: type[Task], recipe: Recipe) -> str | None:
    """After a run on an embedded model: the recipe to try on a real one, and whether it fits here.

    ``None`` where the run was on a real model, or its task has no recipe for one.
    """
    if not recipe.model.startswith(EMBEDDED):
        return None
    real = [one for one in task.recipes if not one.model.startswith(EMBEDDED)]
    if not real:
        return None
    following = real[0]
    command = f"toolkit run {task.name} --recipe {following.name}"
    here = hardware.this(measure=_torch_is_there())
    told = described(task, following, [here, hardware.GPUS[-1]], compute=_torch_is_there())
    needs = told.get("gpu", told.get("cpu"))
    if needs is None:
        return f"Next, a real model ({following.model}): {command}"
    memory = needs["peak_mb"] * MIB / hardware.GIB
    own = told["machines"].get(here.name)
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


def _torch_is_there() -> bool:
    """Whether torch has been imported by now: only then is asking it free."""
    import sys

    return "torch" in sys.modules
