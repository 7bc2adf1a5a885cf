"""Read the answers of a file's cell, and find each one's position in its context.

Positions are counted in characters (Unicode code points) from 0, as in SQuAD.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

NEARBY: Final = 100
"""An answer is searched for within this many characters of its stated start."""

Given = tuple[str, int | None]
"""An answer as the file gives it: its text, and its start, or ``None`` if the file gives none."""


MOVED: Final = "answers are moved to where their text stands"
REWRITTEN: Final = "answers are written as their context has them"


@dataclass(frozen=True)
class Aligned:
    """An answer at its position in its context.

    Args:
        text: the answer as the context has it: ``context[start : start + len(text)]``.
        start: position of its first character.
        mended: what was corrected in the file's text or start, in words; empty if nothing was.
        kind: :data:`MOVED` or :data:`REWRITTEN`, where something was corrected.
    """

    text: str
    start: int
    mended: str = ""
    kind: str = ""


def answers_of(value: Any, start: Any = None) -> list[Given]:
    """Read the answers of a cell; empty texts are left out.

    Args:
        value: ``{"text": […], "answer_start": […]}``, a list of ``{"text", "answer_start"}`` or
            of texts, one text, any of these written as JSON or as Python, or ``None``.
        start: the start of a single text, from a column of its own.

    Raises:
        ValueError: the value has none of these forms; the message quotes it.
    """
    if isinstance(value, str):
        value = _parsed(value)
    if value is None:
        return []
    if isinstance(value, str):
        return [(value, _number(start))] if value.strip() else []
    if isinstance(value, Mapping):
        value = _columns(value)
    if not isinstance(value, list):
        raise ValueError(f"{value!r:.40} is no answer: give a text, or text with answer_start")
    answers = [_one(item) for item in value]
    return [(text, at) for text, at in answers if text.strip()]


def _parsed(cell: str) -> Any:
    """Parse a list or dict, written as JSON or as Python prints it; other cells stay text."""
    if not re.match(r"\s*[\[{]", cell):
        return cell
    for read in (json.loads, ast.literal_eval):
        try:
            value = read(cell)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(value, list | dict):
            return value
    return cell


def _columns(value: Mapping[str, Any]) -> list[Any]:
    """``{"text": […], "answer_start": […]}`` as a list with one dict for each answer."""
    texts, starts = value.get("text"), value.get("answer_start")
    if texts is None and "text" not in value:
        raise ValueError(f"an object with {', '.join(map(repr, value)) or 'nothing'} has no 'text'")
    texts = [texts] if isinstance(texts, str) else list(texts or [])
    starts = [starts] if isinstance(starts, int) else list(starts or [None] * len(texts))
    if len(texts) != len(starts):
        raise ValueError(f"{len(texts)} texts have {len(starts)} starts")
    return [{"text": text, "answer_start": at} for text, at in zip(texts, starts, strict=True)]


def _one(item: Any) -> Given:
    """One item of a list of answers."""
    if isinstance(item, str):
        return item, None
    if isinstance(item, Mapping) and isinstance(item.get("text"), str):
        return item["text"], _number(item.get("answer_start"))
    raise ValueError(f"{item!r:.40} is no answer: give a text, or text with answer_start")


def _number(value: Any) -> int | None:
    """A start as a whole number; ``None`` for an empty cell."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"the answer's start is {value!r:.40}, not a whole number") from None
    if number != int(number) if abs(number) < 1e15 else True:
        raise ValueError(f"the answer's start is {value!r:.40}, not a whole number")
    return int(number)


def align(context: str, text: str, start: int | None) -> Aligned | None:
    """Find an answer in its context.

    The stated place comes first: exactly, then with another case, other white space or without
    the blanks at the answer's ends. An answer that does not stand there is moved to the nearest
    occurrence within :data:`NEARBY` characters, or else to the only one in the context; exact
    occurrences go before those that differ in case or white space. Without a start, the first
    occurrence is taken.

    Returns:
        The answer at its position, or ``None`` if there is no such occurrence.
    """
    if start is None:
        exact = context.find(text)
        if exact >= 0:
            return Aligned(text, exact)
        similar = _occurrences(context, text)
        return _rewritten(similar[0], text) if similar else None
    if 0 <= start <= len(context) and context.startswith(text, start):
        return Aligned(text, start)
    if there := _at_place(context, text, start):
        return _rewritten(there, text)
    exact_ones = [Aligned(text, m.start()) for m in re.finditer(re.escape(text), context)]
    for found in (exact_ones, _occurrences(context, text)):
        best = _best(found, start)
        if best is not None:
            return replace(best, mended=f"answer_start {start} → {best.start}", kind=MOVED)
    return None


def _at_place(context: str, text: str, start: int) -> Aligned | None:
    """The answer at its stated place, but for case, white space and the blanks at its ends."""
    pattern = _pattern(text)
    if pattern is None or not 0 <= start < len(context):
        return None
    blanks_before = len(text) - len(text.lstrip())
    there = context[start:]
    blanks_there = len(there) - len(there.lstrip())
    for at in dict.fromkeys((start, start + blanks_there, start + blanks_before)):
        if at - start <= max(blanks_before, blanks_there) and (found := pattern.match(context, at)):
            return Aligned(found[0], at)
    return None


def _best(found: Sequence[Aligned], start: int) -> Aligned | None:
    """The nearest of some occurrences, or the only one."""
    near = [one for one in found if abs(one.start - start) <= NEARBY]
    if near:
        return min(near, key=lambda one: abs(one.start - start))
    return found[0] if len(found) == 1 else None


def _rewritten(answer: Aligned, text: str) -> Aligned:
    mended = f"'{_short(text)}' → '{_short(answer.text)}'"
    return replace(answer, mended=mended, kind=REWRITTEN)


def _occurrences(context: str, text: str) -> list[Aligned]:
    """All occurrences of a text, ignoring case and differences in white space."""
    pattern = _pattern(text)
    return [Aligned(m[0], m.start()) for m in pattern.finditer(context)] if pattern else []


def _pattern(text: str) -> re.Pattern[str] | None:
    words = text.split()
    return re.compile(r"\s+".join(map(re.escape, words)), re.IGNORECASE) if words else None


def problem(context: str, text: str, start: int | None) -> str:
    """Describe why an answer could not be found at its stated start."""
    if start is None:
        return f"'{_short(text)}' does not stand in the context"
    there = context[start : start + len(text)] if 0 <= start < len(context) else ""
    points = f"at '{_short(there)}'" if there else f"outside the context of {len(context)}"
    if there and _short(there) == _short(text):  # they differ behind what is shown
        at = next((n for n, (a, b) in enumerate(zip(there, text, strict=False)) if a != b), 0)
        cut = slice(max(0, at - 15), at + 15)
        points, text = f"at '…{_short(there[cut])}…'", f"…{text[cut]}…"
    return f"answer_start {start} points {points}, not at '{_short(text)}'"


def _short(text: str) -> str:
    """A text for a message; blanks at its ends are shown as ``␣``, others as one blank."""
    before = len(text) - len(text.lstrip())
    after = len(text) - len(text.rstrip()) if text.strip() else 0
    middle = " ".join(text.split())
    middle = middle if len(middle) <= 40 else f"{middle[:39]}…"
    return "␣" * before + middle + "␣" * after
