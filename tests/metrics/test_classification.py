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
from toolkit.metrics import macro_f1
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


classes = st.sampled_from(["a", "b", "c", "d", "é"])


@given(
    st.lists(st.tuples(classes, classes), min_size=1, max_size=40),
    st.permutations(["a", "b", "c", "d", "é", "absent from all rows"]),
)
def test_macro_f1_is_one_metric_and_sklearns(
    pairs: list[tuple[str, str]], listed: list[str]
) -> None:
    true, predicted = [t for t, _ in pairs], [p for _, p in pairs]
    expected = sklearn_metrics.f1_score(true, predicted, average="macro", zero_division=0)
    for metric in (macro_f1(listed), named(classification_metrics(listed))["macro_f1"]):
        assert metric.value(values(metric, predicted, true)) == pytest.approx(expected)


@given(
    st.lists(st.tuples(classes, classes | st.sampled_from([None, "unknown"])), min_size=1),
    st.lists(classes, unique=True, min_size=1),
)
def test_unknown_predictions_are_wrong_and_no_class(
    pairs: list[tuple[str, str | None]], listed: list[str]
) -> None:
    """With sklearn's ``labels``: those of the references, and listed ones that are predicted.

    References that are not listed are classes too, as they are for sklearn.
    """
    true, predicted = [t for t, _ in pairs], [p for _, p in pairs]
    counted = sorted({*true, *(p for p in predicted if p in listed)})
    expected = sklearn_metrics.f1_score(
        true, ["-" if p is None else p for p in predicted], labels=counted, average="macro",
        zero_division=0,
    )  # fmt: skip
    metric = macro_f1(listed)
    assert metric.value(values(metric, predicted, true)) == pytest.approx(expected)


@pytest.mark.parametrize("unknown", [None, "unknown", "", float("nan"), 0])
def test_an_unknown_prediction_is_never_the_first_class(unknown: Any) -> None:
    metric = macro_f1(["a", "b"])
    assert metric.value(values(metric, [unknown] * 3, ["a"] * 3)) == 0.0
    # Recall of "a" is a half, its precision one; "b" occurs nowhere.
    assert metric.value(values(metric, ["a", unknown], ["a", "a"])) == pytest.approx(2 / 3)


def test_perfect_predictions_are_perfect_where_classes_are_absent() -> None:
    metric = macro_f1(["white", "black", "green", "red"])
    assert metric.value(values(metric, ["white"] * 21, ["white"] * 21)) == 1.0
    for macro in classification_metrics(["pos", "neg", "neutral"])[:4]:
        assert macro.value(values(macro, ["pos", "neg"], ["pos", "neg"])) == 1.0


def test_the_two_definitions_that_once_differed() -> None:
    metric = macro_f1(["a", "b", "c"])
    found = metric.value(values(metric, ["a", "b", "b", "b"], ["a", "a", "b", "b"]))
    assert found == pytest.approx((2 / 3 + 4 / 5) / 2)  # 0.733


def test_classes_of_test_that_are_not_listed_lower_the_mean() -> None:
    metric = macro_f1(["white", "red"])
    figure = metric.value(values(metric, ["white", "red", "white"], ["white", "red", "purple"]))
    assert figure == pytest.approx((2 / 3 + 1 + 0) / 3)


def test_classes_are_compared_in_one_form_of_unicode() -> None:
    for metric in classification_metrics(["caf\u00e9", "tea"])[:4]:
        assert metric.value(values(metric, ["cafe\u0301", "tea"], ["caf\u00e9", "tea"])) == 1.0


def test_classes_that_read_alike_have_metrics_of_their_own() -> None:
    names = [metric.name for metric in classification_metrics(["C++", "C#", "C", "?", "белый"])]
    assert len(set(names)) == len(names)
    assert "f1_c_1" in names and "f1_c_2" in names and "f1_4" in names and "f1_белый" in names


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
