"""Intervals of shares and their differences by score methods, which hold near 0 and 1 too.

The bootstrap knows only what a sample contains: where all rows are right it gives an interval of
width zero. Score methods ask which true shares could have led to the sample.

Sources:
    E. B. Wilson, "Probable inference", JASA 22 (1927) 209-212.
    T. Tango, "Equivalence test and confidence interval for the difference in proportions for the
    paired-sample design", Statistics in Medicine 17 (1998) 891-908.
    L. Kish, *Survey Sampling*, 1965, chapter 5: the design effect. C. Franco, R. Little, T. Louis,
    E. Slud, "Comparative study of confidence intervals for proportions in complex sample surveys",
    Journal of Survey Statistics and Methodology 7 (2019) 334-364: Wilson's interval with the
    effective number of rows, and a design effect of at least one.
    D. Bonett, R. Price, "Adjusted Wald confidence interval for a difference of binomial proportions
    based on paired data", Journal of Educational and Behavioral Statistics 37 (2012) 479-488.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

ENOUGH_CASES = 20
"""With fewer independent cases of the rarer kind an estimated design effect is mostly chance."""

PRIOR_CASES = 1.0
"""So many cases are taken for clustered as closely as the groups allow, before any is seen."""


def quantile(units: int | None, confidence: float) -> float:
    """The quantile for a two-sided interval: Student's with groups, the normal one with rows."""
    from scipy import special

    at = 0.5 + confidence / 2
    return float(special.ndtri(at) if units is None else special.stdtrit(units - 1, at))


def design_effect(clustered: float, independent: float, cases: float, size: float) -> float:
    """How many times larger groups make a variance; at least one.

    Args:
        clustered: the variance estimated from groups.
        independent: the variance if rows were independent.
        cases: the rows of the rarer kind, from which both were estimated.
        size: the mean size of a row's group: the largest design effect there can be.
    """
    if cases <= 0 or independent <= 0:
        return max(1.0, size)
    found = max(1.0, clustered / independent)
    # Independent cases: between those if groups were all alike and those by the estimate.
    seen = cases / math.sqrt(size * found)
    if seen < ENOUGH_CASES:
        found = (found * seen + size * PRIOR_CASES) / (seen + PRIOR_CASES)
    return max(1.0, found)


def score_interval(value: float, variance: float, rows: float, z: float) -> tuple[float, float]:
    """The interval of a figure between 0 and 1 that counts make.

    Wilson's where the figure is a share and ``variance`` is ``value * (1 - value) / rows``.

    Args:
        value: the figure.
        variance: its estimated variance.
        rows: the number of independent rows that know as much as the sample.
        z: the quantile.
    """
    shrunk = rows / (rows + z * z)
    centre = shrunk * (value + z * z / (2 * rows))
    half = shrunk * z * math.sqrt(variance + z * z / (4 * rows * rows))
    # Rounded, an end at 0 or 1 could miss the figure itself.
    return max(0.0, min(value, centre - half)), min(1.0, max(value, centre + half))


def paired_score_interval(
    only_a: float, only_b: float, rows: float, z: float
) -> tuple[float, float]:
    """Tango's interval of the difference of two shares of the same rows.

    Args:
        only_a: rows that are right in ``a`` alone; not whole where a design effect divides them.
        only_b: rows that are right in ``b`` alone.
        rows: all rows.
        z: the quantile.
    """
    from scipy.optimize import brentq

    whole = (only_a - only_b) / rows

    def score(delta: float) -> float:
        b = -only_a - only_b + (2 * rows - only_a + only_b) * delta
        c = -only_b * delta * (1 - delta)
        q = (math.sqrt(max(0.0, b * b - 8 * rows * c)) - b) / (4 * rows)
        spread = rows * (2 * q + delta * (1 - delta))
        return (only_a - only_b - rows * delta) / math.sqrt(max(spread, 1e-300))

    def end(sign: int) -> float:
        limit = sign * (1 - 1e-12)
        if abs(whole) >= 1 - 1e-9 or sign * score(limit) > -z:
            return float(sign)
        return float(brentq(lambda delta: sign * score(delta) + z, whole, limit, xtol=1e-10))

    return end(-1), end(1)


def mcnemar(only_a: int, only_b: int) -> float:
    """The two-sided mid-p-value of McNemar's test of two shares of the same rows.

    The exact p-value counts all of the probability of what was seen, the mid-p-value half of it.
    The exact test loses up to nine points of power with some hundred rows. Together with Tango's
    interval the mid-p-value is wrong in a given direction in at most 2.5 % of tries, for any number
    of rows and any share that differ (computed by enumeration).

    Source: M. Fagerland, S. Lydersen, P. Laake, "The McNemar test for binary matched-pairs data:
    mid-p and asymptotic are better than exact conditional", BMC Medical Research Methodology 13
    (2013) 91.
    """
    from scipy.special import bdtr

    differ, fewer = only_a + only_b, min(only_a, only_b)
    seen = float(bdtr(fewer, differ, 0.5)) - (float(bdtr(fewer - 1, differ, 0.5)) if fewer else 0.0)
    return min(1.0, 2 * float(bdtr(fewer, differ, 0.5)) - seen)


def parts_rows(counts: np.ndarray) -> float:
    """The rows that know as much as a mean over parts, each a share of so many rows."""
    return float(counts.size**2 / (1 / counts).sum())


def counted_difference(variance: float, rows: float, z: float) -> float:
    """How far the interval of a difference of two figures made of counts reaches.

    As if there were one case more in favour of each system (Bonett and Price), so that systems that
    do not differ on a sample still have an interval.

    Args:
        variance: the estimated variance of the difference.
        rows: the number of independent rows that know as much as the sample.
        z: the quantile.
    """
    return z * math.sqrt(variance + 2 / (rows + 2) ** 2)
