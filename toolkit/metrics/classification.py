"""Ready-made metrics for tasks whose answers are classes.

Precision, recall and F1 exist only for a whole set of rows. So a metric keeps the number of the
true and of the predicted class of each row, and its ``aggregate`` counts them anew for every
resample. The figures are those of ``sklearn.metrics`` with ``zero_division=0`` (a test compares
them). sklearn's own functions take one set of rows at a time: with two thousand resamples of every
figure they would take minutes.
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

    The macro figures are means over the classes that occur among the references or predictions, as
    in sklearn: a rare class that happens to be absent from a resample is left out of its mean.
    """
    labels = tuple(labels)
    macro = tuple(
        Metric(
            f"macro_{name}", _pair(labels), _aggregate(len(labels), figure, None),
            label=f"{label}, mean of the classes", counts=_rows_of(len(labels), None, name),
        )
        for name, label, figure in FIGURES
    )  # fmt: skip
    each = tuple(
        Metric(
            f"{name}_{_key(one)}", _pair(labels), _aggregate(len(labels), figure, number),
            label=f"{label} of {one}", detail=True, counts=_rows_of(len(labels), number, name),
        )
        for number, one in enumerate(labels)
        for name, label, figure in FIGURES
    )  # fmt: skip
    return (accuracy(), *macro, *each)


def ordinal_metrics(unit: str = "") -> tuple[Metric, ...]:
    """Metrics of ordered classes: mean absolute and root mean squared error, exact, within one.

    ``exact`` and ``within_one`` round a prediction between two classes to the nearer one; the
    errors take it as it is.

    Args:
        unit: printed behind the errors.
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
    """Per row: the numbers of the true and the predicted class; -1 for one that is not listed."""
    number = {label: float(i) for i, label in enumerate(labels)}

    def per_example(prediction: Any, reference: Any) -> tuple[float, ...]:
        return number.get(reference, -1.0), number.get(prediction, -1.0)

    return per_example


def _aggregate(classes: int, figure: Any, only: int | None) -> Callable[..., Any]:
    """The figure of the class ``only``, or the mean over the classes that occur.

    Leading dimensions of the arrays (resamples) are kept.
    """

    def aggregate(true: np.ndarray, predicted: np.ndarray, axis: int = -1) -> Any:
        if only is not None:
            return figure(*_counts(true, predicted, only, axis))
        total, present = 0.0, 0
        for number in range(classes):
            correct, n_predicted, n_true = _counts(true, predicted, number, axis)
            total = total + figure(correct, n_predicted, n_true)
            present = present + (n_predicted + n_true > 0)
        return _share(total, present)

    return aggregate


def _counts(true: np.ndarray, predicted: np.ndarray, number: int, axis: int) -> tuple[Any, ...]:
    """Of one class: rows predicted correctly, rows predicted as it, and rows that are of it."""
    in_class, predicted_as = true == number, predicted == number
    correct = (in_class & predicted_as).sum(axis=axis)
    return correct, predicted_as.sum(axis=axis), in_class.sum(axis=axis)


def _rows_of(classes: int, only: int | None, name: str) -> Callable[..., np.ndarray]:
    """The rows of each class: those predicted as it for precision, those of it for the others.

    Macro figures take those of it always: a class that is hardly ever predicted is not rare.
    """

    def counts(true: np.ndarray, predicted: np.ndarray) -> np.ndarray:
        import numpy as np

        if only is not None:
            whole = (predicted if name == "precision" else true) == only
            return np.array([whole.sum()])
        return np.array([n for n in ((true == c).sum() for c in range(classes)) if n])

    return counts


def _share(part: Any, whole: Any) -> Any:
    import numpy as np

    return np.where(whole > 0, part / np.maximum(whole, 1), 0.0)


def _precision(correct: Any, n_predicted: Any, n_true: Any) -> Any:
    return _share(correct, n_predicted)


def _recall(correct: Any, n_predicted: Any, n_true: Any) -> Any:
    return _share(correct, n_true)


def _f1(correct: Any, n_predicted: Any, n_true: Any) -> Any:
    return _share(2 * correct, n_predicted + n_true)


FIGURES = (
    ("precision", "Precision", _precision),
    ("recall", "Recall", _recall),
    ("f1", "F1", _f1),
)
