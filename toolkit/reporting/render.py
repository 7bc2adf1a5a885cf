"""Fills templates with values: HTML and Markdown, both escaped by themselves; formatted figures.

Values come from run directories, which may be somebody else's, and from rows of data.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Undefined, pass_eval_context

from toolkit import formatting

if TYPE_CHECKING:
    from jinja2 import Environment
    from jinja2.nodes import EvalContext

TEMPLATES = Path(__file__).parent / "templates"


def render(template: str, content: Mapping[str, Any]) -> str:
    """The text of a template, filled with values."""
    return environment().get_template(template).render(content)


@functools.cache
def environment() -> Environment:
    """Jinja's environment: values are escaped for HTML, SVG or Markdown, as the template is."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

    found = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(["html.j2", "svg.j2"], default=False),
        finalize=_finalized,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {
        "number": formatting.number,
        "duration": formatting.duration,
        "figure": formatting.figure,
        "span": formatting.span,
        "code": code,
        "fenced": fenced,
        "in_sentence": formatting.in_sentence,
        "sentence": formatting.sentence,
        "count": formatting.count,
        "clipped": formatting.clipped,
    }
    return found


@pass_eval_context
def _finalized(context: EvalContext, value: Any) -> Any:
    """What stands in a page for a value: in HTML jinja escapes it, in Markdown this does."""
    if context.autoescape or isinstance(value, Markdown | Undefined):
        return value
    return markdown(value)


# -- Markdown --------------------------------------------------------------------------------------
class Markdown(str):
    """A text that is Markdown already and is not escaped again."""

    __slots__ = ()


_SIGNS = str.maketrans({**{sign: f"\\{sign}" for sign in "\\`*_{}|[]#~"}, "<": "&lt;", ">": "&gt;"})
"""Not all readers of Markdown take a backslash before an angle bracket for an escape."""
_ENTITY = re.compile(r"&(?=#?\w)")
_FORMULA = re.compile(r"\$(?=[\\A-Za-z])")
"""What begins a formula; the dollars of a price stay as they are."""
_BLANKS = re.compile(r"(?:[^\S\xa0]|[\x00-\x1f\x7f])+")
"""Blanks that may stand for line breaks, and control characters; not the ones within figures."""
_BLOCK = re.compile(r"(?:[-+=]+(?=[\s=+-]|$)|\d{1,9}(?=[.)](?:\s|$))|:(?=-))")
"""What begins a list, a rule or a heading's line where a text begins with it."""


def markdown(value: Any) -> Markdown:
    """A text as Markdown: on one line, and nothing in it is a sign, a link or a tag.

    CommonMark takes any ASCII punctuation after a backslash as it stands, in tables too.
    """
    text = _ENTITY.sub("&amp;", _BLANKS.sub(" ", str(value)).strip(" "))
    text = _FORMULA.sub(r"\\$", text.translate(_SIGNS))
    if found := _BLOCK.match(text):
        at = found.end() if text[0].isdigit() else 0
        text = f"{text[:at]}\\{text[at:]}"
    return Markdown(text)


def code(value: Any) -> Markdown:
    """A text as code within a line, in more backticks than it has in a row."""
    text = " ".join(str(value).split()).replace("|", "\u2502")
    ticks = "`" * (_longest(text) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") or not text else ""
    return Markdown(f"{ticks}{pad}{text}{pad}{ticks}")


def fenced(text: str, language: str = "") -> Markdown:
    """A text as a block of code that no line of it can end."""
    fence = "`" * max(3, _longest(text) + 1)
    return Markdown(f"{fence}{language}\n{text}\n{fence}")


def _longest(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)


def stylesheet() -> str:
    """The CSS that is written into each page."""
    return (TEMPLATES / "report.css").read_text(encoding="utf-8")
