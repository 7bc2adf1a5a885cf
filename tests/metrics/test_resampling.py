"""The bootstrap-t and the permutation test, against plain loops and scipy."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from toolkit.metrics import macro_f1, metric, r2, resampling, rmse
from toolkit.metrics.units import Units, units

RNG = np.random.default_rng(1)


@pytest.mark.parametrize("symmetric", [False, True])
def test_the_bootstrap_t_is_that_of_the_textbook(symmetric: bool) -> None:
    values = RNG.exponential(5, 80)
    centred = values - values.mean()
    found = resampling.bootstrap_t(centred, 0.9, symmetric=symmetric, resamples=4000, seed=3)
    rng, distances = np.random.default_rng(9), []
    for _ in range(20_000):
        drawn = rng.choice(values, 80)
        distances.append((drawn.mean() - values.mean()) / drawn.std())
    if symmetric:
        far = np.quantile(np.abs(distances), 0.9)
        expected = -far * values.std(), far * values.std()
    else:
        low, high = np.quantile(distances, [0.05, 0.95])
        least = stats.t.ppf(0.95, 79) / 79**0.5  # no end is nearer than Student's
        expected = -max(least, high) * values.std(), max(least, -low) * values.std()
        assert high < least < -low, "of skewed values one end is nearer, the other farther"
    assert found == pytest.approx(expected, rel=0.06)


def test_values_without_spread_have_no_interval() -> None:
    assert resampling.bootstrap_t(np.zeros(9), 0.95, symmetric=True, resamples=9, seed=0) is None
    undefined = np.array([np.nan, 1.0])
    assert resampling.bootstrap_t(undefined, 0.95, symmetric=True, resamples=9, seed=0) is None


def test_draws_of_equal_units_are_infinitely_far_away() -> None:
    """Of 36 rows one differs: a draw lacks it in 36 of 100 cases, and says nothing of a spread."""
    for different, has in ((1, False), (2, False), (6, True)):
        values = np.zeros(36)
        values[:different] = 0.2
        found = resampling.bootstrap_t(
            values - values.mean(), 0.95, symmetric=False, resamples=2000, seed=0
        )
        assert (found is not None) == has
        assert found is None or max(map(abs, found)) < 1


def test_evenness_tells_heavy_tails() -> None:
    normal, heavy = RNG.normal(size=100_000), RNG.standard_t(3, 100_000) ** 2
    assert resampling.evenness(normal) == pytest.approx(2 / np.pi, abs=0.01)
    assert resampling.evenness(normal**2 - 1) == pytest.approx(0.47, abs=0.01)
    assert resampling.evenness(heavy - heavy.mean()) < 0.05


def _enumerated(sums: list[float]) -> float:
    whole = abs(sum(sums))
    flips = list(itertools.product((-1, 1), repeat=len(sums)))
    return sum(abs(np.dot(f, sums)) >= whole - 1e-9 for f in flips) / len(flips)


@pytest.mark.parametrize("count", [3, 6, 12])
def test_few_groups_are_permuted_exactly_and_as_wholes(count: int) -> None:
    groups = [number for number in range(count) for _ in range(7)]
    a, b = RNG.normal(0.4, 1, len(groups)), RNG.normal(0, 1, len(groups))
    of = units(a, groups)
    found = resampling.swap_test(metric.mean, (a,), (b,), of, resamples=99, seed=0)
    sums = [float((a - b)[i * 7 : i * 7 + 7].sum()) for i in range(count)]
    assert found == pytest.approx(_enumerated(sums))


def test_other_figures_are_permuted_exactly_too() -> None:
    a, b = RNG.normal(0, 1, 30) ** 2, RNG.normal(0, 2, 30) ** 2
    groups = [i // 5 for i in range(30)]
    found = resampling.swap_test(
        rmse().aggregate, (a,), (b,), units(a, groups), resamples=9, seed=0
    )
    beyond = []
    whole = np.sqrt(a.mean()) - np.sqrt(b.mean())
    for flips in itertools.product((False, True), repeat=6):
        swap = np.repeat(flips, 5)
        first, second = np.where(swap, b, a), np.where(swap, a, b)
        beyond.append(abs(np.sqrt(first.mean()) - np.sqrt(second.mean())) >= abs(whole) - 1e-12)
    assert found == pytest.approx(np.mean(beyond))


def test_many_units_agree_with_scipy() -> None:
    a = RNG.normal(0, 1, 80)
    b = a + RNG.normal(0.15, 1, 80)
    theirs = stats.permutation_test(
        (a - b,), np.mean, permutation_type="samples", vectorized=True, rng=7, n_resamples=9999
    ).pvalue
    for aggregate in (metric.mean, lambda values, axis=-1: values.mean(axis=axis)):
        ours = resampling.swap_test(aggregate, (a,), (b,), Units(80), resamples=9999, seed=0)
        assert ours == pytest.approx(theirs, abs=0.02)


def test_rows_on_which_both_agree_change_no_p_value() -> None:
    a, b = np.r_[np.ones(6), np.zeros(300)], np.zeros(306)
    for aggregate in (metric.mean, rmse().aggregate):
        found = resampling.swap_test(aggregate, (a,), (b,), Units(306), resamples=99, seed=0)
        assert found == pytest.approx(2 / 64)


def test_no_difference_has_p_one_in_spite_of_rounding() -> None:
    values = RNG.normal(0, 1, 40)
    assert (
        resampling.swap_test(metric.mean, (values,), (values,), Units(40), resamples=9, seed=0) == 1
    )
    back = values[::-1].copy()
    for aggregate in (metric.mean, rmse().aggregate):
        found = resampling.swap_test(
            aggregate, (values**2,), (back**2,), Units(40), resamples=99, seed=0
        )
        assert found == 1


@pytest.mark.parametrize("effect", [0.0, 0.004, 0.012])
@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("figure", ["rmse", "r2", "macro_f1"])
def test_influences_of_many_rows_give_the_p_value_of_whole_permutations(
    figure: str, grouped: bool, effect: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(3)
    true, first, second = _answers(figure, effect, rng)
    chosen = {"rmse": rmse(), "r2": r2(), "macro_f1": macro_f1(range(3))}[figure]
    a, b = (
        chosen.columns([chosen.per_example(p, t) for p, t in zip(answers, true, strict=True)])
        for answers in (first, second)
    )
    of = units(true, [n // 3 for n in range(len(true))] if grouped else None)
    p_values = []
    for many in (len(true), len(true) - 1):
        monkeypatch.setattr(resampling, "MANY_ROWS", many)
        p_values.append(resampling.swap_test(chosen.aggregate, a, b, of, resamples=4000, seed=0))
    assert p_values[1] == pytest.approx(p_values[0], abs=0.03)


def _answers(
    figure: str, effect: float, rng: np.random.Generator
) -> tuple[list[float], list[float], list[float]]:
    """True values and the answers of two systems, the second worse by an effect."""
    if figure == "macro_f1":
        true = rng.integers(0, 3, 1500)
        right = [np.where(rng.random(1500) < share, true, rng.integers(0, 3, 1500))
                 for share in (0.8, 0.8 - 4 * effect)]  # fmt: skip
    else:
        true = rng.normal(0, 1, 1500)
        right = [true + rng.normal(0, 0.5 + spread, 1500) for spread in (0, effect)]
    return true.tolist(), right[0].tolist(), right[1].tolist()


def test_no_difference_is_found_too_often_in_many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resampling, "MANY_ROWS", 10)
    rng = np.random.default_rng(1)
    found = []
    for _ in range(200):
        a, b = rng.normal(0, 1, (2, 300)) ** 2
        found.append(
            resampling.swap_test(rmse().aggregate, (a,), (b,), Units(300), resamples=199, seed=0)
        )
    assert 3 <= sum(p <= 0.05 for p in found) <= 20  # of 10 on average; 99.9 % of such samples


def test_many_rows_take_memory_for_few(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    monkeypatch.setattr(
        resampling, "_signs", lambda count, *rest: sizes.append(count) or np.ones((1, count))
    )
    a, b = RNG.normal(0, 1, (2, 60_000)) ** 2
    for aggregate in (metric.mean, rmse().aggregate):
        resampling.swap_test(aggregate, (a,), (b,), Units(60_000), resamples=9, seed=0)
    assert max(sizes) <= 5000
