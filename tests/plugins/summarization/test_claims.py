"""The built-in claims: the same bytes everywhere, and test claims that training has not seen."""

from __future__ import annotations

import hashlib

import pytest

from toolkit_summarization import claims, faithfulness
from toolkit_summarization.baselines import template
from toolkit_summarization.claims_words import ABSENT

HASHES = {
    "train": "4fd00b0cac2ffa67",
    "validation": "9bb9006abf9a53b9",
    "test": "2812276b2c5167a0",
}
"""Taken before anything was trained on the data; whoever changes the data changes the figures."""


@pytest.fixture(scope="module")
def splits() -> dict[str, list[claims.Claim]]:
    return {split: list(claims.generate(split)) for split in claims.SIZES}


def test_the_bytes_are_pinned(splits):
    for split, rows in splits.items():
        text = "\n".join(f"{claim.text}\t{claim.report}" for claim in rows)
        assert hashlib.sha256(text.encode()).hexdigest()[:16] == HASHES[split], split


def test_there_are_as_many_claims_as_in_the_original_project(splits):
    assert {split: len(rows) for split, rows in splits.items()} == {
        "train": 5_289, "validation": 661, "test": 662,
    }  # fmt: skip


def test_the_test_claims_hold_combinations_that_training_has_not_seen(splits):
    seen = {claims.combination(claim) for claim in splits["train"]}
    assert seen.isdisjoint(claims.combination(claim) for claim in splits["test"])
    assert seen.isdisjoint(claims.combination(claim) for claim in splits["validation"])


def test_people_and_places_are_kept_apart(splits):
    def named(rows, label):
        return {v for claim in rows for name, v in claim.fields if name == label and v != ABSENT}

    for label in ("claimant", "location"):
        assert named(splits["train"], label).isdisjoint(named(splits["test"], label))


def test_rare_missing_and_conflicting_fields_are_there(splits):
    for rows in splits.values():
        labels = [[label for label, _ in claim.fields] for claim in rows]
        for rare in claims.RARE:
            assert 0 < sum(rare in has for has in labels) < 0.25 * len(rows)
        assert sum(any(v == ABSENT for _, v in claim.fields) for claim in rows) > 0.05 * len(rows)
        assert sum(len(set(has)) < len(has) for has in labels) > 0.03 * len(rows)


def test_every_report_is_faithful_to_its_claim(splits):
    for rows in splits.values():
        for claim in rows:
            assert faithfulness.parse(claim.text) == claim.fields
            found = faithfulness.check(claim.text, claim.report)
            assert found is not None and found.score == 1.0, (claim, found)


def test_the_template_is_worded_differently_from_the_reports(splits):
    for claim in splits["test"]:
        for sentence in template(claim.text).split(". "):
            assert sentence.rstrip(".") + "." not in claim.report
