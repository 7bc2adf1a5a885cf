"""A page of a command in the style of the report: sentences, charts and tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from toolkit.reporting import svg
from toolkit.reporting.render import render, stylesheet


@dataclass(frozen=True)
class Section:
    """One part of a page.

    Args:
        heading: its heading; empty: none.
        lead: sentences below it.
        charts: an SVG for a wide page and one for a narrow one; empty: none.
        headings: those of a table.
        rows: its rows, one text a cell; empty: no table.
    """

    heading: str = ""
    lead: Sequence[str] = ()
    charts: Sequence[str] = ()
    headings: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = field(default_factory=tuple)


def html(title: str, kicker: str, sentence: str, sections: Sequence[Section]) -> str:
    """The page; all texts are escaped.

    Args:
        title: its heading.
        kicker: stands above it.
        sentence: what was found, in one sentence.
        sections: its parts.
    """
    content: dict[str, Any] = {
        "title": title,
        "kicker": kicker,
        "sentence": sentence,
        "sections": sections,
        "left_out": svg.left_out(),
        "css": stylesheet(),
    }
    return render("page.html.j2", content)
