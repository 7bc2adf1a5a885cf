"""Ready-made metrics of numbers equal sklearn's, for one set of rows and for many resamples."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

from toolkit.metrics import MAE, RMSE, Metric, mae, ordinal_metrics, r2, rmse

numbers = st.integers(-50, 50) | st.floats(-1e3, 1e3, allow_subnormal=False).map(
    lambda x: round(x, 3)
)


@pytest.mark.parametrize(
    ("metric", "theirs"),
    [
        (MAE, sklearn_metrics.mean_absolute_error),
        (mae("$"), sklearn_metrics.mean_absolute_error),
        (ordinal_metrics()[0], sklearn_metrics.mean_absolute_error),
        (RMSE, sklearn_metrics.root_mean_squared_error),
        (rmse(), sklearn_metrics.root_mean_squared_error),
        (ordinal_metrics()[1], sklearn_metrics.root_mean_squared_error),
        (r2(), sklearn_metrics.r2_score),
    ],
)
@given(rows=st.lists(st.tuples(numbers, numbers), min_size=2, max_size=30))
def test_the_figures_are_those_of_sklearn(
    metric: Metric, theirs: Callable[..., float], rows: list[tuple[float, float]]
) -> None:
    true, predicted = zip(*rows, strict=True)
    found = metric.value([metric.per_example(p, t) for t, p in rows])
    assert found == pytest.approx(theirs(true, predicted), rel=1e-6, abs=1e-9)


def test_r2_of_equal_answers_is_finite_in_every_resample() -> None:
    metric = r2()
    true = np.array([[0.1] * 3, [0.1] * 3, [1, 2, 3]])
    predicted = np.array([[0.1] * 3, [0.1, 0.2, 0.1], [1, 2, 3]])
    assert metric.aggregate(true, predicted, axis=-1).tolist() == [1.0, 0.0, 1.0]
