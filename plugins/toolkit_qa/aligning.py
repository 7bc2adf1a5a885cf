"""Read the answers of a file's cell, and find each one's position in its context.

Positions are counted in characters (Unicode code points) from 0, as in SQuAD.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

NEARBY: Final = 100
"""An answer is searched for within this many characters of its stated start."""

Given = tuple[str, int | None]
"""An answer as the file gives it: its text, and its start, or ``None`` if the file gives none."""


@dataclass(frozen=True)
class Aligned:
    """An answer at its position in its context.

    Args:
        text: the answer as the context has it: ``context[start : start + len(text)]``.
        start: position of its first character.
        mended: what was corrected in the file's text or start, in words; empty if nothing was.
    """

    text: str
    start: int
    mended: str = ""


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

    Without a start, the first occurrence is taken. A start that does not match is corrected to the
    nearest occurrence within :data:`NEARBY` characters, or else to the only one in the context.
    Where no occurrence is exact, case and white space may differ.

    Returns:
        The answer at its position, or ``None`` if there is no such occurrence.
    """
    if start is None:
        exact = context.find(text)
        if exact >= 0:
            return Aligned(text, exact)
        similar = _occurrences(context, text)
        return _mended(similar[0], f"'{_short(text)}' is written otherwise") if similar else None
    if 0 <= start <= len(context) and context.startswith(text, start):
        return Aligned(text, start)
    found = [Aligned(text, m.start()) for m in re.finditer(re.escape(text), context)]
    found = found or _occurrences(context, text)
    near = [one for one in found if abs(one.start - start) <= NEARBY]
    if near:
        best = min(near, key=lambda one: abs(one.start - start))
    elif len(found) == 1:
        best = found[0]
    else:
        return None
    return _mended(best, f"answer_start {start} → {best.start}")


def _mended(answer: Aligned, correction: str) -> Aligned:
    return Aligned(answer.text, answer.start, correction)


def _occurrences(context: str, text: str) -> list[Aligned]:
    """All occurrences of a text, ignoring case and differences in white space."""
    words = text.split()
    if not words:
        return []
    pattern = r"\s+".join(map(re.escape, words))
    return [Aligned(m[0], m.start()) for m in re.finditer(pattern, context, re.IGNORECASE)]


def problem(context: str, text: str, start: int | None) -> str:
    """Describe why an answer could not be found at its stated start."""
    if start is None:
        return f"'{_short(text)}' does not stand in the context"
    there = context[start : start + len(text)] if 0 <= start < len(context) else ""
    points = f"at '{_short(there)}'" if there else f"outside the context of {len(context)}"
    return f"answer_start {start} points {points}, not at '{_short(text)}'"


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 40 else f"{text[:39]}…"
