"""The parts of ``metrics.json`` on decoders and training seeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from toolkit.metrics import statistics
from toolkit.metrics.metric import Metric
from toolkit.metrics.statistics import known, plain
from toolkit.runs.predictions import TRAINED, System
from toolkit.task import Task

PLAIN = "greedy"
"""The decoder that others are compared with; the task's first one where there is no such name."""


# -- decoders ------------------------------------------------------------------------------------
def decoders(system: System, task: Task, metric: Metric) -> list[dict[str, Any]]:
    """Every decoder of a system: the figure it was chosen by, and its figure on the test rows."""
    rows = []
    for name in _decoder_names(system):
        on_validation = _decoded(system, name, task, metric, "validation")
        on_test = plain(statistics.interval(metric, _decoded(system, name, task, metric, "test")))
        rows.append(
            {
                "name": name,
                "validation": known(statistics.figure(metric, on_validation))
                if on_validation
                else None,
                "test": on_test["value"],
                "low": on_test["low"],
                "high": on_test["high"],
                "chosen": name == system.entry.get("decoder"),
            }
        )
    return rows


def decoder_comparisons(system: System, task: Task, metric: Metric) -> list[dict[str, Any]]:
    """Each decoder against the plain one, row by row on test."""
    names = _decoder_names(system)
    if len(names) < 2:
        return []
    usual = PLAIN if PLAIN in names else names[0]
    theirs = _decoded(system, usual, task, metric, "test")
    return [
        {
            "system": system.name,
            "a": name,
            "b": usual,
            "metric": metric.name,
            **plain(
                statistics.paired(metric, _decoded(system, name, task, metric, "test"), theirs)
            ),
        }
        for name in names
        if name != usual
    ]


def _decoder_names(system: System) -> list[str]:
    """Decoders that every test row has an answer of."""
    rows = system.rows()
    first = rows[0].get("decoders") or {}
    return [name for name in first if all(name in (row.get("decoders") or {}) for row in rows)]


def _decoded(system: System, name: str, task: Task, metric: Metric, split: str) -> list[Any]:
    """A decoder's per-example values; what it could not read counts as the task's fallback."""
    values = []
    for row in system.rows(split):
        answer = (row.get("decoders") or {}).get(name)
        if answer is None:
            answer = task.fallback()
        values.append(metric.per_example(answer, row["reference"]))
    return values


# -- seeds ---------------------------------------------------------------------------------------
def seeds(found: Sequence[System], metric: Metric) -> dict[str, Any] | None:
    """The spread over training seeds; ``None`` where the model was trained once."""
    values = [statistics.figure(metric, s.values(metric.name)) for s in found if s.role in TRAINED]
    if len(values) < 2:
        return None
    from statistics import fmean, stdev

    return {"n": len(values), "values": values, "mean": fmean(values), "sd": stdev(values)}
