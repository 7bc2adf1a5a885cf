"""Advertisements and sums in which the size decides the price.

In other advertisements a model learns brands, goods and quantities long before sizes, which are
written in several tokens and units. These state little else, so that it has to use the size.
"""

from __future__ import annotations

import math
from random import Random

from examples.embedded_models.corpus_ads import (
    MARK,
    QUESTION,
    Offer,
    draw_offer,
    plural,
    write_count,
)
from examples.embedded_models.corpus_sizes import nice, plain_number, write_size
from examples.embedded_models.corpus_words import BRANDS, GOODS

SIZED = tuple(good for good in GOODS if good.unit)
_BRAND_NAMES = tuple(BRANDS)
_RATES = (("metres", "metre", 0.5, 60), ("litres", "litre", 0.3, 40), ("kilos", "kg", 0.3, 40),
          ("area", "square metre", 0.3, 9), ("grams", "100 g", 40, 2000),
          ("ml", "100 ml", 40, 2000), ("cm", "10 cm", 10, 300), ("inches", "inch", 5, 60),
          ("watts", "100 W", 20, 2500), ("gb", "100 GB", 8, 1000),
          ("mah", "1000 mAh", 500, 20000))  # fmt: skip
_UNITS = (("l", "ml", 1000), ("m", "cm", 100), ("metres", "cm", 100), ("cm", "mm", 10),
          ("kg", "g", 1000), ("TB", "GB", 1000), ("Ah", "mAh", 1000), ("inch", "cm", 2.54),
          ("ft", "cm", 30.48), ("lb", "g", 453.6), ("oz", "g", 28.35), ("kg", "lb", 2.2046),
          ("oz", "ml", 29.57), ("m", "ft", 3.2808), ("litres", "ml", 1000))  # fmt: skip


def sized(random: Random) -> str:
    """A short advertisement: brand, good, size, and the price."""
    offer = draw_offer(random, SIZED)
    while offer.condition or offer.extras or offer.pieces > 1:
        offer = draw_offer(random, SIZED)
    name = offer.good.name
    of = f"{offer.material} {name}" if offer.material else name
    text = random.choice((
        f"{offer.brand} {of}, {offer.size}.", f"{of} by {offer.brand}, {offer.size}.",
        f"{offer.size} {of} by {offer.brand}.", f"{offer.brand} {of}. Size: {offer.size}.",
        f"{of.capitalize()} - {offer.size} - {offer.brand}.",
    ))  # fmt: skip
    if random.random() < 0.6:
        return f"{QUESTION}\n\n{text}\n\nPrice is ${MARK}{offer.price}"
    return random.choice((f"{text} Price is ${MARK}{offer.price}", f"{text} ${MARK}{offer.price}",
                          f"{text}\nCost: ${MARK}{offer.price}"))  # fmt: skip


def _other_size(offer: Offer, price: float, old: float, random: Random) -> tuple[str, int]:
    """Another size of the same goods, and what they cost in it.

    Args:
        offer: the goods.
        price: what they cost in the size ``old``.
        old: a size.
        random: the generator of the other size.
    """
    good = offer.good
    new = nice(math.exp(random.uniform(math.log(good.low), math.log(good.high))))
    new = max(1.0, float(round(new))) if good.unit in ("pieces", "sheets", "persons") else new
    cost = price * (max(new, 0.1) / old) ** (1.4 * good.exponent)
    return write_size(good.unit, max(new, 0.1), random), round(cost)


def price_list(random: Random) -> str:
    """One brand's goods in several sizes, each with its price."""
    offer = draw_offer(random, tuple(good for good in SIZED if good.unit not in ("area", "gb")))
    middle = math.sqrt(offer.good.low * offer.good.high)
    lines = []
    for _ in range(random.randint(3, 6)):
        size, cost = _other_size(offer, offer.price, middle, random)
        if 1 <= cost <= 999:
            lines.append(f"{size}: ${MARK}{cost}")
    what = f"{offer.brand} {offer.good.name}"
    if random.random() < 0.5:
        return f"Prices of the {what}\n" + "\n".join(lines)
    return f"The {what} comes in these sizes. " + ", ".join(lines) + "."


def rates(random: Random) -> str:
    """A price for each unit, a size, and what the size costs."""
    while True:
        unit, name, low, high = random.choice(_RATES)
        value = math.exp(random.uniform(math.log(low), math.log(high)))
        if unit != "area":
            value = nice(value)
        if unit == "gb":
            value = min((8, 16, 32, 64, 128, 256, 500, 1000), key=lambda known: abs(known - value))
        per = float(name.split()[0]) if name[0].isdigit() else 1.0
        rate = random.choice((1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30, 50))
        total = round(rate * value / per)
        if not 1 <= total <= 999:
            continue
        size = write_size(unit, value, random)
        brand, good = random.choice(_BRAND_NAMES), random.choice(GOODS).name
        return random.choice((
            f"${rate} for each {name}, {size}: ${MARK}{total}",
            f"It costs ${rate} per {name}. {size} cost ${MARK}{total}.",
            f"{brand} {good}, ${rate} per {name}. How much are {size}?\n${MARK}{total}",
            f"At ${rate} per {name} you pay ${MARK}{total} for {size}.",
            f"{QUESTION}\n\n{brand} {good}, {size}, ${rate} per {name}.\n\nPrice is ${MARK}{total}",
        ))  # fmt: skip


def each(random: Random) -> str:
    """The price of one piece, and what a pack costs."""
    count = random.choice((2, 2, 3, 4, 5, 6, 6, 7, 8, 9, 10, 12, 15, 18, 20, 24, 30))
    price = random.randint(1, 999 // count)
    total = count * price
    brand, good = random.choice(_BRAND_NAMES), random.choice(GOODS).name
    several = write_count(count, random, before=True)
    pack = write_count(count, random, before=False)
    return random.choice((
        f"{several.capitalize()} {brand} {plural(good)} at ${price} each: ${MARK}{total}",
        f"One {good} is ${price}. {pack.capitalize()}: ${MARK}{total}.",
        f"{QUESTION}\n\n{brand} {good}, {pack}. ${price} each.\n\nPrice is ${MARK}{total}",
        f"${price} apiece, {pack}, so ${MARK}{total} in all.",
    ))  # fmt: skip


def converted(random: Random) -> str:
    """The same size in two units, both with numbers up to 999."""
    lines: list[str] = []
    while len(lines) < 3:
        large, small, factor = random.choice(_UNITS)
        value = math.exp(random.uniform(math.log(0.1), math.log(300)))
        text = plain_number(value) if value < 20 else str(round(value))
        result = round(float(text) * factor)
        if not 2 <= result <= 999 or float(text) <= 0:
            continue
        back = f"{result} {small} = {MARK}{text} {large}"
        forward = f"{text} {large} = {MARK}{result} {small}"
        whole = "." not in text and 1 <= int(text) <= 999
        lines.append(back if whole and random.random() < 0.5 else forward)
        if random.random() < 0.3:
            break
    return "\n".join(lines)
