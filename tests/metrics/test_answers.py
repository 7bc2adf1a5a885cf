"""Exact match and token F1: the official evaluation's on ASCII, and the same idea elsewhere."""

from __future__ import annotations

import string
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import squad_official as official
from toolkit.metrics import EXACT_MATCH, TOKEN_F1, normalize_answer

pieces = st.sampled_from(
    [*string.punctuation, *"aAnN019 \t", "the ", " an ", "U.S.", "3.5", "don't", "1,000", "theatre"]
)
ascii_texts = st.lists(pieces, max_size=12).map("".join) | st.text(
    st.characters(max_codepoint=127), max_size=30
)


def scores(prediction: Any, reference: Any) -> tuple[float, float]:
    return (
        EXACT_MATCH.per_example(prediction, reference),  # type: ignore[return-value]
        TOKEN_F1.per_example(prediction, reference),
    )


@given(ascii_texts, ascii_texts)
def test_ascii_texts_score_as_in_the_official_evaluation(prediction: str, reference: str) -> None:
    assert normalize_answer(prediction) == official.normalize_answer(prediction)
    exact, f1 = scores(prediction, reference)
    assert exact == official.compute_exact(reference, prediction)
    assert f1 == pytest.approx(official.compute_f1(reference, prediction))


@pytest.mark.parametrize(
    ("prediction", "reference", "exact"),
    [
        ("1,000", "1000", 1), ("U.S.", "US", 1), ("don't", "dont", 1), ("10:30", "1030", 1),
        ("3.5", "35", 1), ("3.5", "3 5", 0), ("C++", "C#", 1), ("the", "a", 1), ("a", "b", 0),
        ("€5", "$5", 0), ("−5", "5", 0), ("की", "का", 0), ("👍", "👎", 0),
        ("किताब", "कताब", 0), ("北京大学", "北京", 0), ("مُحَمَّد", "محمد", 0),
    ],
)  # fmt: skip
def test_pairs_of_bug_reports_score_as_in_the_official_evaluation(
    prediction: str, reference: str, exact: int
) -> None:
    assert scores(prediction, reference)[0] == exact
    assert official.compute_exact(reference, prediction) == exact


@pytest.mark.parametrize(
    ("prediction", "reference"),
    [
        ("cafe\u0301", "café"), ("「東京」", "東京"), ("दिल्ली।", "दिल्ली"), ("¿Qué?", "qué"),
        ("« Paris »", "Paris"), ("القاهرة؟", "القاهرة"), ("–5", "-5"), ("don’t", "don't"),
        ("１９９０", "1990"), ("北京 大学", "北京大学"),
    ],
)  # fmt: skip
def test_punctuation_and_forms_of_all_scripts_do_not_count(prediction: str, reference: str) -> None:
    assert scores(prediction, reference) == (1.0, 1.0)


def test_scripts_without_blanks_share_characters() -> None:
    assert scores("北京大学", "北京") == (0.0, pytest.approx(2 / 3))
    assert scores("สวัสดี", "สวสด") == (0.0, 0.5)  # a mark belongs to its letter


def test_an_article_is_no_part_of_a_word_with_marks() -> None:
    assert normalize_answer("a\u0331n the\u0331") == "a\u0331n the\u0331"


@given(st.text(max_size=30))
def test_normalising_is_the_same_for_all_forms_and_done_after_once(text: str) -> None:
    once = normalize_answer(text)
    assert normalize_answer(unicodedata.normalize("NFD", text)) == normalize_answer(
        unicodedata.normalize("NFC", text)
    )
    assert normalize_answer(once) == once
    assert scores(text, text) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("prediction", "reference", "exact"),
    [
        ({"text": "Cup"}, {"texts": ["the cup", "lamp"]}, 1.0),
        ({"text": ""}, {"texts": []}, 1.0),
        ({"text": "cup"}, {"texts": []}, 0.0),
        ("cup", ["lamp", "a cup"], 1.0),
        ("", ["?", "cup"], 0.0),  # a reference without words does not count beside others
        ("the", ["?"], 1.0),
        (None, "None", 0.0),
        (3, "3", 1.0),
    ],
)
def test_the_best_reference_counts(prediction: Any, reference: Any, exact: float) -> None:
    assert scores(prediction, reference)[0] == exact


@given(st.lists(ascii_texts, min_size=1, max_size=3), ascii_texts)
def test_several_references_are_combined_as_officially(golds: list[str], answer: str) -> None:
    class Example:
        qas_id = "1"
        answers = tuple({"text": text} for text in golds)

    exact, f1 = official.get_raw_scores([Example], {"1": answer})
    assert scores({"text": answer}, {"texts": golds}) == (exact["1"], pytest.approx(f1["1"]))


def test_words_count_as_often_as_both_texts_have_them() -> None:
    assert scores("cup cup", "cup lamp lamp")[1] == pytest.approx(2 / 5)
