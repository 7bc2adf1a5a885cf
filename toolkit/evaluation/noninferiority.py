"""Whether a system is worse than another by more than a margin: paired, on the same rows.

A difference may show that one is better, and not that it is no worse: with few rows no difference
is ever shown. Non-inferiority turns the burden round: the end of the interval on the bad side must
lie within the margin. With intervals of 95 % a system that is worse by the margin passes in at most
2.5 % of all tries.

Source: G. Piaggio et al., "Reporting of noninferiority and equivalence randomized trials", JAMA 308
(2012) 2594-2604.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from toolkit.evaluation.prediction_files import figures, prepare_metrics
from toolkit.evaluation.standing import has_interval
from toolkit.metrics import statistics
from toolkit.metrics.metric import Metric, mean
from toolkit.metrics.statistics import Comparison, RowValues
from toolkit.runs.predictions import is_list

if TYPE_CHECKING:
    from toolkit.task import Row, Task

Outcome = Literal["no worse", "worse", "open", "incomparable"]


@dataclass(frozen=True)
class Judgement:
    """How a new system stands against an old one.

    Args:
        outcome: ``no worse``: by less than the margin, as the interval shows; ``worse``: clearly,
            and not shown to be within the margin; ``open``: the rows do not show that it is no
            worse; ``incomparable``: there is no interval.
        room: the margin in the unit of the metric.
        loss: by how much the new one is worse; below 0: better. NaN where a figure is undefined.
        compared: the comparison, new minus old.
    """

    outcome: Outcome
    room: float
    loss: float
    compared: Comparison


def judge(
    metric: Metric,
    new: RowValues,
    old: RowValues,
    margin: float,
    *,
    groups: Sequence[Hashable] | None = None,
    resamples: int = statistics.RESAMPLES,
) -> Judgement:
    """Judge a new system by its answers to the rows that an old one has answered.

    The margin is a share of the old figure, which is an estimate too. Of errors and scores the new
    figure is therefore compared with the old one *changed by the margin*, row by row; of shares and
    what is made of counts, whose own spread is small beside that of the difference, with a fixed
    room.

    Args:
        metric: the metric.
        new, old: its value for each row.
        margin: the share of the old figure by which the new one may be worse.
        groups: the group of each row; ``None``: each is one of its own.
        resamples: the number of draws.
    """
    up = 1 if metric.greater_is_better else -1
    figure = statistics.metric_value(metric, old)
    compared = statistics.paired(metric, new, old, groups=groups, resamples=resamples)
    room, loss = margin * abs(figure), -up * compared.difference
    if not has_interval(compared):
        return Judgement("incomparable", room, loss, compared)
    losses = sorted((-up * compared.low, -up * compared.high))
    beyond = losses[1] - room
    if not _counted(metric, (*new, *old)):
        factor = 1 - up * margin * math.copysign(1, figure)
        shifted = statistics.paired(
            *_changed(metric, new, old, factor), groups=groups, resamples=resamples
        )
        if not has_interval(shifted):
            return Judgement("incomparable", room, loss, shifted)
        beyond = max(-up * shifted.low, -up * shifted.high)
    outcome: Outcome = "no worse" if beyond < 0 else "worse" if losses[0] > 0 else "open"
    return Judgement(outcome, room, loss, compared)


def _counted(metric: Metric, values: RowValues) -> bool:
    """Whether a figure is a share, or made of counts."""
    if metric.counts is not None:
        return True
    return metric.aggregate is mean and all(value in (None, 0, 1) for value in values)


def _changed(
    metric: Metric, new: RowValues, old: RowValues, factor: float
) -> tuple[Metric, RowValues, RowValues]:
    """A metric by which the figure of the old values is multiplied, and the values for it."""
    if metric.aggregate is mean:
        return metric, new, [None if value is None else value * factor for value in old]

    def aggregate(*columns: Any, axis: int = -1) -> Any:
        return metric.aggregate(*columns[:-1], axis=axis) * columns[-1].mean(axis=axis)

    def beside(values: RowValues, by: float) -> list[Any]:
        return [
            None if one is None else (*one, by) if is_list(one) else (one, by) for one in values
        ]

    changed = dataclasses.replace(metric, aggregate=aggregate)
    return changed, beside(new, 1.0), beside(old, factor)


def row_values(task: Task, predictions: Sequence[Any], rows: Sequence[Row]) -> list[Any]:
    """The primary metric's value of each prediction; ``None`` where it does not apply.

    Args:
        task: the task, with its state.
        predictions: one for each row.
        rows: rows with their answers.

    Raises:
        PluginError: the metric fails.
    """
    metric = task.metric()
    references = [task.reference(row) for row in rows]
    prepare_metrics(task, predictions, references)
    return [
        figures(metric, prediction, reference, row)
        for prediction, reference, row in zip(predictions, references, rows, strict=True)
    ]
