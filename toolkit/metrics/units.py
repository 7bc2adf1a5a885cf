"""Independent units: the rows of a set, or its groups, and what each adds to a figure.

Rows of one group (the questions on one document, the copies of one review) resemble each other, so
that the group is what is drawn at random and not the row. All of :mod:`toolkit.metrics.statistics`
works on such units.

How much a unit moves a figure is its jackknife value: the figure computed again without it. Those
values stand for the unit where the figure is not a mean.

Sources:
    J. W. Tukey, "Bias and confidence in not quite large samples", Annals of Mathematical Statistics
    29 (1958) 614: jackknife values. B. Efron, C. Stein, "The jackknife estimate of variance",
    Annals of Statistics 9 (1981) 586-596. K. M. Wolter, *Introduction to Variance Estimation*,
    1985, chapter 2: many units joined into random groups.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolkit.metrics.metric import mean
from toolkit.metrics.regression import root_mean

if TYPE_CHECKING:
    import numpy as np

_CELLS = 240_000
"""Values held per batch: what fits a CPU's cache is also the fastest (measured)."""

MOST_UNITS = 5000
"""More units are joined at random into this many, which are still independent of each other."""

MOST_LEFT_OUT = 2000
"""As :data:`MOST_UNITS`, where each unit means that the figure is computed once more."""


FEWEST_LEFT_OUT, MOST_CELLS = 500, 40_000_000
"""Of many rows fewer units are left out, so that at most about so many values are looked at."""


@dataclass(frozen=True)
class Units:
    """The units of the rows that have a value.

    Args:
        rows: the number of rows.
        codes: the number of each row's unit; ``None`` where each row is one.
        sizes: the rows of each unit; ``None`` where each has one.
    """

    rows: int
    codes: np.ndarray | None = None
    sizes: np.ndarray | None = None

    @property
    def count(self) -> int:
        return self.rows if self.sizes is None else int(self.sizes.size)

    @property
    def groups(self) -> int | None:
        """The number of groups; ``None`` where every row is a unit."""
        return None if self.sizes is None else int(self.sizes.size)

    @property
    def effective(self) -> float:
        """How many units of equal size know as much (Kish): few where one unit is very large."""
        if self.sizes is None:
            return float(self.rows)
        return float(self.sizes.sum() ** 2 / (self.sizes**2).sum())

    @property
    def unequal(self) -> bool:
        """Whether units of equal size would be three quarters as many, or fewer."""
        return self.effective < 0.75 * self.count

    @property
    def described(self) -> str:
        """The number of groups, and how many of equal size would know as much where fewer."""
        if self.unequal:
            return f"{self.count} groups (so unequal that they count as {self.effective:.0f})"
        return f"{self.count} groups"

    @property
    def size(self) -> float:
        """The size of the unit that a row finds itself in, on average."""
        return 1.0 if self.sizes is None else float((self.sizes**2).sum() / self.sizes.sum())

    def sums(self, values: np.ndarray) -> np.ndarray:
        """The sum of the rows' values in each unit."""
        import numpy as np

        if self.codes is None:
            return values
        return np.bincount(self.codes, weights=values, minlength=self.count)

    def joined(self, most: int) -> Units:
        """At most this many units: more are joined at random, always in the same way."""
        import numpy as np

        if self.count <= most:
            return self
        place = np.random.default_rng(0).permutation(self.count) % most
        codes = place if self.codes is None else place[self.codes]
        return Units(self.rows, codes, np.bincount(codes, minlength=most))


def few_enough(aggregate: Callable[..., Any], of: Units) -> Units:
    """The units joined to so few that :func:`influences` of them take a second at most."""
    if aggregate is mean:
        return of.joined(MOST_UNITS)
    least = max(FEWEST_LEFT_OUT, MOST_CELLS // max(1, of.rows))
    return of.joined(min(MOST_LEFT_OUT, least))


def units(values: Sequence[Any], groups: Sequence[Hashable] | None) -> Units:
    """The units of the rows that have a value.

    Args:
        values: a value for each row, ``None`` where the metric does not apply.
        groups: the group of each row; ``None``: every row is independent of the others.
    """
    import numpy as np

    applies = [value is not None for value in values]
    rows = sum(applies)
    if groups is None:
        return Units(rows)
    if len(groups) != len(values):
        raise ValueError(f"{len(values)} rows have {len(groups)} groups")
    numbers: dict[Hashable, int] = {}
    codes = [
        numbers.setdefault(group, len(numbers))
        for group, known in zip(groups, applies, strict=True)
        if known
    ]
    if len(numbers) == rows:  # each row is a group of its own
        return Units(rows)
    array = np.asarray(codes, dtype=np.intp)
    return Units(rows, array, np.bincount(array))


def influences(
    aggregate: Callable[..., Any], columns: tuple[np.ndarray, ...], of: Units
) -> np.ndarray:
    """How much each unit moves a figure: jackknife values less the figure, with a mean of zero.

    The variance of the figure is that of their mean: ``(u**2).sum() / (G * (G - 1))``. They are not
    finite where the figure is undefined without one of the units. Where rows are of few kinds the
    influence of a group is the sum of those of its rows, which is much faster and nearly the same.
    """
    import numpy as np

    with np.errstate(all="ignore"):
        if aggregate is mean:
            without = _mean_without(columns[0], of)
        elif aggregate is root_mean:
            without = _mean_without(columns[0], of) ** 0.5
        elif of.codes is None:
            without = _without_row(aggregate, columns)
        elif _kinds(columns) < of.count:  # few kinds of rows, such as pairs of classes
            by_row = influences(aggregate, columns, Units(of.rows))
            sums = of.sums(by_row) * (of.count / of.rows)
            without = -(sums - sums.mean()) / (of.count - 1)
        else:
            without = np.array(
                [
                    float(aggregate(*(c[kept] for c in columns), axis=-1))
                    for kept in (of.codes != number for number in range(of.count))
                ]
            )
        found: np.ndarray = (without.size - 1) * (without.mean() - without)
    return found


def _mean_without(values: np.ndarray, of: Units) -> np.ndarray:
    sizes = 1 if of.sizes is None else of.sizes
    centre = values.mean()  # so that large values lose no digits
    sums = of.sums(values - centre)
    found: np.ndarray = centre + (sums.sum() - sums) / (of.rows - sizes)
    return found


def _kinds(columns: tuple[np.ndarray, ...]) -> int:
    """How many rows differ in their values."""
    import numpy as np

    return len(np.unique(np.stack(columns, axis=1), axis=0))


def _without_row(aggregate: Callable[..., Any], columns: tuple[np.ndarray, ...]) -> np.ndarray:
    """The figure without each row; rows of the same values are computed once."""
    import numpy as np

    _, first, same = np.unique(
        np.stack(columns, axis=1), axis=0, return_index=True, return_inverse=True
    )
    place = np.arange(columns[0].size - 1)
    step = max(1, _CELLS // columns[0].size)
    found = []
    for start in range(0, first.size, step):
        before = place < first[start : start + step, None]
        kept = [np.where(before, column[:-1], column[1:]) for column in columns]
        found.append(np.asarray(aggregate(*kept, axis=-1), dtype=np.float64))
    without: np.ndarray = np.concatenate(found)[same.reshape(-1)]
    return without


def variance(found: np.ndarray) -> float:
    """The variance of a figure from the :func:`influences` of its units."""
    return float((found**2).sum() / (found.size * (found.size - 1)))
