"""Prices as shops write them, and as the model writes them.

Reading: ``$1,250.00``, ``1.250,00 €``, ``gbp 12``, ``Rs 1,299/-``, ``₹ 3.5 Lakh``, ``1 250,50 zł``,
``12.5k``, ``£1,299.00 each``. Where one value does not say whether ``1.250`` is a thousand or a
decimal, its column does (:func:`toolkit.data.numbers.decimal_mark`); where none names a currency,
the column's name may (:func:`of_name`).

Writing: a price is a whole number of a unit, which is decided once, on the training rows: 1, or
0.01 where the median price is below 10. The number is rounded half up, is at least 1, and keeps
three significant digits from 1,000 on (1,234 is written 1230).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

from toolkit.data import columns, numbers

EMPTY, UNREADABLE, INFINITE = "no price", "unreadable price", "infinite price"
ZERO, NEGATIVE = "price of zero", "negative price"

SYMBOLS: Mapping[str, str] = {
    "$": "$", "us$": "$", "us $": "$", "usd": "$", "us dollar": "$", "us dollars": "$",
    "dollar": "$", "dollars": "$", "€": "€",
    "eur": "€", "euro": "€", "euros": "€", "£": "£", "gbp": "£", "pound": "£", "pounds": "£",
    "₹": "₹", "rs": "₹", "rs.": "₹", "inr": "₹", "rupee": "₹", "rupees": "₹", "zł": "zł",
    "pln": "zł", "¥": "¥", "jpy": "¥", "yen": "¥", "円": "¥", "₽": "₽", "rub": "₽", "руб": "₽",
    "руб.": "₽", "a$": "A$", "au$": "A$", "aud": "A$", "c$": "C$", "ca$": "C$", "cad": "C$",
    "r$": "R$", "brl": "R$", "reais": "R$",
    "kr": "kr", "kr.": "kr", "sek": "kr", "nok": "kr", "dkk": "kr", "₩": "₩", "krw": "₩",
    "원": "₩", "₺": "₺", "try": "₺", "tl": "₺", "kč": "Kč", "czk": "Kč", "ft": "Ft", "huf": "Ft",
    "₪": "₪", "ils": "₪", "₫": "₫", "vnd": "₫", "đ": "₫", "₴": "₴", "uah": "₴", "грн": "₴",
    "฿": "฿", "thb": "฿", "₦": "₦", "ngn": "₦", "₱": "₱", "php": "₱", "chf": "CHF", "fr.": "CHF",
    "cny": "CNY", "rmb": "CNY", "元": "CNY", "hk$": "HK$", "hkd": "HK$", "s$": "S$", "sgd": "S$",
    "nz$": "NZ$", "nzd": "NZ$", "mxn": "MXN", "zar": "ZAR", "idr": "IDR", "rp": "IDR",
    "rp.": "IDR", "rm": "MYR", "myr": "MYR", "aed": "AED", "درهم": "AED", "sar": "SAR",
    "ريال": "SAR", "ر.س": "SAR", "egp": "EGP", "جنيه": "EGP", "ron": "lei", "lei": "lei",
    "pkr": "PKR", "bdt": "৳", "৳": "৳", "ksh": "KES", "kes": "KES",
}  # fmt: skip
"""How currencies are written → how they are shown. ``$`` alone is taken as it stands."""

WORDS = (
    "price", "prices", "preço", "preco", "precio", "prix", "preis", "prezzo", "prijs", "cena",
    "pris", "hinta", "fiyat", "harga", "giá", "цена", "ціна", "τιμή", "ár", "preț", "価格", "价格",
    "價格", "가격", "السعر", "سعر", "कीमत",
)  # fmt: skip
"""What columns of prices are called in several languages."""

_UNITS = {
    **dict.fromkeys(("month", "mo", "mo.", "monat", "mes", "mois"), "month"),
    **dict.fromkeys(("week", "wk", "woche"), "week"),
    **dict.fromkeys(("night", "nuit", "nacht"), "night"),
    **dict.fromkeys(("day", "year", "hour", "kg", "g", "m²", "m2", "sqft", "sq ft", "sq.ft", "l",
                     "lb", "oz", "person")),
}  # fmt: skip
"""What a price may be for (``$12 / kg``), and its name where it is written in several ways."""
_SHORT_UNITS = {"pm": "month", "pcm": "month", "p.m.": "month", "pw": "week", "p.w.": "week"}

_MARK = numbers.alternatives(SYMBOLS)
# Blanks are taken possessively (*+): nothing that may follow them begins with one, and giving them
# back, to the next of ten places that take blanks, would take a power of their number of steps.
_PRICE = re.compile(
    r"(?:(?:mrp|m\.r\.p\.|price|only|now|ab|approx\.?|about|circa|ca\.|~)\s*+:?\s*+)?"
    rf"\+?(?P<minus>[-−–]\s*+)?(?P<before>{_MARK})?\s*+(?P<minus2>[-−–]\s*+)?"
    rf"(?P<number>{numbers.NUMBER})(?P<round>[.,][-−–]{{1,2}})?"
    rf"\s*+(?P<times>{numbers.alternatives(numbers.FACTORS)})?(?P<lakh>l)?"
    rf"\s*+(?P<after>{_MARK})?\s*+(?P<end>/[-−–=])?"
    r"\s*+(?P<each>each|ea\.?|only|apiece|/\s*+(?:each|pc|pcs|piece|unit|item)"
    r"|per\s++(?:piece|unit|item)|\(?(?:vb|obo|ono|negotiable)\)?)?"
    rf"\s*+(?:(?:/|per\s|a\s)\s*+(?P<per>{numbers.alternatives(_UNITS)})"
    rf"|(?P<short>{numbers.alternatives(_SHORT_UNITS)}))?\s*+\*{{0,2}}\.?",
    re.IGNORECASE,
)
_COMMON = re.compile(r"([$€£₹])?([0-9]{1,3}(?:,[0-9]{3})*|[0-9]+)\.([0-9]{2})")
"""A price that can be read in one way only, with the signs that most shops use."""
_SCIENTIFIC = re.compile(r"[-+]?(?:[0-9]++(?:\.[0-9]+)?|\.[0-9]+)e[-+]?[0-9]+", re.IGNORECASE)
_EMPTY = frozenset(("", "-", "–", "—", "nan", "none", "null", "na", "n/a", "<na>", "#n/a"))
_INFINITE = frozenset(("inf", "infinity", "∞"))


class Price(NamedTuple):
    """A readable price: positive and finite.

    Args:
        value: the amount.
        currency: as it is shown; ``None``: not named.
        per: what the amount is for, such as a month; empty: not named.
    """

    value: float
    currency: str | None
    per: str = ""


# -- one value -----------------------------------------------------------------------------------


def read_price(value: Any, decimal: str = ".") -> Price | str:
    """A price, or the reason why it is none (:data:`ZERO`, :data:`NEGATIVE`, …).

    Args:
        value: text or a number; ``None`` and NaN are no price.
        decimal: ``"."`` or ``","``: what separates decimals where the value itself does not tell.
    """
    if value is None:
        return EMPTY
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return EMPTY if isinstance(value, float) and math.isnan(value) else _judged(value, None)
    text = numbers.folded(str(value)).strip()
    if text.isdecimal():  # the commonest, and many times as fast
        return _judged(float(text), None)
    if common := _COMMON.fullmatch(text):  # as shops write it; for speed, as above
        mark, whole, cents = common.groups()
        amount = float(f"{whole.replace(',', '')}.{cents}")
        return _judged(amount, SYMBOLS[mark] if mark else None)
    plain = text.casefold().lstrip("+-−")
    if plain in _EMPTY:
        return EMPTY
    if plain in _INFINITE:
        return INFINITE
    if _SCIENTIFIC.fullmatch(text):
        return _judged(float(text), None)
    match = _PRICE.fullmatch(text.strip("()")) or _PRICE.fullmatch(text)
    if match is None:
        return UNREADABLE
    found = numbers.number(match["number"], decimal)
    mark = match["before"] or match["after"]
    currency = SYMBOLS[mark.casefold()] if mark else None
    if found is None or (match["lakh"] and currency != "₹"):
        return UNREADABLE  # "45 L" is 45 lakh beside a rupee, and litres elsewhere
    times = 1e5 if match["lakh"] else numbers.FACTORS.get((match["times"] or "").casefold(), 1.0)
    in_brackets = text.startswith("(") and text.endswith(")")  # as accountants write losses
    negative = bool(match["minus"] or match["minus2"]) or in_brackets
    unit = (match["per"] or match["short"] or "").casefold()
    amount = round(found * times, 6) if times > 1 else found  # 1.1 × 10⁷ is not 11000000.000000002
    return _judged(-amount if negative else amount, currency, _unit_name(unit))


def _unit_name(unit: str) -> str:
    return _SHORT_UNITS.get(unit) or _UNITS.get(unit) or unit


def _judged(value: float, currency: str | None, per: str = "") -> Price | str:
    if value == 0:
        return ZERO
    if value < 0:
        return NEGATIVE
    try:
        value = float(value)
    except OverflowError:
        return INFINITE
    return INFINITE if math.isinf(value) else Price(value, currency, per)


# -- a column ------------------------------------------------------------------------------------


class Named(NamedTuple):
    """What a column's name says of its prices.

    Args:
        currency: as it is shown; ``None``: the name has none.
        times: what plain numbers are multiplied by, as in ``Price_in_Lakhs``.
        word: how the name says so.
    """

    currency: str | None
    times: float = 1.0
    word: str = ""


_IN_NAMES = frozenset(FACTOR for FACTOR in numbers.FACTORS if len(FACTOR) > 2) | {"cr"}


def of_name(column: str) -> Named:
    """The currency and the factor in a column's name: ``Price_euros``, ``price_in_lakh``."""
    words = columns.plain(numbers.folded(column)).split()
    signs = [sign for sign in SYMBOLS if not sign.isalnum() and sign in column.casefold()]
    named = [SYMBOLS[word] for word in words if word in SYMBOLS and word not in ("try", "ft")]
    currency = SYMBOLS[max(signs, key=len)] if signs else next(iter(named), None)
    word = next((word for word in words if word in _IN_NAMES), "")
    return Named(currency, numbers.FACTORS.get(word, 1.0), word)


def common_currency(counts: Counter[str]) -> tuple[str | None, str]:
    """The one currency that a column's prices name, and a warning where they name several.

    Args:
        counts: each currency, as it is shown → how many prices name it.
    """
    if len(counts) <= 1:
        return next(iter(counts), None), ""
    named = ", ".join(f"{name} {count:,}" for name, count in counts.most_common())
    return None, (
        f"WARNING: prices are in several currencies ({named}) and are compared as plain "
        "numbers; convert them to one currency first"
    )


def common_unit(counts: Counter[str]) -> str:
    """A sentence on what the prices of a column are for; empty where none says it.

    Args:
        counts: each unit (``month``; empty: none) → the prices that name it.
    """
    named = ", ".join(f"per {name} {count:,}" for name, count in counts.most_common() if name)
    if len(counts) > 1:
        plain = f", without a unit {counts['']:,}" if counts[""] else ""
        return (
            f"WARNING: prices are for different units ({named}{plain}) and are compared as plain "
            "numbers; convert them to one unit first"
        )
    return f"prices are {named.rpartition(' ')[0]}" if named else ""


# -- the number the model writes -------------------------------------------------------------------


def choose_unit(prices: Iterable[float]) -> float:
    """What one counts in: 1 where the median price is at least 10, else 0.01 (cents)."""
    import numpy as np

    return 1.0 if float(np.median(np.fromiter(prices, dtype=np.float64))) >= 10 else 0.01


def to_number(price: float, unit: float) -> int:
    """The whole number that stands for a price: rounded half up, at least 1.

    From 1,000 on three significant digits are kept: more are not to be had from a description.
    """
    units = Decimal(repr(float(price))) / Decimal(repr(unit))
    step = Decimal(1).scaleb(max(units.adjusted() - 2, 0))
    number = (units / step).quantize(Decimal(1), ROUND_HALF_UP) * step
    return max(int(number), 1)


def from_number(number: float, unit: float) -> float:
    """The price that a number stands for; also for averages of numbers, which are not whole."""
    return float(Decimal(repr(float(number))) * Decimal(repr(unit)))


# -- prices in texts -------------------------------------------------------------------------------

# Narrower than in a column of prices: in a text "6 ft" is a length and "2 pounds" a weight.
_MONEY = r"[$€£₹¥₩₽₺₫₴฿₪]|\b(?:usd|eur|gbp|inr|chf|rs\.?|euros?|dollars?|rupees?)(?![a-z])"
_AMOUNT = (
    r"[0-9]++(?:[.,' ][0-9]{2,3}){0,8}(?:[.,][0-9]{1,2})?(?![0-9])"
    r"(?:\s*+(?:k|m|mn|bn|lakhs?|lacs?|cr|crores?|thousand|million|billion)\b)?"
)
_MENTION = re.compile(
    rf"(?:{_MONEY})\s*+(?P<a>{_AMOUNT})|(?<![\w.,])(?P<b>{_AMOUNT})\s*+(?:{_MONEY})"
    rf"|\bprices?(?:\s++(?:is|of|now|only))?\s*+[:=]?\s*+(?P<c>{_AMOUNT})",
    re.IGNORECASE,
)
MASK = "[price]"


def mask_prices(text: str) -> str:
    """A text without the amounts of money in it (``--mask-target``).

    It looks at the text alone, not at the row's price: a text whose price is to be predicted is
    masked the same way.
    """
    return _MENTION.sub(MASK, text)
