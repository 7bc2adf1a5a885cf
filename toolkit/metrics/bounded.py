"""Means of values that have a bound: errors are not below 0, and scores not above 1."""

from __future__ import annotations

from typing import Any

from toolkit.metrics import shares
from toolkit.metrics.metric import Metric, mean
from toolkit.metrics.units import Units

Columns = tuple[Any, ...]
"""A metric's values by column, each of shape (rows,)."""


def is_score(metric: Metric, columns: Columns) -> bool:
    """Whether a figure is a mean of scores from 0 to 1, such as token F1 or ROUGE."""
    scored = metric.aggregate is mean and metric.greater_is_better and not metric.unit
    return scored and all(((c >= 0) & (c <= 1)).all() for c in columns)


def widest(value: float, of: Units, confidence: float) -> tuple[float, float]:
    """The interval of a mean of scores of which nearly all are equal, so that draws tell nothing.

    No scores of that mean vary more than zeros and ones do, so Wilson's interval is wide enough;
    with groups each counts as one row.
    """
    rows = float(of.rows if of.groups is None else of.effective)
    z = shares.quantile(of.groups, confidence)
    return shares.score_interval(value, value * (1 - value) / rows, rows, z)


def possible(
    metric: Metric,
    columns: Columns,
    ends: tuple[float, float],
    value: float,
    of: Units,
    confidence: float,
) -> tuple[float, float]:
    """The part of an interval in which a mean can be: of scores that within the widest one.

    Where few of the scores differ, draws reach much farther than scores can.
    """
    if metric.aggregate is not mean or (columns[0] < 0).any():
        return ends
    low, high = widest(value, of, confidence) if is_score(metric, columns) else (0.0, ends[1])
    return max(low, ends[0]), min(high, ends[1])
