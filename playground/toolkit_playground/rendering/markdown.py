"""Markdown of a model's answer as HTML that holds nothing but what the parser itself writes.

HTML in the text is escaped and not filtered: with ``html`` off, markdown-it writes its own tags
alone (https://markdown-it-py.readthedocs.io/en/latest/security.html). Links that could run code are
left as text, and pictures, which a browser would fetch from anywhere, are links.
"""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from toolkit_playground.rendering import html

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token


def rendered(text: str) -> Markup:
    """A text in Markdown (CommonMark with tables) as HTML."""
    return html.written(_parser().render(text))


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    parser.disable("image")
    parser.add_render_rule("link_open", _link)
    return parser


def _link(
    renderer: Any, tokens: Sequence[Token], at: int, options: Any, env: MutableMapping[str, Any]
) -> str:
    """A link opens a page of its own, which is not told where it was."""
    tokens[at].attrSet("rel", "noopener noreferrer nofollow")
    tokens[at].attrSet("target", "_blank")
    return str(renderer.renderToken(tokens, at, options, env))
