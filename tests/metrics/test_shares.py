"""Score intervals of shares, against scipy and against their definition."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import minimize_scalar

from toolkit.metrics import shares

Z = float(stats.norm.ppf(0.975))


@pytest.mark.parametrize(("k", "n"), [(0, 20), (3, 20), (77, 200), (200, 200), (599, 600)])
def test_the_score_interval_of_a_share_is_wilsons(k: int, n: int) -> None:
    found = shares.score_interval(k / n, k / n * (1 - k / n) / n, n, Z)
    theirs = stats.binomtest(k, n).proportion_ci(0.95, method="wilson")
    assert found == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def _score(only_a: int, only_b: int, n: int, delta: float) -> float:
    """Tango's score statistic by maximising the likelihood that has this difference."""

    def loss(q: float) -> float:  # q: the share of rows that only b gets right
        cells = (q + delta, only_a), (q, only_b), (1 - 2 * q - delta, n - only_a - only_b)
        return -sum(count * math.log(max(p, 1e-300)) for p, count in cells if count)

    bounds = max(0.0, -delta), (1 - delta) / 2
    q = float(minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-12}).x)
    return float((only_a - only_b - n * delta) / math.sqrt(n * (2 * q + delta * (1 - delta))))


@pytest.mark.parametrize(
    ("only_a", "only_b", "n"), [(4, 1, 30), (12, 9, 100), (0, 5, 44), (40, 10, 200)]
)
def test_the_ends_of_tangos_interval_are_where_the_score_test_gives_five_percent(
    only_a: int, only_b: int, n: int
) -> None:
    low, high = shares.paired_score_interval(only_a, only_b, n, Z)
    assert low < (only_a - only_b) / n < high
    assert _score(only_a, only_b, n, low) == pytest.approx(Z, abs=1e-3)
    assert _score(only_a, only_b, n, high) == pytest.approx(-Z, abs=1e-3)


def test_tangos_interval_has_a_width_where_no_row_differs_and_turns_with_the_systems() -> None:
    low, high = shares.paired_score_interval(0, 0, 100, Z)
    assert high == pytest.approx(Z * Z / (100 + Z * Z), abs=1e-6)
    assert low == pytest.approx(-high)
    forth = shares.paired_score_interval(7, 2, 60, Z)
    back = shares.paired_score_interval(2, 7, 60, Z)
    assert forth == pytest.approx((-back[1], -back[0]))
    assert shares.paired_score_interval(30, 0, 30, Z)[1] == 1


def test_the_design_effect_is_the_ratio_of_variances_and_cautious_with_few_cases() -> None:
    assert shares.design_effect(3.0, 1.0, cases=1000, size=10) == 3
    assert shares.design_effect(0.5, 1.0, cases=1000, size=10) == 1
    few = shares.design_effect(1.0, 1.0, cases=3, size=9)  # as good as one independent case
    assert few == pytest.approx((1 + 9) / 2)
    assert shares.design_effect(0.0, 0.0, cases=0, size=10) == 10


def test_quantiles_are_students_with_groups() -> None:
    assert shares.quantile(None, 0.95) == pytest.approx(1.959964, abs=1e-6)
    assert shares.quantile(10, 0.95) == pytest.approx(2.262157, abs=1e-6)


def test_parts_know_as_much_as_their_harmonic_mean() -> None:
    assert shares.parts_rows(np.array([50, 50])) == pytest.approx(100)
    assert shares.parts_rows(np.array([190, 10])) == pytest.approx(4 / (1 / 190 + 1 / 10))


def test_a_difference_of_counted_figures_is_never_without_width() -> None:
    assert shares.counted_difference(0.0, 98, Z) == pytest.approx(Z * math.sqrt(2) / 100)
    assert shares.counted_difference(0.01, 1e9, Z) == pytest.approx(Z * 0.1)


@pytest.mark.parametrize("rows", [10, 60, 300])
def test_interval_and_test_together_are_wrong_in_at_most_2_5_percent(rows: int) -> None:
    def wrong(differ: int) -> float:
        wins = [
            a
            for a in range(differ // 2 + 1, differ + 1)
            if shares.mcnemar(a, differ - a) < 0.05
            and shares.paired_score_interval(a, differ - a, rows, Z)[0] > 0
        ]
        return float(stats.binom.pmf(wins, differ, 0.5).sum())

    most = min(rows, 60)
    found = [wrong(differ) for differ in range(most + 1)]
    for share in np.linspace(0.5, 0.6 * most, 30) / rows:
        assert np.dot(stats.binom.pmf(range(most + 1), rows, share), found) <= 0.026


def test_the_mid_p_value_counts_half_of_what_was_seen() -> None:
    assert shares.mcnemar(0, 0) == 1
    assert shares.mcnemar(4, 0) == shares.mcnemar(0, 4) == pytest.approx(1 / 16)
    assert shares.mcnemar(3, 3) == 1
