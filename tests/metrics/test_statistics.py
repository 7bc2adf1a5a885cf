"""Intervals and comparisons: known answers, what groups change, and small simulations.

``tests/benchmarks/coverage.py`` simulates coverage at length.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

from judging_fixtures import METRICS
from toolkit.metrics import accuracy, classification_metrics, mae, r2, rmse, statistics
from toolkit.metrics.metric import Metric
from toolkit.metrics.statistics import Comparison

MEAN = Metric("mean", lambda p, r: float(p))
R2 = next(m for m in METRICS if m.name == "r2")
MACRO_F1 = next(m for m in classification_metrics(range(3)) if m.name == "macro_f1")


def _classes(rng: np.random.Generator, n: int, right: float = 0.8) -> list[Any]:
    true = rng.integers(0, 3, n)
    predicted = np.where(rng.random(n) < right, true, (true + 1) % 3)
    return [(float(t), float(p)) for t, p in zip(true, predicted, strict=True)]


def _determined(rng: np.random.Generator, n: int) -> list[Any]:
    true = rng.normal(0, 2, n)
    return list(zip(true.tolist(), (true + rng.normal(0, 1, n)).tolist(), strict=True))


KINDS: dict[str, tuple[Metric, Callable[[np.random.Generator, int], list[Any]]]] = {
    "share": (accuracy(), lambda rng, n: (rng.random(n) < 0.8).astype(float).tolist()),
    "mean": (mae(), lambda rng, n: rng.exponential(1, n).tolist()),
    "rmse": (rmse(), lambda rng, n: (rng.normal(0, 1, n) ** 2).tolist()),
    "r2": (r2(), _determined),
    "macro_f1": (MACRO_F1, _classes),
}
"""A metric of each kind that is treated in its own way, and how its rows' values are drawn."""


def _second(kind: str, rng: np.random.Generator, a: list[Any]) -> list[Any]:
    """A second system on the same rows: true values and classes are those of the first."""
    b = KINDS[kind][1](rng, len(a))
    if kind == "r2":
        return [(t, t + p - u) for (t, _), (u, p) in zip(a, b, strict=True)]
    if kind == "macro_f1":
        return [(t, (t + p - u) % 3) for (t, _), (u, p) in zip(a, b, strict=True)]
    return b


# -- one system ----------------------------------------------------------------------------------
def test_a_share_has_wilsons_interval_wherever_it_lies() -> None:
    for k in (0, 1, 60, 199, 200):
        found = statistics.interval(accuracy(), [1.0] * k + [0.0] * (200 - k))
        theirs = stats.binomtest(k, 200).proportion_ci(0.95, method="wilson")
        assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


def test_a_mean_of_normal_values_has_about_students_interval() -> None:
    values = np.random.default_rng(1).normal(5, 2, 300)
    found = statistics.interval(MEAN, list(values))
    theirs = stats.ttest_1samp(values, 0).confidence_interval()
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=0.02)


def test_a_long_tail_makes_the_upper_side_longer() -> None:
    found = statistics.interval(MEAN, list(np.random.default_rng(1).lognormal(0, 1, 300)))
    assert found.high - found.value > 1.2 * (found.value - found.low)


def test_a_metric_of_several_columns() -> None:
    rng = np.random.default_rng(3)
    true = rng.normal(0, 2, 400)
    rows = [((t - p) ** 2, t) for t, p in zip(true, true + rng.normal(0, 1, 400), strict=True)]
    found = statistics.interval(R2, rows)
    assert found.low < found.value < found.high
    assert found.value == pytest.approx(0.75, abs=0.06)


def test_a_perfect_macro_f1_has_a_width() -> None:
    rows = [(float(i % 3), float(i % 3)) for i in range(300)]
    found = statistics.interval(MACRO_F1, rows)
    wilson = statistics.proportion(300, 300)
    assert (found.low, found.high) == pytest.approx((wilson.low, wilson.high), abs=1e-9)


@pytest.mark.parametrize(
    ("metric", "values", "why"),
    [
        (MEAN, [3.0] * 50, "same value"),
        (mae(), [0.0] * 20, "same value"),
        (MEAN, [1.0], "One row"),
        (MACRO_F1, [(0.0, 0.0)] * 91 + [(1.0, 0.0)] * 9, "counted on 9 rows"),
        (rmse(), [1.0] * 190 + [900.0] * 3 + [0.5] * 7, "few rows decide"),
    ],
    ids=["equal", "no error", "one row", "rare class", "few residuals"],
)
def test_where_no_interval_would_hold_there_is_none_and_a_reason(
    metric: Metric, values: list[Any], why: str
) -> None:
    found = statistics.interval(metric, values)
    assert found.value == pytest.approx(metric.value(values))
    assert math.isnan(found.low) and math.isnan(found.high)
    assert why in found.note


def test_ten_rows_of_a_class_are_enough_and_normal_residuals_too() -> None:
    rows = [(0.0, 0.0)] * 90 + [(1.0, 0.0)] * 2 + [(1.0, 1.0)] * 8
    found = statistics.interval(MACRO_F1, rows)
    assert found.low < found.value < found.high and found.note == ""
    rng = np.random.default_rng(0)
    assert all(
        math.isfinite(statistics.interval(rmse(), (rng.normal(0, 1, 200) ** 2).tolist()).low)
        for _ in range(20)
    )


def test_a_mean_that_few_rows_make_up_has_a_caveat() -> None:
    found = statistics.interval(mae(), [1.0] * 190 + [900.0, 700.0, 500.0] + [0.5] * 7)
    assert found.low < found.value < found.high
    assert "few rows make up" in found.note


@pytest.mark.parametrize("right", range(37))
def test_a_score_has_an_interval_within_its_range_or_none(right: int) -> None:
    """However many rows are nearly all wrong, or all right."""
    score = Metric("token_f1", lambda prediction, reference: 0.0)
    found = statistics.interval(
        score, [0.0] * (36 - right) + [0.2, 0.7, 1.0] * (right // 3) + [1.0] * (right % 3)
    )
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.low < found.high and found.high - found.low < 0.5


def test_systems_of_which_one_is_nearly_always_right_and_one_never_differ() -> None:
    score = Metric("token_f1", lambda prediction, reference: 0.0)
    for groups in (None, [i // 2 for i in range(60)]):
        found = statistics.paired(score, [1.0] * 59 + [0.5], [0.0] * 59 + [0.1], groups=groups)
        assert 0.6 < found.low < found.difference < found.high <= 1 and found.p < 0.01
    errors = mae(unit="$")  # of errors nothing bounds how far others may differ
    assert math.isnan(statistics.paired(errors, [1.0] * 59 + [0.5], [0.0] * 60).low)


def test_an_undefined_figure_is_not_an_error_and_not_in_json() -> None:
    found = statistics.interval(R2, [(1.0, 5.0)] * 30)  # equal references: R² divides by zero
    assert not math.isfinite(found.value)
    assert statistics.as_json(found) == {"value": None, "low": None, "high": None}
    assert statistics.as_json(statistics.interval(MEAN, [None, None]))["value"] is None


def test_json_has_groups_and_a_note_where_they_are_set() -> None:
    plain = statistics.as_json(statistics.Estimate(1.0, 0.5, 2.0))
    assert plain == {"value": 1.0, "low": 0.5, "high": 2.0}
    full = statistics.as_json(Comparison(1.0, math.nan, math.nan, 0.5, 7, "Why."))
    assert full == {
        "difference": 1.0, "low": None, "high": None, "p": 0.5, "groups": 7, "note": "Why.",
    }  # fmt: skip


# -- two systems ---------------------------------------------------------------------------------
def test_pairing_finds_what_separate_intervals_hide() -> None:
    rng = np.random.default_rng(5)
    hard = rng.exponential(50, 500)  # rows differ far more than systems do
    a, b = hard + rng.normal(0, 1, 500), hard + 1 + rng.normal(0, 1, 500)
    apart = statistics.interval(MEAN, list(a)), statistics.interval(MEAN, list(b))
    assert apart[0].high > apart[1].low
    found = statistics.paired(MEAN, list(a), list(b))
    assert found.difference == pytest.approx(-1, abs=0.2)
    assert found.high < 0
    assert found.p < 0.01


def test_four_rows_won_are_no_proof() -> None:
    found = statistics.paired(accuracy(), [1.0] * 4 + [1.0] * 300, [0.0] * 4 + [1.0] * 300)
    assert found.p == pytest.approx(0.125 / 2)


def test_shares_are_tested_by_mcnemars_test() -> None:
    a, b = [1.0] * 12 + [0.0] * 5 + [1.0] * 80, [0.0] * 12 + [1.0] * 5 + [1.0] * 80
    found = statistics.paired(accuracy(), a, b)
    exact, seen = stats.binomtest(12, 17).pvalue, stats.binom.pmf(5, 17, 0.5)
    assert found.p == pytest.approx(exact - seen)  # the mid-p-value
    assert found.low < 0 < found.difference < found.high


@pytest.mark.parametrize("kind", KINDS)
def test_a_comparison_turned_round_is_its_mirror_image(kind: str) -> None:
    metric, draw = KINDS[kind]
    rng = np.random.default_rng(6)
    a = draw(rng, 150)
    b = _second(kind, rng, a)
    forth, back = statistics.paired(metric, a, b), statistics.paired(metric, b, a)
    assert back.difference == pytest.approx(-forth.difference)
    assert (back.low, back.high) == pytest.approx((-forth.high, -forth.low))
    assert back.p == pytest.approx(forth.p, abs=1e-9)
    assert forth.low < forth.difference < forth.high


def test_p_values_are_uniform_where_there_is_no_difference() -> None:
    rng = np.random.default_rng(8)
    small = 0
    for trial in range(200):
        a, b = rng.normal(0, 1, (2, 60))
        small += statistics.paired(MEAN, list(a), list(b), resamples=199, seed=trial).p <= 0.1
    assert 0.05 <= small / 200 <= 0.16


def test_equal_systems_do_not_differ() -> None:
    found = statistics.paired(MEAN, [1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    assert (found.difference, found.low, found.high, found.p) == (0.0, 0.0, 0.0, 1.0)
    for metric, rows in (
        (accuracy(), [1.0] * 100),
        (MACRO_F1, _classes(np.random.default_rng(0), 100)),
    ):
        found = statistics.paired(metric, rows, rows)
        assert found.low < -0.02 and found.high > 0.02, "other rows may tell them apart"
        assert found.p == 1


def test_too_few_rows_that_differ_give_no_interval_but_a_p_value() -> None:
    found = statistics.paired(MEAN, [0.5] * 5 + [1.0] * 95, [0.1] * 5 + [1.0] * 95)
    assert math.isnan(found.low) and "differ in 5 rows" in found.note
    assert found.p == pytest.approx(2 / 32)


def test_where_one_has_no_figure_there_is_no_difference() -> None:
    share = Metric("share", lambda p, r: (p, r), lambda a, b, axis=-1: a.sum(axis) / b.sum(axis))
    found = statistics.paired(share, [(1.0, 1.0)] * 9, [(0.0, 0.0)] * 9)
    assert set(statistics.as_json(found).values()) == {None}


def test_different_rows_cannot_be_paired() -> None:
    with pytest.raises(ValueError, match="3 rows cannot be paired with 2"):
        statistics.paired(MEAN, [1.0, 2.0, 3.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="applies to other rows"):
        statistics.paired(MEAN, [1.0, None], [None, 1.0])


# -- groups --------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", KINDS)
def test_copies_of_rows_in_groups_add_nothing(kind: str) -> None:
    metric, draw = KINDS[kind]
    rng = np.random.default_rng(7)
    a = draw(rng, 240)
    b = _second(kind, rng, a)
    copies = [[value for value in values for _ in range(5)] for values in (a, b)]
    groups = [f"text {i}" for i in range(240) for _ in range(5)]
    once, many = (
        statistics.interval(metric, a),
        statistics.interval(metric, copies[0], groups=groups),
    )
    assert (many.groups, once.groups) == (240, None)
    assert (many.low, many.high) == pytest.approx((once.low, once.high), abs=0.004)
    apart = statistics.interval(metric, copies[0])
    assert apart.high - apart.low < 0.5 * (many.high - many.low)
    pair, pairs = (
        statistics.paired(metric, a, b),
        statistics.paired(metric, *copies, groups=groups),
    )
    assert (pairs.low, pairs.high) == pytest.approx((pair.low, pair.high), abs=0.006)
    assert pairs.p == pytest.approx(pair.p, abs=0.05)
    assert pairs.groups == 240


@pytest.mark.parametrize("kind", KINDS)
def test_neither_the_order_of_rows_nor_the_names_of_groups_matter(kind: str) -> None:
    metric, draw = KINDS[kind]
    rng = np.random.default_rng(11)
    a = draw(rng, 150)
    groups = [i // 5 for i in range(150)]
    order = [g * 5 + i for i in range(5) for g in range(30)]  # groups first occur as they did
    found = statistics.interval(metric, a, groups=groups)
    other = statistics.interval(
        metric, [a[i] for i in order], groups=[f"group {groups[i]}" for i in order]
    )
    assert (other.value, other.low, other.high) == pytest.approx(
        (found.value, found.low, found.high)
    )


def test_groups_are_of_the_rows_to_which_the_metric_applies() -> None:
    rng = np.random.default_rng(12)
    values = rng.exponential(1, 200).tolist()
    groups = [i // 4 for i in range(200)]
    gaps = [x for value in values for x in (value, None)]
    with_gaps = statistics.interval(MEAN, gaps, groups=[g for g in groups for _ in range(2)])
    assert with_gaps == statistics.interval(MEAN, values, groups=groups)
    assert with_gaps.groups == 50


@pytest.mark.parametrize("kind", KINDS)
def test_few_groups_have_no_interval_and_an_exact_test(kind: str) -> None:
    metric, draw = KINDS[kind]
    rng = np.random.default_rng(13)
    a = draw(rng, 600)
    b = _second(kind, rng, a)
    groups = [i % 6 for i in range(600)]
    found = statistics.interval(metric, a, groups=groups)
    assert math.isnan(found.low) and found.note == "6 groups: too few for an interval."
    compared = statistics.paired(metric, a, b, groups=groups)
    assert math.isnan(compared.low) and "too few" in compared.note
    assert compared.p * 64 == pytest.approx(round(compared.p * 64)), "all 64 permutations"
    assert compared.p >= 2 / 64


def test_below_twenty_groups_the_interval_has_a_caveat() -> None:
    values = np.random.default_rng(14).exponential(1, 600).tolist()
    caveat = statistics.interval(MEAN, values, groups=[i % 15 for i in range(600)])
    assert caveat.low < caveat.value < caveat.high
    assert caveat.note.startswith("With 15 groups ")
    assert statistics.interval(MEAN, values, groups=[i % 40 for i in range(600)]).note == ""


def test_unequal_groups_must_count_as_twenty() -> None:
    values = np.random.default_rng(16).exponential(1, 1200).tolist()
    sizes = {"few": [60, 40, 30, 20] + [4] * 30, "enough": [1 + i % 20 for i in range(60)]}
    for name, wanted in sizes.items():
        groups = [g for g, size in enumerate(wanted) for _ in range(size)]
        found = statistics.interval(MEAN, values[: len(groups)], groups=groups)
        assert math.isfinite(found.low) == (name == "enough")
        assert bool(found.note) == (name == "few")


def test_groups_of_which_one_is_most_rows_count_as_few() -> None:
    values = np.random.default_rng(15).exponential(1, 600).tolist()
    groups = [max(0, i - 500) for i in range(600)]
    found = statistics.interval(MEAN, values, groups=groups)
    assert math.isnan(found.low)
    assert found.groups == 100
    assert "100 groups (so unequal that they count as 1)" in found.note


# -- simulations ---------------------------------------------------------------------------------
def _covers(
    metric: Metric, draw: Callable[[np.random.Generator], Any], truth: float, groups: Any = None
) -> float:
    rng = np.random.default_rng(2)
    held = 0
    for _ in range(400):
        found = statistics.interval(metric, draw(rng), groups=groups, resamples=300)
        held += found.low <= truth <= found.high
    return held / 400


@pytest.mark.parametrize(
    ("metric", "draw", "truth"),
    [
        (MEAN, lambda rng: rng.exponential(1.0, 200).tolist(), 1.0),
        (mae(), lambda rng: rng.lognormal(0, 1, 200).tolist(), math.exp(0.5)),
        (accuracy(), lambda rng: (rng.random(200) < 0.99).astype(float).tolist(), 0.99),
        (rmse(), lambda rng: (rng.normal(0, 1, 200) ** 2).tolist(), 1.0),
    ],
    ids=["exponential", "lognormal", "share near 1", "rmse"],
)
def test_intervals_of_rows_cover(metric: Metric, draw: Any, truth: float) -> None:
    assert _covers(metric, draw, truth) >= 0.92


@pytest.mark.parametrize("share", [0.9, 0.99])
def test_intervals_of_groups_cover(share: float) -> None:
    def draw(rng: np.random.Generator) -> Any:
        own, group = rng.random((60, 5)) < share, rng.random((60, 1)) < share
        return np.where(rng.random((60, 5)) < 0.7, group, own).astype(float).ravel().tolist()

    assert _covers(accuracy(), draw, share, [i // 5 for i in range(300)]) >= 0.92


def test_a_share_of_nothing_and_of_all_has_an_interval() -> None:
    none, everything = statistics.proportion(0, 100), statistics.proportion(100, 100)
    assert none.low == 0
    assert none.high == pytest.approx(0.037, abs=0.001)  # Wilson: z² / (n + z²)
    assert everything.high == pytest.approx(1)
    assert everything.low == pytest.approx(0.963, abs=0.001)
    assert math.isnan(statistics.proportion(0, 0).value)


def test_a_whole_report_takes_seconds() -> None:
    rng = np.random.default_rng(10)
    drawn = {kind: draw(rng, 1200) for kind, (_, draw) in KINDS.items()}
    started = time.process_time()
    for _ in range(10):
        for kind, (metric, _) in KINDS.items():
            statistics.interval(metric, drawn[kind])
    for kind, (metric, _) in KINDS.items():
        statistics.paired(metric, drawn[kind], _second(kind, rng, drawn[kind]))
    assert time.process_time() - started < 10  # about 1 s on an idle core
