"""Metrics of several labels a row: the figures are scikit-learn's, for a set and for resamples."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score
from sklearn.preprocessing import MultiLabelBinarizer

from toolkit.metrics.metric import Metric
from toolkit.metrics.multi_label import multi_label_metrics
from toolkit.metrics.statistics import interval

LABELS = ("a", "b", "c", "d")


def drawn(rows: int = 200, labels: tuple[str, ...] = LABELS, seed: int = 0) -> list[list[str]]:
    chance = np.random.default_rng(seed)
    shares = np.linspace(0.6, 0.05, len(labels))
    return [[one for one, s in zip(labels, shares, strict=True) if chance.random() < s]
            for _ in range(rows)]  # fmt: skip


def values(metric: Metric, predicted: list[list[str]], true: list[list[str]]) -> list:
    return [metric.per_example(p, t) for p, t in zip(predicted, true, strict=True)]


def named() -> dict[str, Metric]:
    return {metric.name: metric for metric in multi_label_metrics(LABELS)}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_figures_are_scikit_learns(seed: int) -> None:
    true, predicted = drawn(), drawn(seed=seed)
    binary = MultiLabelBinarizer(classes=LABELS).fit([LABELS])
    t, p = binary.transform(true), binary.transform(predicted)
    expected = {
        "micro_f1": f1_score(t, p, average="micro", zero_division=0),
        "macro_f1": f1_score(t, p, average="macro", zero_division=np.nan),
        "samples_f1": f1_score(t, p, average="samples", zero_division=1),
        "subset_accuracy": accuracy_score(t, p),
        **{f"f1_{one}": f1_score(t[:, i], p[:, i]) for i, one in enumerate(LABELS)},
    }
    found = {n: m.value(values(m, predicted, true)) for n, m in named().items()}
    assert found == pytest.approx(expected)


def test_a_label_that_nobody_has_is_not_in_the_macro_mean() -> None:
    true, predicted = [["a"], ["b"], []], [["a"], [], []]
    metric = named()["macro_f1"]
    assert metric.value(values(metric, predicted, true)) == pytest.approx(0.5)
    assert metric.value(values(metric, [[], []], [[], []])) == 0.0


def test_the_order_of_labels_and_their_unicode_form_do_not_count() -> None:
    exact = named()["subset_accuracy"]
    assert exact.per_example(["b", "a"], ["a", "b"]) == 1.0
    assert exact.per_example(["e\u0301"], ["\u00e9"]) == 1.0
    assert exact.per_example(["a"], ["a", "b"]) == 0.0


def test_many_resamples_at_once_are_as_one_after_the_other() -> None:
    true, predicted = drawn(), drawn(seed=5)
    draws = np.random.default_rng(0).integers(0, len(true), (4, len(true)))
    for metric in named().values():
        columns = metric.columns(values(metric, predicted, true))
        together = metric.aggregate(*(c[draws] for c in columns), axis=-1)
        single = [metric.aggregate(*(c[draw] for c in columns), axis=-1) for draw in draws]
        assert together == pytest.approx(np.array(single)), metric.name


def test_an_interval_holds_the_figure() -> None:
    true, predicted = drawn(), drawn(seed=5)
    for metric in named().values():
        found = interval(metric, values(metric, predicted, true))
        if found.low is not None and np.isfinite(found.low):
            assert found.low <= found.value <= found.high, metric.name
