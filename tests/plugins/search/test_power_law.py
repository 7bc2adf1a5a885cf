"""Power laws of learning curves: simulated curves, whose continuation is known."""

from __future__ import annotations

import numpy as np
import pytest

from toolkit_search import power_law

SHARES = (1 / 16, 1 / 8, 1 / 4)


def curve(random: np.random.Generator, *, noise: float) -> tuple[float, float, float, float]:
    """Rows, floor, scale at the first size and exponent of a curve as real ones are."""
    rows = float(np.exp(random.uniform(np.log(400), np.log(20_000))))
    level = float(np.exp(random.uniform(np.log(0.2), np.log(200))))
    return rows, level * random.uniform(0, 0.8), level, float(np.exp(random.normal(-0.9, 0.4)))


def simulated(repeats: int, noise: float, seed: int) -> tuple[list[bool], list[float]]:
    """Whether the full result was inside of each 80 % interval, and the intervals' widths."""
    random = np.random.default_rng(seed)
    inside, widths = [], []
    for number in range(repeats):
        rows, floor, scale, exponent = curve(random, noise=noise)
        sizes = np.array([rows * share for share in SHARES for _ in range(2)])
        true = floor + scale * (sizes / sizes.min()) ** -exponent
        figures = true * (1 + noise * random.standard_normal(len(true)))
        full = floor + scale * (rows / sizes.min()) ** -exponent
        full *= 1 + noise * random.standard_normal()
        low, high = power_law.fit(sizes, figures, seed=number).interval(rows)
        inside.append(low <= full <= high)
        widths.append((high - low) / full)
    return inside, widths


@pytest.mark.parametrize("noise", [0.005, 0.02, 0.06])
def test_intervals_from_a_quarter_of_the_rows_cover_the_full_result(noise: float) -> None:
    inside, widths = simulated(150, noise, seed=3)
    # 80 % of 150, less two standard errors; and they are no wider than they need be.
    assert np.mean(inside) >= 0.735
    assert np.median(widths) < 0.12 + 8 * noise


def test_the_values_of_a_clean_curve_are_found() -> None:
    sizes = np.array([100, 200, 400, 800, 1600, 3200.0])
    law = power_law.fit(sizes, 5 + 60 * sizes**-0.5)
    assert law.exponent == pytest.approx(0.5, rel=0.02)
    assert law.floor == pytest.approx(5, rel=0.02) and law.scale == pytest.approx(60, rel=0.05)
    assert law.expected(12_800) == pytest.approx(5 + 60 * 12_800**-0.5, rel=0.02)
    low, high = law.interval(12_800)
    assert low < law.expected(12_800) < high and high - low < 1


def test_a_share_never_exceeds_one_and_an_error_is_never_below_none() -> None:
    sizes = [100, 200, 400, 800]
    law = power_law.fit(sizes, [0.80, 0.88, 0.93, 0.96], greater_is_better=True)
    assert 0.96 < law.expected(8000) <= 1 and law.interval(8000)[1] <= 1.0
    fallen = power_law.fit(sizes, [8, 4, 2, 1.0])
    assert fallen.interval(1e6)[0] >= 0
    open_ended = power_law.fit(sizes, [-3, -1, 2, 3.5], greater_is_better=True)
    assert open_ended.expected(1600) > 3.5


def test_a_curve_that_does_not_fall_stays_where_it_is() -> None:
    law = power_law.fit([100, 200, 400, 800], [10.0, 10.1, 9.9, 10.05])
    low, high = law.interval(8000)
    assert low < 10 < high and law.expected(8000) == pytest.approx(10, rel=0.03)
    rising = power_law.fit([100, 200, 400], [1.0, 2.0, 3.0])
    assert np.isfinite(rising.interval(4000)).all()


def test_what_is_no_curve_is_refused() -> None:
    with pytest.raises(ValueError, match="3 sizes"):
        power_law.fit([100, 100, 200], [3, 3, 2])
    with pytest.raises(ValueError, match="finite"):
        power_law.fit([100, 200, 400], [3, float("nan"), 2])


def test_two_laws_cross_where_they_do() -> None:
    sizes = np.array([100, 200, 400, 800, 1600.0])
    ours = power_law.fit(sizes, 10 + 900 * sizes**-0.7)
    flat = power_law.fit(sizes, 18 + 20 * sizes**-0.5)
    # 10 + 900 n^-0.7 = 18 + 20 n^-0.5 at n = 750.
    found = power_law.crossing(ours, flat, 200, greater_is_better=False)
    assert found["ahead_now"] < 0.05 and found["ahead_at_10"] > 0.95
    assert found["rows"] == pytest.approx(750, rel=0.1) and found["crosses"] > 0.95
    apart = power_law.crossing(flat, flat, 1600, greater_is_better=False)
    assert apart["ahead_now"] == 0 and apart["rows"] is None
