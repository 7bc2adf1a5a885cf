"""Learned extracts: which sentences are taken, and which of their words."""

from __future__ import annotations

import random

import datasets
import numpy as np
import pytest
from rouge_score.rouge_scorer import RougeScorer

from toolkit_summarization import overlap
from toolkit_summarization.learned_extracts import Choice, Text, extract, learned_extract, tuned

NAMES = "Ann Bob Eve Kim Lee Max Ned Pam Roy Sue".split()
ASIDES = ("The sky was grey.", "A dog barked at the post van.", "Nobody was in a hurry today.")


def article(n: int, place: int) -> tuple[str, str]:
    """An article whose event stands at a place, and a summary of its words without some."""
    who, what = NAMES[n % 10], f"{NAMES[n // 10 % 10]}ville"
    parts = list(ASIDES)
    parts.insert(place, f"As was heard late on Monday {who} Carter sold the mill in {what}.")
    return " ".join(parts), f"{who} Carter sold the mill in {what}."


def rows(place: int, number: int = 60) -> datasets.Dataset:
    return datasets.Dataset.from_list(
        [
            {"row_id": n, "article": text, "summary": summary, "references": [summary]}
            for n in range(number)
            for text, summary in [article(n, place)]
        ]
    )


@pytest.mark.parametrize("place", [0, 2, 3])
def test_the_sentence_that_summaries_are_made_of_is_taken_wherever_it_stands(place):
    test = rows(place, 20)
    found = learned_extract("article", "summary", compress=False)(rows(place))(test)
    assert all("sold the mill" in text for text in found)


def test_words_that_summaries_never_have_are_left_out_and_the_same_each_time():
    test = rows(1, 20)
    fit = learned_extract("article", "summary", compress=True)
    found = fit(rows(1))(test)
    assert found == test["summary"][:]
    assert found == fit(rows(1))(test)


def test_nothing_is_left_out_where_that_is_no_better():
    texts = [Text.of(f"One {n}. Two.", [f"One {n}."]) for n in range(20)]
    assert tuned(texts, compress=True) == Choice(1, 0.0)


def test_as_many_sentences_are_taken_as_summaries_need():
    texts = [Text.of(f"Ann {n} won. Bob {n} lost. A dog sat.", [f"Ann {n} won. Bob {n} lost."])
             for n in range(30)]  # fmt: skip
    assert tuned(texts, compress=False).number == 2


def test_a_text_of_which_no_word_is_kept_is_its_best_sentence():
    text = Text.of("One two. Three.")
    keep = [[0.1, 0.1], [0.2]]
    assert extract(text, np.array([0.9, 0.1]), keep, Choice(1, 0.5)) == "One two."
    assert extract(text, np.array([0.1, 0.9]), keep, Choice(2, 0.15)) == "Three."


@pytest.mark.parametrize("number", [1, 2, 3, 4])
@pytest.mark.parametrize("compress", [False, True])
def test_tiny_data_and_empty_texts_break_nothing(number, compress):
    few = rows(0, number)
    odd = datasets.Dataset.from_dict({"row_id": [1, 2], "article": ["", "…"]})
    found = learned_extract("article", "summary", compress=compress)(few)(odd)
    assert found == ["", "…"]


def test_the_fast_overlap_is_rouge_l_without_its_stemmer():
    draw = random.Random(0)
    scorer = RougeScorer(["rougeL"], use_stemmer=False)
    for _ in range(50):
        one, other = (" ".join(draw.choices("abcde", k=draw.randint(0, 12))) for _ in range(2))
        found = overlap.alike(overlap.words(one), overlap.words(other))
        assert found == pytest.approx(scorer.score(one, other)["rougeL"].fmeasure)
        kept = overlap.kept_words(one.split(), other.split())
        assert 2 * len(kept) == pytest.approx(found * (len(one.split()) + len(other.split())))
