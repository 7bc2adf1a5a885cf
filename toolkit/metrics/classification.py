"""Ready-made metrics for tasks whose answers are classes, and their confusion matrix.

Precision, recall and F1 exist only for a whole set of rows. So a metric keeps the number of the
true and of the predicted class of each row, and its ``aggregate`` counts them anew for every
resample. The figures are those of ``sklearn.metrics`` with ``zero_division=0`` (a test compares
them); sklearn's own functions take one set of rows at a time, which two thousand resamples of
every figure would make minutes of.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from toolkit.metrics.metric import Metric
from toolkit.metrics.regression import mae, rmse

if TYPE_CHECKING:
    import numpy as np


Pair = Callable[[Any, Any], tuple[float, ...]]


def accuracy(label: str = "Accuracy") -> Metric:
    """The share of rows whose class is right."""
    return Metric("accuracy", lambda p, r: float(p == r), label=label)


def classification_metrics(labels: Sequence[Any]) -> tuple[Metric, ...]:
    """Accuracy, macro precision, recall and F1; then the three for each class, as details.

    Args:
        labels: the classes; a prediction that is none of them counts as wrong.

    The macro figures are means over the classes that any of the rows has or was put into, as
    sklearn's are: a resample that happens to lack a rare class says nothing about it.
    """
    labels = tuple(labels)
    macro = tuple(
        Metric(
            f"macro_{name}", _pair(labels), _aggregate(len(labels), figure, None),
            label=f"{label}, mean of the classes",
        )
        for name, label, figure in FIGURES
    )  # fmt: skip
    each = tuple(
        Metric(
            f"{name}_{_key(one)}", _pair(labels), _aggregate(len(labels), figure, number),
            label=f"{label} of {one}", detail=True,
        )
        for number, one in enumerate(labels)
        for name, label, figure in FIGURES
    )  # fmt: skip
    return (accuracy(), *macro, *each)


def ordinal_metrics(unit: str = "") -> tuple[Metric, ...]:
    """Errors of ordered classes: absolute, squared, exact, within one.

    A prediction between two classes is rounded to the nearer one where it has to be exact, and
    is taken as it is otherwise.
    """
    return (
        _of_float(mae(unit)),
        _of_float(rmse(unit)),
        Metric("exact", lambda p, r: float(nearest(p) == r), label="Exact"),
        Metric("within_one", lambda p, r: float(abs(nearest(p) - r) <= 1), label="Within one"),
    )  # fmt: skip


def nearest(number: float) -> int:
    """The nearest whole number; halves go up."""
    import math

    return math.floor(float(number) + 0.5)


def _of_float(metric: Metric) -> Metric:
    """The metric of a prediction that may be a whole number, so that its values are floats."""
    value = metric.per_example
    return replace(metric, per_example=lambda p, r: value(float(p), r))


def _key(label: Any) -> str:
    """A class as part of a metric's name."""
    return "_".join("".join(c if c.isalnum() else " " for c in str(label).lower()).split())


# -- precision, recall, F1 -------------------------------------------------------------------------
def _pair(labels: tuple[Any, ...]) -> Pair:
    """Per row: the number of the true class and of the predicted one (-1: none of them)."""
    number = {label: float(i) for i, label in enumerate(labels)}

    def per_example(prediction: Any, reference: Any) -> tuple[float, ...]:
        return number.get(reference, -1.0), number.get(prediction, -1.0)

    return per_example


def _aggregate(classes: int, figure: Any, only: int | None) -> Callable[..., Any]:
    """The figure of one class, or its mean over those there; leading dimensions are kept."""

    def aggregate(true: np.ndarray, predicted: np.ndarray, axis: int = -1) -> Any:
        if only is not None:
            return figure(*_counts(true, predicted, only, axis))
        total, present = 0.0, 0
        for number in range(classes):
            found, said, there = _counts(true, predicted, number, axis)
            total = total + figure(found, said, there)
            present = present + (said + there > 0)
        return _share(total, present)

    return aggregate


def _counts(true: np.ndarray, predicted: np.ndarray, number: int, axis: int) -> tuple[Any, ...]:
    """Rows of a class that were found, rows put into it, and rows of it."""
    is_it, said = true == number, predicted == number
    return (is_it & said).sum(axis=axis), said.sum(axis=axis), is_it.sum(axis=axis)


def _share(part: Any, whole: Any) -> Any:
    import numpy as np

    return np.where(whole > 0, part / np.maximum(whole, 1), 0.0)


def _precision(found: Any, said: Any, there: Any) -> Any:
    return _share(found, said)


def _recall(found: Any, said: Any, there: Any) -> Any:
    return _share(found, there)


def _f1(found: Any, said: Any, there: Any) -> Any:
    return _share(2 * found, said + there)


FIGURES = (
    ("precision", "Precision", _precision),
    ("recall", "Recall", _recall),
    ("f1", "F1", _f1),
)


# -- the confusion matrix --------------------------------------------------------------------------
