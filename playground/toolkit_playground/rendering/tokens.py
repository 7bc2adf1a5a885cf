"""Answers as tokens that can be chosen, and what was expected at a token, as HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from toolkit import formatting
from toolkit_playground.rendering import html
from toolkit_playground.rendering.html import NOTHING, fill, joined
from toolkit_playground.state.tokens import Alternative, Answer, Branch, Look

SCRIPT = Path(__file__).with_name("tokens.js").read_text(encoding="utf-8")
"""Tells the page which token was chosen, and which alternative: ``pick`` and ``go_on``."""
STEPS = ((0.9, "sure", "90 % and more"), (0.5, "likely", "50 to 90 %"),
         (0.1, "open", "10 to 50 %"), (0.0, "unlikely", "less than 10 %"))  # fmt: skip
"""Least probability, name and words of the classes in which tokens are marked."""
VISIBLE = {" ": "\u00a0", "\n": "↵", "\r": "␍", "\t": "⇥"}
PART = "◌"
"""Stands for a token that is a part of a letter."""
LONGEST = 240
"""Characters that are shown of what stands before a place."""
ENDED = {
    "stop token": "ended by its stop token",
    "limit": "ended at the limit",
    "stopped": "stopped",
}


def answers(found: Look) -> Markup:
    """The answers, a button for each token, marked by the probability that its writer gave it."""
    cards = [_answer(i, answer) for i, answer in enumerate(found.answers)]
    return legend() + html.cards(cards)


def legend() -> Markup:
    """What the marks mean."""
    items = joined(
        fill('<span><span class="tk-token tk-p-{}">{}</span></span>', name, words)
        for _, name, words in STEPS
    )
    return fill(
        '<p class="tk-legend"><span>Probability that the writer gave each token:</span>{}</p>',
        items,
    )  # fmt: skip


def _answer(place: int, answer: Answer) -> Markup:
    own = answer.expected[answer.label]
    tokens = joined(
        _token(answer.label, at, text, expected.probability, first=at == 0)
        for at, (text, expected) in enumerate(zip(answer.pieces, own, strict=True))
    )
    foot = f"{formatting.count(len(own), 'token')} · {ENDED[answer.ended]}"
    body = fill(
        '<span class="tk-tokens" role="group" aria-label="Tokens of {}">{}</span>',
        answer.label, tokens or fill("<em>nothing</em>"),
    )  # fmt: skip
    return html.card(place, answer.label, body, foot)


def _token(label: str, at: int, text: str, probability: float, *, first: bool) -> Markup:
    broken = fill("<br>") if "\n" in text else NOTHING
    return fill(
        '<button type="button" class="tk-token tk-p-{}" data-side="{}" data-at="{}" '
        'tabindex="{}" aria-pressed="false" aria-label="{}">{}</button>{}',
        step(probability), label, at, 0 if first else -1,
        f"{spoken(text)}, {percent(probability)}", visible(text), broken,
    )  # fmt: skip


def step(probability: float) -> str:
    """The class in which a token of that probability is marked."""
    return next(name for least, name, _ in STEPS if probability >= least)


def visible(text: str) -> str:
    """A token's text with its blanks to be seen."""
    if not text:
        return PART
    return "".join(VISIBLE.get(c) or (c if c.isprintable() else f"\\x{ord(c):02x}") for c in text)


def spoken(text: str) -> str:
    """A token's text in quotes, as it is read out."""
    return f"“{text}”" if text.strip() else "part of a letter" if not text else f"blank {text!r}"


def percent(probability: float) -> str:
    """A probability with its per cent sign, a small one with about two digits."""
    share = 100 * probability
    if 0 < share < 0.01:
        return f"{share:.1e} %".replace("e-0", "e−").replace("e-", "e−")
    return f"{share:.3f} %" if share < 1 else f"{share:.2f} %" if share > 99 else f"{share:.1f} %"


def place(
    answer: Answer, at: int, expected: Mapping[str, Sequence[Alternative]], *, choices: bool = True
) -> Markup:
    """What each side expected at a place of an answer, side by side.

    Args:
        answer: whose text it is.
        at: the place.
        expected: side → the tokens that it found likeliest.
        choices: whether a side can be asked to go on from an alternative.
    """
    before = "".join(answer.pieces[:at])
    cards = [_expected(i, answer, at, side, found) for i, (side, found) in enumerate(
        expected.items())]  # fmt: skip
    return fill(
        '<h3 class="tk-heading tk-small-heading">{}</h3><p class="tk-quiet">{}</p>'
        '<p class="tk-before">{}<mark class="tk-here">{}</mark></p>{}',
        f"Token {at + 1} of {len(answer.pieces)} of the answer of {answer.label}",
        "Both sides are asked after the same words. Choose an alternative to read what its side "
        "would have gone on with.",
        _clipped(before), visible(answer.pieces[at]), html.cards(cards),
    )  # fmt: skip


def _clipped(text: str) -> str:
    return text if len(text) <= LONGEST else "…" + text[-LONGEST:]


def _expected(
    number: int, answer: Answer, at: int, side: str, found: Sequence[Alternative]
) -> Markup:
    rows = joined(_alternative(answer, at, side, alternative) for alternative in found)
    rest = max(0.0, 1 - sum(alternative.probability for alternative in found))
    own = answer.expected[side][at]
    foot = (
        f"the written token: {percent(own.probability)}, rank {own.rank:,} · "
        f"all other tokens: {percent(rest)}"
    )
    ways = fill('<span class="tk-ways">{}</span>', rows)
    return html.card(number, side, ways, foot, name=f"What {side} expected here")


def _alternative(answer: Answer, at: int, side: str, found: Alternative) -> Markup:
    written = fill('<small><span class="tk-tag">written</span> {}</small>', f"rank {found.rank:,}")
    return fill(
        '<span class="tk-way"><button type="button" class="tk-small" data-writer="{}" '
        'data-side="{}" data-at="{}" data-token="{}" aria-label="{}">{}</button>'
        '<meter class="tk-meter" min="0" max="1" value="{:.4f}" aria-hidden="true"></meter>'
        "<b>{}</b>{}</span>",
        answer.label, side, at, found.token,
        f"Let {side} go on from {spoken(found.text)}, {percent(found.probability)}",
        visible(found.text), found.probability, percent(found.probability),
        written if found.written else NOTHING,
    )  # fmt: skip


def branch(found: Branch) -> Markup:
    """What a side goes on with from an alternative."""
    return fill(
        '<section class="tk-card tk-plain" aria-label="{0}"><h2>{0}</h2>'
        '<div class="tk-said"><span class="tk-quiet-text">{1}</span>'
        '<mark class="tk-here">{2}</mark>{3}</div><p class="tk-foot">{4}</p></section>',
        f"{found.label}, from {spoken(found.chosen)}, greedily", _clipped(found.before),
        visible(found.chosen), found.after, ENDED[found.ended],
    )  # fmt: skip


def masked(passages: Sequence[Mapping[str, Any]]) -> Markup:
    """A row as training sees it: what has a loss is marked, and nothing else is learned.

    Args:
        passages: of :meth:`toolkit.kinds.TaskModel.passages`.
    """
    parts = joined(
        fill("<mark>{}</mark>" if passage["loss"] else "{}", passage["text"])
        for passage in passages
    )
    return fill(
        '<details class="tk-prompt"><summary>The row as training sees it</summary>'
        '<p class="tk-quiet">Marked tokens have a loss; the others are only read.</p>'
        '<pre class="tk-masked">{}</pre></details>',
        parts,
    )  # fmt: skip
