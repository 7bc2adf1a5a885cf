"""Confidence intervals and tests for metrics with one value a row; scipy does the resampling.

Everything here takes what ``predictions/*.jsonl`` stores under ``metrics`` (a number or a list of
numbers a row) and the :class:`~toolkit.metrics.metric.Metric` that knows how to aggregate it, so a
costly metric is never computed again for a resample.

Rows are resampled as independent draws. What the intervals cover is therefore the choice of test
rows and nothing else: not the training seed, not the split, not a change in the data.

Sources:
    B. Efron, R. Tibshirani, *An Introduction to the Bootstrap*, 1993, chapters 13 and 15.
    E. B. Wilson, "Probable inference", JASA 22 (1927) 209-212.
    V. Vovk, A. Gammerman, G. Shafer, *Algorithmic Learning in a Random World*, 2005.
    J. Lei et al., "Distribution-free predictive inference for regression", JASA 113 (2018).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Hashable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from toolkit.metrics.metric import Metric

RESAMPLES = 2000
"""Enough for two digits of an interval's ends: resampling again moves them by 1/20 of its width."""

CONFIDENCE = 0.95

_CELLS = 240_000
"""Values held per resampled batch: what fits a CPU's cache is also the fastest (measured)."""

RowValues = Sequence[Any]
"""For each row one number or a list of numbers; ``None`` where the metric does not apply."""


FEW_GROUPS = 20
"""Below this number of groups no interval holds, and only an exact test can decide."""

COVERAGE = 0.9
"""The share of new rows whose reference prediction intervals are to contain."""


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval. Not finite where the metric is undefined on these rows."""

    value: float
    low: float
    high: float
    groups: int | None = None
    """The number of independent groups; ``None`` where every row is a group of its own."""
    note: str = ""
    """Why there is no interval, or what it does not hold for; empty where there is nothing to add."""


@dataclass(frozen=True)
class Comparison:
    """``metric(a) - metric(b)`` on the same rows, its 95 % interval and a two-sided p-value."""

    difference: float
    low: float
    high: float
    p: float
    groups: int | None = None
    note: str = ""


def known(value: float) -> float | None:
    """A figure for JSON, which has no NaN: ``None`` if it is undefined (R² of equal references)."""
    return value if math.isfinite(value) else None


def as_json(result: Estimate | Comparison) -> dict[str, Any]:
    """A result as ``metrics.json`` stores it; ``groups`` and ``note`` only where they are set."""
    found: dict[str, Any] = {
        key: known(value) for key, value in asdict(result).items() if key not in ("groups", "note")
    }
    if result.groups is not None:
        found["groups"] = result.groups
    if result.note:
        found["note"] = result.note
    return found


def _quiet() -> AbstractContextManager[Any]:
    """Switch numpy's warnings off: some resamples have no figure, such as R² of equal rows."""
    import numpy as np

    return np.errstate(all="ignore")


def metric_value(metric: Metric, values: RowValues) -> float:
    """A metric's figure for all rows; not finite, and no warning, where it is undefined on them."""
    with _quiet():
        return metric.value(values)


def interval(
    metric: Metric,
    values: RowValues,
    *,
    groups: Sequence[Hashable] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Estimate:
    """A metric's figure with its percentile bootstrap interval.

    Percentile, not BCa: with the hundreds of rows of a test split the two agree to less than the
    resampling error, and BCa is undefined where all values are equal or a share is 0 or 1, as with
    a system that is always or never right.
    """
    columns = metric.columns(values)
    if not columns:
        return Estimate(math.nan, math.nan, math.nan)
    low, high = _percentiles(metric.aggregate, columns, resamples, seed)
    return Estimate(metric_value(metric, values), low, high, _count(groups, values))


def paired(
    metric: Metric,
    a_values: RowValues,
    b_values: RowValues,
    *,
    groups: Sequence[Hashable] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Comparison:
    """Compare two systems on the same rows: paired bootstrap interval and permutation p-value.

    The p-value is that of the exact null hypothesis "it does not matter which system answered":
    in each permutation every row swaps its two answers with probability one half. Its smallest
    value is ``2 / (resamples + 1)``.
    """
    if len(a_values) != len(b_values):
        raise ValueError(f"{len(a_values)} rows cannot be paired with {len(b_values)}")
    if [v is None for v in a_values] != [v is None for v in b_values]:
        raise ValueError(f"{metric.name} applies to other rows of one system than of the other")
    a, b = metric.columns(a_values), metric.columns(b_values)
    if not a:
        return Comparison(math.nan, math.nan, math.nan, math.nan)

    def difference(*both: Any, axis: int = -1) -> Any:
        return metric.aggregate(*both[: len(a)], axis=axis) - metric.aggregate(
            *both[len(a) :], axis=axis
        )

    with _quiet():
        whole = float(difference(*a, *b))
    if not math.isfinite(whole):  # one of the two figures is undefined, and so is the difference
        return Comparison(math.nan, math.nan, math.nan, math.nan)
    low, high = _percentiles(difference, (*a, *b), resamples, seed)
    p = _swap_test(difference, a, b, resamples, seed)
    return Comparison(whole, low, high, p, _count(groups, a_values))


def _count(groups: Sequence[Hashable] | None, values: RowValues) -> int | None:
    """The number of groups among the rows that have a value."""
    if groups is None:
        return None
    return len({group for group, value in zip(groups, values, strict=True) if value is not None})


def _percentiles(
    statistic: Callable[..., Any], columns: tuple[Any, ...], resamples: int, seed: int
) -> tuple[float, float]:
    """The ends of the central 95 % of a statistic over rows drawn with replacement."""
    n = columns[0].size
    with _quiet():
        whole = float(statistic(*columns, axis=-1))
    if n < 2 or not math.isfinite(whole):
        return whole, whole
    import numpy as np
    from scipy import stats

    # Resamples in which the metric applies to no row have no figure; scipy would warn of them.
    with _quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)
        drawn = stats.bootstrap(
            columns,
            statistic,
            n_resamples=resamples,
            batch=_batch(n * len(columns), resamples),
            vectorized=True,
            paired=True,
            confidence_level=CONFIDENCE,
            method="percentile",
            rng=np.random.default_rng(seed),
        ).bootstrap_distribution
    drawn = drawn[np.isfinite(drawn)]
    if drawn.size == 0:
        return whole, whole
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return float(low), float(high)


def _swap_test(
    difference: Callable[..., Any],
    a: tuple[Any, ...],
    b: tuple[Any, ...],
    resamples: int,
    seed: int,
) -> float:
    """Two-sided permutation p-value of a difference between paired systems.

    scipy flips signs when it is given one sample; the signs say which rows swap, which works for
    metrics of several columns and for metrics that are not means as well.
    """
    import numpy as np

    n = a[0].size
    if n < 2 or all(np.array_equal(x, y) for x, y in zip(a, b, strict=True)):
        return 1.0
    from scipy import stats

    def swapped(signs: Any, axis: int = -1) -> Any:
        swap = signs < 0
        first = [np.where(swap, y, x) for x, y in zip(a, b, strict=True)]
        second = [np.where(swap, x, y) for x, y in zip(a, b, strict=True)]
        return difference(*first, *second, axis=axis)

    with _quiet():
        p = stats.permutation_test(
            (np.ones(n),),
            swapped,
            permutation_type="samples",
            vectorized=True,
            n_resamples=resamples,
            batch=_batch(2 * n * len(a), resamples),
            rng=np.random.default_rng(seed),
        ).pvalue
    return min(1.0, float(p))


def _batch(cells: int, resamples: int) -> int:
    return max(1, min(resamples, _CELLS // cells))


def rows_needed(
    n: int, compared: Comparison, *, equal_within: float = 0.0, power: float = 0.8
) -> int | None:
    """About how many rows would settle a comparison that ``n`` rows leave open.

    An interval's half-width shrinks with the square root of the rows. Two things can settle it: the
    interval leaves zero, or it fits inside ``±equal_within``; the one that needs fewer rows counts.
    The observed difference is taken for the true one, and the new experiment is to succeed with
    probability ``power``: at the size where the *expected* interval only just leaves zero it would
    fail every second time. The observed difference is itself uncertain, so the result is an order
    of magnitude. ``None`` where more than a billion rows would be needed.
    """
    from scipy.stats import norm

    half = (compared.high - compared.low) / 2
    z = float(norm.ppf(0.5 + CONFIDENCE / 2))
    wanted = half * (1 + float(norm.ppf(power)) / z)
    room = max(abs(compared.difference), equal_within - abs(compared.difference))
    if not math.isfinite(wanted) or room <= 0 or wanted / room > math.sqrt(1e9 / n):
        return None
    return max(n + 1, math.ceil(n * (wanted / room) ** 2))


def conformal_width(
    residuals: Sequence[float],
    coverage: float = COVERAGE,
    *,
    groups: Sequence[Hashable] | None = None,
) -> float | None:
    """The residual that a new row does not exceed with a probability of at least ``coverage``.

    Split conformal prediction: the ``ceil((n + 1) · coverage)``-th smallest of the residuals of
    rows that nothing was fitted on or chosen with. The coverage holds on average over rows that are
    exchangeable with those (not for each kind of row on its own). ``None`` when there are too few
    rows for any finite width: 90 % needs nine.
    """
    import numpy as np

    found = np.sort(np.asarray(residuals, dtype=np.float64))
    rank = math.ceil((found.size + 1) * coverage - 1e-9)  # 0.9 · 10 must not round up to 10
    if rank > found.size or not math.isfinite(found[rank - 1]):
        return None
    return float(found[rank - 1])


def proportion(k: int, n: int) -> Estimate:
    """The share ``k / n`` with Wilson's interval, which has a width at 0 of n and n of n too."""
    if n == 0:
        return Estimate(math.nan, math.nan, math.nan)
    from scipy.stats import binomtest

    found = binomtest(k, n).proportion_ci(CONFIDENCE, method="wilson")
    return Estimate(k / n, float(found.low), float(found.high))
