"""Ready-made metrics for tasks whose answer is several numbers, ``{name: number}``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from toolkit.metrics.classification import keys_of
from toolkit.metrics.metric import Metric

if TYPE_CHECKING:
    import numpy as np


def vector_metrics(
    outputs: Sequence[str], units: Mapping[str, str] | None = None
) -> tuple[Metric, ...]:
    """The error of all numbers in deviations of the answers, and the error of each in its unit.

    Args:
        outputs: the names of the numbers.
        units: name of a number → its unit, printed behind its error.
    """
    units = units or {}
    each = tuple(
        Metric(
            f"mae_{key}", partial(_error, name), greater_is_better=False,
            label=f"Mean absolute error of {name}", unit=units.get(name, ""),
        )
        for name, key in zip(outputs, keys_of(outputs), strict=True)
    )  # fmt: skip
    return (scaled_mae(outputs), *each)


def scaled_mae(outputs: Sequence[str]) -> Metric:
    """The mean absolute error of each number in standard deviations of its answers, averaged.

    So numbers of other units and sizes count alike: always answering the mean of normally
    distributed answers has 0.80. It is scikit-learn's ``mean_absolute_error`` with
    ``multioutput="raw_values"``, each divided by the deviation of the rows that are scored. A
    number whose answers are all equal is left out.

    Args:
        outputs: the names of the numbers.
    """
    return Metric(
        "scaled_mae", partial(_errors, tuple(outputs)), _scaled, greater_is_better=False,
        label="Mean absolute error in deviations",
        note="Errors in deviations: the mean absolute error of each number is divided by the "
        "standard deviation of its answers, and the mean of the numbers is taken.",
    )  # fmt: skip


def _error(name: str, prediction: Any, reference: Any) -> float:
    return abs(float(prediction[name]) - float(reference[name]))


def _errors(names: Sequence[str], prediction: Any, reference: Any) -> tuple[float, ...]:
    """The error of each number, then each answer."""
    errors = [_error(name, prediction, reference) for name in names]
    return (*errors, *(float(reference[name]) for name in names))


def _scaled(*columns: np.ndarray, axis: int = -1) -> Any:
    import numpy as np

    half = len(columns) // 2
    total: Any = 0.0
    there: Any = 0
    for errors, answers in zip(columns[:half], columns[half:], strict=True):
        deviation = answers.std(axis=axis)
        # Rounding may leave a deviation above 0 where all answers are equal.
        varied = answers.max(axis=axis) > answers.min(axis=axis)
        figure = errors.mean(axis=axis) / np.where(varied, deviation, 1.0)
        total = total + np.where(varied, figure, 0.0)
        there = there + varied
    return np.where(there > 0, total / np.maximum(there, 1), 0.0)
