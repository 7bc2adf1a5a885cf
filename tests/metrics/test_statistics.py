"""Intervals and tests against known answers, scipy itself and small simulations."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from scipy import stats

from judging_fixtures import METRICS
from toolkit.metrics import statistics
from toolkit.metrics.metric import Metric
from toolkit.metrics.statistics import Comparison

MEAN = Metric("mean", lambda p, r: float(p))
R2 = next(m for m in METRICS if m.name == "r2")


def test_an_interval_is_scipys_percentile_interval() -> None:
    values = np.random.default_rng(1).gamma(2, 10, 300)
    ours = statistics.interval(MEAN, list(values), resamples=999, seed=4)
    theirs = stats.bootstrap(
        (values,),
        np.mean,
        n_resamples=999,
        method="percentile",
        vectorized=True,
        batch=800,
        rng=np.random.default_rng(4),
    ).confidence_interval
    assert ours.value == pytest.approx(values.mean())
    # Batches do not change what is drawn, so the two agree to the last digits.
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), rel=1e-9)


def test_intervals_contain_the_true_figure_about_95_times_in_100() -> None:
    rng = np.random.default_rng(2)
    held = 0
    for trial in range(200):
        found = statistics.interval(MEAN, rng.exponential(1.0, 200), resamples=400, seed=trial)
        held += found.low <= 1.0 <= found.high
    assert 0.90 <= held / 200 <= 0.99


def test_a_metric_of_several_columns() -> None:
    rng = np.random.default_rng(3)
    true = rng.normal(0, 2, 400)
    rows = [((t - p) ** 2, t) for t, p in zip(true, true + rng.normal(0, 1, 400), strict=True)]
    found = statistics.interval(R2, rows)
    assert found.low < found.value < found.high
    assert found.value == pytest.approx(0.75, abs=0.06)


@pytest.mark.parametrize(
    "values", [[3.0] * 50, [0.0] * 20, [1.0]], ids=["equal", "zero", "one row"]
)
def test_no_spread_gives_an_interval_of_no_width(values: list[float]) -> None:
    found = statistics.interval(MEAN, values)
    assert found.value == found.low == found.high == values[0]


def test_an_undefined_figure_is_not_an_error_and_not_in_json() -> None:
    found = statistics.interval(R2, [(1.0, 5.0)] * 30)  # equal references: R² divides by zero
    assert not math.isfinite(found.value)
    assert statistics.as_json(found) == {"value": None, "low": None, "high": None}


def test_pairing_finds_what_separate_intervals_hide() -> None:
    rng = np.random.default_rng(5)
    hard = rng.exponential(50, 500)  # rows differ far more than systems do
    a, b = hard + rng.normal(0, 1, 500), hard + 1 + rng.normal(0, 1, 500)
    apart = statistics.interval(MEAN, a), statistics.interval(MEAN, b)
    assert apart[0].high > apart[1].low
    found = statistics.paired(MEAN, a, b)
    assert found.difference == pytest.approx(-1, abs=0.2)
    assert found.high < 0
    assert found.p < 0.01


def test_the_permutation_test_agrees_with_scipys_on_a_mean() -> None:
    rng = np.random.default_rng(6)
    a = rng.normal(0, 1, 80)
    b = a + rng.normal(0.15, 1, 80)
    theirs = stats.permutation_test(
        (a - b,), np.mean, permutation_type="samples", vectorized=True, rng=7, n_resamples=9999
    ).pvalue
    assert statistics.paired(MEAN, a, b, resamples=9999).p == pytest.approx(theirs, abs=0.02)


def test_p_values_are_uniform_where_there_is_no_difference() -> None:
    rng = np.random.default_rng(8)
    small = 0
    for trial in range(200):
        a, b = rng.normal(0, 1, (2, 60))
        small += statistics.paired(MEAN, a, b, resamples=199, seed=trial).p <= 0.1
    assert 0.05 <= small / 200 <= 0.16


def test_equal_systems_do_not_differ() -> None:
    found = statistics.paired(MEAN, [1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    assert found == Comparison(0.0, 0.0, 0.0, 1.0)


def test_where_one_has_no_figure_there_is_no_difference() -> None:
    share = Metric("share", lambda p, r: (p, r), lambda a, b, axis=-1: a.sum(axis) / b.sum(axis))
    found = statistics.paired(share, [(1.0, 1.0)] * 9, [(0.0, 0.0)] * 9)
    assert set(statistics.as_json(found).values()) == {None}


def test_different_rows_cannot_be_paired() -> None:
    with pytest.raises(ValueError, match="3 rows cannot be paired with 2"):
        statistics.paired(MEAN, [1.0, 2.0, 3.0], [1.0, 2.0])


def test_rows_needed_grow_with_the_square() -> None:
    found = statistics.rows_needed(100, Comparison(1.0, -1.0, 3.0, 0.3), power=0.5)
    assert found == 400  # half-width 2, difference 1: four times the rows
    more = statistics.rows_needed(100, Comparison(1.0, -1.0, 3.0, 0.3))
    assert more == pytest.approx(400 * (2.8016 / 1.95996) ** 2, rel=0.01)


def test_rows_needed_may_be_for_showing_that_systems_are_equal() -> None:
    nearly_equal = Comparison(0.01, -1.0, 1.02, 0.9)
    for_a_difference = statistics.rows_needed(100, nearly_equal)
    for_equality = statistics.rows_needed(100, nearly_equal, equal_within=0.5)
    assert for_a_difference is not None
    assert for_equality is not None
    assert for_equality < for_a_difference / 100
    assert statistics.rows_needed(100, Comparison(0.0, -1.0, 1.0, 1.0)) is None


@pytest.mark.parametrize(("n", "rank"), [(9, 9), (10, 10), (19, 18), (99, 90), (999, 900)])
def test_conformal_width_is_the_right_order_statistic(n: int, rank: int) -> None:
    assert statistics.conformal_width(list(range(n, 0, -1))) == rank


@pytest.mark.parametrize("residuals", [[], [1.0] * 8, [math.inf] * 30, [math.nan] * 30])
def test_no_finite_width(residuals: list[float]) -> None:
    assert statistics.conformal_width(residuals) is None


def test_conformal_intervals_have_the_promised_coverage() -> None:
    rng = np.random.default_rng(9)
    held = []
    for _ in range(300):
        width = statistics.conformal_width(list(rng.exponential(1, 50)))
        assert width is not None
        held.append(np.mean(rng.exponential(1, 200) <= width))
    assert np.mean(held) == pytest.approx(46 / 51, abs=0.01)


def test_a_share_of_nothing_and_of_all_has_an_interval() -> None:
    none, everything = statistics.proportion(0, 100), statistics.proportion(100, 100)
    assert none.low == 0
    assert none.high == pytest.approx(0.037, abs=0.001)  # Wilson: z² / (n + z²)
    assert everything.high == pytest.approx(1)
    assert everything.low == pytest.approx(0.963, abs=0.001)
    assert math.isnan(statistics.proportion(0, 0).value)


def test_a_whole_report_takes_seconds() -> None:
    rng = np.random.default_rng(10)
    started = time.process_time()
    for _ in range(60):
        statistics.interval(MEAN, rng.normal(0, 1, 1200))
    assert time.process_time() - started < 10  # about 1 s on an idle core
