"""Numbers as people write them: separators, digits of any script, factors such as k, lakh and 億.

``1,250.00``, ``1.250,00``, ``1 250,50``, ``12,50,000``, Arabic digits and full-width ones. Where
one value does not say whether ``1.250`` is a thousand or a decimal, its column does
(:func:`decimal_mark`).
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

NUMBER = r"[0-9](?:[0-9.,'’ ]*[0-9])?|[.,][0-9]+"
"""A regular expression of digits with their separators, in a text that was :func:`folded`."""

_NUMBER = re.compile(NUMBER)

FACTORS: Mapping[str, float] = {
    **dict.fromkeys(("k", "thousand", "thousands", "tsd", "tsd.", "тыс", "тыс.", "千"), 1e3),
    **dict.fromkeys(("万", "萬", "만"), 1e4),
    **dict.fromkeys(("lakh", "lakhs", "lac", "lacs", "lkh", "लाख"), 1e5),
    **dict.fromkeys(
        ("m", "mn", "mln", "mio", "mio.", "million", "millions", "millionen", "millones",
         "milhões", "млн", "млн."), 1e6,
    ),
    **dict.fromkeys(("cr", "cr.", "crore", "crores", "करोड़"), 1e7),
    **dict.fromkeys(("億", "亿", "억"), 1e8),
    **dict.fromkeys(("b", "bn", "billion", "billions", "mrd", "mrd.", "млрд"), 1e9),
}  # fmt: skip
"""Words and letters behind a number → what they multiply it by.

``mil`` is missing: it is a thousand in Spanish and a million in English."""

_SPACES = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2009": " ", "’": "'", "٬": "'", "٫": "."})


def folded(text: str) -> str:
    """A text with ASCII digits, in which full-width signs and blanks of any width are plain ones.

    Digits of all scripts become those of ASCII (Unicode's general category Nd), so that ``١٢``,
    ``१२`` and ``１２`` are 12. Other letters and signs stay as they are.
    """
    if text.isascii():
        return text
    return "".join(map(_folded, text.translate(_SPACES)))


def _folded(sign: str) -> str:
    if sign.isascii():
        return sign
    if unicodedata.category(sign) == "Nd":
        return str(unicodedata.digit(sign))
    wide = unicodedata.east_asian_width(sign) == "F"
    return unicodedata.normalize("NFKC", sign) if wide else sign


def alternatives(words: Iterable[str]) -> str:
    """A regular expression of any of some words, the longest first."""
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


# -- one value -----------------------------------------------------------------------------------


def number(text: str, decimal: str = ".") -> float | None:
    """Digits with separators → a number, or ``None`` where they contradict each other.

    Args:
        text: digits, separators and nothing else, as :data:`NUMBER` matches them.
        decimal: ``"."`` or ``","``: what separates decimals where the value itself does not tell.
    """
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
        point = marks[0] if says_decimal(text, marks[0]) else decimal
    whole, _, cents = text.partition(point) if point else (text, "", "")
    if not (cents.isdigit() or not cents) or not _grouped(whole):
        return None
    digits = re.sub(r"[.,' ]", "", whole) or "0"
    return float(f"{digits}.{cents or '0'}")


def plain_number(value: Any) -> float | None:
    """A number that can be read in one way only, in the digits of any script; else ``None``.

    ``4``, ``-0.5``, ``1.2e-3``, ``12,5``, ``1,250.00`` and ``٤``; of ``1,250`` no one can tell.
    """
    text = folded(str(value)).strip().replace("−", "-")
    try:
        return float(text)  # as computers write it
    except ValueError:
        pass
    sign, digits = (-1, text[1:].lstrip()) if text.startswith("-") else (1, text)
    if not _NUMBER.fullmatch(digits):
        return None
    readings = {number(digits, decimal) for decimal in ".,"}
    found = readings.pop() if len(readings) == 1 else None
    return None if found is None else sign * found


def says_decimal(text: str, mark: str) -> bool:
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


def decimal_mark(values: Iterable[Any], what: str = "numbers") -> tuple[str, str]:
    """What separates decimals in a column, and a sentence where that had to be decided.

    Values that can only be read one way (``12,50``, ``1.250,00``) decide for those that cannot
    (``1.250``). Where there are none: three digits behind every dot, in a column whose other
    values are below 1,000, are thousands; else the dot is the decimal mark.

    Args:
        values: of the column; those that are no texts tell nothing.
        what: what the sentence calls them.
    """
    evidence: Counter[str] = Counter()
    unclear: dict[str, str] = {}
    whole_below_thousand = False
    for value in values:
        if not isinstance(value, str):
            continue
        found = _NUMBER.search(folded(value))
        text = found[0] if found else ""
        marks = set(text) & {".", ","}
        if len(marks) == 2:
            evidence[max(marks, key=text.rfind)] += 1
        elif len(marks) == 1:
            mark = marks.pop()
            if text.count(mark) > 1:
                evidence["," if mark == "." else "."] += 1
            elif says_decimal(text, mark):
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
            f"{what} use {mark!r} for decimals in {evidence[mark]:,} values and {other!r} in "
            f"{evidence[other]:,}; where a value does not tell, {mark!r} is taken"
        )
    if "." not in unclear:
        return ".", ""
    mark = "," if whole_below_thousand else "."
    meaning = "thousands" if mark == "," else "decimals"
    return mark, f"{what} such as {unclear['.']!r} are read with the dot for {meaning}"
