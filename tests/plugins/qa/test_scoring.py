"""The metrics equal the official ones on hand-made predictions, and are null without rows."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from toolkit.metrics import statistics
from toolkit_qa import asking, scoring

TEXTS = [
    "", "the", "a", "The Beatles", "Beatles", "the beatles!", "BEATLES", "1,250", "1250", "$1,250",
    "12 May 1901", "May 12, 1901", "12 may  1901.", "an apple a day", "apple day", "apples",
    "St. John's", "St Johns", "rock 'n' roll", "rock n roll", "Zoe", "naïve Bayes", "日本 語",
    "...", "-", "in the 10th and 11th centuries", "10th and 11th centuries", "10th",
]  # fmt: skip
GOLDS = [
    [], ["The Beatles"], ["Beatles", "the band"], ["1250"], ["1,250", "$1,250"], ["12 May 1901"],
    ["an apple a day", "apple"], ["St. John's"], ["rock 'n' roll"], ["Zoë"], ["naïve Bayes"],
    ["日本 語"], ["10th and 11th centuries", "in the 10th and 11th centuries"], ["the"], ["a", "A"],
    ["...", "dots"],
]  # fmt: skip


@pytest.fixture(scope="module")
def parity(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every text as an answer to every list of references: 464 rows, as SQuAD's files have them."""
    path = tmp_path_factory.mktemp("parity") / "predictions.json"
    rows = [
        {"id": str(n), "prediction": text, "answers": [{"text": gold} for gold in golds]}
        for n, (text, golds) in enumerate(itertools.product(TEXTS, GOLDS))
    ]
    path.write_text(json.dumps(rows), encoding="utf-8")
    return path


def prediction(text: str, start: int = 0) -> Any:
    return {"text": text, "start": start if text else -1, "end": start + len(text) if text else -1}


def reference(*texts: str, start: int = 0) -> Any:
    return {"texts": list(texts), "starts": [start] * len(texts)}


def test_exact_match_and_f1_are_those_of_the_official_evaluation(parity):
    from squad_official import get_raw_scores, squad_evaluate

    rows = json.loads(parity.read_text(encoding="utf-8"))
    assert len(rows) >= 200
    examples = [SimpleNamespace(qas_id=row["id"], answers=row["answers"]) for row in rows]
    given = {row["id"]: row["prediction"] for row in rows}
    exact, f1 = get_raw_scores(examples, given)
    pairs = {
        row["id"]: (prediction(row["prediction"]), reference(*(a["text"] for a in row["answers"])))
        for row in rows
    }
    for key, pair in pairs.items():
        assert scoring.exact(*pair) == exact[key]
        assert scoring.f1(*pair) == pytest.approx(f1[key], abs=0)
    assert 0.02 < sum(exact.values()) / len(rows) < 0.5
    official = squad_evaluate(examples, given)
    ours = {m.name: 100 * m.value([m.per_example(*p) for p in pairs.values()])
            for m in scoring.METRICS}  # fmt: skip
    for name, theirs in (
        ("exact", "exact"), ("f1", "f1"), ("has_ans_exact", "HasAns_exact"),
        ("has_ans_f1", "HasAns_f1"), ("no_ans_exact", "NoAns_exact"),
    ):  # fmt: skip
        assert ours[name] == pytest.approx(official[theirs]), name


def values(name: str, pairs: list[tuple[Any, Any]]) -> tuple[Any, list[Any]]:
    metric = next(m for m in scoring.METRICS if m.name == name)
    return metric, [metric.per_example(*pair) for pair in pairs]


@pytest.mark.parametrize(
    ("name", "pairs"),
    [
        ("no_ans_exact", [(prediction("red"), reference("red"))] * 3),
        ("has_ans_f1", [(prediction(""), reference())] * 3),
        ("has_ans_exact", [(prediction(""), reference())] * 3),
        ("null_precision", [(prediction("red"), reference())] * 3),
        ("null_recall", [(prediction(""), reference("red"))] * 3),
    ],
)
def test_a_figure_without_rows_is_null_and_not_zero(name, pairs):
    found = statistics.as_json(statistics.interval(*values(name, pairs)))
    assert found["value"] is None and found["low"] is None


def test_null_precision_and_recall():
    pairs = [
        (prediction(""), reference()), (prediction(""), reference("red")),
        (prediction("red"), reference()), (prediction(""), reference()),
        (prediction("red"), reference("red")),
    ]  # fmt: skip
    for name, wanted in (("null_precision", 2 / 3), ("null_recall", 2 / 3), ("no_ans_exact", 2 / 3),
                         ("has_ans_exact", 1 / 2), ("exact", 3 / 5)):  # fmt: skip
        metric, found = values(name, pairs)
        assert metric.value(found) == pytest.approx(wanted), name


def test_a_figure_of_the_rows_without_an_answer_has_an_interval_from_ten_of_them_on():
    answered, empty = (prediction("red"), reference("red")), (prediction(""), reference())
    found = statistics.interval(*values("no_ans_exact", [answered] * 20 + [empty]))
    assert found.value == 1.0 and math.isnan(found.low) and "1 row only" in found.note
    found = statistics.interval(*values("no_ans_exact", [answered] * 20 + [empty] * 12))
    assert found.value == found.high == 1.0 and 0.6 < found.low < 0.9


def test_starts_and_ends_are_compared_by_position_and_not_by_words():
    gold = {"texts": ["red cup", "cup"], "starts": [4, 8]}
    assert scoring.start(prediction("red cup", 4), gold) == 1
    assert scoring.start(prediction("red cup", 40), gold) == 0
    assert scoring.end(prediction("cup", 8), gold) == 1
    assert (
        scoring.start(prediction("cup", 8), gold) == scoring.start(prediction("red", 4), gold) == 1
    )
    assert scoring.end(prediction("red", 4), gold) == 0
    assert scoring.start(prediction(""), gold) == scoring.end(prediction(""), gold) == 0
    assert scoring.start(prediction(""), reference()) == 1
    assert scoring.end(prediction("red"), reference()) == 0


def test_every_metric_stores_finite_numbers_of_a_row():
    for metric in scoring.METRICS:
        stored = metric.per_example(prediction("red"), reference("red"))
        assert all(math.isfinite(v) for v in (stored if isinstance(stored, tuple) else (stored,)))


@pytest.mark.parametrize(
    ("gold", "answer", "exact", "f1"),
    [
        ("北京大学", "北京", 0.0, 2 / 3),
        ("「東京」", "東京", 1.0, 1.0),
        ("1990年", "1990", 0.0, 2 / 3),
        ("की", "का", 0.0, 0.0),
        ("दिल्ली।", "दिल्ली", 1.0, 1.0),
        ("القاهرة", "القاهرة؟", 1.0, 1.0),
        ("ร้านอาหาร", "ร้าน", 0.0, 6 / 11),
        ("Orle\u0301ans", "Orl\u00e9ans", 1.0, 1.0),
    ],
)
def test_answers_of_any_script_are_scored_as_task_files_score_them(gold, answer, exact, f1):
    from toolkit.metrics import EXACT_MATCH, TOKEN_F1

    prediction, reference = {"text": answer}, {"texts": [gold], "starts": [0]}
    assert scoring.exact(prediction, reference) == exact
    assert scoring.f1(prediction, reference) == f1
    assert EXACT_MATCH.per_example(answer, gold) == exact
    assert TOKEN_F1.per_example(answer, gold) == f1


@pytest.mark.parametrize(
    ("context", "words"),
    [
        ("It's 3.5 km, he said.", ["It's", "3.5", "km", "he", "said"]),
        ("北京3号", ["北", "京", "3", "号"]),
        ("किताब की", ["किताब", "की"]),
    ],
)
def test_words_of_a_context_are_found_at_their_places(context, words):
    assert [span.of(context) for span in asking.word_spans(context)] == words


def test_sentences_of_a_context_are_found_at_their_places():
    context = "  北京是首都。上海很大。 Mr. Li came."
    found = [span.of(context) for span in asking.sentences(context)]
    assert found == ["北京是首都。", "上海很大。", "Mr. Li came."]
