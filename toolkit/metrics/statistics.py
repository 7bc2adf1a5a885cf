"""Confidence intervals and tests for metrics with one value a row, for independent rows and groups.

Everything here takes what ``predictions/*.jsonl`` stores under ``metrics`` (a number or a list of
numbers a row) and the :class:`~toolkit.metrics.metric.Metric` that knows how to aggregate it, so a
costly metric is never computed again for a resample.

What is drawn at random are rows, or groups of rows where rows of one group resemble each other.
What the intervals cover is therefore the choice of test rows or groups and nothing else: not the
training seed, not the split, not a change in the data.

The method follows from how a metric is computed, not from its name:

- a mean of zeros and ones is a share: Wilson's interval, Tango's for a difference;
- a metric with ``counts`` (F1, recall) is made of shares: Wilson's formula with jackknife variance;
- any other (a mean of real values, RMSE, R²): the bootstrap-t of its jackknife values, symmetric
  for a difference.

With groups the first two take the design effect into account, and the third draws groups.
``docs/statistics.md`` has the coverage of each, as simulated by ``tests/benchmarks/coverage.py``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from toolkit.metrics import bounded, resampling, shares, tails
from toolkit.metrics.bounded import Columns
from toolkit.metrics.conformal import COVERAGE as COVERAGE
from toolkit.metrics.conformal import conformal_width as conformal_width
from toolkit.metrics.metric import mean
from toolkit.metrics.results import Comparison as Comparison
from toolkit.metrics.results import Estimate as Estimate
from toolkit.metrics.results import as_json as as_json
from toolkit.metrics.results import known as known
from toolkit.metrics.units import Units, influences, units, variance

if TYPE_CHECKING:
    import numpy as np

    from toolkit.metrics.metric import Metric

RESAMPLES = 2000
"""Enough for two digits of an interval's ends: resampling again moves them by 1/20 of its width."""

CONFIDENCE = 0.95

FEW_GROUPS = 20
"""Below this number of groups an interval may not hold, and only an exact test can decide."""

TOO_FEW_GROUPS = 8
"""With fewer groups no interval is computed; unequal ones must count as :data:`FEW_GROUPS`."""

RARE = 10
"""A class with fewer rows gives macro figures and F1 no interval."""

MANY_ROWS = 200
"""With fewer rows a sample is too small to show that its tail is heavy."""

FEWEST_DIFFERENT = 6
"""If fewer units differ, no permutation test can give a p-value below 5 %."""

Result = TypeVar("Result", Estimate, Comparison)

RowValues = Sequence[Any]
"""For each row one number or a list of numbers; ``None`` where the metric does not apply."""


def _quiet() -> AbstractContextManager[Any]:
    """Switch numpy's warnings off: some resamples have no figure, such as R² of equal rows."""
    import numpy as np

    return np.errstate(all="ignore")


def metric_value(metric: Metric, values: RowValues) -> float:
    """A metric's figure for all rows; not finite, and no warning, where it is undefined on them."""
    with _quiet():
        return metric.value(values)


# -- one system ----------------------------------------------------------------------------------
def interval(
    metric: Metric,
    values: RowValues,
    *,
    groups: Sequence[Hashable] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Estimate:
    """A metric's figure with its interval.

    Args:
        metric: the metric.
        values: its value for each row.
        groups: the group of each row; ``None``: every row is independent of the others.
        resamples: the number of draws where the method draws.
        seed: of the draws.
    """
    columns = metric.columns(values)
    if not columns:
        return Estimate(math.nan, math.nan, math.nan)
    of = units(values, groups)
    whole = Estimate(metric_value(metric, values), math.nan, math.nan, of.groups)
    if not math.isfinite(whole.value):
        return whole
    note = _too_few(of)
    if note:
        return replace(whole, note=note)
    if _is_share(metric, columns):
        return _with(whole, of, _share(columns[0], of))
    if metric.counts is not None:
        counts = metric.counts(*columns)
        if _rarest(counts) < RARE:
            return replace(whole, note=_rare(_rarest(counts)))
        return _with(whole, of, _made_of_counts(metric.aggregate, columns, counts, of))
    return _resampled(metric, whole, columns, of, resamples, seed)


def _is_share(metric: Metric, columns: Columns) -> bool:
    """Whether a figure is a share: a mean of zeros and ones.

    Zeros alone may as well be errors in dollars; where less is better they are not taken for one.
    """
    if metric.aggregate is not mean or not all(((c == 0) | (c == 1)).all() for c in columns):
        return False
    return metric.greater_is_better or any(c.any() for c in columns)


def _share(values: np.ndarray, of: Units) -> tuple[float, float]:
    value = float(values.mean())
    spread = value * (1 - value) / of.rows
    effect = _design_effect(influences(mean, (values,), of), spread, value * of.rows, of)
    z = shares.quantile(of.groups, CONFIDENCE)
    return shares.score_interval(value, spread * effect, of.rows / effect, z)


def _design_effect(found: np.ndarray, independent: float, cases: float, of: Units) -> float:
    if of.groups is None:
        return 1.0
    rarer = min(cases, of.rows - cases)
    return shares.design_effect(variance(found), independent, rarer, of.size)


def _made_of_counts(
    aggregate: Callable[..., Any], columns: Columns, counts: np.ndarray, of: Units
) -> tuple[float, float]:
    value = float(aggregate(*columns, axis=-1))
    rows = shares.parts_rows(counts)
    spread, effect = _counted_variance(aggregate, (columns,), min(value, 1 - value) * rows, of)
    z = shares.quantile(of.groups, CONFIDENCE)
    return shares.score_interval(value, spread * effect, rows / effect, z)


def _counted_variance(
    aggregate: Callable[..., Any], systems: Sequence[Columns], cases: float, of: Units
) -> tuple[float, float]:
    """The variance that a figure made of counts would have of independent rows; design effect.

    Of two systems it is that of the difference: jackknife values of a difference are differences.
    """

    def spread(units: Units) -> float:
        first, *second = (influences(aggregate, columns, units) for columns in systems)
        return variance(first - second[0] if second else first)

    independent = spread(Units(of.rows))
    if of.groups is None:
        return independent, 1.0
    return independent, shares.design_effect(spread(of), independent, cases, of.size)


def _resampled(
    metric: Metric, whole: Estimate, columns: Columns, of: Units, resamples: int, seed: int
) -> Estimate:
    """The bootstrap-t of the jackknife values of a figure."""
    found = tails.influences_of(metric.aggregate, columns, of)
    reach, heavy = None, tails.Tails(0.0, 0.0)
    if abs(found).max() > 1e-12 * abs(whole.value):  # more than rounding
        heavy = tails.tails(metric.aggregate, columns, found, of)
        level = CONFIDENCE if metric.aggregate is mean else tails.level(heavy.tense, CONFIDENCE)
        reach = tails.reach(found, CONFIDENCE, level, resamples=resamples, seed=seed)
    if reach is None and bounded.is_score(metric, columns):
        return _with(whole, of, bounded.widest(whole.value, of, CONFIDENCE))
    if reach is None:
        return replace(whole, note=_no_spread(found))
    reached = whole.value + reach[0], whole.value + reach[1]
    ends = bounded.possible(metric, columns, reached, whole.value, of, CONFIDENCE)
    result = _with(whole, of, ends)
    if metric.aggregate is mean:
        if heavy.uneven > 2 and not result.note:
            return replace(result, note="A few rows make up much of the figure.")
        return result
    if heavy.uneven > 1:
        return replace(whole, note="A few rows decide the figure, and no interval would hold.")
    if of.rows < MANY_ROWS and not result.note:
        return replace(result, note=f"Fewer than {MANY_ROWS} rows may hide that a few decide.")
    return result


# -- two systems ---------------------------------------------------------------------------------
def paired(
    metric: Metric,
    a_values: RowValues,
    b_values: RowValues,
    *,
    groups: Sequence[Hashable] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Comparison:
    """Compare two systems on the same rows: the interval of the difference and a paired test.

    The p-value is that of the exact null hypothesis "it does not matter which system answered": in
    each permutation every row, or every group as a whole, swaps its two answers with probability
    one half. For shares of independent rows that is McNemar's test, with its mid-p-value.

    Args:
        metric: the metric.
        a_values: its value for each row of one system.
        b_values: its value for the same rows of the other.
        groups: the group of each row; ``None``: every row is independent of the others.
        resamples: the number of draws and of permutations.
        seed: of the draws.
    """
    if len(a_values) != len(b_values):
        raise ValueError(f"{len(a_values)} rows cannot be paired with {len(b_values)}")
    if [v is None for v in a_values] != [v is None for v in b_values]:
        raise ValueError(f"{metric.name} applies to other rows of one system than of the other")
    a, b = metric.columns(a_values), metric.columns(b_values)
    undefined = Comparison(math.nan, math.nan, math.nan, math.nan)
    if not a:
        return undefined
    of = units(a_values, groups)
    with _quiet():
        difference = float(metric.aggregate(*a, axis=-1) - metric.aggregate(*b, axis=-1))
    if not math.isfinite(difference):  # one of the figures is undefined, and so is the difference
        return replace(undefined, groups=of.groups)
    p = _test(metric, a, b, of, resamples, seed)
    whole = Comparison(difference, math.nan, math.nan, p, of.groups)
    return _difference(metric, whole, a, b, of, resamples, seed)


def _test(metric: Metric, a: Columns, b: Columns, of: Units, resamples: int, seed: int) -> float:
    if of.groups is None and _is_share(metric, (*a, *b)):
        return shares.mcnemar(int((a[0] > b[0]).sum()), int((a[0] < b[0]).sum()))
    return resampling.swap_test(metric.aggregate, a, b, of, resamples=resamples, seed=seed)


def _difference(
    metric: Metric,
    whole: Comparison,
    a: Columns,
    b: Columns,
    of: Units,
    resamples: int,
    seed: int,
) -> Comparison:
    share = _is_share(metric, (*a, *b))
    counted = share or metric.counts is not None
    if not counted and all((x == y).all() for x, y in zip(a, b, strict=True)):
        return replace(whole, low=0.0, high=0.0, note="The two are equal on every row.")
    note = _too_few(of)
    if note:
        return replace(whole, note=note)
    if share:
        return _with(whole, of, _difference_of_shares(a[0], b[0], of))

    if metric.counts is not None:
        counts = metric.counts(*a), metric.counts(*b)
        rarest = min(_rarest(found) for found in counts)
        if rarest < RARE:
            return replace(whole, note=_rare(rarest))
        rows = min(shares.parts_rows(found) for found in counts)
        differ = float(sum(x != y for x, y in zip(a, b, strict=True)).astype(bool).sum())
        spread, effect = _counted_variance(metric.aggregate, (a, b), differ * rows / of.rows, of)
        z = shares.quantile(of.groups, CONFIDENCE)
        half = shares.counted_difference(spread * effect, rows / effect, z)
        return _with(whole, of, (whole.difference - half, whole.difference + half))
    if metric.aggregate is mean:
        found = tails.influences_of(mean, (a[0] - b[0],), of)
    else:
        found = tails.influences_of(metric.aggregate, a, of)
        found = found - tails.influences_of(metric.aggregate, b, of)
    result = _difference_resampled(whole, found, _differ(a, b, of), of, resamples, seed)
    if result.note == _no_spread(found) and bounded.is_score(metric, (*a, *b)):
        # Half of one more than a difference of scores is a score.
        low, high = bounded.widest((whole.difference + 1) / 2, of, CONFIDENCE)
        return _with(whole, of, (2 * low - 1, 2 * high - 1))
    return result


def _differ(a: Columns, b: Columns, of: Units) -> int:
    """The number of units on which two systems differ."""
    import numpy as np

    return int((of.sums(np.any([x != y for x, y in zip(a, b, strict=True)], axis=0)) > 0).sum())


def _difference_of_shares(a: np.ndarray, b: np.ndarray, of: Units) -> tuple[float, float]:
    gaps = a - b
    only_a, only_b = float((gaps > 0).sum()), float((gaps < 0).sum())
    effect = _design_effect(
        influences(mean, (gaps,), of), float(gaps.var()) / of.rows, only_a + only_b, of
    )
    return shares.paired_score_interval(
        only_a / effect, only_b / effect, of.rows / effect, shares.quantile(of.groups, CONFIDENCE)
    )


def _difference_resampled(
    whole: Comparison, found: np.ndarray, differ: int, of: Units, resamples: int, seed: int
) -> Comparison:
    if differ < FEWEST_DIFFERENT:
        what = "rows" if of.groups is None else "groups"
        return replace(whole, note=f"The two differ in {differ} {what}: too few for an interval.")
    reach = resampling.bootstrap_t(
        found, CONFIDENCE, symmetric=True, resamples=resamples, seed=seed
    )
    if reach is None:
        return replace(whole, note=_no_spread(found))
    return _with(whole, of, (whole.difference + reach[0], whole.difference + reach[1]))


# -- what is said beside an interval -------------------------------------------------------------
def _with(whole: Result, of: Units, ends: tuple[float, float]) -> Result:
    note = ""
    if of.groups is not None and of.effective < FEW_GROUPS:
        note = f"With {of.described} the interval holds only if they are much alike."
    return replace(whole, low=float(ends[0]), high=float(ends[1]), note=note)


def _too_few(of: Units) -> str:
    """Why there are too few units for any interval; empty where there are enough."""
    if of.groups is None:
        return "" if of.rows > 1 else "One row has no interval."
    too_few = of.effective < (FEW_GROUPS if of.unequal else TOO_FEW_GROUPS)
    return f"{of.described}: too few for an interval." if too_few else ""


def _rarest(counts: np.ndarray) -> int:
    return int(counts.min()) if counts.size else 0


def _rare(rows: int) -> str:
    return f"A class is counted on {rows:,} row{'s' * (rows != 1)} only: too few for an interval."


def _no_spread(found: np.ndarray) -> str:
    if math.isfinite(float(found.sum())):
        return "All or nearly all rows have the same value: they do not show how far others differ."
    return "The figure is undefined without one of the rows."


def proportion(k: int, n: int) -> Estimate:
    """The share ``k / n`` with Wilson's interval, which has a width at 0 of n and n of n too."""
    if n == 0:
        return Estimate(math.nan, math.nan, math.nan)
    from scipy.stats import binomtest

    found = binomtest(k, n).proportion_ci(CONFIDENCE, method="wilson")
    return Estimate(k / n, float(found.low), float(found.high))
