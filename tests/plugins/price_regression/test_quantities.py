"""Quantities are read in every unit, and no text breaks the parser."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit_price_regression.quantities import DIMENSIONS, quantities, table

UNITS = [
    ("mm", "length", 0.001),
    ("cm", "length", 0.01),
    ("m", "length", 1.0),
    ("inch", "length", 0.0254),
    ("ft", "length", 0.3048),
    ("ml", "volume", 0.001),
    ("cl", "volume", 0.01),
    ("litres", "volume", 1.0),
    ("g", "mass", 0.001),
    ("kg", "mass", 1.0),
    ("lb", "mass", 0.45359237),
    ("oz", "mass", 0.028349523125),
    ("GB", "storage", 1.0),
    ("TB", "storage", 1000.0),
    ("W", "power", 1.0),
    ("kW", "power", 1000.0),
    ("volt", "voltage", 1.0),
    ("mAh", "charge", 1.0),
    ("Ah", "charge", 1000.0),
]
TENTHS = st.integers(1, 9_999).map(lambda n: n / 10)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pack of 6 plates", {"count": [6]}),
        ("plates, 6-pack", {"count": [6]}),
        ("Twin pack", {"count": [2]}),
        ("set of four chairs", {"count": [4]}),
        ("Quantity: 12.", {"count": [12]}),
        ("6 x plant pots", {"count": [6]}),
        ("2 brass table lamps", {"count": [2]}),
        ("For sale: three oak chairs", {"count": [3]}),
        ("The price is for both.", {"count": [2]}),
        ("Half a dozen chairs", {"count": [6]}),
        ("A pair of shoes", {"count": [2]}),
        ("You get three of them.", {"count": [3]}),
        ('27" monitor', {"length": [0.6858]}),
        ("15.6-inch screen", {"length": [0.39624]}),
        ("width: 27 in.", {"length": [0.6858]}),
        ("1,5 l", {"volume": [1.5]}),
        ("1,250 ml", {"volume": [1.25]}),
        ("16 fl oz", {"volume": [0.473176473]}),
        ("500 sq ft", {"area": [46.45152]}),
        ("69-piece", {"pieces": [69]}),
        ("120 x 80 cm", {"area": [0.96], "length": [1.2, 0.8]}),
        ("8 ft by 10 ft", {"area": [7.4322432], "length": [2.4384, 3.048]}),
        ("3 x 2 x 1 m", {"area": [6], "length": [3, 2, 1]}),
        ("6x500ml", {"count": [6], "volume": [0.5]}),
        # These look like quantities and are none.
        ("Only 2 in stock. 5 left.", {}),
        ("Model KN-683 m", {}),
        ("Design of 2021. 12 month warranty.", {}),
        ("mp3 player", {}),
        ("0 kg", {}),
        ("", {}),
    ],
)
def test_quantities_of_a_text(text: str, expected: dict[str, list[float]]) -> None:
    found = quantities(text)
    assert found.keys() == expected.keys()
    for dimension, values in expected.items():
        assert found[dimension] == pytest.approx(values)


@given(number=TENTHS, unit=st.sampled_from(UNITS), joint=st.sampled_from(["", " ", "-"]))
def test_every_unit_is_put_in_its_base_unit(
    number: float, unit: tuple[str, str, float], joint: str
) -> None:
    spelling, dimension, factor = unit
    found = quantities(f"A fine thing, {number}{joint}{spelling}, as new.")
    assert found == {dimension: pytest.approx([number * factor])}


@given(number=TENTHS, unit=st.sampled_from(UNITS))
def test_case_does_not_matter(number: float, unit: tuple[str, str, float]) -> None:
    text = f"thing of {number} {unit[0]}"
    assert quantities(text.upper()) == quantities(text.lower())


@given(count=st.integers(1, 999))
def test_all_expressions_of_a_count_give_the_same(count: int) -> None:
    texts = [f"pack of {count}", f"{count}-pack", f"{count} pack", f"lot of {count}", f"x{count}"]
    assert {tuple(quantities(text)["count"]) for text in texts} == {(count,)}


@given(a=TENTHS, b=TENTHS, by=st.sampled_from(["x", " x ", " by ", "×"]))
def test_area_is_the_product_of_the_lengths(a: float, b: float, by: str) -> None:
    found = quantities(f"rug, {a}{by}{b} cm")
    assert found["length"] == pytest.approx([a / 100, b / 100])
    assert found["area"] == pytest.approx([a * b / 10_000])


@given(st.text(max_size=200) | st.text("0123456789.,x/- mcinl\"'", max_size=60))
def test_any_text_gives_positive_finite_values(text: str) -> None:
    for dimension, values in quantities(text).items():
        assert dimension in DIMENSIONS
        assert values
        assert all(math.isfinite(value) and value > 0 for value in values)


def test_table_has_first_and_largest_and_nan_where_absent() -> None:
    rows = table(["1 m cable, 27 inch screen", "nothing"])
    length = 2 * DIMENSIONS.index("length")
    assert rows.shape == (2, 2 * len(DIMENSIONS))
    assert rows[0, length : length + 2] == pytest.approx([1.0, 1.0])
    assert np.isnan(rows[1]).all()
    assert table([]).shape == (0, 2 * len(DIMENSIONS))
