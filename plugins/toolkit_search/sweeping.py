"""A sweep from the space to the page: trials, then winner and recipe once on the test rows."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit import Recipe, UsageError
from toolkit.formatting import count
from toolkit.pipeline.whole import Plan, carried_out
from toolkit.plugins import recipes
from toolkit.runs import Run, read_json, write_json
from toolkit.system import Console
from toolkit_search import searching, space, sweep_result
from toolkit_search import study as studies
from toolkit_search.searching import Limits, Search
from toolkit_search.space import Space

if TYPE_CHECKING:
    import optuna

    from toolkit import Task

FOR_TRIALS = 0.6
"""The share of a sweep's minutes that trials get; the rest is for the trainings that follow, whose
scoring on held-out rows comes on top: it depends on the rows, and is not known before."""
LEAST_TRIALS = 8
"""Trials that the minutes of a sweep are enough for."""
STATE = "sweep-runs.json"
"""What a folder of results holds of the settings, and of the runs that follow the trials."""


@dataclass(frozen=True)
class Budget:
    """What a sweep may take.

    Args:
        limits: of the trials.
        seeds: trainings of winner and recipe; 0: they are not trained again.
        final_minutes: of each of these; ``None``: those of the recipe.
    """

    limits: Limits
    seeds: int
    final_minutes: float | None

    @classmethod
    def of(
        cls,
        recipe: Recipe,
        *,
        minutes: float | None,
        trials: int | None,
        max_cost: float | None,
        trial_minutes: float | None,
        seeds: int,
    ) -> Budget:
        """The budget that the options make; money is minutes at the price of the machine.

        Raises:
            UsageError: there is none, or a value is no budget.
        """
        for option, value in (("--minutes", minutes), ("--trial-minutes", trial_minutes)):
            if value is not None and not 0 < value < math.inf:
                raise UsageError(f"{option} {value:g} must be above 0")
        if max_cost is not None:
            price = recipe.cost.get("machine_price_per_hour")
            if not isinstance(price, int | float) or price <= 0 or not 0 < max_cost < math.inf:
                raise UsageError(
                    "--max-cost needs a sum above 0 and the price of the machine: "
                    "--set cost.machine_price_per_hour=1.20"
                )
            bought = 60 * max_cost / price
            minutes = bought if minutes is None else min(minutes, bought)
        if minutes is None and trials is None:
            raise UsageError("a sweep needs a budget: --minutes, --trials or --max-cost")
        if minutes is None:
            return cls(Limits(trials, None, trial_minutes), seeds, None)
        share = FOR_TRIALS if seeds else 1.0
        final = (1 - share) * minutes / (2 * seeds) if seeds else None
        if trial_minutes is None:
            # As long as what follows: other settings win where there is more time. And without a
            # limit the recipe's own training, the first trial, could take all of it.
            trial_minutes = min(final or math.inf, share * minutes / LEAST_TRIALS)
        return cls(Limits(trials, 60 * share * minutes, trial_minutes), seeds, final)


@dataclass(frozen=True)
class Shared:
    """Where a sweep's results and trials are.

    Args:
        folder: of the results.
        url: of a database; ``None``: a journal in the folder.
        name: of the study.
    """

    folder: Path
    url: str | None
    name: str


def space_of(
    task: type[Task], recipe: Recipe, file: Path | None, models: Sequence[str]
) -> dict[str, space.Values]:
    """The space of a file, or the default one; several models are chosen from in either."""
    if file is None:
        return space.default(task, recipe, models)
    found = space.read(file)
    if len(models) > 1:
        found[space.MODEL] = space.Values(choices=tuple(models))
    return found


def swept(
    plan: Plan, recipe: Recipe, tried: Space, budget: Budget, shared: Shared, console: Console
) -> tuple[dict[str, Any], Path]:
    """Search, train winner and recipe again, and write the page.

    Returns:
        the document, and the path of the page.

    Raises:
        UsageError: the folder or the study is of other settings.
    """
    metric = _metric(plan)
    seed = int(plan.options.get("seed", 0))
    study = studies.opened(
        shared.folder, shared.url, shared.name, maximize=metric.greater_is_better, seed=seed
    )
    state = _state(shared, study, plan, recipe, tried)
    search = Search(
        plan, recipe, tried, study, budget.limits, console, shared.folder / "trials"
    )  # fmt: skip
    reason = search.run()
    console.say(f"{count(searching.done(study), 'trial')}: {reason}")
    best = searching.winner(study)
    final = None
    own = best is not None and best.params == space.of_recipe(plan.task, recipe, tried)
    if best is not None and not own and budget.seeds:
        chosen = space.applied(recipe, searching.values_of(best, tried))
        final = _final(plan, recipe, chosen, budget, shared, state, console)
    document = sweep_result.document(plan.task.name, metric, study, tried, reason, final)
    if own:  # there is nothing to compare
        document["sentences"].append("These are the recipe's own settings: nothing is better.")
    return document, sweep_result.write(document, shared.folder)


def _metric(plan: Plan) -> Any:
    return next(m for m in plan.task.metrics if m.name == plan.task.primary_metric)


def _state(
    shared: Shared, study: optuna.Study, plan: Plan, recipe: Recipe, tried: Space
) -> dict[str, Any]:
    """What an earlier call has left in the folder; the study must be of the same settings."""
    import json

    settings = json.dumps(
        {"task": plan.task.name, "source": plan.source.as_dict(),
         "recipe": recipes.as_dict(recipe), "seed": plan.options.get("seed", 0),
         "space": {name: dataclasses.asdict(values) for name, values in tried.items()}},
        sort_keys=True, default=str,
    )  # fmt: skip
    known = study.user_attrs.get("settings")
    if known is None:
        study.set_user_attr("settings", settings)
    elif known != settings:
        raise UsageError(
            f"the study {shared.name!r} has other settings (rows, recipe or space); name another "
            "one with --out or --study"
        )
    place = shared.folder / STATE
    found = read_json(place) if place.is_file() else {}
    return found if isinstance(found, dict) else {}


def _final(
    plan: Plan,
    recipe: Recipe,
    chosen: Recipe,
    budget: Budget,
    shared: Shared,
    state: dict[str, Any],
    console: Console,
) -> Mapping[str, Any]:
    """Winner and recipe, trained with seeds that no trial had, and compared once.

    What an earlier call has compared stays: looking at the test rows until they please would be a
    search on them.
    """
    if "compared" in state:
        console.note("winner and recipe were compared before; a further search changes nothing")
        found: Mapping[str, Any] = state["compared"]
        return found
    done: list[Run] = []
    for name, one in (("winner", chosen), ("recipe", recipe)):
        console.heading(f"the {name}, {count(budget.seeds, 'seed')}")
        known = state.get(name)
        if isinstance(known, str) and (Path(known) / "run.json").is_file():
            run = Run.open(Path(known))
        else:
            run = plan.begin(_timed(one, budget.final_minutes), seeds=budget.seeds)
            state[name] = str(run.path)
            write_json(shared.folder / STATE, state)
        carried_out(run, console)
        done.append(Run.open(run.path))
    from toolkit.pipeline import compare, load_task

    # compare() takes each run minus the first one: the recipe comes first.
    order = [done[1], done[0]]
    compared = compare.compare(order, [load_task(run) for run in order])
    spread = {
        name: carried_out(run, console).get("seeds")
        for name, run in zip(("winner", "recipe"), done, strict=True)
    }
    state["compared"] = {
        "pair": compared["pairs"][0], "runs": compared["runs"], "statement": compared["statement"],
        "seeds": spread, "paths": {"winner": str(done[0].path), "recipe": str(done[1].path)},
    }  # fmt: skip
    write_json(shared.folder / STATE, state)
    kept: Mapping[str, Any] = state["compared"]
    return kept


def _timed(recipe: Recipe, minutes: float | None) -> Recipe:
    if minutes is None:
        return recipe
    own = (recipe.early_stopping or {}).get("minutes")
    least = minutes if own is None else min(minutes, float(own))
    stopping = {**(recipe.early_stopping or {}), "minutes": least}
    return dataclasses.replace(recipe, early_stopping=stopping)
