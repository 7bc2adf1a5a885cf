"""Ready-made metrics for tasks whose rows have any number of labels.

F1 over all labels together (micro) and the mean of the labels' own (macro) exist only for a whole
set of rows, so a metric keeps what it has to count of each row. The figures are those of
``sklearn.metrics`` for indicator matrices (a test compares them); a label that occurs neither among
the references nor among the predictions is not in the macro mean (``zero_division=nan``).

References and predictions are lists of labels, in any order.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from toolkit.metrics.classification import FIGURES, keys_of, plain
from toolkit.metrics.metric import Metric

if TYPE_CHECKING:
    import numpy as np

ABSENT, MISSED, WRONG, RIGHT = 0.0, 1.0, 2.0, 3.0
"""What a row is for a label: it has none, it alone has it, the prediction alone has it, both."""

SUBSET_ACCURACY = Metric(
    "subset_accuracy",
    lambda p, r: float(_labels(p) == _labels(r)),
    label="Subset accuracy",
    note="Subset accuracy is the share of rows whose labels are all right, and no others given.",
)
"""The share of rows with exactly the right labels: ``accuracy_score`` of indicator matrices."""


def _labels(value: Any) -> frozenset[Any]:
    return frozenset(map(plain, value or ()))


def _overlap(prediction: Any, reference: Any) -> tuple[float, float, float]:
    """Labels that both have, that are predicted, and that are true."""
    predicted, true = _labels(prediction), _labels(reference)
    return float(len(predicted & true)), float(len(predicted)), float(len(true))


def _row_f1(prediction: Any, reference: Any) -> float:
    both, predicted, true = _overlap(prediction, reference)
    return 2 * both / (predicted + true) if predicted + true else 1.0


def _micro(both: np.ndarray, predicted: np.ndarray, true: np.ndarray, axis: int = -1) -> Any:
    _, _, figure = FIGURES[2]
    return figure(both.sum(axis=axis), predicted.sum(axis=axis), true.sum(axis=axis))


def _rows_with_labels(both: np.ndarray, predicted: np.ndarray, true: np.ndarray) -> np.ndarray:
    import numpy as np

    return np.array([(predicted + true > 0).sum()])


MICRO_F1 = Metric("micro_f1", _overlap, _micro, label="F1 of all labels", counts=_rows_with_labels)
"""F1 over all labels of all rows together: common labels count as often as they occur."""

SAMPLES_F1 = Metric("samples_f1", _row_f1, label="F1 of a row's labels")
"""F1 of each row's labels, averaged; 1 for a row without labels that gets none."""


def multi_label_metrics(labels: Sequence[Any]) -> tuple[Metric, ...]:
    """Micro and macro F1, subset accuracy, F1 of a row; then F1 of each label, as details.

    Args:
        labels: the task's labels; a prediction or reference beside them counts in micro F1, in that
            of a row and in subset accuracy.
    """
    each = tuple(
        Metric(
            f"f1_{key}", partial(_states, (label,)), _aggregate, label=f"F1 of {label}",
            detail=True, counts=_rows_of_labels,
        )
        for label, key in zip(labels, keys_of(labels), strict=True)
    )  # fmt: skip
    return (MICRO_F1, macro_labels_f1(labels), SUBSET_ACCURACY, SAMPLES_F1, *each)


def macro_labels_f1(labels: Sequence[Any]) -> Metric:
    """The F1 of each label, averaged, so that rare labels count as much as common ones.

    Args:
        labels: the task's labels.
    """
    return Metric(
        "macro_f1", partial(_states, tuple(labels)), _aggregate, label="F1, mean of the labels",
        counts=_rows_of_labels,
    )  # fmt: skip


def _states(labels: Sequence[Any], prediction: Any, reference: Any) -> tuple[float, ...]:
    """For each label what the row is, see :data:`RIGHT`."""
    predicted, true = _labels(prediction), _labels(reference)
    return tuple(
        MISSED * (plain(label) in true) + WRONG * (plain(label) in predicted) for label in labels
    )


def _aggregate(*states: np.ndarray, axis: int = -1) -> Any:
    """The mean F1 of the labels that occur; leading dimensions (resamples) are kept."""
    import numpy as np

    _, _, figure = FIGURES[2]
    total: Any = 0.0
    present: Any = 0
    for state in states:
        right = (state == RIGHT).sum(axis=axis)
        predicted = right + (state == WRONG).sum(axis=axis)
        true = right + (state == MISSED).sum(axis=axis)
        total = total + figure(right, predicted, true)
        present = present + (predicted + true > 0)
    return np.where(present > 0, total / np.maximum(present, 1), 0.0)


def _rows_of_labels(*states: np.ndarray) -> np.ndarray:
    """The rows that have each label, of those that any row has."""
    import numpy as np

    counts = np.array([((state == MISSED) | (state == RIGHT)).sum() for state in states])
    found: np.ndarray = counts[counts > 0]
    return found if len(found) else np.zeros(1, dtype=np.int64)
