import hashlib
import json
from collections import Counter

import pytest

from toolkit_review_augmentation import wordings
from toolkit_review_augmentation.edge_cases import EDGE_CASES
from toolkit_review_augmentation.generator import Review, generate
from toolkit_review_augmentation.instructions import sentiment_of
from toolkit_review_augmentation.texts import count_tokens, sentences

# Pinned before any model was trained on these reviews: whoever changes them changes all figures.
PINNED = {
    "train": "8c4e531a80a5c747922b66bc21e1ae9f206f74cb64ea595538497349cd8c44dc",
    "validation": "3103ebcb5bb22991ba708eff2c46b350d77444e97dfca264230382103e451c25",
    "test": "bcec7e0cfeec1c30517efdfc5b98a4ed89d2444c1f6ca4f16f487ba52990cf42",
}


@pytest.fixture(scope="module")
def parts() -> dict[str, list[Review]]:
    return {part: list(generate(1500, part)) for part in wordings.PARTS}


def digest(reviews: list[Review]) -> str:
    found = hashlib.sha256()
    for r in reviews:
        facts = [r.text, r.stars, [[o.aspect, o.level] for o in r.opinions], r.category]
        found.update(json.dumps(facts, ensure_ascii=False).encode() + b"\n")
    return found.hexdigest()


def test_reviews_are_those_that_were_pinned(parts: dict[str, list[Review]]) -> None:
    assert {part: digest(reviews[:300]) for part, reviews in parts.items()} == PINNED


def test_no_sentence_and_no_product_of_the_test_is_in_training(
    parts: dict[str, list[Review]],
) -> None:
    stated = {p: {s for r in reviews for s in sentences(r.text)} for p, reviews in parts.items()}
    sold = {part: {r.product for r in reviews} for part, reviews in parts.items()}
    for one, other in (("train", "test"), ("train", "validation"), ("validation", "test")):
        assert not stated[one] & stated[other]
        assert not sold[one] & sold[other]


def test_no_wording_is_in_two_parts() -> None:
    banks = [*wordings.FRAMES.values(), *wordings.VERDICTS.values(), *wordings.PRODUCTS.values(),
             wordings.OPENINGS, wordings.FILLERS, wordings.DISTRACTORS, wordings.BRANDS,
             wordings.PEOPLE]  # fmt: skip
    for bank in banks:
        texts = [text for part in wordings.PARTS for text in bank[part]]
        assert len(texts) == len(set(texts))


def test_sentiments_have_the_shares_of_the_original_project(parts: dict[str, list[Review]]) -> None:
    counts = Counter(sentiment_of(r.stars) for r in parts["test"])
    for name, share in (("positive", 0.4), ("negative", 0.3), ("neutral", 0.3)):
        assert abs(counts[name] / 1500 - share) < 0.04


def test_the_facts_fit_the_stars(parts: dict[str, list[Review]]) -> None:
    for review in parts["train"]:
        levels = Counter(o.level for o in review.opinions)
        assert len({o.aspect for o in review.opinions}) == len(review.opinions)
        if review.stars in (1, 5):
            assert set(levels) == {"good" if review.stars == 5 else "poor"}
        elif review.stars == 3:
            assert levels["good"] == levels["poor"]


def test_every_aspect_is_named_in_the_text(parts: dict[str, list[Review]]) -> None:
    for review in parts["test"][:300]:
        names = {**wordings.ASPECTS[review.category], **wordings.COMMON}
        for opinion in review.opinions:
            assert any(name in review.text.casefold() for name in names[opinion.aspect])


def test_test_reviews_come_in_all_lengths(parts: dict[str, list[Review]]) -> None:
    lengths = [count_tokens(r.text) for r in parts["test"]]
    assert sum(n < 50 for n in lengths) > 500
    assert sum(n > 200 for n in lengths) > 80


def test_edge_cases_are_120_different_ones_of_seven_kinds() -> None:
    assert len({case.text for case in EDGE_CASES}) == 120
    assert len({case.kind for case in EDGE_CASES}) == 7
    assert {case.stars for case in EDGE_CASES} == {1, 2, 3, 4, 5}
