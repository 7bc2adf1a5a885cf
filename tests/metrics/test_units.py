"""Units and their jackknife values, against the plainest way to compute them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from toolkit.metrics import metric, r2, rmse
from toolkit.metrics.units import Units, influences, units, variance

RNG = np.random.default_rng(0)
ROWS = RNG.normal(3, 2, 60), RNG.normal(3, 2, 60)
GROUPS = [f"document {number}" for number in RNG.integers(0, 9, 60)]


def _plain(aggregate: Any, columns: tuple[Any, ...], groups: list[Any]) -> list[float]:
    names = list(dict.fromkeys(groups))
    without = [
        float(aggregate(*(c[[g != name for g in groups]] for c in columns), axis=-1))
        for name in names
    ]
    mean = sum(without) / len(without)
    return [(len(without) - 1) * (mean - one) for one in without]


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize(
    ("aggregate", "columns"),
    [(metric.mean, ROWS[:1]), (rmse().aggregate, ROWS[:1]), (r2().aggregate, ROWS)],
    ids=["mean", "rmse", "r2"],
)
def test_influences_are_jackknife_values(aggregate: Any, columns: Any, grouped: bool) -> None:
    columns = tuple(np.abs(c) for c in columns)
    groups = GROUPS if grouped else list(range(60))
    found = influences(aggregate, columns, units(columns[0], GROUPS if grouped else None))
    assert found == pytest.approx(_plain(aggregate, columns, groups), abs=1e-9)
    assert found.sum() == pytest.approx(0, abs=1e-9)


def test_equal_rows_are_left_out_once_and_count_as_often_as_they_occur() -> None:
    labels = RNG.integers(0, 2, 500).astype(float)
    seen = []

    def share(values: Any, axis: int = -1) -> Any:
        seen.append(values.shape[0])
        return values.mean(axis)

    found = influences(share, (labels,), Units(500))
    assert sum(seen) == 2
    assert found == pytest.approx(labels - labels.mean())


def test_the_variance_of_a_mean_is_the_textbooks() -> None:
    values = RNG.normal(0, 3, 400)
    found = variance(influences(metric.mean, (values,), Units(400)))
    assert found == pytest.approx(values.var(ddof=1) / 400)


def test_units_are_of_the_rows_that_have_a_value() -> None:
    found = units([1.0, None, 2.0, 3.0, None], ["a", "b", "a", "c", "c"])
    assert (found.rows, found.count, found.groups) == (3, 2, 2)
    assert found.codes is not None and found.sizes is not None
    assert (found.codes.tolist(), found.sizes.tolist()) == ([0, 0, 1], [2, 1])
    with pytest.raises(ValueError, match="2 rows have 3 groups"):
        units([1.0, 2.0], ["a", "b", "c"])


def test_groups_of_one_row_each_are_no_groups() -> None:
    found = units([1.0, 2.0, None], ["a", "b", "b"])
    assert (found.groups, found.count, found.size, found.effective) == (None, 2, 1, 2)


def test_unequal_groups_count_as_fewer() -> None:
    assert units(range(40), [i // 4 for i in range(40)]).effective == pytest.approx(10)
    unequal = units(range(100), [max(0, i - 90) for i in range(100)])
    assert unequal.groups == 10
    assert unequal.effective < 1.3
    assert unequal.size > 80


@pytest.mark.parametrize("groups", [None, [i // 3 for i in range(3000)]])
def test_many_units_are_joined_without_dividing_a_group(groups: Any) -> None:
    of = units(range(3000), groups)
    joined = of.joined(100)
    assert joined.codes is not None and joined.sizes is not None
    assert (joined.count, joined.sizes.sum()) == (100, 3000)
    assert joined.sizes.max() - joined.sizes.min() <= 3
    if groups:
        assert all(len(set(joined.codes[i : i + 3])) == 1 for i in range(0, 3000, 3))
    assert of.joined(5000) is of
