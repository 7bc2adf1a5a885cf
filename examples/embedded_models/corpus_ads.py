"""Advertisements for invented goods, with prices that follow from rules.

The rules have the usual form of prices (a factor for each brand, material, condition and extra; a
power of size and quantity), with invented goods and numbers. A model that is trained on them has
learned how to read an advertisement, but not what the goods of the price task cost.
"""

from __future__ import annotations

import math
from random import Random
from typing import NamedTuple

from examples.embedded_models.corpus_sizes import nice, write_size
from examples.embedded_models.corpus_words import (
    BRANDS,
    COLOURS,
    CONDITIONS,
    EXTRAS,
    GOODS,
    MATERIALS,
    NAMES,
    Good,
    spell,
)

MARK = "\ue000"
"""Stands before a price in the generated text, so that training finds the price's token."""

SIZE_MATTERS = 1.4
"""The exponents of sizes are multiplied by this: without it models hardly learn to use sizes."""

QUESTION = "How much does this cost to the nearest dollar?"

_BRAND_NAMES = tuple(BRANDS)
_BRAND_WEIGHTS = tuple(1 / (rank + 12) for rank in range(len(_BRAND_NAMES)))
_CONDITION_WEIGHTS = tuple(weight for weight, _, _ in CONDITIONS)
_EXTRA_NAMES = tuple(EXTRAS)
_LETTERS = "ABCDEFGHJKLMNPQRSUVWXYZ"


class Offer(NamedTuple):
    """What an advertisement offers, with its price, before it is put into words."""

    good: Good
    brand: str
    material: str
    colour: str
    size: str
    pieces: int
    condition: str
    extras: tuple[str, ...]
    price: int


def draw_offer(random: Random, goods: tuple[Good, ...] = GOODS) -> Offer:
    """A random offer with a price between 1 and 999."""
    while True:
        good = random.choice(goods)
        brand = random.choices(_BRAND_NAMES, _BRAND_WEIGHTS)[0]
        price = good.price * BRANDS[brand]
        material = colour = size = ""
        if good.materials and random.random() < 0.9:
            factors = MATERIALS[good.materials]
            material = random.choice(tuple(factors))
            price *= factors[material]
        if good.unit:
            value = math.exp(random.uniform(math.log(good.low), math.log(good.high)))
            value = max(1, round(value)) if good.unit in ("pieces", "sheets", "persons") else value
            value = nice(value) if good.unit != "area" else value
            if value <= 0:
                continue
            size = write_size(good.unit, value, random)
            price *= (value / math.sqrt(good.low * good.high)) ** (SIZE_MATTERS * good.exponent)
        pieces = 1
        if good.counted and random.random() < 0.75:
            pieces = random.choice((2, 2, 3, 3, 4, 4, 5, 6, 6, 7, 8, 9, 10, 12, 14, 15, 16, 20, 24,
                                    25, 30))  # fmt: skip
            price *= pieces ** (0.8 + 0.15 * (len(good.name) % 3) / 2)
        condition = ""
        if random.random() < 0.65:
            _, factor, wordings = random.choices(CONDITIONS, _CONDITION_WEIGHTS)[0]
            condition, price = random.choice(wordings), price * factor
        extras = tuple(random.sample(_EXTRA_NAMES, random.choice((0, 1, 1, 1, 2, 2))))
        for extra in extras:
            price *= EXTRAS[extra]
        if random.random() < 0.55:
            colour = random.choice(COLOURS)
        rounded = round(price * math.exp(random.gauss(0, 0.04)))
        if 1 <= rounded <= 999:
            return Offer(good, brand, material, colour, size, pieces, condition, extras, rounded)


def plural(noun: str) -> str:
    """The plural of a noun, by the rules of spelling."""
    if noun.endswith(("s", "x", "sh", "ch")):
        return noun if noun.endswith("s") and not noun.endswith("ss") else f"{noun}es"
    return noun[:-1] + "ies" if noun.endswith("y") and noun[-2] not in "aeo" else f"{noun}s"


def _number(count: int, random: Random) -> str:
    return spell(count) if random.random() < 0.45 else str(count)


def write_count(count: int, random: Random, before: bool) -> str:
    """A quantity before a plural noun, or on its own."""
    word = _number(count, random)
    if before:
        forms = [f"{count} x", f"{word}", f"{count}", f"set of {word}", f"pack of {word}",
                 f"box of {word}", f"lot of {word}", f"{count}x", f"bundle of {word}"]  # fmt: skip
    else:
        forms = [f"pack of {word}", f"set of {word}", f"{count}-pack", f"{count} pack",
                 f"box of {word}", f"{count} pieces", f"bag of {word}", f"bundle of {word}",
                 f"x{count}", f"{count} pcs"]  # fmt: skip
    if count == 2:
        forms += ["pair of", "a couple of", "both"] if before else ["twin pack", "as a pair"]
    if count == 3:
        forms.append("trio of" if before else "triple pack")
    if count == 6:
        forms.append("half a dozen" if before else "half dozen")
    if count in (12, 24):
        forms.append({12: "a dozen", 24: "two dozen"}[count])
    return random.choice(forms)


def describe(offer: Offer, random: Random) -> str:
    """An advertisement without its price."""
    style = random.random()
    if style < 0.2:
        return _listed(offer, random)
    told: set[str] = set()

    def tell(fact: str, value: object, chance: float) -> bool:
        if value and random.random() < chance:
            told.add(fact)
            return True
        return False

    several = offer.pieces > 1
    ahead = several and random.random() < 0.45
    noun = plural(offer.good.name) if ahead else offer.good.name
    words = [noun]
    if tell("material", offer.material, 0.5):
        words.insert(0, offer.material)
    if tell("colour", offer.colour, 0.45):
        words.insert(0, offer.colour)
    words = [*words, "by", offer.brand] if random.random() < 0.25 else [offer.brand, *words]
    if ahead:
        words.insert(0, write_count(offer.pieces, random, before=True))
        told.add("pieces")
    parts = [" ".join(words)]
    if tell("size", offer.size, 0.55):
        parts.append(offer.size)
    if several and not ahead and random.random() < 0.6:
        parts.append(write_count(offer.pieces, random, before=False))
        told.add("pieces")
    if tell("condition", offer.condition, 0.35):
        parts.append(offer.condition)
    if random.random() < 0.3:
        random.shuffle(parts)
    title = random.choice((", ", ", ", " - ", " | ", " / ", "; ")).join(parts)
    opening = random.choice(("", "", "", "To sell: ", "I have here: ", "Up for grabs: ", "Wanted? ",
                             "Today: ", "New here: ", "I am giving away "))  # fmt: skip
    sentences = _sentences(offer, told, random) + filler(offer.brand, random)
    random.shuffle(sentences)
    sentences.insert(0 if random.random() < 0.8 else 1, f"{opening}{title}.")
    return " ".join(sentence[0].upper() + sentence[1:] for sentence in sentences)


def _sentences(offer: Offer, told: set[str], random: Random) -> list[str]:
    """A sentence for each fact that the title does not state."""
    facts = []
    if offer.size and "size" not in told:
        facts.append(random.choice((f"Size {offer.size}.", f"Its size is {offer.size}.",
                                    f"{offer.size}.", f"Size: {offer.size}.",
                                    f"It has {offer.size}.")))  # fmt: skip
    if offer.pieces > 1 and "pieces" not in told:
        word = _number(offer.pieces, random)
        count = write_count(offer.pieces, random, before=False)
        facts.append(random.choice((f"There are {word} of them.", f"{word} in all.",
                                    f"It comes as {count}.", f"Number of pieces: {offer.pieces}.",
                                    f"The offer is for all {word}.", f"You will get {word}.",
                                    f"Quantity {offer.pieces}.")))  # fmt: skip
    if offer.material and "material" not in told:
        facts.append(random.choice((f"It is made from {offer.material}.", f"{offer.material}.",
                                    f"Material {offer.material}.", f"Made of {offer.material}.",
                                    f"Material: {offer.material}.")))  # fmt: skip
    if offer.colour and "colour" not in told:
        facts.append(random.choice((f"In {offer.colour}.", f"Colour: {offer.colour}.",
                                    f"The colour is {offer.colour}.")))  # fmt: skip
    if offer.condition and "condition" not in told:
        facts.append(random.choice((f"It is {offer.condition}.", f"Condition: {offer.condition}.",
                                    f"{offer.condition}.",
                                    f"State: {offer.condition}.")))  # fmt: skip
    if offer.extras:
        if random.random() < 0.5:
            facts += [f"{extra}." for extra in offer.extras]
        else:
            facts.append(random.choice(("", "Note: ", "Also: ")) + ", ".join(offer.extras) + ".")
    return facts


def _listed(offer: Offer, random: Random) -> str:
    """An advertisement as a list of fields, without its price."""
    count = str(offer.pieces) if random.random() < 0.6 else write_count(offer.pieces, random, False)
    fields = [("Brand", offer.brand), ("Material", offer.material), ("Colour", offer.colour),
              ("Size", offer.size), ("Quantity", count if offer.pieces > 1 else ""),
              ("Condition", offer.condition), ("Details", ", ".join(offer.extras))]  # fmt: skip
    random.shuffle(fields)
    fields.insert(random.choice((0, 0, 0, 3)), ("Item", offer.good.name))
    joint = random.choice(("\n", ". ", "; ", ", "))
    return joint.join(f"{name}: {value}" for name, value in fields if value) + "."


def filler(brand: str, random: Random) -> list[str]:
    """Sentences with numbers and phrases that the price does not depend on."""
    other = random.choice(_BRAND_NAMES)
    code = "".join(random.choices(_LETTERS, k=random.choice((1, 2, 2, 3))))
    phrases = (
        f"Arrives in {random.randint(1, 21)} days.",
        f"Sent within {random.choice((12, 24, 36, 48, 72))} hours.",
        f"{random.choice((3, 6, 12, 18, 24, 36, 60))} months warranty.",
        f"Stars: {random.randint(20, 50) / 10} from {random.randint(2, 950)} votes.",
        f"Type {code}-{random.randint(1, 999)}.",
        f"Reference {code}{random.randint(10, 9999)}.",
        f"Number {random.randint(100, 99999)} in our list.",
        f"{random.randint(1, 60)} in stock.",
        f"You can return it within {random.choice((7, 14, 21, 30, 60, 90))} days.",
        f"Works with {other}.",
        f"Better than {other}.",
        f"No {other} parts.",
        f"{random.randint(3, 990)} people looked at this.",
        f"From {random.randint(1975, 2025)}.",
        f"{brand} is known for its service.",
        "Pick it up or have it sent.",
        "No animals in the house.",
        "A nice gift.",
        "Write to me with any questions.",
        "Customers buy it again and again.",
        f"{random.choice(NAMES)} likes it very much.",
        f"On the market since {random.randint(1960, 2024)}.",
    )
    return random.sample(phrases, random.choice((0, 1, 1, 2, 2, 3)))


def priced(random: Random) -> str:
    """An advertisement and its price; the number follows ``MARK``."""
    offer = draw_offer(random)
    text, number = describe(offer, random), f"{MARK}{offer.price}"
    if random.random() < 0.45:
        return f"{QUESTION}\n\n{text}\n\nPrice is ${number}"
    return random.choice((
        f"{text} Price is ${number}", f"{text} Price: ${number}", f"{text}\nCost: ${number}",
        f"{text} Yours for ${number}.", f"{text} I ask ${number} for it.",
        f"{text}\n\nPrice is ${number}.", f"{text} Only ${number}.", f"{text} {number} dollars.",
        f"User: What does this cost? {text}\nAssistant: ${number}",
        f"User: {text} How much is it?\nAssistant: It costs ${number}.",
        f"Question: What is a fair price?\n{text}\nAnswer: ${number}",
        f"Estimate the price.\n\n{text}\n\nThe price is ${number}",
    ))  # fmt: skip


def several(random: Random) -> str:
    """A few advertisements in one document, as in a prompt with examples."""
    number = random.randint(2, 5)
    if random.random() < 0.7:
        shots = []
        for _ in range(number):
            offer = draw_offer(random)
            shots.append(
                f"{QUESTION}\n\n{describe(offer, random)}\n\nPrice is ${MARK}{offer.price}"
            )
        return "\n\n".join(shots)
    return "\n\n".join(priced(random) for _ in range(number))


def read_out(random: Random) -> str:
    """An advertisement, and questions on it with the answers that it contains."""
    offer = draw_offer(random)
    text = describe(offer, random)
    asked = [("How many pieces are there?", str(offer.pieces)), ("Which brand is it?", offer.brand),
             ("What is sold here?", offer.good.name)]  # fmt: skip
    if offer.pieces > 1:
        asked.append(("How many do I get?", f"{offer.pieces}, that is {spell(offer.pieces)}."))
    if offer.size:
        asked.append(("What is the size?", offer.size))
    if offer.material:
        asked.append(("What is it made of?", offer.material))
    if offer.colour:
        asked.append(("Which colour is it?", offer.colour))
    if offer.condition:
        asked.append(("What condition is it in?", offer.condition))
    chosen = random.sample(asked, random.choice((1, 2, 2, 3)))
    user, helper = random.choice((("User", "Assistant"), ("Question", "Answer"), ("Q", "A")))
    return f"{text}\n\n" + "\n".join(f"{user}: {q}\n{helper}: {a}" for q, a in chosen)


def compared(random: Random) -> str:
    """The price of the same goods in another quantity, condition or material."""
    offer = draw_offer(random)
    name, price = f"{offer.brand} {offer.good.name}", offer.price
    if offer.good.counted and random.random() < 0.5:
        count = random.randint(2, 12)
        total = round(price * count**0.87)
        if total <= 999:
            return (f"One {name} costs ${MARK}{price}. "
                    f"{write_count(count, random, before=True).capitalize()} "
                    f"{plural(offer.good.name)} of {offer.brand} cost ${MARK}{total}.")  # fmt: skip
    _, factor, wordings = random.choices(CONDITIONS, _CONDITION_WEIGHTS)[0]
    lower = max(1, round(price * factor))
    return (f"A {name} in its wrapping is ${MARK}{price}. The same {offer.good.name}, "
            f"{random.choice(wordings)}, is ${MARK}{lower}.")  # fmt: skip
