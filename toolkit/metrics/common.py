"""Ready-made metrics that many tasks share. A task may also write its own.

:data:`NAMED` lists them by the names that a task file uses.
"""

from __future__ import annotations

from collections.abc import Mapping

from toolkit.metrics import answers
from toolkit.metrics.classification import accuracy
from toolkit.metrics.classification import macro_f1 as macro_f1
from toolkit.metrics.metric import Metric
from toolkit.metrics.regression import mae, rmse

__all__ = ["ACCURACY", "EXACT_MATCH", "MAE", "NAMED", "RMSE", "TOKEN_F1", "macro_f1"]

ACCURACY = accuracy()
"""The share of rows whose prediction equals the reference."""

EXACT_MATCH = Metric(
    "exact_match", answers.on_best_reference(answers.exact_match), label="Exact match"
)
"""The share of exact answers as SQuAD's evaluation counts them; see :mod:`toolkit.metrics.answers`.

Case, punctuation and English articles do not count."""

TOKEN_F1 = Metric("token_f1", answers.on_best_reference(answers.token_f1), label="Token F1")
"""F1 of the words that prediction and reference share, as SQuAD's evaluation computes it."""

MAE = mae()
"""The mean absolute difference of two numbers."""

RMSE = rmse()
"""The root of the mean squared difference of two numbers."""

NAMED: Mapping[str, Metric] = {
    metric.name: metric for metric in (ACCURACY, EXACT_MATCH, TOKEN_F1, MAE, RMSE)
}
"""The metrics by the names that a task file gives them; those of classes come beside them."""
