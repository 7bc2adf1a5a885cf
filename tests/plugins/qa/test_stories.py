"""The built-in data: the same bytes everywhere, and nothing shared between training and test."""

from __future__ import annotations

import hashlib
import json
import re

import pytest

from toolkit_qa import stories, stories_words
from toolkit_qa.stories_facts import COUNTED, FACTS

HASHES = {
    "train": "a0a2e7ec34f7fd1a",
    "validation": "9693f58db037c831",
    "test": "48d675882825875e",
}
"""Taken before anything was trained on the data; whoever changes the data changes the figures."""


@pytest.fixture(scope="module")
def documents() -> dict[str, list[dict]]:
    return {split: stories.generate(split)["data"] for split in stories.SIZES}


def questions(articles: list[dict]) -> list[tuple[str, dict]]:
    return [(p["context"], qa) for a in articles for p in a["paragraphs"] for qa in p["qas"]]


def test_the_bytes_are_pinned():
    for split, digest in HASHES.items():
        document = json.dumps(stories.generate(split), ensure_ascii=False).encode()
        assert hashlib.sha256(document).hexdigest()[:16] == digest, split


def test_answers_stand_at_their_answer_start(documents):
    seen = set()
    for context, qa in (q for articles in documents.values() for q in questions(articles)):
        assert qa["id"] not in seen
        seen.add(qa["id"])
        assert qa["is_impossible"] == (not qa["answers"])
        for answer in qa["answers"]:
            start = answer["answer_start"]
            assert context[start : start + len(answer["text"])] == answer["text"]


def test_a_quarter_has_no_answer_and_every_type_of_question_occurs(documents):
    for articles in documents.values():
        pairs = questions(articles)
        assert sum(qa["is_impossible"] for _, qa in pairs) == len(pairs) / stories.QUESTIONS
    opening = " ".join(qa["question"].split()[0].lower() for _, qa in questions(documents["test"]))
    assert {"who", "when", "where", "how", "which"} <= set(opening.split())


def masked(question: str) -> str:
    """A question's wording: without the place's name and without what is counted."""
    kinds = "|".join(kind.title() for kind in stories_words.KINDS)
    question = re.sub(rf"the \w+ ({kinds})", "the X", question)
    things = sorted((t for k in stories_words.KINDS.values() for t in k), key=len, reverse=True)
    return re.sub(r"(How many) (" + "|".join(things) + ")", r"\1 things", question)


def test_wordings_names_and_answers_are_kept_apart(documents):
    worded, named, answered = {}, {}, {}
    for split, articles in documents.items():
        worded[split] = {masked(qa["question"]) for _, qa in questions(articles)}
        named[split] = {
            name.split()[1]
            for context, _ in questions(articles)
            for name in re.findall(r"the [A-Z]\w+ [A-Z]", context)
        }
        answered[split] = {a["text"] for _, qa in questions(articles) for a in qa["answers"]}
    for one, other in (("train", "test"), ("train", "validation"), ("validation", "test")):
        assert not worded[one] & worded[other]
        assert not named[one] & named[other]
        assert not answered[one] & answered[other]
    assert len(worded["test"]) > 40 and len(answered["test"]) > 400


def test_parts_of_names_are_kept_apart_too(documents):
    for pool in (stories_words.GIVEN, stories_words.FAMILY, stories_words.TOWN_STARTS):
        assert len(set(pool)) == len(pool)
        shares = [set(stories_words.share(pool, split)) for split in stories_words.SPLITS]
        assert set().union(*shares) == set(pool) and sum(map(len, shares)) == len(pool)


def test_the_test_asks_about_kinds_of_places_that_training_never_saw(documents):
    def kinds(split):
        titles = [a["title"].rpartition(" (")[0] for a in documents[split]]
        return {title.split(" ", 1)[1].lower() for title in titles}

    assert kinds("test") - kinds("train") == set(list(stories_words.KINDS)[13:])


def test_every_answer_has_another_of_its_type_to_be_confused_with(documents):
    years = [
        re.findall(r"\b1[789]\d\d\b|\b200\d\b", context)
        for context, qa in questions(documents["test"])
        if qa["answers"] and qa["question"].startswith("When")
    ]
    assert sum(len(found) > 1 for found in years) > 0.6 * len(years)


def test_wordings_of_a_fact_are_of_its_type():
    from toolkit_qa.asking import question_type

    for fact in (*FACTS.values(), COUNTED):
        for split in stories_words.SPLITS:
            for wording in fact.questions(split):
                assert question_type(wording.format(s="the X", things="doors")) == fact.type
