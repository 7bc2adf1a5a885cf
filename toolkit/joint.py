"""One ladder for several runs on the same rows: every system of each, compared row by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolkit import statistics, systems
from toolkit.run import Run
from toolkit.statistics import plain
from toolkit.systems import System
from toolkit.task import Metric
from toolkit.verifying import same


@dataclass(frozen=True)
class Rung:
    """A system of one of the runs, or of several where all give the same answers.

    Args:
        name: the system's name, with its run's where that is needed to tell it from others.
        runs: the runs that have it.
        system: its predictions.
    """

    name: str
    runs: list[str]
    system: System


def ladder(runs: Sequence[Run], tasks: Sequence[str], metric: Metric) -> list[dict[str, Any]]:
    """All systems of all runs, the best first, each against what the first run trained.

    Args:
        runs: runs that answered the same test rows.
        tasks: the name of each run's task.
        metric: the figure, which all of them have.

    Returns:
        objects with ``name``, ``role``, ``runs``, ``value``, ``low``, ``high`` and ``compared``
        (the first run's trained system minus this one; ``None`` for itself).
    """
    found = [systems.load(run) for run in runs]
    ours = systems.trained(found[0])
    sign = -1 if metric.greater_is_better else 1
    rows = []
    for rung in _rungs(runs, tasks, found):
        compared = None
        if ours is not None and rung.system is not ours:
            compared = plain(
                statistics.paired(metric, *systems.shared_values(ours, rung.system, metric.name))
            )
        rows.append(
            {
                "name": rung.name,
                "role": rung.system.role,
                "runs": rung.runs,
                **plain(statistics.interval(metric, rung.system.values(metric.name))),
                "compared": compared,
            }
        )
    return sorted(rows, key=lambda row: (row["value"] is None, sign * (row["value"] or 0.0)))


def _rungs(
    runs: Sequence[Run], tasks: Sequence[str], found: Sequence[Sequence[System]]
) -> list[Rung]:
    # Runs are told apart by their task where that is enough, else by their number.
    names = tasks if len(set(tasks)) == len(tasks) else [run.id for run in runs]
    rungs: list[Rung] = []
    for run, of, name in zip(runs, found, names, strict=True):
        for system in of:
            twin = next((r for r in rungs if _same(r.system, system)), None)
            if twin is not None:
                twin.runs.append(run.id)
            else:
                rungs.append(Rung(f"{system.name} of {name}", [run.id], system))
    counts = [rung.system.name for rung in rungs]
    return [
        Rung(r.system.name, r.runs, r.system)
        if counts.count(r.system.name) == 1 and r.system.role == "baseline"
        else r
        for r in rungs
    ]


def _same(a: System, b: System) -> bool:
    """Whether two runs have one baseline twice; threads add up a forest in any order."""
    if a.name != b.name or not a.role == b.role == "baseline":
        return False
    ours, others = _answers(a), _answers(b)
    return ours.keys() == others.keys() and all(same(ours[i], others[i]) for i in ours)


def _answers(system: System) -> Mapping[int, Any]:
    return {row_id: row["prediction"] for row_id, row in system.splits["test"].items()}
