"""Heavy tails: where few rows decide a figure, and how far an interval reaches on their side.

A sample of values with a heavy tail mostly lacks the largest of them: its figure lies on one side
of the true one, and it looks more even than the values are. Below some evenness no interval holds;
a little above it, the end on the side of the tail has to reach further. All limits were chosen by
simulation (``tests/benchmarks/coverage.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from toolkit.metrics import resampling
from toolkit.metrics.bounded import Columns
from toolkit.metrics.units import Units, few_enough, influences

if TYPE_CHECKING:
    import numpy as np

UNEVEN = 0.31
"""The evenness below which few rows decide a figure; it falls with the fourth root of many rows.

The evenness of squared normal errors stays above it, and that of values with an infinite variance
(squares of Student's t with 3 degrees of freedom) falls faster.
"""

LIGHT_TAILS = 500
"""With more rows than this an interval holds for values that are less even."""

UNEVEN_GROUPS = 0.2
"""The same for groups, whose sums are more even than rows; their rows are looked at as well."""

CALM, TENSE = 0.55, 0.75
"""From which :attr:`Tails.tense` on the end on the side of the tail reaches further, and up to
which more and more; squared normal errors have 0.66 on average."""

FURTHEST = 0.995
"""The level of that end where few rows nearly decide the figure."""


class Tails(NamedTuple):
    """How heavy the tails of a figure's values are.

    Args:
        uneven: how far few units or few rows decide the figure; above 1 they do.
        tense: the same for rows, measured at the size that independent units give: from
            :data:`CALM` on an end of the interval reaches further.
    """

    uneven: float
    tense: float


def tails(aggregate: Callable[..., Any], columns: Columns, found: np.ndarray, of: Units) -> Tails:
    """The tails of a figure.

    Args:
        aggregate: values by column to the figure.
        columns: the values, each of shape (rows,).
        found: the influences of the units on the figure (:func:`influences_of`).
        of: the units.
    """
    grouped = of.groups is not None
    rows = influences_of(aggregate, columns, Units(of.rows)) if grouped else found
    even = resampling.evenness(rows)
    uneven = _least(rows.size) / even
    if grouped:
        # Rows of a group repeat each other, so that chance makes them a little less even.
        uneven = max(UNEVEN_GROUPS / resampling.evenness(found), 0.9 * uneven)
    return Tails(uneven, _least(min(rows.size, of.count)) / even)


def _least(size: int) -> float:
    """The least evenness of so many rows."""
    return UNEVEN * float(min(1.0, (LIGHT_TAILS / size) ** 0.25))


def influences_of(aggregate: Callable[..., Any], columns: Columns, of: Units) -> np.ndarray:
    """The influences of units on a figure, of few enough units that they are computed quickly."""
    return influences(aggregate, columns, few_enough(aggregate, of))


def level(tense: float, confidence: float) -> float:
    """The level of the end on the side of the longer tail, for a figure that is no mean.

    Args:
        tense: that of :class:`Tails`.
        confidence: how often the interval is to contain the true figure.
    """
    over = (tense - CALM) / (TENSE - CALM)
    return confidence + (FURTHEST - confidence) * min(1.0, max(0.0, over))


def reach(
    found: np.ndarray, confidence: float, tail: float, *, resamples: int, seed: int
) -> tuple[float, float] | None:
    """:func:`~toolkit.metrics.resampling.bootstrap_t` with a level of its own for one end.

    Args:
        found: the influences of the units on the figure.
        confidence: how often the interval is to contain the true figure.
        tail: the level of the end on the side of the longer tail.
        resamples: the number of draws.
        seed: of the draws.
    """
    near = resampling.bootstrap_t(
        found, confidence, symmetric=False, resamples=resamples, seed=seed
    )
    if near is None or tail == confidence:
        return near
    far = resampling.bootstrap_t(found, tail, symmetric=False, resamples=resamples, seed=seed)
    if far is None:
        return None
    above = float((found**3).sum()) > 0
    return (near[0], far[1]) if above else (far[0], near[1])
