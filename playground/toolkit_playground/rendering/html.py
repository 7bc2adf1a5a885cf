"""Pieces of the page as HTML. Texts of models, rows and runs come from anywhere and are escaped."""

from __future__ import annotations

import base64
import difflib
import re
from collections.abc import Sequence
from html import escape

from toolkit import formatting
from toolkit.errors import ToolkitError
from toolkit_playground.state.engine import Text

_WORDS = re.compile(r"\s+|\w+|[^\w\s]")


def notice(text: str, kind: str = "info") -> str:
    """A message in the page: ``info``, ``warn`` or ``error``."""
    role = "alert" if kind == "error" else "status"
    return f'<div class="tk-notice tk-{kind}" role="{role}">{escape(text)}</div>'


def failure(error: BaseException, doing: str = "") -> str:
    """An error as a message; one that is not the toolkit's own is shown with its type."""
    text = " ".join(str(error).split())[:600]
    if not isinstance(error, ToolkitError):
        text = f"{doing or 'this'} failed: {type(error).__name__}: {text}"
    return notice(formatting.sentence(text), "error")


def empty(title: str, text: str) -> str:
    """What stands where there is nothing yet."""
    return f'<div class="tk-empty"><strong>{escape(title)}</strong><p>{escape(text)}</p></div>'


def download(name: str, content: str, kind: str, label: str) -> str:
    """A link that saves a text; the text is in the link, so no file is left on the server."""
    packed = base64.b64encode(content.encode()).decode()
    return (
        f'<a class="tk-download" download="{escape(name)}" '
        f'href="data:{kind};base64,{packed}">{escape(label)}</a>'
    )


# -- differences ---------------------------------------------------------------------------------
def differences(text: str, other: str) -> str:
    """A text with the words marked that the other text does not have at that place."""
    ours, theirs = _WORDS.findall(text), _WORDS.findall(other)
    matcher = difflib.SequenceMatcher(None, theirs, ours, autojunk=False)
    parts = []
    for kind, _, _, start, end in matcher.get_opcodes():
        piece = escape("".join(ours[start:end]))
        if piece:
            parts.append(piece if kind == "equal" or not piece.strip() else f"<mark>{piece}</mark>")
    return "".join(parts)


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
    place: int, label: str, body: str, foot: str, verdict: str = "", *, busy: bool = False
) -> str:
    """One side of a comparison; ``body``, ``verdict`` are HTML already."""
    caret = '<span class="tk-caret" aria-hidden="true"></span>' if busy else ""
    return (
        f'<section class="tk-card tk-s{place % 4}" aria-label="{escape(label)}">'
        f"<h2>{escape(label)}</h2>"
        f'<div class="tk-said" aria-live="off">{body}{caret}</div>'
        f'{verdict}<p class="tk-foot">{escape(foot)}</p></section>'
    )


def cards(parts: Sequence[str], *, busy: bool = False) -> str:
    """Sides next to each other, below each other on a phone; read out when all have ended."""
    busy_word = "true" if busy else "false"
    return (
        f'<div class="tk-cards tk-n{len(parts)}" aria-live="polite" aria-busy="{busy_word}">'
        f"{''.join(parts)}</div>"
    )


def verdict(good: bool | None, text: str) -> str:
    """A line that says how well a side did: right, wrong, or a figure."""
    sign = {True: "✓", False: "✗", None: ""}[good]
    name = {True: "good", False: "bad", None: "plain"}[good]
    shown = f'<span aria-hidden="true">{sign}</span> ' if sign else ""
    return f'<p class="tk-verdict tk-{name}">{shown}{escape(text)}</p>'


def prompt(text: str, tokens: int) -> str:
    """The exact prompt, to unfold."""
    return (
        f'<details class="tk-prompt"><summary>The exact prompt, {tokens:,} tokens</summary>'
        f"<pre>{escape(text)}</pre></details>"
    )


def table(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    caption: str = "",
    *,
    words: bool = False,
) -> str:
    """A plain table; the first cell of each row is its heading.

    Args:
        words: the cells hold words, which may break; figures stay on one line.
    """
    head = "".join(f'<th scope="col">{escape(h)}</th>' for h in headings)
    body = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    name = escape(caption or headings[0], quote=True)
    return (  # it can be wider than a phone: the keyboard has to reach it to scroll
        f'<div class="tk-table{" tk-words" if words else ""}" tabindex="0" role="group" '
        f'aria-label="{name}"><table>{title}'
        f"<thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )
