"""Ready-made metrics of classes equal sklearn's, for one set of rows and for many resamples."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

from toolkit import classification_metrics, ordinal_metrics
from toolkit.evaluation.confusion import confusion
from toolkit.metrics.classification import nearest
from toolkit.metrics.metric import Metric
from toolkit.runs.predictions import System

LABELS = ("bad", "so so", "good", "unused")
answers = st.sampled_from(LABELS[:3])


def named(metrics: tuple[Metric, ...]) -> dict[str, Metric]:
    return {metric.name: metric for metric in metrics}


def values(metric: Metric, predicted: list[Any], true: list[Any]) -> list[Any]:
    return [metric.per_example(p, t) for p, t in zip(predicted, true, strict=True)]


@given(st.lists(st.tuples(answers, answers), min_size=1, max_size=40))
def test_the_figures_are_those_of_sklearn(pairs: list[tuple[str, str]]) -> None:
    true, predicted = [t for t, _ in pairs], [p for _, p in pairs]
    ours = {
        name: metric.value(values(metric, predicted, true))
        for name, metric in named(classification_metrics(LABELS)).items()
    }
    assert ours["accuracy"] == pytest.approx(sklearn_metrics.accuracy_score(true, predicted))
    options: dict[str, Any] = {"labels": list(LABELS), "zero_division": 0}
    macro = sklearn_metrics.precision_recall_fscore_support(
        true, predicted, average="macro", zero_division=0
    )
    assert [ours[f"macro_{n}"] for n in ("precision", "recall", "f1")] == pytest.approx(macro[:3])
    each = sklearn_metrics.precision_recall_fscore_support(true, predicted, average=None, **options)
    for figure, found in zip(("precision", "recall", "f1"), each[:3], strict=True):
        assert [ours[f"{figure}_{n}"] for n in ("bad", "so_so", "good", "unused")] == pytest.approx(
            found.tolist()
        )


@pytest.mark.parametrize("metric", classification_metrics(LABELS), ids=lambda m: m.name)
def test_many_resamples_at_once_give_the_figure_of_each(metric: Metric) -> None:
    random = np.random.default_rng(0)
    true, predicted = (random.choice(LABELS, 30).tolist() for _ in range(2))
    columns = metric.columns(values(metric, predicted, true))
    draws = random.integers(0, 30, (7, 30))
    together = metric.aggregate(*(column[draws] for column in columns), axis=-1)
    single = [metric.aggregate(*(column[draw] for column in columns), axis=-1) for draw in draws]
    assert together.shape == (7,)
    np.testing.assert_allclose(together, single)


def test_a_prediction_that_is_no_class_is_wrong_for_every_metric() -> None:
    found = named(classification_metrics(("a", "b")))
    true, predicted = ["a", "a", "b", "b"], ["a", "c", "b", "c"]
    figures = {
        name: metric.value(values(metric, predicted, true)) for name, metric in found.items()
    }
    assert figures["accuracy"] == 0.5
    assert figures["recall_a"] == 0.5 and figures["precision_a"] == 1.0
    assert figures["macro_recall"] == 0.5


def test_ordered_classes() -> None:
    found = named(ordinal_metrics())
    true, predicted = [1, 3, 5, 5], [1, 3.5, 3.4, 4.6]
    figures = {
        name: metric.value(values(metric, predicted, true)) for name, metric in found.items()
    }
    assert figures["mae"] == pytest.approx((0 + 0.5 + 1.6 + 0.4) / 4)
    assert figures["rmse"] == pytest.approx(((0 + 0.25 + 1.6**2 + 0.16) / 4) ** 0.5)
    assert figures["exact"] == 0.5  # 3.5 is a 4, 3.4 a 3
    assert figures["within_one"] == 0.75
    assert [nearest(x) for x in (0.5, 1.49, 2.5)] == [1, 1, 3]


def test_the_confusion_matrix_counts_test_rows() -> None:
    rows = [("bad", "bad"), ("bad", "good"), ("good", "good"), ("good", "neither")]
    lines = {i: {"reference": t, "prediction": p} for i, (t, p) in enumerate(rows)}
    system = System("a", "adapter", {}, {"test": lines, "validation": {9: lines[0]}})
    assert confusion(system, ("bad", "good")) == [[1, 1], [0, 1]]
    stars = System("b", "adapter", {}, {"test": {0: {"reference": 4, "prediction": 3.6}}})
    assert confusion(stars, (3, 4)) == [[0, 0], [0, 1]]
