"""``toolkit compare``: finished runs side by side, and one ladder of all their systems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolkit.errors import UsageError
from toolkit.evaluation.groups import with_groups
from toolkit.metrics.metric import Metric
from toolkit.metrics.statistics import as_json
from toolkit.reporting import context
from toolkit.runs import predictions, shared_rows
from toolkit.runs.contents import read_run
from toolkit.runs.files import read_json
from toolkit.runs.predictions import System, same
from toolkit.runs.run import Run
from toolkit.task import Task


def compare(runs: Sequence[Run], tasks: Sequence[Task]) -> dict[str, Any]:
    """Compare finished runs: each with the first one, row by row where their rows are the same.

    Args:
        runs: at least two scored runs.
        tasks: the task of each run, in the same order; the first one's primary metric counts.

    Returns:
        ``metric``, ``runs`` (one object a run), ``pairs`` (one for every run but the first, with
        ``row_by_row`` and, where that is false, ``why``), ``ladder`` (every system of all runs
        where they all predicted the same rows, see :func:`ladder`; else empty) and
        ``statement``, a sentence.

    Raises:
        UsageError: fewer than two runs.
    """
    if len(runs) < 2:
        raise UsageError("compare needs at least two runs: toolkit compare RUN RUN")
    metric = tasks[0].metric()
    systems = [_systems(run, task) for run, task in zip(runs, tasks, strict=True)]
    trained = [predictions.trained(of_run) for of_run in systems]
    lines = [_line(run, metric.name) for run in runs]
    pairs = [
        _pair(metric, line, ours, lines[0], trained[0])
        for line, ours in zip(lines[1:], trained[1:], strict=True)
    ]
    alike = all(pair["row_by_row"] for pair in pairs)
    return {
        "version": 1,
        "metric": {
            "name": metric.name,
            "label": metric.label or metric.name,
            "unit": metric.unit,
            "format": metric.format,
            "greater_is_better": metric.greater_is_better,
        },
        "runs": lines,
        "pairs": pairs,
        "ladder": ladder(runs, [task.name for task in tasks], systems, metric) if alike else [],
        "statement": _statement(pairs),
    }


def _systems(run: Run, task: Task) -> list[System]:
    """The systems of a run, with the groups of their rows."""
    contents = read_run(run)
    return with_groups(contents.systems, task, contents.heldout)


# -- run against run -------------------------------------------------------------------------------
def _line(run: Run, metric: str) -> dict[str, Any]:
    """The values of a run for its line of the table."""
    doc = read_json(run.path / "metrics.json")
    name = context.trained(doc)
    ours = doc["systems"][name]["metrics"].get(metric) if name else None
    training = run.info.get("training") or {}
    return {
        "run": run.id,
        "task": doc["task"],
        "recipe": run.info.get("recipe", {}).get("name"),
        "model": run.info.get("recipe", {}).get("model"),
        "fingerprint": run.info.get("data", {}).get("fingerprint"),
        "test_rows": shared_rows.digest_of_split(run, "test"),
        "synthetic": doc["synthetic"],
        "n": doc["n"],
        "groups": doc.get("groups"),
        "value": ours["value"] if ours else None,
        "low": ours["low"] if ours else None,
        "high": ours["high"] if ours else None,
        "worth_it": doc["verdict"]["worth_it"],
        "sentence": doc["verdict"]["sentence"],
        "best_baseline": doc["verdict"]["best_baseline"],
        "parameters_trained": training.get("parameters_trained"),
        "seconds": training.get("seconds"),
    }


def _pair(
    metric: Metric,
    line: Mapping[str, Any],
    ours: System | None,
    first: Mapping[str, Any],
    theirs: System | None,
) -> dict[str, Any]:
    """The trained system of a run compared with that of the first run."""
    why = _obstacle(metric.name, line, ours, first, theirs)
    pair: dict[str, Any] = {
        "a": line["run"],
        "b": first["run"],
        "metric": metric.name,
        "row_by_row": why is None,
        "why": why,
    }
    if why is None and ours and theirs:
        pair |= as_json(predictions.compared(metric, ours, theirs))
    return pair


def _obstacle(
    metric: str,
    line: Mapping[str, Any],
    ours: System | None,
    first: Mapping[str, Any],
    theirs: System | None,
) -> str | None:
    """Why two runs cannot be compared row by row; ``None`` where they can."""
    if ours is None or theirs is None:
        return "nothing was trained in one of them"
    rows = (first["test_rows"], line["test_rows"])
    if None not in rows and rows[0] != rows[1]:
        return "their test rows differ"
    if None in rows and first["fingerprint"] != line["fingerprint"]:
        return "their data or splits differ"
    a, b = theirs.splits["test"], ours.splits["test"]
    if a.keys() != b.keys() or not all(same(a[i]["reference"], b[i]["reference"]) for i in a):
        return "their test rows differ"
    if any(metric not in row["metrics"] for row in b.values()):
        return f"one of them has no {metric}"
    return None


def _statement(pairs: Sequence[Mapping[str, Any]]) -> str:
    """Whether the figures can be compared, in a sentence."""
    apart = [pair for pair in pairs if not pair["row_by_row"]]
    first = pairs[0]["b"]
    if not apart:
        return f"All runs answered the same test rows; differences to {first} are row by row."
    reasons = "; ".join(f"{pair['a']}: {pair['why']}" for pair in apart)
    return (
        f"Not comparable row by row with {first} – {reasons}. Figures on different rows stand side "
        "by side only: a gap between them may be the rows, not the models."
    )


# -- all systems -----------------------------------------------------------------------------------
@dataclass(frozen=True)
class ComparedSystem:
    """A system of one of the runs, or a baseline that several runs share.

    Args:
        name: the system's name, followed by its run's where several runs have such a system.
        runs: the ids of the runs that have it.
        system: its predictions.
    """

    name: str
    runs: list[str]
    system: System


def ladder(
    runs: Sequence[Run],
    tasks: Sequence[str],
    systems: Sequence[Sequence[System]],
    metric: Metric,
) -> list[dict[str, Any]]:
    """All systems of all runs, the best first, each compared with the first run's trained system.

    Args:
        runs: runs that predicted the same test rows.
        tasks: the name of each run's task.
        systems: the systems of each run.
        metric: the primary metric, which all of them have.

    Returns:
        objects with ``name``, ``role``, ``runs``, ``value``, ``low``, ``high`` and ``compared``
        (the first run's trained system minus this one; ``None`` for itself).
    """
    ours = predictions.trained(systems[0])
    sign = -1 if metric.greater_is_better else 1
    rows = []
    for entry in _compared_systems(runs, tasks, systems):
        compared = None
        if ours is not None and entry.system is not ours:
            compared = as_json(predictions.compared(metric, ours, entry.system))
        rows.append(
            {
                "name": entry.name,
                "role": entry.system.role,
                "runs": entry.runs,
                **as_json(predictions.estimate(metric, entry.system)),
                "compared": compared,
            }
        )
    return sorted(rows, key=lambda row: (row["value"] is None, sign * (row["value"] or 0.0)))


def _compared_systems(
    runs: Sequence[Run], tasks: Sequence[str], systems: Sequence[Sequence[System]]
) -> list[ComparedSystem]:
    """The systems of all runs; a baseline that several runs share is listed once."""
    # Systems are named after the tasks of their runs if all tasks differ, else after the runs' ids.
    names = tasks if len(set(tasks)) == len(tasks) else [run.id for run in runs]
    entries: list[ComparedSystem] = []
    for run, of_run, name in zip(runs, systems, names, strict=True):
        for system in of_run:
            twin = next((e for e in entries if _same_baseline(e.system, system)), None)
            if twin is not None:
                twin.runs.append(run.id)
            else:
                entries.append(ComparedSystem(f"{system.name} of {name}", [run.id], system))
    names_of_systems = [entry.system.name for entry in entries]
    return [
        ComparedSystem(e.system.name, e.runs, e.system)
        if names_of_systems.count(e.system.name) == 1 and e.system.role == "baseline"
        else e
        for e in entries
    ]


def _same_baseline(a: System, b: System) -> bool:
    """Whether two systems are the same baseline, with the same predictions up to rounding.

    The same baseline differs by rounding between runs where threads add numbers up in any order,
    as those of a random forest do.
    """
    if a.name != b.name or not a.role == b.role == "baseline":
        return False
    ours, theirs = (
        {row_id: row["prediction"] for row_id, row in system.splits["test"].items()}
        for system in (a, b)
    )
    return ours.keys() == theirs.keys() and all(same(ours[i], theirs[i]) for i in ours)
