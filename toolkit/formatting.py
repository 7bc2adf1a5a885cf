"""Figures as texts for people, written the same in the verdict, the report and the terminal."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

TRAINED = {"adapter": "adapter", "full": "trained model"}
"""Role of a trained system → its name in a sentence."""

NOTHING = "–"
"""What stands for a figure that does not exist."""


def is_number(value: Any) -> bool:
    """Whether a value is a Python number and no truth value."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def number(value: Any, spec: str = "") -> str:
    """A number with a real minus sign; an en dash for one that does not exist."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return NOTHING
    text = format(value, spec or guessed_spec(value))
    if text.startswith("-"):
        text = "−" + text[1:] if text.strip("-0.,%") else text[1:]
    return text


def guessed_spec(value: float) -> str:
    """A format spec for a number that has none: about three digits, thousands grouped."""
    if isinstance(value, int) or abs(value) >= 1000 or float(value).is_integer():
        return ",.0f"
    size = abs(value)
    return ",.1f" if size >= 100 else ".1f" if size >= 10 else ".2f" if size >= 1 else ".3f"


def with_unit(text: str, unit: str) -> str:
    """A no-break space keeps figure and unit on one line."""
    return f"{text}\u00a0{unit}" if unit and text != NOTHING else text


def figure(value: Any, spec: str, unit: str = "") -> str:
    """A figure with its unit, such as ``19.3 $``."""
    return with_unit(number(value, spec), unit)


def span(low: Any, high: Any, spec: str) -> str:
    """``3.0 to 5.2``; an en dash where there is no interval."""
    if number(low, spec) == number(high, spec) == NOTHING:
        return NOTHING
    return f"{number(low, spec)} to {number(high, spec)}"


def finer(spec: str, *values: float) -> str:
    """A format spec with up to four decimals more, so that only zero is written as zero."""
    parts = re.fullmatch(r"(.*\.)(\d+)([f%])", spec)
    small = min((abs(v) for v in values if v and math.isfinite(v)), default=None)
    if parts is None or small is None:
        return spec
    head, decimals, kind = parts.groups()
    needed = -math.floor(math.log10(small * (100 if kind == "%" else 1)))
    return f"{head}{min(max(int(decimals), needed), int(decimals) + 4)}{kind}"


def signed(value: Any, spec: str, unit: str = "") -> str:
    """A difference, with its sign even when positive."""
    text = number(value, spec)
    plus = "" if text == NOTHING or text.startswith("−") or value == 0 else "+"
    return with_unit(plus + text, unit)


def signed_span(low: Any, high: Any, spec: str) -> str:
    """``−1.0 to +5.2``; an en dash where there is no interval."""
    if number(low, spec) == number(high, spec) == NOTHING:
        return NOTHING
    return f"{signed(low, spec)} to {signed(high, spec)}"


def p_value(p: float) -> str:
    """A p-value with about two significant digits; ``< 0.001`` where it would look like zero."""
    if not math.isfinite(p):
        return NOTHING
    return "< 0.001" if p < 0.001 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def p_equals(p: float) -> str:
    """``p = 0.012``, ``p < 0.001``."""
    text = p_value(p)
    return f"p {text}" if text.startswith("<") else f"p = {text}"


def in_sentence(label: str) -> str:
    """A label inside a sentence: lower-case unless it begins with an abbreviation."""
    return label[:1].lower() + label[1:] if label[1:2].islower() else label


def count(n: int, noun: str) -> str:
    """``1 row``, ``1,200 rows``."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def grouped_rows(n: int, groups: int | None, noun: str = "row") -> str:
    """``1,200 rows``, or ``1,200 rows of 240 groups`` where rows share groups."""
    return count(n, noun) + (f" of {count(groups, 'group')}" if groups is not None else "")


def grouped_units(n: int, groups: int | None, noun: str = "row") -> str:
    """What counts as independent: ``240 groups``, or ``1,200 rows`` where there are no groups."""
    return count(n, noun) if groups is None else count(groups, "group")


def about(n: int) -> str:
    """A number of rows, rounded up to two digits because an estimate is no more exact."""
    size = 10 ** max(0, len(str(n)) - 2)
    return f"{math.ceil(n / size) * size:,}"


def duration(seconds: float | None) -> str:
    """``4.2 s``, ``2 min 05 s``, ``1 h 02 min``."""
    if seconds is None:
        return NOTHING
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def sentence(text: str) -> str:
    """A text with a capital letter and a full stop.

    An option or a name of code at its start (``--text``, ``panel_data``) is kept.
    """
    text = text.strip()
    first = text.partition(" ")[0]
    if not (first.startswith("-") or "_" in first):
        text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?", "…")) or not text else text + "."


def clipped(text: str, longest: int) -> str:
    """A text of at most ``longest`` characters; where it is cut, the last one is an ellipsis."""
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


_FORMULAS = tuple("=+-@\t\r\n＝＋－＠")


def spreadsheet_cell(text: str) -> str:
    """A text for a cell of a CSV file that spreadsheets do not read as a formula.

    The characters are those of OWASP's page on CSV injection, full-width ones among them.
    """
    return f"'{text}" if text.startswith(_FORMULAS) else text


def rows_named(rows: Sequence[Any], most: int = 5) -> str:
    """``row 3`` or ``rows 3, 5, …``: the numbers of rows, the first few by name."""
    listed = ", ".join(str(row) for row in rows[:most]) + (", …" if len(rows) > most else "")
    return f"row{'' if len(rows) == 1 else 's'} {listed}"


def differing(one: str, other: str, most: int = 50) -> tuple[str, str]:
    """Two texts where they first differ, each cut to ``most`` characters."""
    at = next(
        (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
        min(len(one), len(other)),
    )
    start = max(0, at - most // 3)
    return one[start : start + most], other[start : start + most]


def grouped(reasons: Mapping[str, str]) -> list[tuple[str, list[str]]]:
    """Reasons, each with the names that have it, in the order of the names."""
    found: dict[str, list[str]] = {}
    for name, reason in reasons.items():
        found.setdefault(reason, []).append(name)
    return list(found.items())
