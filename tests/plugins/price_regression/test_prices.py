"""Prices as shops write them, and as whole numbers of a unit."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit_price_regression.prices import (
    EMPTY,
    INFINITE,
    MASK,
    NEGATIVE,
    UNREADABLE,
    ZERO,
    Price,
    choose_unit,
    common_currency,
    common_unit,
    from_number,
    mask_prices,
    of_name,
    read_price,
    to_number,
)

READABLE: dict[Any, tuple[float, str | None]] = {
    "$1,250.00": (1250.0, "$"),
    "1.250,00 €": (1250.0, "€"),
    "gbp 12": (12.0, "£"),
    "Rs. 22,646": (22646.0, "₹"),
    "₹1,25,000": (125000.0, "₹"),
    "1 250,50 zł": (1250.5, "zł"),
    "1\u00a0250,50\u202f€": (1250.5, "€"),
    "CHF 1'250.–": (1250.0, "CHF"),
    "12,-€": (12.0, "€"),
    "USD 1,250": (1250.0, "$"),
    "US$ 7": (7.0, "$"),
    "12.5k": (12500.0, None),
    "$1.2M": (1200000.0, "$"),
    "3.5 Lakh": (350000.0, None),
    "₹ 3.00 Lakh": (300000.0, "₹"),
    "4.5 lakh*": (450000.0, None),
    "2,75 lacs": (275000.0, None),
    "1.1 Cr": (11000000.0, None),
    "Rs. 1.3 Cr": (13000000.0, "₹"),
    "₹ 45 L": (4500000.0, "₹"),
    "Rs 1,299/-": (1299.0, "₹"),
    "Rs.4,50,000/-": (450000.0, "₹"),
    "MRP: ₹499": (499.0, "₹"),
    "£1,299.00 each": (1299.0, "£"),
    "$5 ea.": (5.0, "$"),
    "1200 € VB": (1200.0, "€"),
    "$1.2 million": (1200000.0, "$"),
    "2,5 Mio. €": (2500000.0, "€"),
    "3 млн ₽": (3000000.0, "₽"),
    "5万円": (50000.0, "¥"),
    "٣": (3.0, None),
    "٣٬٥٠٠ ريال": (3500.0, "SAR"),
    "٣٫٥ جنيه": (3.5, "EGP"),
    "१,२५,०००": (125000.0, None),
    "１２，５００円": (12500.0, "¥"),
    "￥1,200": (1200.0, "¥"),
    "1.250.000": (1250000.0, None),
    "0.125": (0.125, None),
    ".99": (0.99, None),
    "+3": (3.0, None),
    "1250": (1250.0, None),
    "1234.567": (1234.567, None),
    "2e3": (2000.0, None),
    "  235.0 ": (235.0, None),
    12: (12.0, None),
    2.5: (2.5, None),
    np.float64(3.25): (3.25, None),
}
REFUSED: dict[Any, str] = {
    "": EMPTY, " ": EMPTY, "-": EMPTY, "nan": EMPTY, "N/A": EMPTY, None: EMPTY, math.nan: EMPTY,
    "0": ZERO, "$0.00": ZERO, 0: ZERO, "-0": ZERO, "0 €": ZERO,
    "-5": NEGATIVE, "-$5.00": NEGATIVE, "$-5": NEGATIVE, "($5)": NEGATIVE, "−3 €": NEGATIVE,
    -1: NEGATIVE, -math.inf: NEGATIVE,
    "inf": INFINITE, "-Infinity": INFINITE, math.inf: INFINITE, "1e999": INFINITE,
    10**400: INFINITE,
    "free": UNREADABLE, "10-20": UNREADABLE, "12 or 13": UNREADABLE, "1,25,00": UNREADABLE,
    "1.2.3": UNREADABLE, "1,250.00.00": UNREADABLE, "12 parrots": UNREADABLE, "12²": UNREADABLE,
    "99¢": UNREADABLE, "1,2345,678": UNREADABLE, True: UNREADABLE, "45 L": UNREADABLE,
    "10 m²": UNREADABLE, "5 g": UNREADABLE, "1.2 mil": UNREADABLE, "3.5 lakh 2": UNREADABLE,
}  # fmt: skip


@pytest.mark.parametrize("text", READABLE, ids=str)
def test_readable(text: Any) -> None:
    assert read_price(text) == Price(*READABLE[text])


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: repr(text)[:20])
def test_refused_with_a_reason(text: Any) -> None:
    assert read_price(text) == REFUSED[text]


@given(st.integers(1, 10**11), st.sampled_from(["$", "€", "", "zł"]), st.booleans(), st.booleans())
def test_what_is_written_is_read(cents: int, mark: str, comma: bool, behind: bool) -> None:
    written = f"{cents / 100:,.2f}"
    if comma:
        written = written.translate(str.maketrans(".,", ",."))
    written = f"{written} {mark}" if behind else f"{mark}{written}"
    assert read_price(written) == Price(cents / 100, mark or None)


@given(st.text(max_size=12) | st.text("0123456789.,' -$€kR()", max_size=12))
def test_any_text_is_a_price_or_a_reason(text: str) -> None:
    price = read_price(text)
    if isinstance(price, Price):
        assert 0 < price.value < math.inf
    else:
        assert price in (EMPTY, UNREADABLE, INFINITE, ZERO, NEGATIVE)


@given(st.floats())
def test_numbers(value: float) -> None:
    assert isinstance(read_price(value), Price) == (0 < value < math.inf)


# -- columns -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("counts", "currency", "warned"),
    [({}, None, False), ({"€": 2}, "€", False), ({"$": 2, "£": 1}, None, True)],
)
def test_the_currency_of_a_column(
    counts: dict[str, int], currency: str | None, warned: bool
) -> None:
    found, note = common_currency(Counter(counts))
    assert (found, note.startswith("WARNING")) == (currency, warned)


@pytest.mark.parametrize(
    ("text", "unit"),
    [("$120/night", "night"), ("£1,200 pcm", "month"), ("€ 800 per month", "month"),
     ("$ 12 / kg", "kg"), ("$12 / piece", "")],
)  # fmt: skip
def test_what_a_price_is_for(text: str, unit: str) -> None:
    price = read_price(text)
    assert isinstance(price, Price) and price.per == unit


def test_the_units_of_a_column() -> None:
    assert common_unit(Counter({"": 9})) == ""
    assert common_unit(Counter({"month": 9})) == "prices are per month"
    assert common_unit(Counter({"month": 9, "week": 2})).startswith("WARNING")
    assert "without a unit 3" in common_unit(Counter({"month": 9, "": 3}))


@pytest.mark.parametrize(
    ("column", "currency", "times"),
    [
        ("Price_euros", "€", 1), ("price (USD)", "$", 1), ("PriceEUR", "€", 1),
        ("Preço (R$)", "R$", 1), ("price£", "£", 1), ("amount in rs", "₹", 1),
        ("Price_in_Lakhs", None, 1e5), ("price (₹ crore)", "₹", 1e7), ("price", None, 1),
        ("Sqft price", None, 1), ("try price", None, 1), ("price_k", None, 1),
        ("Crocs price", None, 1),
    ],
)  # fmt: skip
def test_what_a_columns_name_says(column: str, currency: str | None, times: float) -> None:
    found = of_name(column)
    assert (found.currency, found.times) == (currency, times)


# -- numbers -------------------------------------------------------------------------------------


def test_the_unit() -> None:
    assert choose_unit([1, 10, 500]) == 1.0
    assert choose_unit([1, 9.99, 500]) == 0.01


@pytest.mark.parametrize(
    ("price", "unit", "number"),
    [
        (0.5, 1.0, 1), (0.49, 1.0, 1), (1.5, 1.0, 2), (2.5, 1.0, 3), (999.49, 1.0, 999),
        (999.5, 1.0, 1000), (1_234, 1.0, 1_230), (1_235, 1.0, 1_240), (9_996, 1.0, 10_000),
        (22_646, 1.0, 22_600), (0.001, 0.01, 1), (1.005, 0.01, 101), (0.29, 0.01, 29),
        (12.345, 0.01, 1_230), (1e300, 1.0, 10**300),
    ],
)  # fmt: skip
def test_numbers_of_prices(price: float, unit: float, number: int) -> None:
    assert to_number(price, unit) == number


PRICES = st.floats(0.01, 1e9)
UNITS = st.sampled_from([1.0, 0.01])


@given(PRICES, UNITS)
def test_writing_a_price_loses_little(price: float, unit: float) -> None:
    number = to_number(price, unit)
    assert number >= 1
    back = from_number(number, unit)
    assert to_number(back, unit) == number, "what is written is read as itself"
    if number > 1:
        assert abs(back - price) <= max(0.5 * unit, 0.005 * price) * (1 + 1e-9)
    if number >= 1000:
        assert len(str(number).rstrip("0")) <= 3


@given(PRICES, PRICES, UNITS)
def test_dearer_is_never_written_smaller(one: float, other: float, unit: float) -> None:
    low, high = sorted((one, other))
    assert to_number(low, unit) <= to_number(high, unit)


def test_averages_of_numbers_are_prices_too() -> None:
    assert from_number(123.5, 0.01) == 1.235
    assert from_number(29, 0.01) == 0.29


# -- prices in texts -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Sofa. Price: Rs. 22,646 • deep", f"Sofa. Price: {MASK} • deep"),
        ("**$79 Special** 2 beds", f"**{MASK} Special** 2 beds"),
        ("only 12,50 € each", f"only {MASK} each"),
        ("a car for ₹ 3.5 Lakh only", f"a car for {MASK} only"),
        ("₹ 3 laptops", f"{MASK} laptops"),
        ("price 450, size 6 ft, 2 pounds", f"{MASK}, size 6 ft, 2 pounds"),
        ("buy for Rs.499 online", f"buy for {MASK} online"),
        ("27 inch, 2 euros cheaper than 30", f"27 inch, {MASK} cheaper than 30"),
        ("$5 2 packs of 1,000.", f"{MASK} 2 packs of 1,000."),
        ("size 12, 500 ml", "size 12, 500 ml"),
    ],
)
def test_masks(text: str, masked: str) -> None:
    assert mask_prices(text) == masked
