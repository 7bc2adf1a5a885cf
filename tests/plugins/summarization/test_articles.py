"""The built-in articles: the same bytes everywhere, and nothing shared but the house style."""

from __future__ import annotations

import hashlib
import re

import pytest

from toolkit_summarization import articles, articles_words, claims_words
from toolkit_summarization.baselines import sentences

HASHES = {
    "train": "2531046b016fe928",
    "validation": "68d093a9b01c459a",
    "test": "1703a4178f2e5adc",
}
"""Taken before anything was trained on the data; whoever changes the data changes the figures."""


@pytest.fixture(scope="module")
def splits() -> dict[str, list[articles.Article]]:
    return {split: list(articles.generate(split)) for split in articles.SIZES}


def test_the_bytes_are_pinned(splits):
    for split, rows in splits.items():
        text = "\n".join(f"{one.text}\t{one.summary}" for one in rows)
        assert hashlib.sha256(text.encode()).hexdigest()[:16] == HASHES[split], split


def test_names_and_places_are_kept_apart(splits):
    pools = {*claims_words.GIVEN, *claims_words.FAMILY, *claims_words.TOWNS}
    there = {
        split: pools & {w for one in rows for w in re.findall(r"\w+", one.text + one.summary)}
        for split, rows in splits.items()
    }
    assert there["train"].isdisjoint(there["test"])
    assert there["train"].isdisjoint(there["validation"])


def test_wordings_of_articles_are_kept_apart():
    for event in articles_words.EVENTS:
        for pool in (event.leads, event.details):
            assert len(set(pool)) == 5
            train, test = articles_words.own(pool, "train"), articles_words.own(pool, "test")
            assert len(train) == 3 and len(test) == 1 and not set(train) & set(test)
    asides = {s: set(claims_words.share(articles_words.ASIDES, s)) for s in articles.SIZES}
    assert not asides["train"] & asides["test"]


def test_a_summary_is_one_sentence_with_facts_of_the_article_alone(splits):
    for rows in splits.values():
        for one in rows:
            assert len(sentences(one.summary)) == 1
            assert len(sentences(one.text)) >= 6
            for name in re.findall(r"(?<=\s)[A-Z]\w+|\b\d+\b", one.summary):
                assert name in one.text, one


def test_the_lead_does_not_always_come_first(splits):
    share = sum(one.lead_first for one in splits["test"]) / len(splits["test"])
    assert 0.65 < share < 0.85
