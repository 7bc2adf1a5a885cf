"""Heavy tails: which figures get no interval, and which end of the others reaches further."""

from __future__ import annotations

import numpy as np
import pytest

from toolkit.metrics import resampling, rmse, statistics, tails
from toolkit.metrics.units import Units


def test_the_level_of_the_tail_rises_with_unevenness() -> None:
    levels = [tails.level(uneven, 0.95) for uneven in (0.3, 0.55, 0.65, 0.75, 1.0)]
    assert levels == pytest.approx([0.95, 0.95, 0.9725, 0.995, 0.995])


@pytest.mark.parametrize("sign", [1, -1])
def test_only_the_end_on_the_side_of_the_tail_reaches_further(sign: int) -> None:
    found = sign * (np.random.default_rng(0).exponential(size=300) - 1)
    how = {"resamples": 999, "seed": 1}
    near = tails.reach(found, 0.95, 0.95, **how)
    far = tails.reach(found, 0.95, 0.99, **how)
    assert near == resampling.bootstrap_t(found, 0.95, symmetric=False, **how)
    assert near is not None and far is not None
    if sign > 0:
        assert far[0] == near[0] and far[1] > 1.1 * near[1]
    else:
        assert far[1] == near[1] and far[0] < 1.1 * near[0]


def test_without_spread_there_is_no_reach() -> None:
    assert tails.reach(np.zeros(50), 0.95, 0.99, resamples=99, seed=1) is None


def test_groups_are_as_uneven_as_their_sums_or_their_rows() -> None:
    def sums(column: np.ndarray, axis: int = -1) -> np.ndarray:
        return column.mean(axis=axis)

    values = np.abs(np.random.default_rng(2).normal(size=400)) ** 3
    of = Units(400, np.repeat(np.arange(80), 5), np.full(80, 5))
    rows = tails.influences_of(sums, (values,), Units(400))
    single = tails.tails(sums, (values,), rows, Units(400))
    found = tails.influences_of(sums, (values,), of)
    grouped = tails.tails(sums, (values,), found, of)
    assert grouped.uneven >= 0.9 * single.uneven and grouped.tense == single.tense


def test_of_few_even_and_heavy_errors_the_far_end_of_rmse_is_higher() -> None:
    """Squared errors at whose evenness an interval is just given reach further up than down."""
    random = np.random.default_rng(3)
    for _ in range(20):
        errors = (random.laplace(size=200) ** 2).tolist()
        found = statistics.interval(rmse(), errors)
        if np.isfinite(found.low):
            assert found.high - found.value > 1.3 * (found.value - found.low)
            return
    raise AssertionError("no sample got an interval")
