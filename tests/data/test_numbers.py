"""Numbers as people write them, in one value and in a column."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.data.numbers import FACTORS, NUMBER, decimal_mark, folded, number, plain_number

SCRIPTS = (
    "٠١٢٣٤٥٦٧٨٩",
    "۰۱۲۳۴۵۶۷۸۹",
    "०१२३४५६७८९",
    "০১২৩৪৫৬৭৮৯",
    "๐๑๒๓๔๕๖๗๘๙",
    "０１２３４５６７８９",
)


@pytest.mark.parametrize("digits", SCRIPTS)
def test_digits_of_any_script(digits: str) -> None:
    assert folded(digits) == "0123456789"
    assert plain_number(digits[4:7]) == 456


def test_other_letters_and_signs_stay() -> None:
    assert folded("Café 12² ½ ₹ ★☆") == "Café 12² ½ ₹ ★☆"
    assert folded("１，２５０．５０\u00a0￥") == "1,250.50 ¥"


@given(st.integers(0, 10**12), st.sampled_from(SCRIPTS))
def test_a_number_in_any_script_is_that_number(value: int, digits: str) -> None:
    written = str(value).translate(str.maketrans("0123456789", digits))
    assert number(folded(written)) == plain_number(written) == value


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("4", 4.0), ("-0.5", -0.5), ("−3", -3.0), ("1.2e-3", 1.2e-3), ("12,5", 12.5),
        (" 4.0 ", 4.0),
        ("1,250.00", 1250.0), ("1.250,00", 1250.0), ("1 250 000", 1250000.0), (True, None),
        ("1,250", None), ("4/5", None), ("", None), ("12 €", None), ("1.2.3", None),
    ],
)  # fmt: skip
def test_a_number_that_can_be_read_in_one_way_only(text: Any, found: float | None) -> None:
    assert plain_number(text) == found


@given(st.floats(allow_nan=False))
def test_what_computers_write_is_read(value: float) -> None:
    found = plain_number(repr(value))
    assert found == value or (found is not None and math.isinf(value))


def test_factors_grow_with_their_words() -> None:
    assert FACTORS["k"] < FACTORS["万"] < FACTORS["lakh"] < FACTORS["mn"] < FACTORS["crore"]
    assert "mil" not in FACTORS, "a thousand in Spanish, a million in English"
    assert NUMBER


@pytest.mark.parametrize(
    ("values", "mark", "said"),
    [
        (["1.250", "12,50"], ",", False),
        (["1.250", "1.250.000"], ",", False),
        (["1.250", "12.5"], ".", False),
        (["1,250", "980"], ".", False),
        (["1.250 €", "980 €", "2.400 €"], ",", True),
        (["1.459", "1.389"], ".", True),
        (["12.50", "13.50", "7,5"], ".", True),
        (["235.0", None, 3], ".", False),
    ],
)
def test_the_column_decides_what_a_dot_is(values: list[object], mark: str, said: bool) -> None:
    found, note = decimal_mark(values)
    assert (found, bool(note)) == (mark, said)
