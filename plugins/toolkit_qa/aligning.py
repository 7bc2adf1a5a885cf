"""Answers as files hold them → texts with the place where each stands in its context.

Positions are counted in characters (Unicode code points) from 0, as SQuAD's are.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

NEARBY: Final = 100
"""How many characters from where it should be an answer is looked for."""

Given = tuple[str, int | None]
"""An answer as given: its text, and its start where that is said."""


@dataclass(frozen=True)
class Aligned:
    """An answer in its context.

    Args:
        text: what stands there: ``context[start : start + len(text)]``.
        start: its first character.
        mended: what was changed to make it so, in words; empty where nothing was.
    """

    text: str
    start: int
    mended: str = ""


def answers_of(value: Any, start: Any = None) -> list[Given]:
    """The answers in a cell, whatever its form.

    Args:
        value: ``{"text": […], "answer_start": […]}``, a list of ``{"text", "answer_start"}`` or
            of texts, one text, any of these written as JSON or as Python, or nothing.
        start: the start of a single text, from a column of its own.

    Raises:
        ValueError: it is none of these; says what it is.
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
    found = [_one(item) for item in value]
    return [(text, at) for text, at in found if text.strip()]


def _parsed(cell: str) -> Any:
    """A cell that holds JSON, or what Python prints for lists and dicts, read; others as text."""
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
    texts, starts = value.get("text"), value.get("answer_start")
    if texts is None and "text" not in value:
        raise ValueError(f"an object with {', '.join(map(repr, value)) or 'nothing'} has no 'text'")
    texts = [texts] if isinstance(texts, str) else list(texts or [])
    starts = [starts] if isinstance(starts, int) else list(starts or [None] * len(texts))
    if len(texts) != len(starts):
        raise ValueError(f"{len(texts)} texts have {len(starts)} starts")
    return [{"text": text, "answer_start": at} for text, at in zip(texts, starts, strict=True)]


def _one(item: Any) -> Given:
    if isinstance(item, str):
        return item, None
    if isinstance(item, Mapping) and isinstance(item.get("text"), str):
        return item["text"], _number(item.get("answer_start"))
    raise ValueError(f"{item!r:.40} is no answer: give a text, or text with answer_start")


def _number(value: Any) -> int | None:
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
    """An answer at its place.

    Where no start is given it is the first occurrence. A start that does not match is mended with
    the nearest occurrence within :data:`NEARBY` characters, or the only one anywhere; letters'
    case and blanks may differ then. ``None``: there is none.
    """
    if start is None:
        exact = context.find(text)
        if exact >= 0:
            return Aligned(text, exact)
        found = _occurrences(context, text)
        return _mended(found[0], f"'{_short(text)}' is written otherwise") if found else None
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


def _mended(found: Aligned, how: str) -> Aligned:
    return Aligned(found.text, found.start, how)


def _occurrences(context: str, text: str) -> list[Aligned]:
    """Where a text stands but for its letters' case and its blanks."""
    words = text.split()
    if not words:
        return []
    pattern = r"\s+".join(map(re.escape, words))
    return [Aligned(m[0], m.start()) for m in re.finditer(pattern, context, re.IGNORECASE)]


def problem(context: str, text: str, start: int | None) -> str:
    """What is wrong with an answer that does not stand where it should, in words."""
    if start is None:
        return f"'{_short(text)}' does not stand in the context"
    there = context[start : start + len(text)] if 0 <= start < len(context) else ""
    points = f"at '{_short(there)}'" if there else f"outside the context of {len(context)}"
    return f"answer_start {start} points {points}, not at '{_short(text)}'"


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 40 else f"{text[:39]}…"
