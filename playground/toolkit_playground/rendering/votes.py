"""A pair to vote on, what the votes on a run show, and the links that save them, as HTML."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from toolkit import formatting
from toolkit.evaluation import preference_sheet
from toolkit_playground.rendering import html
from toolkit_playground.rendering.html import fill, joined
from toolkit_playground.state import vote_statistics
from toolkit_playground.state.pairs import Pair
from toolkit_playground.state.store import FIELDS, Vote

MOST_MINE = 50
"""Own votes that are listed."""
EXPORTED = tuple(name for name in FIELDS if name != "owner")
HIDDEN = ("input", "prompt", "left_text", "right_text", "example")
"""Texts of a vote, which are its owner's alone where the input is."""
MOST_DUOS = 15
"""Pairs of voters up to which each has a line of its own."""
CHOICES = {"left": "A is better", "tie": "Tie", "both-bad": "Both bad", "right": "B is better"}
"""A vote's choice → the button's words."""
KEYS = {"left": "A", "tie": "T", "both-bad": "X", "right": "B"}
"""A vote's choice → its key."""


def pair(found: Pair, *, named: bool = False) -> Markup:
    """The two answers; with ``named``, once the vote is in, also which side gave which."""
    cards = [
        html.card(
            3, f"{letter}{f' – {label}' if named else ''}",
            text or fill("<em>nothing</em>"), "",
        )
        for letter, (label, text) in zip("AB", (found.left, found.right), strict=True)
    ]  # fmt: skip
    return fill(
        '<section class="tk-card tk-plain"><p class="tk-quiet">Input</p>'
        '<p class="tk-question">{}</p></section>{}',
        found.input, html.cards(cards),
    )  # fmt: skip


def thanks(found: Pair, choice: str) -> Markup:
    """What the vote was, shown after it is on the disk."""
    won = {"left": found.left[0], "right": found.right[0]}.get(choice)
    choice_text = f"You preferred {won}." if won else f"You said: {CHOICES[choice].lower()}."
    return html.notice(f"Kept. A was {found.left[0]}, B was {found.right[0]}. {choice_text}")


def summary(votes: Sequence[Vote], order: Sequence[str], owner: str | None = None) -> Markup:
    """Results of all votes on a run, and the links that save them.

    Args:
        owner: who looks: others' own inputs are not for them.
        order: labels of the sides in the page's order.
    """
    found = results(votes, order)
    return found if not votes else joined([found, exports(votes, owner), _mine(votes, owner)])


def results(votes: Sequence[Vote], order: Sequence[str]) -> Markup:
    """Results of all votes on a run, by the labels of the sides in the page's order."""
    if not votes:
        return html.empty("No votes yet", "Results with their interval appear here.")
    rows = [
        [
            f"{duel.a} over {duel.b}",
            f"{duel.a_wins} : {duel.b_wins}",
            f"{duel.ties} tied, {duel.both_bad} both bad",
            _share(duel),
            f"p = {duel.p:.2g}" if duel.decided else "",
        ]
        for duel in vote_statistics.duels(votes, order)
    ]
    parts = [
        html.table(["Sides", "Won", "Undecided", "Share, 95 % at any time", "Sign test"], rows,
                   formatting.count(len(votes), "vote"))
    ]  # fmt: skip
    if strong := vote_statistics.strengths(votes, order):
        parts.append(
            html.table(
                ["Side", "Bradley–Terry strength, 95 %"],
                [[s.side, f"{s.value:.2f} ({s.low:.2f} to {s.high:.2f})"] for s in strong],
                f"Log-odds against {order[0]}",
            )
        )
    agreed = vote_statistics.agreement(votes)
    together = vote_statistics.unanimity(votes)
    if together and together.voters > 2:
        alpha = "–" if math.isnan(together.alpha) else f"{together.alpha:.2f}"
        parts.append(
            html.notice(
                f"{together.voters} people have judged {formatting.count(together.rows, 'row')} of "
                f"the sheet together; Krippendorff's alpha: {alpha}."
            )
        )
    if agreed and len(agreed) <= MOST_DUOS:
        lines = [
            [f"{x.a} and {x.b}", str(x.rows), f"{x.share:.0%}",
             "–" if math.isnan(x.kappa) else f"{x.kappa:.2f}"]
            for x in agreed
        ]  # fmt: skip
        heads = ["Sheet", "Both judged", "Agreed", "Cohen's kappa"]
        parts.append(html.table(heads, lines, "Agreement"))
    return joined(parts)


def _mine(votes: Sequence[Vote], owner: str | None) -> Markup:
    """The last votes of whoever looks, the newest first; Undo takes them back one by one."""
    mine = [vote for vote in votes if owner and vote.owner == owner][::-1]
    if not mine:
        return html.NOTHING
    lines = [
        [" ".join(vote.input.split())[:80], vote.winner or CHOICES[vote.choice].lower()]
        for vote in mine[:MOST_MINE]
    ]
    table = html.table(["Input", "You preferred"], lines, "Your votes", words=True)
    return fill(
        '<details class="tk-prompt"><summary>{} of your own</summary>{}</details>',
        formatting.count(len(mine), "vote"), table,
    )  # fmt: skip


def _share(duel: vote_statistics.Duel) -> str:
    if not duel.decided:
        return "none decided"
    return f"{duel.share:.0%} ({duel.low:.0%} to {duel.high:.0%})"


def sheet(pairs: Sequence[preference_sheet.SheetPair]) -> Markup:
    """What the evaluation sheet is, and a link to it for paper."""
    about = html.notice(
        f"{formatting.count(len(pairs), 'pair')} of test rows, the same for everybody: read what "
        "stands there, and say which answer is better."
    )
    link = html.download(
        "sheet.csv", preference_sheet.to_csv(pairs), "text/csv", "The sheet as CSV, to fill in"
    )
    return fill('{}<p class="tk-links">{}</p>', about, link)


def exports(votes: Sequence[Vote], owner: str | None = None) -> Markup:
    """Links to the preference data and to all votes, without the inputs that others have typed."""
    seen = [vote for vote in votes if vote.may_see(owner)]
    found = vote_statistics.preferences(seen)
    why = dict(found.left_out)
    if len(seen) < len(votes):
        why["on inputs that other people have typed"] = len(votes) - len(seen)
    lines = "".join(json.dumps(pair, ensure_ascii=False) + "\n" for pair in found.pairs)
    left_out = html.NOTHING
    if why:
        reasons = "; ".join(f"{count} {reason}" for reason, count in sorted(why.items()))
        left_out = html.fill(
            '<p class="tk-quiet tk-left-out">Not among the preference data: {}.</p>', reasons
        )
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, EXPORTED)
    writer.writeheader()
    for vote in votes:
        values = {name: _cell(getattr(vote, name)) for name in EXPORTED}
        writer.writerow(values if vote.may_see(owner) else values | dict.fromkeys(HIDDEN, ""))
    return fill(
        '<p class="tk-links">{}{}</p>{}',
        html.download(
            "preferences.jsonl", lines, "application/x-ndjson",
            f"Preference data for DPO, {formatting.count(len(found.pairs), 'pair')}",
        ),
        html.download("votes.csv", buffer.getvalue(), "text/csv", "All votes as CSV"),
        left_out,
    )  # fmt: skip


def _cell(value: Any) -> Any:
    return formatting.spreadsheet_cell(value) if isinstance(value, str) else value
