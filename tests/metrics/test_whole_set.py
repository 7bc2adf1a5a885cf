"""Metrics of a whole set: their figure is the function's, and intervals and tests hold it."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from toolkit.errors import PluginError
from toolkit.metrics import whole_set_metric
from toolkit.metrics.pairs import pair_code, pair_key
from toolkit.metrics.statistics import interval, paired


def area(predictions: list[Any], references: list[Any]) -> float:
    if len(set(references)) < 2:
        return math.nan
    return float(roc_auc_score(references, predictions))


def drawn(rows: int, skill: float, seed: int) -> tuple[list[float], list[int]]:
    chance = np.random.default_rng(seed)
    true = chance.integers(0, 2, rows)
    return (true * skill + chance.normal(size=rows)).tolist(), true.tolist()


def test_the_figure_is_the_functions() -> None:
    metric = whole_set_metric("auc", area)
    predicted, true = drawn(80, 1.0, 0)
    values = [metric.per_example(p, t) for p, t in zip(predicted, true, strict=True)]
    assert metric.value(values) == pytest.approx(roc_auc_score(true, predicted))
    assert metric.whole and len(set(values)) == 80
    draws = np.random.default_rng(0).integers(0, 80, (3, 80))
    columns = metric.columns(values)
    found = metric.aggregate(columns[0][draws], axis=-1)
    expected = [area([predicted[i] for i in d], [true[i] for i in d]) for d in draws]
    assert found == pytest.approx(np.array(expected))


def test_another_process_knows_the_pairs_once_they_are_prepared() -> None:
    predicted, true = drawn(40, 1.0, 0)
    first = whole_set_metric("auc", area)
    values = [first.per_example(p, t) for p, t in zip(predicted, true, strict=True)]
    again = whole_set_metric("auc", area)
    assert again.prepare is not None
    # As they come back from a file: the numbers are the same, and so are the codes.
    again.prepare(json.loads(json.dumps(predicted)), json.loads(json.dumps(true)))
    assert again.value(json.loads(json.dumps(values))) == first.value(values)


def test_intervals_hold_the_figure_and_a_better_system_is_told_from_a_worse_one() -> None:
    metric = whole_set_metric("auc", area)
    good, true = drawn(120, 1.2, 1)
    poor = np.random.default_rng(2).normal(size=120).tolist()
    a = [metric.per_example(p, t) for p, t in zip(good, true, strict=True)]
    b = [metric.per_example(p, t) for p, t in zip(poor, true, strict=True)]
    found = interval(metric, a)
    assert found.low < found.value < found.high and found.high - found.low < 0.3
    compared = paired(metric, a, b, resamples=200)
    assert compared.difference == pytest.approx(metric.value(a) - metric.value(b))
    assert compared.p < 0.05 and compared.low > 0
    assert paired(metric, a, a, resamples=200).p == 1.0


def test_of_any_predictions_and_references() -> None:
    def share_of_different(predictions: list[Any], references: list[Any]) -> float:
        return len({json.dumps(p, sort_keys=True) for p in predictions}) / len(predictions)

    metric = whole_set_metric("variety", share_of_different)
    values = [metric.per_example({"a": [n % 2]}, "gold") for n in range(10)]
    assert metric.value(values) == 0.2
    assert pair_key({"b": 1, "a": 2}, [1.0]) == pair_key({"a": 2.0, "b": 1}, [1])
    assert pair_code(0.1 + 0.2, "x") == pair_code(0.3, "x") != pair_code(0.3, "y")


def test_what_it_raises_is_one_sentence_and_a_draw_without_a_figure_is_none() -> None:
    def fails(predictions: list[Any], references: list[Any]) -> float:
        if len(set(references)) < 2:
            raise ValueError("one class only")
        return 0.5

    metric = whole_set_metric("odd", fails)
    same = [metric.per_example(n, 1) for n in range(5)]
    with pytest.raises(PluginError, match="'odd' raised ValueError for 5 rows: one class only"):
        metric.value(same)
    assert np.isnan(metric.aggregate(np.array([same, same]), axis=-1)).all()
