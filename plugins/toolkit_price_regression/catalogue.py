"""The synthetic catalogue of the price-regression task.

Twelve thousand listings as marketplaces have them, made from a seed: a product of an invented
brand, with material, size, quantity, condition and extras, in many wordings, and among numbers
that have nothing to do with the price. The price follows from the goods by simple rules (a factor
per brand, material, condition and extra; a power of the size and of the quantity that belongs to
the product type) and ten per cent of noise, so the error that nobody can avoid is known.

It is finished and its fingerprint is pinned by a test: nothing in it may change to make a model
or a baseline look better or worse.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from random import Random
from typing import Any, NamedTuple

from toolkit_price_regression.catalogue_sizes import draw
from toolkit_price_regression.catalogue_words import (
    BRANDS,
    COLOURS,
    CONDITIONS,
    FEATURES,
    HOLDS_VALUE,
    MATERIALS,
    PRODUCTS,
    Product,
)

NOISE = 0.10
"""Standard deviation of the noise in the logarithm of the price."""
LOWEST, HIGHEST = 3, 999
PRICE_LEVEL = 1.4
"""What all prices are multiplied by: the currency's purchasing power."""

_WORDS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 8: "eight", 10: "ten", 12: "twelve"}
_LETTERS = "ABCDEFGHKLMNPRSTVWXZ"


class _Goods(NamedTuple):
    """What is sold, before it is put into words."""

    product: Product
    brand: str
    material: str
    colour: str
    size: str
    number: int
    condition: str
    features: tuple[str, ...]
    price: float


def generate(rows: int = 12_000, seed: int = 0) -> Iterator[dict[str, Any]]:
    """Listings with ``text``, ``price``, ``category`` and ``noise_free_price``.

    Prices are whole currency units between 3 and 999; goods that would cost less or more are drawn
    again. The same arguments give the same rows in every Python and on every machine.
    """
    random = Random(seed)
    made = 0
    while made < rows:
        goods = _draw(random)
        price = round(goods.price * math.exp(random.gauss(0.0, NOISE)))
        if not LOWEST <= price <= HIGHEST:
            continue
        made += 1
        yield {
            "text": _describe(goods, random),
            "price": float(price),
            "category": goods.product.category,
            "noise_free_price": round(goods.price, 2),
        }


def fingerprint(rows: int = 12_000, seed: int = 0) -> str:
    """The SHA-256 of the rows: equal fingerprints mean the same catalogue."""
    digest = hashlib.sha256()
    for row in generate(rows, seed):
        digest.update(json.dumps(row, sort_keys=True).encode())
        digest.update(b"\n")
    return digest.hexdigest()


def _draw(random: Random) -> _Goods:
    """Goods and their price without noise."""
    product = random.choice(PRODUCTS)
    brand = random.choice(tuple(BRANDS))
    price = PRICE_LEVEL * product.price * BRANDS[brand]
    material = ""
    if product.materials:
        factors = MATERIALS[product.materials]
        material = random.choice(tuple(factors))
        price *= factors[material]
    size = ""
    if product.size:
        value, size = draw(product.size.kind, product.size.low, product.size.high, random)
        price *= (value / product.size.reference) ** product.size.exponent
    count = random.choice(product.counts) if product.counts and random.random() < 0.65 else 1
    price *= count**product.count_exponent
    weights = [weight for weight, _, _ in CONDITIONS]
    _, factor, wordings = random.choices(CONDITIONS, weights)[0]
    price *= factor ** HOLDS_VALUE[product.category]
    condition = random.choice(wordings)
    if (
        condition == "for parts"
        and product.materials
        and product.category not in ("tools", "kitchen")
    ):
        condition = "damaged"  # nobody takes a rug apart
    if factor == 1.0 and random.random() < 0.4:
        condition = ""  # what is new often does not say so
    known = FEATURES[product.features or product.category]
    features = random.sample(known, random.choice((0, 1, 1, 1, 2)))
    for _, factor in features:
        price *= factor
    colour = random.choice(COLOURS) if random.random() < 0.6 else ""
    names = tuple(name for name, _ in features)
    return _Goods(product, brand, material, colour, size, count, condition, names, price)


def _describe(goods: _Goods, random: Random) -> str:
    """A listing in words: a headline, what it leaves out in sentences, and filler."""
    title, said = _title(goods, random)
    sentences = _facts(goods, said, random)
    sentences += _filler(goods, random, random.choice((2, 3, 3, 4)))
    random.shuffle(sentences)
    # most sellers put the headline first
    sentences.insert(0 if random.random() < 0.85 else 1, title)
    return " ".join(_capital(sentence) for sentence in sentences)


def _title(goods: _Goods, random: Random) -> tuple[str, set[str]]:
    """The headline, and the facts that stand in it."""
    said: set[str] = set()

    def tell(fact: str, chance: float) -> bool:
        if getattr(goods, fact) and random.random() < chance:
            said.add(fact)
            return True
        return False

    singular, plural = random.choice(goods.product.names)
    single = goods.number == 1
    prefixed = not single and random.random() < 0.45
    noun = plural if prefixed or singular == plural else singular
    adjectives = [goods.brand]
    if tell("colour", 0.5):
        adjectives.append(goods.colour)
    if tell("material", 0.55):
        adjectives.append(goods.material)
    if random.random() < 0.25 and "colour" not in said and "material" not in said:
        phrase = f"{noun} by {goods.brand}"
    else:
        phrase = " ".join((*adjectives, noun))
    if prefixed:
        phrase = f"{_count_before(goods.number, random)} {phrase}"
        said.add("count")
    parts = [phrase]
    if tell("size", 0.6):
        parts.append(goods.size)
    if not single and not prefixed and random.random() < 0.6:
        parts.append(_count_after(goods.number, random))
        said.add("count")
    if tell("condition", 0.3):
        if "," not in goods.condition and random.random() < 0.5:
            parts[0] = f"{goods.condition} {parts[0]}"
        else:
            parts.append(goods.condition)
    separator = random.choice((", ", ", ", " - ", " / "))
    opening = random.choice(("", "", "", "", "for sale: ", "selling my ", "offered here: "))
    if opening == "selling my " and goods.condition in ("", "factory sealed", "display model"):
        opening = ""
    return f"{opening}{separator.join(parts)}.", said


def _facts(goods: _Goods, said: set[str], random: Random) -> list[str]:
    """One sentence for each fact that the headline left out."""
    sentences = []
    if goods.size and "size" not in said:
        sentences.append(random.choice((f"Size: {goods.size}.", f"{goods.size}.",
                                        f"Dimensions / size {goods.size}.",
                                        f"This one is {goods.size}.")))  # fmt: skip
    if goods.number > 1 and "count" not in said:
        after = _count_after(goods.number, random)
        sentences.append(random.choice((f"Sold as {_article(after)}.", f"Quantity: {goods.number}.",
                                        f"You get {_word(goods.number, random)} of them.",
                                        f"The price is for {_all(goods.number, random)}."
                                        )))  # fmt: skip
    if goods.material and "material" not in said:
        sentences.append(random.choice((f"Made of {goods.material}.",
                                        f"Material: {goods.material}.")))  # fmt: skip
    if goods.colour and "colour" not in said:
        sentences.append(random.choice((f"Colour: {goods.colour}.", f"Colour {goods.colour}.",
                                        f"Comes in {goods.colour}.")))  # fmt: skip
    if goods.condition and "condition" not in said:
        sentences.append(random.choice((f"Condition: {goods.condition}.", f"{goods.condition}.",
                                        f"State of the item: {goods.condition}.")))  # fmt: skip
    if goods.features:
        sentences.append(random.choice(("", "", "Details: ")) + ", ".join(goods.features) + ".")
    return sentences


def _filler(goods: _Goods, random: Random, number: int) -> list[str]:
    """What every listing has and no price depends on."""
    other = random.choice(tuple(brand for brand in BRANDS if brand != goods.brand))
    model = "".join(random.choices(_LETTERS, k=2))
    phrases = (
        f"Delivery in {random.randint(2, 14)} days.",
        f"Ships within {random.choice((24, 48, 72))} hours.",
        f"{random.choice((6, 12, 24, 36))} month warranty.",
        f"Rated {random.randint(30, 50) / 10} by {random.randint(3, 900)} buyers.",
        f"Model {model}-{random.randint(10, 990)}.",
        f"Item number {random.randint(1000, 99999)}.",
        f"Only {random.randint(2, 40)} left in stock.",
        f"Returns accepted within {random.choice((14, 30, 60))} days.",
        f"Goes well with {other}.",
        f"Also fits {other} accessories.",
        f"Not to be confused with {other}.",
        f"More than {random.randint(2, 90) * 10} sold this year.",
        f"Design of {random.randint(2004, 2025)}.",
        "From a smoke free home.",
        "Collection in person or by post.",
        "Ask me for more pictures.",
        "Ideal as a present.",
        "Our customers love it.",
        f"Seller since {random.randint(2006, 2024)}, {random.randint(90, 100)} % positive.",
        f"Please quote reference {model}{random.randint(100, 999)}.",
    )
    return random.sample(phrases, number)


def _count_before(count: int, random: Random) -> str:
    """A quantity in front of a plural noun."""
    forms = [f"pack of {count}", f"set of {_word(count, random)}", f"box of {count}", f"{count} x",
             f"{count}", f"lot of {_word(count, random)}"]  # fmt: skip
    if count == 2:
        forms += ["pair of", "pair of", "two"]
    if count == 6:
        forms.append("half a dozen")
    if count == 12:
        forms.append("a dozen")
    return random.choice(forms)


def _count_after(count: int, random: Random) -> str:
    """A quantity behind the noun."""
    forms = [f"pack of {count}", f"{count}-pack", f"set of {_word(count, random)}",
             f"box of {count}", f"bundle of {_word(count, random)}"]  # fmt: skip
    forms.append("twin pack" if count == 2 else f"{count} pack")
    return random.choice(forms)


def _word(count: int, random: Random) -> str:
    return _WORDS.get(count, str(count)) if random.random() < 0.5 else str(count)


def _all(count: int, random: Random) -> str:
    return "both" if count == 2 else f"all {_word(count, random)}"


def _article(phrase: str) -> str:
    """``a 6-pack`` but ``an 8-pack``."""
    return f"{'an' if phrase.startswith(('8', '18')) else 'a'} {phrase}"


def _capital(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]
