"""The parts of ``metrics.json`` on decoders and training seeds."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any

from toolkit.metrics import statistics
from toolkit.metrics.metric import Metric
from toolkit.metrics.statistics import as_json, known
from toolkit.runs.predictions import TRAINED, System
from toolkit.task import Task

PLAIN = "greedy"
"""The decoder that others are compared with; the task's first one where there is no such name."""


# -- decoders ------------------------------------------------------------------------------------
def decoders(
    system: System, task: Task, metric: Metric
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Every decoder of a system, and each compared with :data:`PLAIN`.

    Returns:
        The rows of ``decoders`` of ``metrics.json``, with the metric on the validation rows, by
        which the decoder was chosen, and on the test rows, and for those that read a distribution
        what it covers of all that the model may write (``covered``, the median of the validation
        rows); and the rows of ``decoder_comparisons``,
        paired on the test rows.
    """
    names = _decoder_names(system)
    on_validation = {n: _decoded(system, n, task, metric, "validation") for n in names}
    on_test = {n: _decoded(system, n, task, metric, "test") for n in names}
    groups, table = system.groups(), []
    shares = [row["covered"] for row in system.rows("validation") if "covered" in row]
    covered = {"covered": median(shares)} if shares else {}
    for name in names:
        tested = as_json(statistics.interval(metric, on_test[name], groups=groups))
        chosen_by = on_validation[name]
        table.append(
            {
                "name": name,
                "validation": known(statistics.metric_value(metric, chosen_by))
                if chosen_by
                else None,
                "test": tested.pop("value"),
                **tested,
                "chosen": name == system.entry.get("decoder"),
                **(covered if name in getattr(task, "distribution_decoders", ()) else {}),
            }
        )
    usual = PLAIN if PLAIN in names else next(iter(names), "")
    comparisons = [
        {
            "system": system.name,
            "a": name,
            "b": usual,
            "metric": metric.name,
            **as_json(statistics.paired(metric, on_test[name], on_test[usual], groups=groups)),
        }
        for name in names
        if name != usual
    ]
    return table, comparisons


def _decoder_names(system: System) -> list[str]:
    """The decoders that have a prediction for every test row."""
    rows = system.rows()
    first = rows[0].get("decoders") or {}
    return [name for name in first if all(name in (row.get("decoders") or {}) for row in rows)]


def _decoded(system: System, name: str, task: Task, metric: Metric, split: str) -> list[Any]:
    """A decoder's per-example values; outputs that it cannot read count as the task's fallback."""
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
    values = [
        statistics.metric_value(metric, s.values(metric.name)) for s in found if s.role in TRAINED
    ]
    if len(values) < 2:
        return None
    from statistics import fmean, stdev

    return {"n": len(values), "values": values, "mean": fmean(values), "sd": stdev(values)}
