"""The encoder–decoder's pre-training text: another world than the tasks', and repeatable."""

from __future__ import annotations

import re
from random import Random

import pytest

from examples.embedded_models import corpus_copies, corpus_fields, corpus_pairs, corpus_records
from toolkit_summarization import articles_words, claims, claims_words

SEQUENCE = 3
"""So many words in a row are a wording."""


@pytest.fixture(scope="module")
def sample() -> str:
    drawn = [*corpus_pairs.pairs(20_000, seed=5), *corpus_pairs.pairs(10_000, seed=6, copying=1)]
    return "\n".join(f"{text}\n{target}" for text, target in drawn)


def words(text: str) -> list[str]:
    return re.findall(r"[a-z]+|\{\}", text.casefold())


def sequences(frames: list[str]) -> set[tuple[str, ...]]:
    """Runs of words of the frames, with no place for a value within."""
    found = set()
    for frame in frames:
        for piece in re.split(r"\{\w*\}", frame):
            said = words(piece)
            found |= {tuple(said[at : at + SEQUENCE]) for at in range(len(said) - SEQUENCE + 1)}
    return found


def report_frames() -> list[str]:
    given = {label: [f"{{{label.split()[0]}}}"] for label in claims.ORDER}
    doubts = {label: [claims_words.ABSENT] for label in claims.CAN_BE_MISSING}
    conflicts = {label: ["{a}", "{b}"] for label in claims.CAN_CONFLICT}
    base = {"claimant": ["{who}"], "incident": ["{what}"]}
    return [
        claims.report({**base, **values}, Random(seed))
        for values in (given, doubts, conflicts)
        for seed in range(40)
    ]


def test_no_name_or_place_of_the_tasks_occurs(sample: str) -> None:
    there = set(re.findall(r"[A-Z]\w+", sample))
    pools = (claims_words.GIVEN, claims_words.FAMILY, claims_words.TOWNS, articles_words.CLUBS)
    for pool in pools:
        assert there.isdisjoint(pool)


def test_no_field_name_of_the_claims_occurs(sample: str) -> None:
    labels = {
        label for domain in corpus_records.DOMAINS for f in domain.fields for label in f.labels
    }
    assert labels.isdisjoint(claims.ORDER)
    assert set(corpus_records.LABELS).isdisjoint(claims.ORDER)
    for label in claims.ORDER:
        assert not re.search(rf"\b{label}:", sample)


def test_no_wording_of_the_reports_or_articles_occurs(sample: str) -> None:
    said = words(sample)
    there = {tuple(said[at : at + SEQUENCE]) for at in range(len(said) - SEQUENCE + 1)}
    frames = [
        frame
        for event in articles_words.EVENTS
        for frame in (*event.leads, *event.details, *event.summaries)
    ]
    shared = there & (sequences(report_frames()) | sequences(frames))
    # Three small words in a row are English, not a wording of ours.
    telling = {run for run in shared if sum(len(word) > 3 for word in run) > 1}
    assert telling == set()


def test_the_pairs_are_repeatable_and_varied() -> None:
    once = list(corpus_pairs.pairs(400, seed=1))
    assert once == list(corpus_pairs.pairs(400, seed=1))
    assert len(set(once)) > 395


def test_the_text_of_a_record_states_its_values() -> None:
    random = Random(3)
    for _ in range(200):
        source, target = corpus_records.record(random)
        assert target
        for amount in re.findall(r"[$€£][\d,.]*\d", target):
            assert amount in source


def test_records_come_with_up_to_seventeen_fields_and_the_values_that_their_text_states() -> None:
    random = Random(8)
    longest = 0
    for _ in range(300):
        source, target, values = corpus_records.stating(random)
        assert all(value in source and value in target for value in values)
        longest = max(longest, len(values))
    assert longest >= 16


def test_what_is_copied_stands_in_the_input() -> None:
    random = Random(9)
    for make in corpus_pairs.COPIES:
        for _ in range(100):
            source, target = make(random)
            if make is not corpus_copies.read_out:
                assert all(piece in source for piece in target.split(" / "))
    source, target, values = corpus_copies.reading(random)
    assert all(value in source and value in target for value in values)


def test_the_share_of_copying_can_be_chosen() -> None:
    openings = ("repeat: ", "backwards: ", "number ", "without ", "value of ", "form ")
    drawn = [source for source, _ in corpus_pairs.pairs(200, seed=1, copying=1.0)]
    assert all(source.startswith(openings) or "? " in source for source in drawn)
    rest = [source for source, _ in corpus_pairs.pairs(200, seed=1, copying=0.0)]
    assert not any(source.startswith("form ") for source in rest)


def test_by_example_the_second_text_has_the_first_ones_words() -> None:
    random = Random(4)
    source, target = corpus_records.by_example(random)
    said = source.split("\n=> ")[1].split("\n")[0]
    assert len(target.split(". ")) == len(said.split(". "))


def test_gaps_are_told_in_order() -> None:
    text = " ".join(f"w{i}" for i in range(80))
    shown, hidden = corpus_pairs.corrupted(text, Random(0))
    gaps = re.findall(r"<extra_id_\d+>", shown)
    assert gaps and re.findall(r"<extra_id_\d+>", hidden)[:-1] == gaps
    pieces = re.split(r"<extra_id_\d+> ?", hidden)[1:]
    for gap, piece in zip(gaps, pieces, strict=False):
        shown = shown.replace(gap, piece.strip())
    assert shown == text


def test_every_kind_of_value_is_drawn() -> None:
    random = Random(5)
    for make in corpus_fields.VALUES.values():
        assert len({make(random) for _ in range(60)}) > 1
