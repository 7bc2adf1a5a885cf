"""One side's part of a conversation as HTML: its messages, with what can be done with each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from markupsafe import Markup

from toolkit_playground.rendering import markdown as md
from toolkit_playground.rendering.html import NOTHING, fill, joined

SCRIPT = Path(__file__).with_name("transcript.js").read_text(encoding="utf-8")
"""Tells the page which button of which message was pressed: the events ``retry`` and ``edit``."""
WHO = {"user": "You", "assistant": "Answer"}


def transcript(
    messages: Sequence[Mapping[str, str]], label: str, *, markdown: bool = False
) -> Markup:
    """The messages of a side.

    Args:
        messages: ``role`` and ``content``, as :func:`~toolkit_playground.state.conversation
            .box_messages` gives them.
        label: the side.
        markdown: draw the answers as Markdown; what a person typed stays as it was typed.
    """
    shown = joined(_message(at, m, markdown=markdown) for at, m in enumerate(messages))
    return fill(
        '<section class="tk-chat" aria-label="{0}"><h2>{0}</h2>'
        '<div class="tk-log" role="log" aria-label="Messages of {0}" tabindex="0">{1}</div>'
        "</section>",
        label, shown or fill('<p class="tk-quiet">No messages yet</p>'),
    )  # fmt: skip


def _message(at: int, message: Mapping[str, str], *, markdown: bool) -> Markup:
    role, text = message["role"], message["content"]
    drawn = markdown and role == "assistant"
    other, name = ("edit", "Edit") if role == "user" else ("retry", "Retry")
    return fill(
        '<article class="tk-message tk-{role}" data-at="{at}" data-text="{text}" '
        'aria-label="{who}"><div class="tk-said{kind}">{body}</div>'
        '<p class="tk-tools"><button type="button" data-do="copy">Copy</button>'
        '<button type="button" data-do="{other}">{name}</button></p></article>',
        role=role, at=at, text=text, who=WHO[role], kind=" tk-markdown" if drawn else NOTHING,
        body=md.rendered(text) if drawn else text, other=other, name=name,
    )  # fmt: skip
