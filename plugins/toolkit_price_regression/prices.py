"""Prices as shops write them, and as the model writes them.

Reading: ``$1,250.00``, ``1.250,00 €``, ``gbp 12``, ``Rs. 22,646``, ``1 250,50 zł``, ``12.5k``.
Where one value does not say whether ``1.250`` is a thousand or a decimal, its column does
(:func:`decimal_mark`).

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

EMPTY, UNREADABLE, INFINITE = "no price", "unreadable price", "infinite price"
ZERO, NEGATIVE = "price of zero", "negative price"

SYMBOLS: Mapping[str, str] = {
    "$": "$", "us$": "$", "usd": "$", "us dollar": "$", "dollar": "$", "dollars": "$", "€": "€",
    "eur": "€", "euro": "€", "euros": "€", "£": "£", "gbp": "£", "pound": "£", "pounds": "£",
    "₹": "₹", "rs": "₹", "rs.": "₹", "inr": "₹", "rupees": "₹", "zł": "zł", "pln": "zł",
    "¥": "¥", "jpy": "¥", "yen": "¥", "₽": "₽", "rub": "₽", "руб": "₽", "руб.": "₽",
    "a$": "A$", "aud": "A$", "c$": "C$", "ca$": "C$", "cad": "C$", "r$": "R$", "brl": "R$",
    "kr": "kr", "kr.": "kr", "sek": "kr", "nok": "kr", "dkk": "kr", "₩": "₩", "krw": "₩",
    "₺": "₺", "try": "₺", "tl": "₺", "kč": "Kč", "czk": "Kč", "ft": "Ft", "huf": "Ft",
    "₪": "₪", "ils": "₪", "₫": "₫", "vnd": "₫", "₴": "₴", "uah": "₴", "฿": "฿", "thb": "฿",
    "₦": "₦", "ngn": "₦", "₱": "₱", "php": "₱", "chf": "CHF", "fr.": "CHF", "cny": "CNY",
    "rmb": "CNY", "元": "CNY", "hk$": "HK$", "hkd": "HK$", "s$": "S$", "sgd": "S$",
    "nz$": "NZ$", "nzd": "NZ$", "mxn": "MXN", "zar": "ZAR", "idr": "IDR", "rp": "IDR",
    "rm": "MYR", "myr": "MYR", "aed": "AED", "sar": "SAR", "ron": "lei", "lei": "lei",
}  # fmt: skip
"""How currencies are written → how they are shown. ``$`` alone is taken as it stands."""

_MARK = "|".join(re.escape(mark) for mark in sorted(SYMBOLS, key=len, reverse=True))
_NUMBER = r"[0-9](?:[0-9.,'’ ]*[0-9])?|[.,][0-9]+"
_PRICE = re.compile(
    rf"\+?(?P<minus>[-−–]\s*)?(?P<before>{_MARK})?\s*(?P<minus2>[-−–]\s*)?(?P<number>{_NUMBER})"
    rf"(?P<round>[.,][-−–]{{1,2}})?\s*(?P<times>k|m)?\s*(?P<after>{_MARK})?",
    re.IGNORECASE,
)
_SCIENTIFIC = re.compile(r"[-+]?[0-9]*\.?[0-9]+e[-+]?[0-9]+", re.IGNORECASE)
_EMPTY = frozenset(("", "-", "–", "nan", "none", "null", "na", "n/a", "<na>", "#n/a"))
_INFINITE = frozenset(("inf", "infinity", "∞"))
_SPACES = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2009": " ", "’": "'"})


class Price(NamedTuple):
    """A readable price: positive and finite."""

    value: float
    currency: str | None


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
    text = str(value).translate(_SPACES).strip()
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
    number = _number(match["number"], decimal)
    if number is None:
        return UNREADABLE
    times = {"k": 1e3, "m": 1e6}.get((match["times"] or "").casefold(), 1.0)
    in_brackets = text.startswith("(") and text.endswith(")")  # as accountants write losses
    negative = bool(match["minus"] or match["minus2"]) or in_brackets
    mark = match["before"] or match["after"]
    currency = SYMBOLS[mark.casefold()] if mark else None
    return _judged(number * times * (-1 if negative else 1), currency)


def _judged(value: float, currency: str | None) -> Price | str:
    if value == 0:
        return ZERO
    if value < 0:
        return NEGATIVE
    try:
        value = float(value)
    except OverflowError:
        return INFINITE
    return INFINITE if math.isinf(value) else Price(value, currency)


def _number(text: str, decimal: str) -> float | None:
    """Digits with separators → a number, or ``None`` where they contradict each other."""
    marks = [mark for mark in text if mark in ".,"]
    if not marks:
        point = ""
    elif len(set(marks)) == 2:
        point = marks[-1]
        if marks.count(point) > 1:
            return None
    elif len(marks) > 1:
        point = ""  # 1.250.000: a decimal mark stands once
    else:
        point = marks[0] if _says_decimal(text, marks[0]) else decimal
    whole, _, cents = text.partition(point) if point else (text, "", "")
    if not (cents.isdigit() or not cents) or not _grouped(whole):
        return None
    digits = re.sub(r"[.,' ]", "", whole) or "0"
    return float(f"{digits}.{cents or '0'}")


def _says_decimal(text: str, mark: str) -> bool:
    """Whether the only mark must be a decimal one: not three digits behind it, or 0 before it."""
    before, _, behind = text.partition(mark)
    before = re.sub(r"[' ]", "", before)
    return len(behind) != 3 or before in ("", "0") or len(before) > 3 or before.startswith("0")


def _grouped(whole: str) -> bool:
    """Whether digits are grouped as people do: ``1,250,000``, ``1 250``, in India ``12,50,000``."""
    groups = re.split(r"[.,' ]", whole)
    if len(groups) == 1:
        return True
    if len(set(re.findall(r"[.,' ]", whole))) > 1 or not 1 <= len(groups[0]) <= 3:
        return False
    middle, last = groups[1:-1], groups[-1]
    return len(last) == 3 and (
        all(len(group) == 3 for group in middle)
        or (len(groups[0]) <= 2 and all(len(group) == 2 for group in middle))
    )


# -- a column ------------------------------------------------------------------------------------


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


def decimal_mark(values: Iterable[Any]) -> tuple[str, str]:
    """What separates decimals in a column, and a sentence where that had to be decided.

    Values that can only be read one way (``12,50``, ``1.250,00``) decide for those that cannot
    (``1.250``). Where there are none: three digits behind every dot, in a column whose other
    values are below 1,000, are thousands; else the dot is the decimal mark.
    """
    evidence: Counter[str] = Counter()
    unclear: dict[str, str] = {}
    whole_below_thousand = False
    for value in values:
        if not isinstance(value, str):
            continue
        found = re.search(_NUMBER, value.translate(_SPACES))
        text = found[0] if found else ""
        marks = set(text) & {".", ","}
        if len(marks) == 2:
            evidence[max(marks, key=text.rfind)] += 1
        elif len(marks) == 1:
            mark = marks.pop()
            if text.count(mark) > 1:
                evidence["," if mark == "." else "."] += 1
            elif _says_decimal(text, mark):
                evidence[mark] += 1
            else:
                unclear.setdefault(mark, text)
        elif text.isdigit():
            whole_below_thousand |= len(text) <= 3
    if evidence:
        mark = "." if evidence["."] >= evidence[","] else ","
        other = "," if mark == "." else "."
        if not evidence[other]:
            return mark, ""
        return mark, (
            f"prices use {mark!r} for decimals in {evidence[mark]:,} values and {other!r} in "
            f"{evidence[other]:,}; where a value does not tell, {mark!r} is taken"
        )
    if "." not in unclear:
        return ".", ""
    mark = "," if whole_below_thousand else "."
    meaning = "thousands" if mark == "," else "decimals"
    return mark, f"prices such as {unclear['.']!r} are read with the dot for {meaning}"


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
_AMOUNT = r"[0-9]+(?:[.,' ][0-9]{2,3})*(?:[.,][0-9]{1,2})?(?![0-9])"
_MENTION = re.compile(
    rf"(?:{_MONEY})\s*(?P<a>{_AMOUNT})|(?<![\w.,])(?P<b>{_AMOUNT})\s*(?:{_MONEY})"
    rf"|\bprices?(?:\s+(?:is|of|now|only))?\s*[:=]?\s*(?P<c>{_AMOUNT})",
    re.IGNORECASE,
)
MASK = "[price]"


def mask_prices(text: str) -> str:
    """A text without the amounts of money in it (``--mask-target``).

    It looks at the text alone, not at the row's price: a text whose price is to be predicted is
    masked the same way.
    """
    return _MENTION.sub(MASK, text)
