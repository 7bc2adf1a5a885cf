"""Metrics of several numbers a row: scikit-learn's errors, each in its unit or in deviations."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error

from toolkit.metrics.vectors import scaled_mae, vector_metrics

NAMES = ("minutes", "kcal")


def rows(seed: int, count: int = 100) -> list[dict[str, float]]:
    chance = np.random.default_rng(seed)
    return [{"minutes": float(m), "kcal": float(k)}
            for m, k in zip(chance.normal(20, 5, count), chance.normal(500, 90, count),
                            strict=True)]  # fmt: skip


def test_the_figures_are_scikit_learns() -> None:
    true, predicted = rows(0), rows(1)
    t, p = (np.array([[row[name] for name in NAMES] for row in part]) for part in (true, predicted))
    raw = mean_absolute_error(t, p, multioutput="raw_values")
    metrics = {m.name: m for m in vector_metrics(NAMES, {"kcal": "kcal"})}
    found = {
        name: m.value([m.per_example(a, b) for a, b in zip(predicted, true, strict=True)])
        for name, m in metrics.items()
    }
    assert found == pytest.approx(
        {
            "scaled_mae": (raw / t.std(axis=0)).mean(),
            "mae_minutes": raw[0],
            "mae_kcal": raw[1],
        }
    )
    assert metrics["mae_kcal"].unit == "kcal" and not metrics["scaled_mae"].greater_is_better


def test_a_number_that_is_always_the_same_is_left_out() -> None:
    metric = scaled_mae(NAMES)
    true = [{"minutes": 3.0, "kcal": 100.0}, {"minutes": 3.0, "kcal": 300.0}]
    predicted = [{"minutes": 9.0, "kcal": 200.0}, {"minutes": 9.0, "kcal": 200.0}]
    pairs = zip(predicted, true, strict=True)
    assert metric.value([metric.per_example(p, t) for p, t in pairs]) == pytest.approx(1.0)


def test_many_resamples_at_once_are_as_one_after_the_other() -> None:
    true, predicted = rows(0), rows(1)
    draws = np.random.default_rng(0).integers(0, len(true), (4, len(true)))
    metric = scaled_mae(NAMES)
    columns = metric.columns(
        [metric.per_example(p, t) for p, t in zip(predicted, true, strict=True)]
    )
    together = metric.aggregate(*(c[draws] for c in columns), axis=-1)
    single = [metric.aggregate(*(c[draw] for c in columns), axis=-1) for draw in draws]
    assert together == pytest.approx(np.array(single))
