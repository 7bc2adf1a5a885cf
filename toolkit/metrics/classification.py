"""Ready-made metrics for tasks whose answers are classes.

Precision, recall and F1 exist only for a whole set of rows. So a metric keeps the number of the
true and of the predicted class of each row, and its ``aggregate`` counts them anew for every
resample. The figures are those of ``sklearn.metrics`` with ``zero_division=0`` (a test compares
them). sklearn's own functions take one set of rows at a time: with two thousand resamples of every
figure they would take minutes.

As in sklearn, a mean over the classes takes those that occur among references or predictions: a
class that is absent from both is neither right nor wrong. A prediction that is no class, such as
an unreadable output, is wrong and adds no class.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from toolkit.metrics import texts
from toolkit.metrics.metric import Metric
from toolkit.metrics.regression import mae, rmse

if TYPE_CHECKING:
    import numpy as np


Pair = Callable[[Any, Any], tuple[float, ...]]


def accuracy(label: str = "Accuracy") -> Metric:
    """The share of rows whose class is right; texts are compared in Unicode's normal form C."""
    return Metric("accuracy", lambda p, r: float(plain(p) == plain(r)), label=label)


def macro_f1(classes: Sequence[Any]) -> Metric:
    """F1 of each class, averaged, so that rare classes count as much as common ones.

    The value is that of sklearn's ``f1_score(average="macro")``, so that a class which occurs
    neither among the references nor among the predictions is not in the mean.

    Args:
        classes: the classes; a prediction that is none of them counts as wrong and as no class.
    """
    return next(m for m in classification_metrics(classes) if m.name == "macro_f1")


def classification_metrics(labels: Sequence[Any]) -> tuple[Metric, ...]:
    """Accuracy, macro precision, recall and F1; then the three for each class, as details.

    Args:
        labels: the classes; a prediction that is none of them counts as wrong and as no class. A
            reference that is none of them adds its class to those of the macro figures.

    The macro figures are means over the classes that occur among the references or predictions, as
    in sklearn: a rare class that happens to be absent from a resample is left out of its mean.
    """
    labels = tuple(labels)
    macro = tuple(
        Metric(
            f"macro_{name}", _pair(labels), _aggregate(len(labels), figure, None),
            label=f"{label}, mean of the classes", counts=_rows_of(None, name),
        )
        for name, label, figure in FIGURES
    )  # fmt: skip
    each = tuple(
        Metric(
            f"{name}_{key}", _pair(labels), _aggregate(len(labels), figure, number),
            label=f"{label} of {one}", detail=True, counts=_rows_of(number, name),
        )
        for number, (one, key) in enumerate(zip(labels, keys_of(labels), strict=True))
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
        mae(unit),
        rmse(unit),
        Metric("exact", lambda p, r: float(nearest(p) == r), label="Exact"),
        Metric("within_one", lambda p, r: float(abs(nearest(p) - r) <= 1), label="Within one"),
    )  # fmt: skip


def nearest(number: float) -> int:
    """The nearest whole number; halves go up."""
    import math

    return math.floor(float(number) + 0.5)


def plain(label: Any) -> Any:
    """A class as it is compared: a text in Unicode's normal form."""
    return texts.normalized(label) if isinstance(label, str) else label


def keys_of(labels: Sequence[Any]) -> list[str]:
    """The classes as parts of metrics' names; those that would be alike get their number behind."""
    keys = [_key(one) for one in labels]
    return [
        key if key and keys.count(key) == 1 else f"{key}_{number}".strip("_")
        for number, key in enumerate(keys, 1)
    ]


def _key(label: Any) -> str:
    return "_".join("".join(c if c.isalnum() else " " for c in str(label).lower()).split())


# -- precision, recall, F1 -------------------------------------------------------------------------
NO_CLASS = -1.0
"""The number of what is no class; classes that are not listed have smaller ones."""


def _pair(labels: tuple[Any, ...]) -> Pair:
    """Per row: the numbers of the true and the predicted class.

    A class that is not listed has a number below :data:`NO_CLASS`, made of its text: it counts as
    a class where it is a reference of some row, which one row alone cannot know.
    """
    numbers = {plain(label): float(i) for i, label in enumerate(labels)}

    def number(value: Any) -> float:
        label = plain(value)
        if label is None:
            return NO_CLASS
        return numbers.get(label, NO_CLASS - 1 - zlib.crc32(repr(label).encode()))

    def per_example(prediction: Any, reference: Any) -> tuple[float, ...]:
        return number(reference), number(prediction)

    return per_example


def _aggregate(classes: int, figure: Any, only: int | None) -> Callable[..., Any]:
    """The figure of the class ``only``, or the mean over the classes that occur.

    Leading dimensions of the arrays (resamples) are kept.
    """

    def aggregate(true: np.ndarray, predicted: np.ndarray, axis: int = -1) -> Any:
        if only is not None:
            return figure(*_counts(true, predicted, only, axis))
        import numpy as np

        total, present = 0.0, 0
        for number in (*range(classes), *np.unique(true[true < NO_CLASS])):
            correct, n_predicted, n_true = _counts(true, predicted, number, axis)
            total = total + figure(correct, n_predicted, n_true)
            present = present + (n_predicted + n_true > 0)
        return _share(total, present)

    return aggregate


def _counts(true: np.ndarray, predicted: np.ndarray, number: float, axis: int) -> tuple[Any, ...]:
    """Of one class: rows predicted correctly, rows predicted as it, and rows that are of it."""
    in_class, predicted_as = true == number, predicted == number
    correct = (in_class & predicted_as).sum(axis=axis)
    return correct, predicted_as.sum(axis=axis), in_class.sum(axis=axis)


def _rows_of(only: int | None, name: str) -> Callable[..., np.ndarray]:
    """The rows of each class: those predicted as it for precision, those of it for the others.

    Macro figures take those of it always: a class that is hardly ever predicted is not rare.
    """

    def counts(true: np.ndarray, predicted: np.ndarray) -> np.ndarray:
        import numpy as np

        if only is not None:
            whole = (predicted if name == "precision" else true) == only
            return np.array([whole.sum()])
        _, found = np.unique(true[true != NO_CLASS], return_counts=True)
        return found

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
