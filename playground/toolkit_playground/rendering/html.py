"""Pieces of the page as HTML. Texts of models, rows and runs come from anywhere.

All HTML is made by :func:`fill`, which escapes each value that is not HTML already: forgetting to
is not possible, and a piece that is put together as a plain text shows its tags instead of having
them. A test refuses HTML in any other text of this package.
"""

from __future__ import annotations

import base64
import difflib
import re
from collections.abc import Iterable, Sequence
from typing import Any

from markupsafe import Markup

from toolkit import formatting
from toolkit.errors import ToolkitError
from toolkit_playground.state.texts import Text

_WORDS = re.compile(r"\s+|\w+|[^\w\s]")


NOTHING = Markup()


def fill(template: str, *values: Any, **named: Any) -> Markup:
    """HTML with values in the places of a template, escaped where they are not HTML.

    Args:
        template: written in the code, never put together.
        values, named: as ``str.format`` takes them.
    """
    return Markup(template).format(*values, **named)


def joined(parts: Iterable[Markup], between: str = "") -> Markup:
    """Pieces of HTML, one after the other."""
    return fill(between).join(parts)


def chart(svg: str) -> Markup:
    """A chart that :mod:`toolkit.reporting.charts` has drawn; matplotlib escapes its texts."""
    return Markup(svg)


def written(by_parser: str) -> Markup:
    """HTML that :mod:`toolkit_playground.rendering.markdown` has written, all texts escaped."""
    return Markup(by_parser)


def notice(text: str, kind: str = "info") -> Markup:
    """A message in the page: ``info``, ``warn`` or ``error``."""
    role = "alert" if kind == "error" else "status"
    return fill('<div class="tk-notice tk-{}" role="{}">{}</div>', kind, role, text)


def failure(error: BaseException, doing: str = "") -> Markup:
    """An error as a message; one that is not the toolkit's own is shown with its type."""
    text = " ".join(str(error).split())[:600]
    if not isinstance(error, ToolkitError):
        text = f"{doing or 'this'} failed: {type(error).__name__}: {text}"
    return notice(formatting.sentence(text), "error")


def empty(title: str, text: str) -> Markup:
    """What stands where there is nothing yet."""
    return fill('<div class="tk-empty"><strong>{}</strong><p>{}</p></div>', title, text)


def download(name: str, content: str, kind: str, label: str) -> Markup:
    """A link that saves a text; the text is in the link, so no file is left on the server."""
    packed = base64.b64encode(content.encode()).decode()
    return fill(
        '<a class="tk-download" download="{}" href="data:{};base64,{}">{}</a>',
        name, kind, packed, label,
    )  # fmt: skip


def link_to_share(place: str, name: str) -> Markup:
    """A link to something that its owner shares, and a button that copies it."""
    return fill(
        '<p class="tk-links"><span class="tk-quiet">Whoever has this link sees it:</span> '
        '<a class="tk-download" href="{}">{}</a> '
        '<button type="button" class="tk-copy">Copy the link</button></p>',
        place, name,
    )  # fmt: skip


def asked(text: str) -> Markup:
    """What an answer was asked with: it stays true when the page shows another input."""
    return fill('<p class="tk-asked tk-quiet">{}</p>', text)


# -- differences ---------------------------------------------------------------------------------
def differences(text: str, other: str) -> Markup:
    """A text with the words marked that the other text does not have at that place."""
    ours, theirs = _WORDS.findall(text), _WORDS.findall(other)
    matcher = difflib.SequenceMatcher(None, theirs, ours, autojunk=False)
    parts = []
    for kind, _, _, start, end in matcher.get_opcodes():
        piece = "".join(ours[start:end])
        if piece:
            plain = kind == "equal" or not piece.strip()
            parts.append(fill("{}" if plain else "<mark>{}</mark>", piece))
    return joined(parts)


# -- sides ---------------------------------------------------------------------------------------
def timing(text: Text) -> str:
    """Latency and speed of a text, as it is being written or done."""
    if text.first is None:
        return "waiting" if not text.ended else "nothing written"
    parts = [formatting.count(text.tokens, "token"), f"{text.seconds:.2f} s"]
    if text.rate is not None:
        parts.append(f"{text.rate:.0f} tokens/s")
    parts.append(f"first after {text.first * 1000:.0f} ms")
    if text.limit:
        parts.append("ended at the limit")
    if text.stopped:
        parts.append("stopped")
    return " · ".join(part.replace(" ", "\u00a0") for part in parts)


def card(
    place: int,
    label: str,
    body: str,
    foot: str,
    verdict: Markup = NOTHING,
    *,
    busy: bool = False,
    name: str = "",
) -> Markup:
    """One side of a comparison; ``body`` may be HTML or a text.

    ``name`` is its name among the page's parts, where the label is that of another part too.
    """
    caret = fill('<span class="tk-caret" aria-hidden="true"></span>') if busy else NOTHING
    return fill(
        '<section class="tk-card tk-s{place}" aria-label="{name}"><h2>{label}</h2>'
        '<div class="tk-said" aria-live="off">{body}{caret}</div>'
        '{verdict}<p class="tk-foot">{foot}</p></section>',
        place=place % 4, name=name or label, label=label, body=body, caret=caret, verdict=verdict,
        foot=foot,
    )  # fmt: skip


def cards(parts: Sequence[Markup], *, busy: bool = False) -> Markup:
    """Sides next to each other, below each other on a phone; read out when all have ended."""
    return fill(
        '<div class="tk-cards tk-n{}" aria-live="polite" aria-busy="{}">{}</div>',
        len(parts), "true" if busy else "false", joined(parts),
    )  # fmt: skip


def verdict(good: bool | None, text: str) -> Markup:
    """A line that says how well a side did: right, wrong, or a figure."""
    sign = {True: "✓", False: "✗", None: ""}[good]
    name = {True: "good", False: "bad", None: "plain"}[good]
    shown = fill('<span aria-hidden="true">{}</span> ', sign) if sign else NOTHING
    return fill('<p class="tk-verdict tk-{}">{}{}</p>', name, shown, text)


def prompt(text: str, tokens: int, *, of: str = "") -> Markup:
    """The exact prompt, to unfold; ``of``: whose it is, where sides have different ones."""
    return fill(
        '<details class="tk-prompt"><summary>The exact prompt{}, {:,} tokens</summary>'
        "<pre>{}</pre></details>",
        f" of {of}" if of else "", tokens, text,
    )  # fmt: skip


def table(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    caption: str = "",
    *,
    words: bool = False,
) -> Markup:
    """A plain table; the first cell of each row is its heading.

    Args:
        words: the cells hold words, which may break; figures stay on one line.
    """
    head = joined(fill('<th scope="col">{}</th>', heading) for heading in headings)
    body = joined(
        fill(
            '<tr><th scope="row">{}</th>{}</tr>',
            row[0], joined(fill("<td>{}</td>", cell) for cell in row[1:]),
        )
        for row in rows
    )  # fmt: skip
    title = fill("<caption>{}</caption>", caption) if caption else NOTHING
    return fill(  # it can be wider than a phone: the keyboard has to reach it to scroll
        '<div class="tk-table{}" tabindex="0" role="group" aria-label="{}"><table>{}'
        "<thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>",
        " tk-words" if words else "", caption or headings[0], title, head, body,
    )  # fmt: skip
