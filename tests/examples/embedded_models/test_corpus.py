"""The pre-training text: another world than the catalogue's, and repeatable."""

from __future__ import annotations

import math
import re
from random import Random

import pytest

from examples.embedded_models import corpus, corpus_ads, corpus_numbers, corpus_sizes, corpus_words
from toolkit_price_regression.catalogue_words import BRANDS, MATERIALS, PRODUCTS


@pytest.fixture(scope="module")
def sample() -> str:
    return "\n".join(corpus.plain(document) for document in corpus.documents(30_000, seed=5))


def _found(words: set[str], text: str) -> set[str]:
    return {word for word in words if re.search(rf"\b{re.escape(word)}\b", text, re.IGNORECASE)}


def test_no_brand_of_the_catalogue_occurs(sample: str) -> None:
    assert _found(set(BRANDS), sample) == set()


def test_no_product_of_the_catalogue_occurs(sample: str) -> None:
    names = {name for product in PRODUCTS for pair in product.names for name in pair}
    assert _found(names, sample) == set()


def test_no_material_of_the_catalogue_occurs(sample: str) -> None:
    assert _found({name for group in MATERIALS.values() for name in group}, sample) == set()


def test_the_text_is_repeatable_and_varied() -> None:
    once = list(corpus.documents(500, seed=1))
    assert once == list(corpus.documents(500, seed=1))
    assert len(set(once)) > 480
    assert len(corpus_words.GOODS) > 150
    assert len(corpus_words.BRANDS) > 150


def test_most_documents_have_a_number_to_be_found() -> None:
    documents = list(corpus.documents(4_000, seed=2))
    share = sum(corpus.MARK in document for document in documents) / len(documents)
    assert 0.5 < share < 0.8


def test_the_mark_stands_right_before_every_price() -> None:
    for document in corpus.documents(2_000, seed=3):
        for after in document.split(corpus.MARK)[1:]:
            digits = re.match(r"\d+", after)
            assert digits and 1 <= int(digits.group()) <= 999


def test_sums_are_right() -> None:
    random = Random(4)
    for _ in range(300):
        text = corpus_numbers.each(random)
        total = int(re.findall(rf"{corpus.MARK}(\d+)", text)[0])
        one = int(re.findall(r"\$(\d+)", text)[0])
        assert total % one == 0 and total // one >= 2


def test_conversions_are_right_to_rounding() -> None:
    random = Random(4)
    for _ in range(300):
        for line in corpus.plain(corpus_numbers.converted(random)).splitlines():
            left, right = (float(side.split()[0]) for side in line.split(" = "))
            if line.split(" = ")[0].endswith(" inch"):
                assert right == round(left * 2.54)


def test_larger_sizes_cost_more_on_a_list() -> None:
    random = Random(6)
    lists = [corpus_numbers.price_list(random) for _ in range(200)]
    litres = [
        re.findall(rf"(?<![\d.])(\d+) (?:l|litres?): \${corpus.MARK}(\d+)", text) for text in lists
    ]
    pairs = [sorted((int(a), int(b)) for a, b in found) for found in litres if len(found) > 1]
    assert pairs
    assert all(found[0][1] <= found[-1][1] for found in pairs)


def test_prices_follow_from_the_goods() -> None:
    """The brand's factor can be read off the offers: dear brands are dear."""
    random = Random(0)
    offers = [corpus_ads.draw_offer(random) for _ in range(8_000)]
    dear = [math.log(o.price) for o in offers if corpus_words.BRANDS[o.brand] > 2]
    cheap = [math.log(o.price) for o in offers if corpus_words.BRANDS[o.brand] < 0.7]
    assert sum(dear) / len(dear) > sum(cheap) / len(cheap) + 0.6


@pytest.mark.parametrize(("number", "words"), [
    (0, "zero"), (13, "thirteen"), (40, "forty"), (87, "eighty-seven"),
    (300, "three hundred"), (999, "nine hundred and ninety-nine"),
])  # fmt: skip
def test_numbers_in_words(number: int, words: str) -> None:
    assert corpus_words.spell(number) == words


@pytest.mark.parametrize(("unit", "value"), [
    ("cm", 120.0), ("inches", 27.0), ("feet", 6.0), ("metres", 2.5), ("area", 1.2), ("litres", 1.5),
    ("ml", 450.0), ("kilos", 2.4), ("grams", 500.0), ("gb", 1100.0), ("mah", 5000.0),
    ("watts", 800.0), ("pieces", 30.0), ("sheets", 40.0), ("persons", 4.0), ("mm", 45.0),
    ("lumens", 400.0),
])  # fmt: skip
def test_sizes_are_written_with_a_number_and_a_unit(unit: str, value: float) -> None:
    random = Random(1)
    written = {corpus_sizes.write_size(unit, value, random) for _ in range(60)}
    assert all(re.search(r"\d|four", text) for text in written)
    assert unit == "lumens" or len(written) > 1


@pytest.mark.parametrize(("noun", "expected"), [
    ("box", "boxes"), ("brush", "brushes"), ("puppy", "puppies"), ("toy", "toys"),
    ("binoculars", "binoculars"), ("dress", "dresses"), ("tent", "tents"),
])  # fmt: skip
def test_plurals(noun: str, expected: str) -> None:
    assert corpus_ads.plural(noun) == expected
