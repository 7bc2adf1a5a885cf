"""``toolkit compare``: finished runs side by side, and one ladder of all their systems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolkit.errors import UsageError
from toolkit.metrics import statistics
from toolkit.metrics.metric import Metric
from toolkit.metrics.statistics import plain
from toolkit.reporting import context
from toolkit.runs import predictions
from toolkit.runs.files import read_json
from toolkit.runs.predictions import System, same
from toolkit.runs.run import Run
from toolkit.task import Task


def compare(runs: Sequence[Run], tasks: Sequence[Task]) -> dict[str, Any]:
    """Runs side by side, each against the first row by row where that is possible.

    Args:
        runs: at least two scored runs.
        tasks: the task of each run, in the same order; the first one's primary metric counts.

    Returns:
        ``metric``, ``runs`` (one object a run), ``pairs`` (one for every run but the first, with
        ``row_by_row`` and, where that is false, ``why``), ``ladder`` (every system of all runs
        where they all answered the same rows, see :func:`ladder`; else empty) and
        ``statement``, a sentence.
    """
    if len(runs) < 2:
        raise UsageError("compare needs at least two runs: toolkit compare RUN RUN")
    metric = tasks[0].metric()
    found = [predictions.trained(predictions.load(run)) for run in runs]
    lines = [_line(run, metric.name) for run in runs]
    pairs = []
    for run, ours, line in zip(runs[1:], found[1:], lines[1:], strict=True):
        pair: dict[str, Any] = {"a": run.id, "b": runs[0].id, "metric": metric.name}
        why = _obstacle(lines[0], line, found[0], ours, metric.name)
        pair |= {"row_by_row": why is None, "why": why}
        if why is None and ours and found[0]:
            values = predictions.shared_values(ours, found[0], metric.name)
            pair |= plain(statistics.paired(metric, *values))
        pairs.append(pair)
    described = {
        "name": metric.name,
        "label": metric.label or metric.name,
        "unit": metric.unit,
        "format": metric.format,
        "greater_is_better": metric.greater_is_better,
    }
    return {
        "version": 1,
        "metric": described,
        "runs": lines,
        "pairs": pairs,
        "ladder": ladder(runs, [task.name for task in tasks], metric)
        if all(pair["row_by_row"] for pair in pairs)
        else [],
        "statement": _statement(pairs),
    }


def _line(run: Run, metric: str) -> dict[str, Any]:
    """A run in one line of the table."""
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
        "synthetic": doc["synthetic"],
        "n": doc["n"],
        "value": ours["value"] if ours else None,
        "low": ours["low"] if ours else None,
        "high": ours["high"] if ours else None,
        "worth_it": doc["verdict"]["worth_it"],
        "sentence": doc["verdict"]["sentence"],
        "best_baseline": doc["verdict"]["best_baseline"],
        "parameters_trained": training.get("parameters_trained"),
        "seconds": training.get("seconds"),
    }


def _obstacle(
    first: Mapping[str, Any],
    second: Mapping[str, Any],
    theirs: System | None,
    ours: System | None,
    metric: str,
) -> str | None:
    """Why two runs cannot be compared row by row; ``None`` where they can."""
    if ours is None or theirs is None:
        return "nothing was trained in one of them"
    if first["fingerprint"] != second["fingerprint"]:
        return "their data or splits differ"
    a, b = theirs.splits["test"], ours.splits["test"]
    if a.keys() != b.keys() or not all(same(a[i]["reference"], b[i]["reference"]) for i in a):
        return "their test rows differ"
    if any(metric not in row["metrics"] for row in b.values()):
        return f"one of them has no {metric}"
    return None


def _statement(pairs: Sequence[Mapping[str, Any]]) -> str:
    apart = [pair for pair in pairs if not pair["row_by_row"]]
    first = pairs[0]["b"]
    if not apart:
        return f"All runs answered the same test rows; differences to {first} are row by row."
    reasons = "; ".join(f"{pair['a']}: {pair['why']}" for pair in apart)
    return (
        f"Not comparable row by row with {first} – {reasons}. Figures on different rows stand side "
        "by side only: a gap between them may be the rows, not the models."
    )


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
    found = [predictions.load(run) for run in runs]
    ours = predictions.trained(found[0])
    sign = -1 if metric.greater_is_better else 1
    rows = []
    for rung in _rungs(runs, tasks, found):
        compared = None
        if ours is not None and rung.system is not ours:
            compared = plain(
                statistics.paired(
                    metric, *predictions.shared_values(ours, rung.system, metric.name)
                )
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
