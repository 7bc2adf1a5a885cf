"""Figures of merit that many tasks share; a task's own are as good.

A table of names (:data:`NAMED`) is what a task file asks from.
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
    """As SQuAD compares answers: lower case, without articles and punctuation."""
    words = _WORD.findall(_ARTICLES.sub(" ", str(text).casefold()))
    return " ".join(words)


def _best(score: Callable[[Any, Any], float]) -> Callable[[Any, Any], float]:
    """Texts or spans; against several references the best one counts."""

    def scored(prediction: Any, reference: Any) -> float:
        said = prediction["text"] if isinstance(prediction, Mapping) else prediction
        # A question-answering task's reference; an empty list: that there is no answer.
        wanted = (reference["texts"] or [""]) if isinstance(reference, Mapping) else reference
        return max(score(said, one) for one in (wanted if isinstance(wanted, list) else [wanted]))

    return scored


def _token_f1(prediction: Any, reference: Any) -> float:
    said, wanted = _normal(prediction).split(), _normal(reference).split()
    if not said or not wanted:
        return float(said == wanted)
    shared = sum((Counter(said) & Counter(wanted)).values())
    return 2 * shared / (len(said) + len(wanted))


ACCURACY = accuracy()
"""The share of rows whose prediction is the reference, letter by letter."""

EXACT_MATCH = Metric(
    "exact_match", _best(lambda p, r: float(_normal(p) == _normal(r))), label="Exact match"
)
"""The share of rows answered exactly, but for case, articles and punctuation (as SQuAD's)."""

TOKEN_F1 = Metric("token_f1", _best(_token_f1), label="Token F1")
"""How many words prediction and reference share: harmonic mean of precision and recall."""

MAE = mae()
"""The mean absolute difference of two numbers."""

RMSE = rmse()
"""The root of the mean squared difference of two numbers."""

NAMED: Mapping[str, Metric] = {
    metric.name: metric for metric in (ACCURACY, EXACT_MATCH, TOKEN_F1, MAE, RMSE)
}
"""The metrics by the names that a task file gives them."""


def macro_f1(classes: Sequence[Any]) -> Metric:
    """F1 of each class, averaged over the classes, so that rare ones count as much.

    Args:
        classes: all classes; a class that stands neither among references nor predictions of a
            resample counts as 0.
    """
    import numpy as np

    numbers = {value: float(i) for i, value in enumerate(classes)}

    def pair(prediction: Any, reference: Any) -> tuple[float, float]:
        return numbers.get(prediction, -1.0), numbers.get(reference, -2.0)

    def aggregate(said: np.ndarray, wanted: np.ndarray, axis: int = -1) -> Any:
        figures = []
        for number in range(len(numbers)):
            right = ((said == number) & (wanted == number)).sum(axis=axis)
            both = (said == number).sum(axis=axis) + (wanted == number).sum(axis=axis)
            figures.append(2 * right / np.maximum(both, 1))
        return np.mean(figures, axis=0)

    return Metric("macro_f1", pair, aggregate=aggregate, label="F1, macro")
