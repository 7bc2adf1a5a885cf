"""Texts with marks as HTML: what a side wrote, and the source that it was written from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from toolkit.panels import MARK_KINDS
from toolkit_playground.rendering.html import NOTHING, fill, joined

WORDS = {
    "unsupported": "not in the source",
    "supported": "in the source",
    "missing": "left out",
    "label": "found",
}
"""What a mark says by itself; colour alone says nothing to some."""


def marked(text: str, marks: Sequence[Mapping[str, Any]]) -> Markup:
    """A text as HTML with its marks; where two overlap the earlier one goes first."""
    at, parts = 0, []
    for mark in _sorted(marks):
        start, end = max(at, int(mark["start"])), int(mark["end"])
        if end <= start:
            continue
        parts.append(fill("{}", text[at:start]))
        parts.append(
            fill(
                '<mark class="tk-mark tk-{}" title="{}">{}</mark>',
                _kind(mark), _note(mark), text[start:end],
            )
        )  # fmt: skip
        at = end
    parts.append(fill("{}", text[at:]))
    return joined(parts) or fill("<em>nothing</em>")


def notes(text: str, marks: Sequence[Mapping[str, Any]]) -> Markup:
    """What the marks say, as a list: for those who cannot see them, or hover."""
    items = joined(
        fill('<li class="tk-{}"><b>{}</b> {}</li>', _kind(mark), _place(text, mark), _note(mark))
        for mark in _sorted(marks)
        if _kind(mark) != "supported"
    )
    return fill('<ul class="tk-notes">{}</ul>', items) if items else NOTHING


def source(data: Mapping[str, Mapping[str, Any]]) -> Markup:
    """The text that the sides were written from, once, with what each side made of it.

    Args:
        data: side → its panel data of the view ``text``.
    """
    text = next((str(d["source"]) for d in data.values() if d.get("source")), "")
    if not text:
        return NOTHING
    places: dict[tuple[int, int, str], list[str]] = {}
    for label, found in data.items():
        for mark in found.get("source_marks") or ():
            place = (int(mark["start"]), int(mark["end"]), _kind(mark))
            places.setdefault(place, []).append(f"{label}: {_note(mark)}")
    merged = [
        {"start": start, "end": end, "kind": kind, "note": "; ".join(labelled)}
        for (start, end, kind), labelled in places.items()
    ]
    return fill(
        '<section class="tk-card tk-plain tk-source" aria-label="Source"><h2>Source</h2>'
        '<div class="tk-said">{}</div>{}</section>',
        marked(text, merged), notes(text, merged),
    )  # fmt: skip


def legend(data: Sequence[Mapping[str, Any]]) -> Markup:
    """What the colours mean, of those kinds that are there."""
    marks = [m for d in data for m in (*(d.get("marks") or ()), *(d.get("source_marks") or ()))]
    there = {_kind(mark) for mark in marks}
    items = joined(
        fill('<span><mark class="tk-mark tk-{}">{}</mark></span>', kind, WORDS[kind])
        for kind in MARK_KINDS
        if kind in there
    )
    return fill('<p class="tk-legend">{}</p>', items) if items else NOTHING


def _sorted(marks: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted(marks, key=lambda mark: (int(mark["start"]), int(mark["end"])))


def _place(text: str, mark: Mapping[str, Any]) -> str:
    return text[int(mark["start"]) : int(mark["end"])]


def _kind(mark: Mapping[str, Any]) -> str:
    return str(mark.get("kind", MARK_KINDS[0]))


def _note(mark: Mapping[str, Any]) -> str:
    return str(mark.get("note") or WORDS[_kind(mark)])
