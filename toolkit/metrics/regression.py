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
        "mae", lambda p, r: abs(p - r), greater_is_better=False,
        label="Mean absolute error", unit=unit, format=format_spec,
    )  # fmt: skip


def rmse(unit: str = "", format_spec: str = ".3f") -> Metric:
    """The root of the mean squared error; arguments as of :func:`mae`."""
    return Metric(
        "rmse", lambda p, r: (p - r) ** 2, aggregate=root_mean, greater_is_better=False,
        label="Root mean squared error", unit=unit, format=format_spec,
    )  # fmt: skip


def r2() -> Metric:
    """The coefficient of determination; negative where the mean of the answers is better."""
    return Metric("r2", lambda p, r: (r, p), aggregate=_determination, label="R²")


def root_mean(squares: np.ndarray, axis: int = -1) -> Any:
    """The root of the mean over the examples: how squared errors are aggregated."""
    return squares.mean(axis=axis) ** 0.5


def _determination(true: np.ndarray, predicted: np.ndarray, axis: int = -1) -> Any:
    residual = ((true - predicted) ** 2).sum(axis=axis)
    total = ((true - true.mean(axis=axis, keepdims=True)) ** 2).sum(axis=axis)
    return 1 - residual / (total + 1e-300)  # where all true values are equal
