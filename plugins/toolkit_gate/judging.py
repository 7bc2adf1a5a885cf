"""Whether the trained model of one run is no worse than that of another, on the rows they share."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from toolkit import Metric, Task, formatting
from toolkit.errors import RunError, UsageError
from toolkit.evaluation import groups, noninferiority
from toolkit.metrics import statistics
from toolkit.pipeline import heldout_rows, load_task
from toolkit.runs import Run, predictions, shared_rows

CODES = {"no worse": 0, "worse": 1, "open": 1, "incomparable": 2}
"""Exit codes of the outcomes."""


@dataclass(frozen=True)
class Figure:
    """A metric of both models on the shared rows.

    Args:
        name: the metric's name.
        label: what tables call it.
        greater_is_better: whether more is better.
        new, old: its figures as texts.
        difference: new minus old with its interval, as a text; empty: undefined.
        compared: the comparison as JSON values.
    """

    name: str
    label: str
    greater_is_better: bool
    new: str
    old: str
    difference: str
    compared: Mapping[str, Any]


@dataclass(frozen=True)
class Result:
    """What the gate has found.

    Args:
        outcome: see :class:`toolkit.evaluation.noninferiority.Judgement`.
        sentence: the answer in a sentence, with the figures.
        new, old: the IDs of the runs.
        task: the name of the new run's task.
        metric: the primary metric, which decides.
        margin: the share of the old figure by which the new one may be worse.
        rows: shared test rows.
        groups: groups of these; ``None``: each row is one of its own.
        unshared: test rows of the new and of the old run that the other lacks.
        figures: all metrics that both have, the primary one first.
    """

    outcome: str
    sentence: str
    new: str
    old: str
    task: str
    metric: str
    margin: float
    rows: int = 0
    groups: int | None = None
    unshared: tuple[int, int] = (0, 0)
    figures: Sequence[Figure] = field(default_factory=list)

    @property
    def code(self) -> int:
        """The exit code."""
        return CODES[self.outcome]

    def document(self) -> dict[str, Any]:
        """All of it as JSON values."""
        return {"version": 1, **asdict(self), "code": self.code}


def opened(name: str, folder: Path) -> Run:
    """A run by its folder or ID, or the newest of a folder of runs.

    Args:
        name: what the user gave.
        folder: the runs folder, for IDs.

    Raises:
        UsageError: there is none.
        RunError: it is not finished.
    """
    place = Path(name)
    if place.is_dir() and not (place / "run.json").exists():
        run = Run.find(None, place)
    else:
        run = Run.find(name, folder)
    if not run.done("predict"):
        raise RunError(f"run {run.id} is not finished; go on with: toolkit resume {run.path}")
    return run


def judge(new: Run, old: Run, margin: float | None = None) -> Result:
    """Compare the trained models of two runs, row by row.

    Args:
        new, old: finished runs.
        margin: the share of the old figure by which the new one may be worse; ``None``: the task's.

    Raises:
        UsageError: there is no margin.
    """
    task, former = load_task(new), load_task(old)
    share = task.margin if margin is None else margin
    if not share:
        raise UsageError(
            f"{task.name} names no margin: say by which share of {task.primary_metric} a new model "
            "may be worse, such as --margin 0.02"
        )
    metric = task.metric()
    found: dict[str, Any] = {
        "new": new.id, "old": old.id, "task": task.name, "metric": metric.name, "margin": share
    }  # fmt: skip
    ours, theirs = _trained(new, task), _trained(old, former)
    if ours is None or theirs is None:
        return Result("incomparable", "nothing was trained in one of the runs", **found)
    pairs = shared_rows.shared_test_rows(new, old)
    a = [ours.splits["test"][first] for first, _ in pairs]
    b = [theirs.splits["test"][second] for _, second in pairs]
    if why := _obstacle(metric, former, pairs, a, b):
        return Result("incomparable", f"not comparable: {why}", **found)
    figures = [
        _figure(one, a, b)
        for one in sorted(task.metrics, key=lambda one: one.name != metric.name)
        if all(one.name in line["metrics"] for line in (*a, *b))
    ]
    judged = noninferiority.judge(
        metric, *_values(metric, a, b), share, groups=predictions.grouping(a)
    )
    sizes = len(ours.splits["test"]), len(theirs.splits["test"])
    return Result(
        judged.outcome,
        _sentence(metric, judged, figures[0], len(a)),
        **found,
        rows=len(a),
        groups=judged.compared.groups,
        unshared=(sizes[0] - len(a), sizes[1] - len(a)),
        figures=figures,
    )


def _trained(run: Run, task: Task) -> predictions.System | None:
    """A run's trained system, with the groups of its rows."""
    system = predictions.trained(predictions.load(run))
    if system is None:
        return None
    held = [{"split": split, **row} for (split, _), row in heldout_rows(run).items()]
    return groups.with_groups([system], task, held)[0]


def _obstacle(
    metric: Metric,
    former: Task,
    pairs: Sequence[tuple[int, int]],
    a: Sequence[Mapping[str, Any]],
    b: Sequence[Mapping[str, Any]],
) -> str:
    """Why two runs cannot be compared; empty where they can."""
    if not pairs:
        return "they share no test row (their data or their splits differ)"
    theirs = next((one for one in former.metrics if one.name == metric.name), None)
    if theirs is None or any(metric.name not in line["metrics"] for line in (*a, *b)):
        return f"one of them has no {metric.name}"
    if theirs.greater_is_better != metric.greater_is_better:
        return f"{metric.name} means better where it is larger in one of them alone"
    if not all(predictions.same(x["reference"], y["reference"]) for x, y in zip(a, b, strict=True)):
        return "rows that are alike have other answers in one of them"
    ours, others = _values(metric, a, b)
    if [value is None for value in ours] != [value is None for value in others]:
        return f"{metric.name} applies to other rows in one of them"
    return ""


def _values(
    metric: Metric, a: Sequence[Mapping[str, Any]], b: Sequence[Mapping[str, Any]]
) -> tuple[list[Any], list[Any]]:
    return [one["metrics"][metric.name] for one in a], [one["metrics"][metric.name] for one in b]


def _figure(
    metric: Metric, a: Sequence[Mapping[str, Any]], b: Sequence[Mapping[str, Any]]
) -> Figure:
    ours, theirs = _values(metric, a, b)
    if [value is None for value in ours] != [value is None for value in theirs]:
        compared = statistics.Comparison(math.nan, math.nan, math.nan, math.nan)
    else:
        compared = statistics.paired(metric, ours, theirs, groups=predictions.grouping(a))
    new, old = (
        formatting.figure(statistics.metric_value(metric, values), metric.format, metric.unit)
        for values in (ours, theirs)
    )
    known = statistics.as_json(compared)
    text = ""
    if known["difference"] is not None:
        text = formatting.signed(compared.difference, metric.format, metric.unit)
        if known["low"] is not None:
            text += f" ({formatting.signed_span(compared.low, compared.high, metric.format)})"
    label = metric.label or metric.name
    return Figure(metric.name, label, metric.greater_is_better, new, old, text, known)


def _sentence(
    metric: Metric,
    judged: noninferiority.Judgement,
    figure: Figure,
    rows: int,
) -> str:
    """The answer in a sentence."""
    compared = judged.compared
    where = formatting.grouped_units(rows, compared.groups, "shared test row")
    room = formatting.figure(judged.room, metric.format, metric.unit)
    figures = (
        f"{figure.label} is {figure.new}, and was {figure.old}: a difference of "
        f"{figure.difference or 'no known size'} on {where}, with a margin of {room}"
    )
    heads = {
        "no worse": "No worse",
        "worse": "Worse",
        "open": "Not shown to be no worse",
        "incomparable": "Not comparable",
    }
    notes = {
        "open": "; more rows, or a larger margin, could tell",
        "incomparable": f"; there is no interval ({compared.note or 'the figure is undefined'})",
    }
    return f"{heads[judged.outcome]}: {figures}{notes.get(judged.outcome, '')}"
