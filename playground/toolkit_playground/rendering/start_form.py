"""The form of "Start from here", and the line that it makes, as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup

from toolkit_playground.rendering.html import NOTHING, fill, joined
from toolkit_playground.state.start import Field

SCRIPT = Path(__file__).with_name("start_form.js").read_text(encoding="utf-8")
"""Tells the page what stands in the form: the event ``input``."""


def form(fields: Sequence[Field]) -> Markup:
    """The run's options, and folded away the settings of its recipe."""
    options = _inputs([field for field in fields if not field.setting])
    settings = [field for field in fields if field.setting]
    more = NOTHING
    if settings:
        more = fill(
            '<details class="tk-prompt"><summary>Settings of the recipe, {}</summary>'
            '<div class="tk-fields">{}</div></details>',
            len(settings), _inputs(settings),
        )  # fmt: skip
    return fill('<form class="tk-form"><div class="tk-fields">{}</div>{}</form>', options, more)


def _inputs(fields: Sequence[Field]) -> Markup:
    return joined(
        fill(
            '<label>{0}<input name="{0}" value="{1}" autocomplete="off"></label>',
            field.name, field.value,
        )
        for field in fields
    )  # fmt: skip


def line(text: str) -> Markup:
    """The line to copy. The page starts nothing: whoever can see it must not run commands here."""
    return fill(
        '<div class="tk-line-out"><pre tabindex="0" aria-label="The line to copy">{}</pre>'
        '<button type="button" class="tk-copy">Copy</button></div>'
        '<p class="tk-quiet">Copy it into a terminal; this page starts nothing.</p>',
        text,
    )  # fmt: skip
