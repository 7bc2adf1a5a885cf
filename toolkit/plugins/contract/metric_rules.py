"""Rules on scoring: metrics, the fallback, slices and intervals."""

from __future__ import annotations

import contextlib
import math
import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np

from toolkit.formatting import is_number
from toolkit.metrics.metric import Metric
from toolkit.metrics.target import Target
from toolkit.plugins.contract.checked_task import Subject
from toolkit.plugins.contract.rule import Broken, Rule, json_problem
from toolkit.task import Task

SLACK = 1e-6
"""Relative rounding error allowed at the ends of an interval."""


def per_example(subject: Subject) -> None:
    """``per_example`` gives the same number of finite values for every row, or ``None``."""
    for metric in subject.task.metrics:
        # As in scoring: a metric that runs a model takes much longer for one pair after another.
        if metric.prepare is not None:
            predictions, references = zip(*subject.right, *subject.wrong, strict=True)
            metric.prepare(predictions, references)
        widths = {
            len(found)
            for prediction, expected in (*subject.right, *subject.wrong)
            if (found := figures(metric, prediction, expected)) is not None
        }
        for prediction, expected in subject.wrong:
            ideal = [p for p, e in subject.right if e == expected]
            if ideal and (figures(metric, ideal[0], expected) is None) != (
                figures(metric, prediction, expected) is None
            ):
                raise Broken(
                    f"metric {metric.name} applies to {expected!r:.60} with one prediction and not "
                    "with another; let the reference alone decide"
                )
        if len(widths) > 1:
            raise Broken(
                f"metric {metric.name}: per_example gives tuples of {sorted(widths)} values; give "
                "as many for every row"
            )


def figures(metric: Metric, prediction: Any, expected: Any) -> tuple[float, ...] | None:
    """A metric's values for one prediction; ``None`` where it does not apply.

    Raises:
        Broken: they are not finite numbers.
    """
    result = metric.per_example(prediction, expected)
    if result is None:
        return None
    values: tuple[Any, ...] = result if isinstance(result, tuple) else (result,)
    for value in values:
        if not isinstance(value, numbers.Real) or not math.isfinite(value):
            raise Broken(
                f"metric {metric.name}: per_example({prediction!r:.60}, {expected!r:.60}) is "
                f"{result!r}; give a finite float or a tuple of them"
            )
    return values


def aggregate(subject: Subject) -> None:
    """``aggregate`` gives one finite figure, and one for each of many resamples at once."""
    for metric in subject.task.metrics:
        columns = metric.columns(_values(metric, subject.wrong))
        if not columns or (len(columns) > 1 and not any(np.any(c) for c in columns)):
            continue  # it applies to none of the sampled rows: no values, or a share of nothing
        rows = len(columns[0])
        draws = np.random.default_rng(0).integers(0, rows, (3, rows))
        with np.errstate(all="ignore"):
            whole = np.asarray(metric.aggregate(*columns, axis=-1))
            together = np.asarray(metric.aggregate(*(c[draws] for c in columns), axis=-1))
            single = [metric.aggregate(*(c[draw] for c in columns), axis=-1) for draw in draws]
        if whole.shape != () or not np.isfinite(whole):
            raise Broken(
                f"metric {metric.name}: aggregate gives {whole!r:.60} for {rows} rows; give one "
                "finite figure"
            )
        if together.shape != (3,) or not np.allclose(together, single, equal_nan=True):
            raise Broken(
                f"metric {metric.name}: aggregate must reduce the axis in its argument, so that "
                f"arrays of shape (resamples, rows) give one figure each; it gave {together!r:.60}"
            )


def direction(subject: Subject) -> None:
    """A perfect prediction is no worse than a wrong one, in the direction the metric states.

    Details are left out that describe a text, such as how many of its words are new: a right answer
    need not have more of them. They are in no ladder and decide nothing.
    """
    for metric in subject.task.metrics:
        if metric.detail and metric.name != subject.task.primary_metric:
            continue
        with np.errstate(all="ignore"):  # a share of no rows is no number, and no fault
            right, wrong = (
                metric.value(_values(metric, pairs)) for pairs in (subject.right, subject.wrong)
            )
        sign = 1 if metric.greater_is_better else -1
        if sign * (right - wrong) < 0:
            raise Broken(
                f"metric {metric.name} is {right:g} for right answers, {wrong:g} for wrong ones, "
                f"and greater_is_better is {metric.greater_is_better}; turn it round"
            )
        if right == wrong and metric.name == subject.task.primary_metric:
            raise Broken(
                f"the primary metric {metric.name} is {right:g} for right and for wrong answers; "
                "choose one that tells them apart"
            )


def _values(metric: Metric, pairs: Sequence[tuple[Any, Any]]) -> list[Any]:
    return [metric.per_example(prediction, expected) for prediction, expected in pairs]


def fallback(subject: Subject) -> None:
    """The fallback is a prediction that every metric can score."""
    value = subject.task.fallback()
    if value is None:
        raise Broken("fallback returned None; return what an unreadable output counts as")
    check_prediction(subject, "fallback", value, subject.right[0][1])


def check_prediction(subject: Subject, whose: str, prediction: Any, expected: Any) -> None:
    """Raise unless a prediction can be stored and scored."""
    if problem := json_problem(prediction):
        raise Broken(f"{whose}: the prediction {problem}; return plain Python values")
    for metric in subject.task.metrics:
        try:
            figures(metric, prediction, expected)
        except Exception as error:
            raise Broken(f"{whose} cannot be scored: {error}") from error


def slices(subject: Subject) -> None:
    """A slice puts a row into a named part, or into none."""
    for name, part_of in subject.task.slices().items():
        for row in subject.rows:
            part = part_of(row)
            if part is not None and not (isinstance(part, str) and part):
                raise Broken(
                    f"slice {name} returned {part!r} for row {row['row_id']}; return the part's "
                    "name or None"
                )


def targets(subject: Subject) -> None:
    """The targets are a list of :class:`~toolkit.Target`, each with a number as its goal."""
    found = subject.task.targets()
    if not isinstance(found, Sequence) or not all(isinstance(each, Target) for each in found):
        raise Broken(f"targets returned {found!r:.60}; return a list of Target")
    for each in found:
        if not is_number(each.goal):
            raise Broken(f"the target {each.label!r} has the goal {each.goal!r}; give a number")


def intervals(subject: Subject) -> str | None:
    """``interval`` holds just the values whose ``residual`` is no larger than the width."""
    pairs = [*subject.right, *subject.wrong]
    residuals = [subject.task.residual(*pair) for pair in pairs]
    if all(residual is None for residual in residuals):
        return "the task has no intervals, because residual returns None"
    for (prediction, expected), residual in zip(pairs, residuals, strict=True):
        if residual is None or not is_number(residual) or not 0 <= residual < math.inf:
            raise Broken(
                f"residual({prediction!r:.60}, {expected!r:.60}) is {residual!r}; return a finite "
                "float from 0 for every row, or None for every row"
            )
        _check_interval(subject.task, prediction, expected, residual)
    return None


def _check_interval(task: Task, prediction: Any, expected: Any, residual: float) -> None:
    low, high = task.interval(prediction, residual)
    called = f"interval({prediction!r:.40}, {residual:g})"
    if not (is_number(low) and is_number(high) and low <= high):
        raise Broken(f"{called} is {(low, high)!r}; return two numbers, the lower one first")
    if not is_number(expected):
        return
    slack = SLACK * max(1.0, abs(expected))
    if not low - slack <= expected <= high + slack:
        raise Broken(
            f"{called} is {low:g} to {high:g} and lacks {expected:g}, which has that residual; "
            "make interval the inverse of residual"
        )
    for end in (low, high):
        misfit = None
        with contextlib.suppress(ArithmeticError, ValueError):  # an open end, such as log 0
            misfit = task.residual(prediction, end)
        if misfit is not None and misfit > residual * (1 + SLACK) + SLACK:
            raise Broken(
                f"{called} reaches to {end:g}, whose residual is {misfit:g}; make interval the "
                "inverse of residual"
            )


RULES = (
    Rule("per-example", per_example, ("gold", "metric-names")),
    Rule("aggregate", aggregate, ("per-example",)),
    Rule("direction", direction, ("aggregate",)),
    Rule("fallback", fallback, ("per-example",)),
    Rule("slices", slices, ("state",)),
    Rule("targets", targets, ("state",)),
    Rule("intervals", intervals, ("gold",)),
)
