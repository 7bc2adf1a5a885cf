"""Metrics and baselines that tasks share."""

from __future__ import annotations

import unicodedata
from typing import Any

import numpy as np
import pytest
from datasets import Dataset

from toolkit import baselines
from toolkit.metrics import common
from toolkit.metrics.metric import Metric

TRAIN = Dataset.from_dict(
    {
        "text": ["red cup", "blue cup", "red lamp", "blue lamp", "old chair"],
        "kind": ["cup", "cup", "lamp", "lamp", "chair"],
        "price": [2.0, 2.0, 9.0, 9.0, 30.0],
    }
)
NEW = Dataset.from_dict({"text": ["a green cup", "this lamp is red", "old chair"]})


@pytest.mark.parametrize(
    ("metric", "prediction", "reference", "value"),
    [
        (common.ACCURACY, "a", "a", 1.0),
        (common.ACCURACY, "a", "A", 0.0),
        (common.EXACT_MATCH, "The Cup!", "cup", 1.0),
        (common.EXACT_MATCH, "cup", ["lamp", "a cup"], 1.0),
        (common.TOKEN_F1, "red cup", "the red lamp", 0.5),
        (common.TOKEN_F1, "", "cup", 0.0),
        (common.TOKEN_F1, "cup cup", "cup", 2 / 3),
        (common.MAE, 3.0, 5.0, 2.0),
        (common.RMSE, 3.0, 5.0, 4.0),
    ],
)
def test_a_metric_scores_one_row(
    metric: Metric, prediction: Any, reference: Any, value: float
) -> None:
    assert metric.per_example(prediction, reference) == pytest.approx(value)


def test_rmse_is_a_root_of_means() -> None:
    assert common.RMSE.value([1.0, 7.0]) == 2.0


def test_macro_f1_is_scikit_learns_and_works_on_resamples() -> None:
    from sklearn.metrics import f1_score

    classes = ["a", "b", "c"]
    draws = np.random.default_rng(0).integers(0, 3, (2, 60))
    predicted, expected = ([classes[i] for i in row] for row in draws)
    metric = common.macro_f1(classes)
    values = [metric.per_example(p, r) for p, r in zip(predicted, expected, strict=True)]
    assert metric.value(values) == pytest.approx(f1_score(expected, predicted, average="macro"))
    columns = metric.columns(values)
    together = metric.aggregate(*(np.stack([c, c[::-1]]) for c in columns), axis=-1)
    assert together.shape == (2,) and together[0] == pytest.approx(together[1])


@pytest.mark.parametrize(
    ("baseline", "predictions"),
    [
        (baselines.most_frequent("kind"), ["cup", "cup", "cup"]),
        (baselines.median("price"), [9.0, 9.0, 9.0]),
        (baselines.nearest("text", "kind"), ["cup", "lamp", "chair"]),
        (baselines.nearest(lambda row: row["text"], "price"), [2.0, 9.0, 30.0]),
        (baselines.first_words("text", 2), ["a green", "this lamp", "old chair"]),
        (baselines.tfidf_logistic("text", "kind"), ["cup", "lamp", "chair"]),
    ],
)
def test_a_baseline_answers_new_rows(baseline: Any, predictions: list[Any]) -> None:
    assert list(baseline(TRAIN)(NEW)) == predictions


def test_ridge_orders_numbers_by_their_words() -> None:
    cup, lamp, chair = baselines.tfidf_ridge("text", "price")(TRAIN)(NEW)
    assert cup < lamp < chair


def test_logistic_regression_on_a_single_class_predicts_that_class() -> None:
    one = TRAIN.filter(lambda row: row["kind"] == "cup")
    assert baselines.tfidf_logistic("text", "kind")(one)(NEW) == ["cup"] * 3


TONGUES = Dataset.from_dict(
    {
        "text": ["这本书很好看", "电影太难看了", "यह किताब अच्छी है", "यह फ़िल्म बुरी है", "😍", "😡"],
        "kind": ["good", "bad", "good", "bad", "good", "bad"],
    }
)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("书很好", "good"),
        ("电影难看", "bad"),
        ("किताब", "good"),
        ("फ़िल्म", "bad"),
        ("😍 😍", "good"),
        ("😡!", "bad"),
    ],
)
def test_baselines_on_words_read_any_script(text: str, kind: str) -> None:
    new = Dataset.from_dict({"text": [text]})
    assert baselines.tfidf_logistic("text", "kind")(TONGUES)(new) == [kind]
    assert baselines.nearest("text", "kind")(TONGUES)(new) == [kind]


@pytest.mark.parametrize(
    ("question", "context", "answer"),
    [
        (
            "How much was it?",
            "It rained. Much of it was 3.5 mm. We left.",
            "Much of it was 3.5 mm.",
        ),
        ("上海大吗？", "北京是首都。上海很大。他来了。", "上海很大。"),
        ("किताब कहाँ है?", "घर बड़ा है। किताब मेज़ पर है। वह गया।", "किताब मेज़ पर है।"),
    ],
)
def test_the_nearest_sentence_is_a_whole_one(question: str, context: str, answer: str) -> None:
    rows = Dataset.from_dict({"question": [question], "context": [context]})
    found = baselines.nearest_sentence()(rows)(rows)[0]
    assert found["text"] == context[found["start"] : found["end"]] == answer


def test_the_first_words_of_a_script_without_blanks() -> None:
    rows = Dataset.from_dict({"text": ["北京是中国的首都。"]})
    assert baselines.first_words("text", 2)(rows)(rows) == ["北京"]


def test_copies_in_both_unicode_forms_are_one_group_of_a_tuned_baseline() -> None:
    forms = [unicodedata.normalize(form, "Café  crème") for form in ("NFC", "NFD")]
    assert len(set(forms)) == 2
    assert len(set(baselines._groups(Dataset.from_dict({"text": forms}), None, forms))) == 1
