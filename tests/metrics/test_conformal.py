"""Conformal widths: the right order statistic, and the promised coverage with groups too."""

from __future__ import annotations

import math

import numpy as np
import pytest

from toolkit.metrics.conformal import conformal_width


@pytest.mark.parametrize(("n", "rank"), [(9, 9), (10, 10), (19, 18), (99, 90), (999, 900)])
def test_conformal_width_is_the_right_order_statistic(n: int, rank: int) -> None:
    assert conformal_width(list(range(n, 0, -1))) == rank


@pytest.mark.parametrize("residuals", [[], [1.0] * 8, [math.inf] * 30, [math.nan] * 30])
def test_no_finite_width(residuals: list[float]) -> None:
    assert conformal_width(residuals) is None
    assert conformal_width(residuals, groups=list(range(len(residuals)))) is None


def test_conformal_intervals_have_the_promised_coverage() -> None:
    rng = np.random.default_rng(9)
    held = []
    for _ in range(300):
        width = conformal_width(list(rng.exponential(1, 50)))
        assert width is not None
        held.append(np.mean(rng.exponential(1, 200) <= width))
    assert np.mean(held) == pytest.approx(46 / 51, abs=0.01)


@pytest.mark.parametrize("n", [9, 12, 40, 99])
def test_copies_of_rows_in_groups_change_nothing(n: int) -> None:
    residuals = list(np.random.default_rng(n).exponential(1, n))
    once = conformal_width(residuals)
    copies, groups = (
        [r for r in residuals for _ in range(3)],
        [i for i in range(n) for _ in range(3)],
    )
    assert conformal_width(copies, groups=groups) == once
    unequal = [(r, i) for i, r in enumerate(residuals) for _ in range(1 + i % 4)]
    assert conformal_width([r for r, _ in unequal], groups=[i for _, i in unequal]) == once


def test_two_groups_are_too_few_however_many_rows_they_have() -> None:
    assert conformal_width([1.0] * 100, groups=[i % 2 for i in range(100)]) is None
    assert conformal_width([1.0] * 90, groups=[i % 9 for i in range(90)]) == 1


def test_rows_of_new_groups_are_covered() -> None:
    rng = np.random.default_rng(4)
    by_groups, by_rows = [], []
    for _ in range(400):
        residuals = np.repeat(rng.exponential(1, 12), 5).tolist()
        groups = [i // 5 for i in range(60)]
        new = rng.exponential(1, 200)
        width, narrow = conformal_width(residuals, groups=groups), conformal_width(residuals)
        assert width is not None and narrow is not None
        by_groups.append(np.mean(new <= width))
        by_rows.append(np.mean(new <= narrow))
    assert np.mean(by_groups) >= 0.9
    assert np.mean(by_rows) < 0.9
