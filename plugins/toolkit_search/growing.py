"""Trainings on growing shares of the training rows; validation and test rows stay the same."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit import Recipe, UsageError
from toolkit.formatting import count
from toolkit.pipeline.whole import Plan, carried_out
from toolkit.runs import Run, read_json, shared_rows, write_json
from toolkit.system import Console

STATE = "rows-runs.json"
"""What a folder of results holds of runs that are done or begun."""
BEST = "baseline"


@dataclass(frozen=True)
class Growth:
    """What is trained.

    Args:
        shares: of the training rows, ascending, from 0 to 1.
        seeds: trainings of each share.
        minutes: of all trainings together; ``None``: no limit.
    """

    shares: Sequence[float]
    seeds: int = 1
    minutes: float | None = None


@dataclass(frozen=True)
class Point:
    """What one share has given.

    Args:
        share: the share.
        rows: the training rows that it is.
        total: all training rows that there are.
        run: the folder of its run.
        metrics: its ``metrics.json``.
    """

    share: float
    rows: int
    total: int
    run: str
    metrics: Mapping[str, Any]


def numbers(text: str, option: str, *, most: float, least: int) -> list[float]:
    """Numbers between commas, ascending and each once.

    Args:
        text: the option's value.
        option: its name.
        most: the largest number allowed.
        least: how many there must be.

    Raises:
        UsageError: they are not such numbers.
    """
    try:
        found = sorted({float(part) for part in text.split(",")})
    except ValueError:
        found = []
    if len(found) < least or not all(0 < number <= most for number in found):
        raise UsageError(
            f"{option} {text!r:.100}: give {least} or more numbers above 0"
            f"{f' and up to {most:g}' if math.isfinite(most) else ''}, between commas"
        )
    return found


def grown(
    plan: Plan, recipe: Recipe, growth: Growth, folder: Path, console: Console
) -> list[Point]:
    """Train on each share, the largest first: it says how many rows there are.

    What a folder holds of an earlier call with the same settings is used; a run that was stopped
    goes on.

    Raises:
        UsageError: the folder is of other settings, or a share is too few rows.
    """
    state = _state(folder, plan, recipe, growth)
    total = sum(growth.shares)
    points: list[Point] = []
    rows: int | None = state.get("rows")
    # All rows first, even where only smaller shares are trained on, would cost the most: the rows
    # are counted by the first run, which then uses its share of them.
    for share in sorted(growth.shares, reverse=True):
        minutes = None if growth.minutes is None else growth.minutes * share / total / growth.seeds
        if rows is None:
            rows = _counted(plan, recipe, console)
            state["rows"] = rows
            write_json(folder / STATE, state)
        of = max(1, round(share * rows))
        console.heading(f"{share:g} of the training rows: {of:,} of {rows:,}")
        run = _run(plan, _with(recipe, of, rows, minutes), growth, state, f"{share:g}", folder)
        done = carried_out(run, console)
        used = int(Run.open(run.path).info["data"]["sizes"]["train"])
        points.append(Point(share, used, rows, str(run.path), done))
    points.reverse()
    _check_same(points)
    return points


def _state(folder: Path, plan: Plan, recipe: Recipe, growth: Growth) -> dict[str, Any]:
    from toolkit.plugins import recipes

    settings = {
        "task": plan.task.name, "source": plan.source.as_dict(), "recipe": recipes.as_dict(recipe),
        "shares": list(growth.shares), "seeds": growth.seeds, "minutes": growth.minutes,
        "seed": plan.options.get("seed", 0),
    }  # fmt: skip
    place = folder / STATE
    if place.is_file():
        found = read_json(place)
        if not isinstance(found, dict) or found.get("settings") != _stored(settings):
            raise UsageError(f"{folder} holds results of other settings; name another --out")
        return found
    made: dict[str, Any] = {"settings": settings, "runs": {}}
    write_json(place, made)
    return made


def _stored(settings: Mapping[str, Any]) -> Any:
    """Settings as they are read back from a file."""
    import json

    return json.loads(json.dumps(settings, default=str))


def _counted(plan: Plan, recipe: Recipe, console: Console) -> int:
    """How many training rows there are, without training."""
    from toolkit.pipeline import load_task, make_kind, splits_of

    run = plan.begin(recipe)
    try:
        task = load_task(run)
        kind = make_kind(run, task)
        prepared = splits_of(run, task, plan.source, recipe, kind.unusable)
    finally:
        run.forget()
    found = len(prepared.splits["train"])
    console.note(f"{count(found, 'training row')}")
    return found


def _with(recipe: Recipe, rows: int, total: int, minutes: float | None) -> Recipe:
    changes: dict[str, Any] = {}
    if rows < total:
        changes["rows"] = {**recipe.rows, "train": rows}
    if minutes is not None:
        changes["early_stopping"] = {**(recipe.early_stopping or {}), "minutes": minutes}
    return dataclasses.replace(recipe, **changes)


def _run(
    plan: Plan, recipe: Recipe, growth: Growth, state: dict[str, Any], name: str, folder: Path
) -> Run:
    """The run of a share: the one that an earlier call has begun, or a new one."""
    known = state["runs"].get(name)
    if isinstance(known, str) and (Path(known) / "run.json").is_file():
        return Run.open(Path(known))
    run = plan.begin(recipe, seeds=growth.seeds)
    state["runs"][name] = str(run.path)
    write_json(folder / STATE, state)
    return run


def _check_same(points: Sequence[Point]) -> None:
    """Every run must have the same test rows, or their figures are of different questions."""
    tested = {shared_rows.digest_of_split(Run.open(Path(point.run)), "test") for point in points}
    if len(tested) > 1:
        raise UsageError("the shares were judged on different test rows; name another --out")


def nested(points: Sequence[Point]) -> bool:
    """Whether each share holds the rows of the smaller ones."""
    sets = [set(shared_rows.of_split(Run.open(Path(point.run)), "train")) for point in points]
    return all(small <= large for small, large in itertools.pairwise(sets))
