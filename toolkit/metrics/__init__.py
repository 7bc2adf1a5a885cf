"""Metrics for tasks: what one is, and ready-made ones.

A :class:`Metric` is a value for each row and how the rows' values become one figure; what the
toolkit does with it (intervals, comparisons) is in :mod:`toolkit.metrics.statistics`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_PUBLIC = {
    "ACCURACY": "toolkit.metrics.common",
    "EXACT_MATCH": "toolkit.metrics.common",
    "MAE": "toolkit.metrics.common",
    "Metric": "toolkit.metrics.metric",
    "NAMED": "toolkit.metrics.common",
    "RMSE": "toolkit.metrics.common",
    "TOKEN_F1": "toolkit.metrics.common",
    "Target": "toolkit.metrics.target",
    "accuracy": "toolkit.metrics.classification",
    "classification_metrics": "toolkit.metrics.classification",
    "macro_f1": "toolkit.metrics.common",
    "mae": "toolkit.metrics.regression",
    "mean": "toolkit.metrics.metric",
    "ordinal_metrics": "toolkit.metrics.classification",
    "r2": "toolkit.metrics.regression",
    "rmse": "toolkit.metrics.regression",
    "root_mean": "toolkit.metrics.regression",
}

__all__ = sorted(_PUBLIC)

if TYPE_CHECKING:
    from toolkit.metrics.classification import accuracy as accuracy
    from toolkit.metrics.classification import classification_metrics as classification_metrics
    from toolkit.metrics.classification import ordinal_metrics as ordinal_metrics
    from toolkit.metrics.common import ACCURACY as ACCURACY
    from toolkit.metrics.common import EXACT_MATCH as EXACT_MATCH
    from toolkit.metrics.common import MAE as MAE
    from toolkit.metrics.common import NAMED as NAMED
    from toolkit.metrics.common import RMSE as RMSE
    from toolkit.metrics.common import TOKEN_F1 as TOKEN_F1
    from toolkit.metrics.common import macro_f1 as macro_f1
    from toolkit.metrics.metric import Metric as Metric
    from toolkit.metrics.metric import mean as mean
    from toolkit.metrics.regression import mae as mae
    from toolkit.metrics.regression import r2 as r2
    from toolkit.metrics.regression import rmse as rmse
    from toolkit.metrics.regression import root_mean as root_mean
    from toolkit.metrics.target import Target as Target


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        value = getattr(import_module(_PUBLIC[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'toolkit.metrics' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
