"""Ready-made metrics that many tasks share. A task may also write its own.

:data:`NAMED` lists them by the names that a task file uses.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from toolkit.metrics.classification import accuracy
from toolkit.metrics.metric import Metric
from toolkit.metrics.regression import mae, rmse

if TYPE_CHECKING:
    import numpy as np

__all__ = ["ACCURACY", "EXACT_MATCH", "MAE", "NAMED", "RMSE", "TOKEN_F1", "macro_f1"]

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_WORD = re.compile(r"[^\W_]+")


def _normal(text: Any) -> str:
    """A text as SQuAD compares answers: lower case, without articles and punctuation."""
    words = _WORD.findall(_ARTICLES.sub(" ", str(text).casefold()))
    return " ".join(words)


def _best(score: Callable[[Any, Any], float]) -> Callable[[Any, Any], float]:
    """A score of texts or spans; with several references the best score counts."""

    def scored(prediction: Any, reference: Any) -> float:
        answer = prediction["text"] if isinstance(prediction, Mapping) else prediction
        # The reference of a question-answering task; an empty list means: there is no answer.
        expected = (reference["texts"] or [""]) if isinstance(reference, Mapping) else reference
        several = expected if isinstance(expected, list) else [expected]
        return max(score(answer, one) for one in several)

    return scored


def _token_f1(prediction: Any, reference: Any) -> float:
    predicted, expected = _normal(prediction).split(), _normal(reference).split()
    if not predicted or not expected:
        return float(predicted == expected)
    shared = sum((Counter(predicted) & Counter(expected)).values())
    return 2 * shared / (len(predicted) + len(expected))


ACCURACY = accuracy()
"""The share of rows whose prediction equals the reference."""

EXACT_MATCH = Metric(
    "exact_match", _best(lambda p, r: float(_normal(p) == _normal(r))), label="Exact match"
)
"""The share of exact answers; case, articles and punctuation do not count (as in SQuAD)."""

TOKEN_F1 = Metric("token_f1", _best(_token_f1), label="Token F1")
"""F1 of the words that prediction and reference share: harmonic mean of precision and recall."""

MAE = mae()
"""The mean absolute difference of two numbers."""

RMSE = rmse()
"""The root of the mean squared difference of two numbers."""

NAMED: Mapping[str, Metric] = {
    metric.name: metric for metric in (ACCURACY, EXACT_MATCH, TOKEN_F1, MAE, RMSE)
}
"""The metrics by the names that a task file gives them."""


def macro_f1(classes: Sequence[Any]) -> Metric:
    """F1 of each class, averaged, so that rare classes count as much as common ones.

    Args:
        classes: all classes; a class that occurs neither among the references nor among the
            predictions of a resample counts as 0.
    """
    import numpy as np

    numbers = {value: float(i) for i, value in enumerate(classes)}

    def pair(prediction: Any, reference: Any) -> tuple[float, float]:
        return numbers.get(prediction, -1.0), numbers.get(reference, -2.0)

    def aggregate(predicted: np.ndarray, expected: np.ndarray, axis: int = -1) -> Any:
        figures = []
        for number in range(len(numbers)):
            predicted_as, in_class = predicted == number, expected == number
            correct = (predicted_as & in_class).sum(axis=axis)
            both = predicted_as.sum(axis=axis) + in_class.sum(axis=axis)
            figures.append(2 * correct / np.maximum(both, 1))
        return np.mean(figures, axis=0)

    def counts(predicted: np.ndarray, expected: np.ndarray) -> np.ndarray:
        return np.array([n for n in ((expected == c).sum() for c in range(len(numbers))) if n])

    return Metric("macro_f1", pair, aggregate=aggregate, label="F1, macro", counts=counts)
