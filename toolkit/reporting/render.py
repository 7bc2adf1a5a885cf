"""Fills templates with values: autoescaped HTML, Markdown cells, formatted figures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit import formatting

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"


def render(template: str, content: Mapping[str, Any]) -> str:
    """The text of a template, filled with values."""
    return environment().get_template(template).render(content)


def environment() -> Environment:
    """Jinja's environment: autoescaping for HTML, and the formats of figures as filters."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

    found = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(["html.j2"], default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {
        "number": formatting.number,
        "duration": formatting.duration,
        "figure": formatting.figure,
        "span": formatting.span,
        "cell": markdown_cell,
        "in_sentence": formatting.in_sentence,
        "sentence": formatting.sentence,
        "count": formatting.count,
        "clipped": formatting.clipped,
    }
    return found


def markdown_cell(value: Any) -> str:
    """A text for one cell of a Markdown table: on one line, with Markdown's signs escaped."""
    text = " ".join(str(value).split())
    for sign in "\\`*_|[]<>#":
        text = text.replace(sign, f"\\{sign}")
    return text


def stylesheet() -> str:
    """The CSS that is written into each page."""
    return (TEMPLATES / "report.css").read_text(encoding="utf-8")
