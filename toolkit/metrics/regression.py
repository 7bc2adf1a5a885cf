"""Ready-made metrics for tasks whose answers are numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.metrics.metric import Metric

if TYPE_CHECKING:
    import numpy as np


def mae(unit: str = "", format_spec: str = ".3f") -> Metric:
    """The mean absolute error.

    Args:
        unit: printed behind the figure.
        format_spec: how the figure is written.
    """
    return Metric(
        "mae", lambda p, r: abs(float(p) - float(r)), greater_is_better=False,
        label="Mean absolute error", unit=unit, format=format_spec,
    )  # fmt: skip


def rmse(unit: str = "", format_spec: str = ".3f") -> Metric:
    """The root of the mean squared error; arguments as of :func:`mae`."""
    return Metric(
        "rmse", lambda p, r: (float(p) - float(r)) ** 2, root_mean, greater_is_better=False,
        label="Root mean squared error", unit=unit, format=format_spec,
    )  # fmt: skip


def r2() -> Metric:
    """The coefficient of determination; negative where the mean of the answers is better.

    Where all answers are equal it is 1 if all predictions are right and else 0, as in sklearn.
    """
    return Metric("r2", lambda p, r: (r, p), aggregate=_determination, label="R²")


def root_mean(squares: np.ndarray, axis: int = -1) -> Any:
    """The root of the mean over the examples: how squared errors are aggregated."""
    return squares.mean(axis=axis) ** 0.5


def _determination(true: np.ndarray, predicted: np.ndarray, axis: int = -1) -> Any:
    import numpy as np

    residual = ((true - predicted) ** 2).sum(axis=axis)
    total = ((true - true.mean(axis=axis, keepdims=True)) ** 2).sum(axis=axis)
    constant = true.max(axis=axis) == true.min(axis=axis)  # rounding may leave a total above 0
    share = residual / np.where(constant, 1.0, total)
    return np.where(constant, (residual == 0).astype(float), 1 - share)
