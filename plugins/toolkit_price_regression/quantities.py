"""Quantities in product descriptions, read with regular expressions and put in base units.

``"Set of two, 1.2 x 0.8 m, 500ml"`` holds a count of 2, two lengths, an area of 0.96 m² and
a volume of 0.5 l. Units of the same dimension become comparable (27 inch is 0.6858 m), which a bag
of words cannot achieve. The parser is general on purpose: it knows units and common expressions of
a count, and nothing about any particular catalogue.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt

_UNITS: Final[dict[str, dict[str, float]]] = {
    "length": {
        "mm millimetre millimetres millimeter millimeters": 0.001,
        "cm centimetre centimetres centimeter centimeters": 0.01,
        "m metre metres meter meters": 1.0,
        'in inch inches " ″ ”': 0.0254,
        "ft foot feet ′": 0.3048,
        "yd yard yards": 0.9144,
    },
    "area": {
        "m2 m² sqm": 1.0,
        "sqft ft2 ft²": 0.09290304,
    },
    "volume": {
        "ml millilitre millilitres milliliter milliliters": 0.001,
        "cl centilitre centilitres centiliter centiliters": 0.01,
        "dl": 0.1,
        "l litre litres liter liters": 1.0,
        "floz": 0.0295735295625,
        "gal gallon gallons": 3.785411784,
    },
    "mass": {
        "mg": 1e-6,
        "g gram grams gr": 0.001,
        "kg kgs kilo kilos kilogram kilograms": 1.0,
        "oz ounce ounces": 0.028349523125,
        "lb lbs pound pounds": 0.45359237,
    },
    "storage": {
        "mb megabyte megabytes": 0.001,
        "gb gigabyte gigabytes": 1.0,
        "tb terabyte terabytes": 1000.0,
    },
    "power": {"w watt watts": 1.0, "kw kilowatt kilowatts": 1000.0},
    "voltage": {"v volt volts": 1.0},
    "charge": {"mah": 1.0, "ah": 1000.0},
    "pieces": {"piece pieces pc pcs sheet sheets page pages": 1.0},
}
"""Dimension → space-separated spellings → factor to the base unit (m, m², l, kg, GB, W, V, mAh)."""

DIMENSIONS: Final = ("count", *_UNITS)

_UNIT: Final[dict[str, tuple[str, float]]] = {
    spelling: (dimension, factor)
    for dimension, units in _UNITS.items()
    for spellings, factor in units.items()
    for spelling in spellings.split()
}
_WORDS: Final[dict[str, int]] = {
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
    "eleven": 11,
    "twelve": 12,
    "twin": 2,
    "double": 2,
    "triple": 3,
}
_PHRASES: Final[dict[str, int]] = {
    "half a dozen": 6,
    "dozen": 12,
    "a pair": 2,
    "pair of": 2,
    "pairs of": 2,
    "for both": 2,
}

# Longest spellings first, so that "mm" is not read as "m". A bare "in" is far more often the
# preposition ("2 in stock"), so it counts only where it is attached or followed by punctuation.
_SPELLINGS = "|".join(re.escape(s) for s in sorted(_UNIT, key=len, reverse=True) if s != "in")
_NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:[.,]\d+)?|\.\d+)"
_START = r"(?<![\w.,/])(?<![a-z]-)"  # not inside a word, a number or a model code such as "kn-683"
_UNIT_END = r"(?![a-z0-9²])"
_UNIT_PART = rf"(?:[\s-]?(?:{_SPELLINGS})|-?in(?=$|[^\w\s])|(?<=\d)-?in|\sin(?=\.?$|[,;.)]))"

_SINGLE = re.compile(rf"{_START}(?P<number>{_NUMBER})(?P<unit>{_UNIT_PART}){_UNIT_END}")
_PRODUCT = re.compile(
    rf"{_START}(?P<a>{_NUMBER})(?P<unit_a>{_UNIT_PART})?\s?(?:x|×|\*|by)\s?"
    rf"(?P<b>{_NUMBER})(?P<unit_b>{_UNIT_PART})?"
    rf"(?:\s?(?:x|×|\*|by)\s?(?P<c>{_NUMBER})(?P<unit_c>{_UNIT_PART})?)?{_UNIT_END}"
)
_TWO_WORDS = (
    (re.compile(r"(?<=\d)[\s-]?(?:sq\.?|square)\s?(?:ft|feet|foot)\b"), " sqft"),
    (re.compile(r"(?<=\d)[\s-]?(?:sq\.?|square)\s?(?:m|metres?|meters?)\b"), " sqm"),
    (re.compile(r"(?<=\d)[\s-]?fl(?:uid)?\.?\s?(?:oz|ounces?)\b"), " floz"),
)
_MANY = rf"(?P<number>\d{{1,3}}|{'|'.join(_WORDS)})(?![\w.,]\d|\d)"
_PACK = r"(?:pack|packs|set|box|lot|bundle|case|bag|carton|multipack)"
_NO_THINGS = r"(?:in|left|of|or|to|x|by|years?|months?|weeks?|days?|hours?|sold)"
_COUNTS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\b{_PACK} of (?:a )?{_MANY}\b",  # pack of 6
        rf"{_START}{_MANY}[\s-]?(?:pack|pk|count|ct)\b",  # 6-pack, twin pack
        rf"\b(?:quantity|qty|amount|units)(?: of|:| is|\.)*\s*{_MANY}\b",
        rf"{_START}{_MANY}\s?[x×]\s(?=[a-z])",  # 6 x plates
        r"(?<!\w)[x×](?P<number>\d{1,3})\b",  # x6
        rf"\ball\s{_MANY}\b(?=\s*(?:[.,;!]|$))",  # (the price is for) all 3
        rf"{_START}{_MANY} of (?:them|these|those)\b",
        # A sentence that starts with a number of things: "2 brass table lamps".
        rf"(?:^|[.:;]\s+){_MANY} (?!(?:{_SPELLINGS}|{_NO_THINGS})\b)(?=[a-z])",
        r"(?P<number>half a dozen|\bdozen|\bpairs? of|\ba pair\b|\bfor both)\b",
    )
)


def quantities(text: str) -> dict[str, list[float]]:
    """Dimension → its values in base units, in the order of the text; without absent dimensions.

    >>> quantities("Set of two rugs, 120 x 80 cm")
    {'count': [2.0], 'area': [0.96], 'length': [1.2, 0.8]}
    """
    lowered = text.lower()
    for pattern, unit in _TWO_WORDS:
        lowered = pattern.sub(unit, lowered)
    found: dict[str, list[float]] = {}
    if counts := _counts(lowered):
        found["count"] = counts
    rest = _PRODUCT.sub(lambda match: _take_product(match, found), lowered)
    for match in _SINGLE.finditer(rest):
        dimension, value = _measure(match["number"], match["unit"])
        if value > 0:
            found.setdefault(dimension, []).append(value)
    return found


def table(texts: Iterable[str]) -> npt.NDArray[np.float64]:
    """A row per text with two columns per dimension: first and largest value, NaN if absent.

    Shape (texts, 2 × dimensions), in the order of :data:`DIMENSIONS`.
    """
    rows = []
    for text in texts:
        found = quantities(text)
        row = []
        for dimension in DIMENSIONS:
            values = found.get(dimension, [np.nan])
            row += [values[0], max(values)]
        rows.append(row)
    return np.asarray(rows, dtype=np.float64).reshape(-1, 2 * len(DIMENSIONS))


def _counts(lowered: str) -> list[float]:
    """How many items are sold: one value per place in the text, even if several patterns match."""
    found: dict[int, float] = {}
    for pattern in _COUNTS:
        for match in pattern.finditer(lowered):
            word = match["number"]
            value = _WORDS.get(word) or _PHRASES.get(word) or int(word)
            if value > 0:
                # Keyed by the end of the match: "half a dozen" and its "dozen" are one count.
                found.setdefault(match.end("number"), float(value))
    return [found[place] for place in sorted(found)]


def _take_product(match: re.Match[str], found: dict[str, list[float]]) -> str:
    """Read ``120 x 80 cm`` into lengths and an area, ``6x500ml`` into a count and a volume."""
    sides = [(match[side], match[f"unit_{side}"]) for side in "abc" if match[side]]
    last = next((unit for _, unit in reversed(sides) if unit), None)
    if last is None:
        return match[0]
    measures = [_measure(number, unit or last) for number, unit in sides]
    values = [value for _, value in measures]
    if any(dimension != "length" or value <= 0 for dimension, value in measures):
        return _take_multiple(match, found)
    found.setdefault("area", []).append(values[0] * values[1])
    found.setdefault("length", []).extend(values)
    return " "


def _take_multiple(match: re.Match[str], found: dict[str, list[float]]) -> str:
    """Read the count of ``6x500ml`` and leave the measure to be read on its own."""
    count = match["a"]
    if match["unit_a"] or match["c"] or not count.isdigit() or int(count) == 0:
        return match[0]
    found.setdefault("count", []).append(float(count))
    return f" {match['b']}{match['unit_b']} "


def _measure(number: str, unit: str) -> tuple[str, float]:
    """A number and a unit as a dimension and a value in its base unit."""
    dimension, factor = _UNIT[unit.strip(" \t\n\r\f\v\xa0-")]
    return dimension, _value(number) * factor


def _value(number: str) -> float:
    """Parse a number: a comma before three digits separates thousands, any other is decimal."""
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", number):
        return float(number.replace(",", ""))
    return float(number.replace(",", "."))
