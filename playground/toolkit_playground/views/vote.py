"""View "Vote": blind pairs, kept in SQLite, with what they say and an export for DPO."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from html import escape
from typing import Any

import gradio as gr

from toolkit import formatting
from toolkit.errors import ToolkitError, UsageError
from toolkit.evaluation import preference_sheet
from toolkit.pipeline.restore import load_task
from toolkit.runs.run import Run
from toolkit_playground.rendering import html
from toolkit_playground.state import vote_statistics
from toolkit_playground.state.engine import trained_label
from toolkit_playground.state.pairs import HELD_OUT, OWN, SHEET, Pair, as_vote, next_pair
from toolkit_playground.state.store import FIELDS, Vote
from toolkit_playground.views.inputs import sampling_controls
from toolkit_playground.views.page import (
    MODEL_QUEUE,
    NO_RUN,
    NO_RUN_HINT,
    QUIET,
    Page,
    block,
    download,
    resolve_sides,
    side_labels,
)

VIEW = "vote"
BUTTONS = {"left": "A is better", "tie": "Tie", "both-bad": "Both bad", "right": "B is better"}


def build(page: Page) -> None:
    """The view's components and what they do."""
    sides_there = page.first_sides()
    with gr.Row(elem_classes=["tk-split", "tk-wide"]):
        with gr.Column(elem_classes="tk-one"):
            with gr.Row():
                source = gr.Radio(
                    [HELD_OUT, OWN, SHEET], value=HELD_OUT, label="Vote on", elem_id="vote-source"
                )
            own = gr.Textbox(label="Input", lines=3, visible=False, elem_id="vote-own")
            paper = block("vote-sheet")
            following = gr.Button("Next pair", variant="primary", elem_id="vote-next")
            shown = block("vote-pair")
            with gr.Row(elem_classes="tk-votes"):
                buttons = {
                    choice: gr.Button(label, interactive=False, elem_id=f"vote-{choice}",
                                      min_width=120)
                    for choice, label in BUTTONS.items()
                }  # fmt: skip
            told = block("vote-told")
        with gr.Column(elem_classes="tk-two"):
            results = block("vote-results")
            with gr.Accordion("Who votes, and on whom", open=False):
                voter = gr.Textbox(
                    label="Your name", elem_id="vote-voter", max_length=80,
                    info="Two people who fill in the sheet get their agreement.",
                )  # fmt: skip
                sides = gr.CheckboxGroup(
                    sides_there, value=sides_there[:2], label="Sides",
                    elem_id="vote-sides",
                )  # fmt: skip
            controls = sampling_controls()
    pair = gr.State(None)
    outputs = [shown, told, pair, *buttons.values()]

    def values(key: str | None) -> list[Any]:
        off = [gr.Button(interactive=False)] * len(buttons)
        if key is None:
            return [gr.CheckboxGroup(), "", html.empty(NO_RUN, NO_RUN_HINT), "", None, *off]
        run = page.library.find(key)
        labels = side_labels(page.library, run)
        hint = html.empty(
            "Blind comparison", "Press Next pair: two answers, whose side is hidden and shuffled."
        )
        return [
            gr.CheckboxGroup(choices=labels, value=labels[:2]), summary(page, run), hint, "", None,
            *off,
        ]  # fmt: skip

    page.follow([sides, results, *outputs], values)

    def turned(key: str | None, chosen: str) -> list[Any]:
        return [
            gr.Textbox(visible=chosen == OWN),
            blank_sheet(page, key) if chosen == SHEET else "",
        ]

    source.change(turned, [page.chosen, source], [own, paper], concurrency_limit=4, **QUIET)

    def draw(
        request: gr.Request, key: str | None, source: str, own: str, voter: str, labels: list[str],
        *settings: Any,
    ) -> list[Any]:  # fmt: skip
        try:
            engine = page.engine(key)
            chosen = resolve_sides(page, engine, labels)
            name = _name(voter, request)
            with page.sessions.sign(request, VIEW) as stop:
                drawn = next_pair(page, engine, source, own, name, chosen, settings, stop)
            return [pair_html(drawn), "", drawn, *[gr.Button(interactive=True)] * len(buttons)]
        except Exception as error:  # one session's trouble is shown there and nowhere else
            off = [gr.Button(interactive=False)] * len(buttons)
            return [gr.skip(), html.failure(error, "drawing a pair"), None, *off]

    def cast(choice: str) -> Any:
        def vote(key: str | None, now: Pair | None, voter: str, request: gr.Request) -> list[Any]:
            try:
                if now is None or now.run != key:
                    raise UsageError("there is no pair to vote on; press Next pair")
                run = page.library.find(key)
                page.library.store(run).vote(as_vote(now, choice, _name(voter, request)))
                off = [gr.Button(interactive=False)] * len(buttons)
                return [pair_html(now, open_=True), thanks(now, choice), None, *off,
                        summary(page, run)]  # fmt: skip
            except Exception as error:  # one session's trouble is shown there and nowhere else
                skipped = [gr.skip()] * len(buttons)
                return [gr.skip(), html.failure(error, "voting"), gr.skip(), *skipped, gr.skip()]

        return vote

    begun = following.click(page.begin(VIEW), None, None, queue=False, **QUIET)
    begun.then(
        draw, [page.chosen, source, own, voter, sides, *controls], outputs,
        show_progress="minimal", api_visibility="private", **MODEL_QUEUE,
    )  # fmt: skip
    for choice, button in buttons.items():
        button.click(
            cast(choice), [page.chosen, pair, voter], [*outputs, results],
            trigger_mode="once", concurrency_limit=4, **QUIET,
        )  # fmt: skip


def _name(voter: str, request: gr.Request | None) -> str:
    session = str(request.session_hash or "") if request else ""
    return (voter or "").strip()[:80] or f"session {session[:6] or '?'}"


# -- what is shown ---------------------------------------------------------------------------------
def pair_html(pair: Pair, *, open_: bool = False) -> str:
    """The two answers; who said which only once the vote is in."""
    cards = [
        html.card(
            3, f"{letter}{f' – {label}' if open_ else ''}",
            escape(text) or "<em>nothing</em>", "",
        )
        for letter, (label, text) in zip("AB", (pair.left, pair.right), strict=True)
    ]  # fmt: skip
    return (
        f'<section class="tk-card tk-plain"><p class="tk-quiet">Input</p>'
        f'<p class="tk-question">{escape(pair.input)}</p></section>{html.cards(cards)}'
    )


def thanks(pair: Pair, choice: str) -> str:
    """What the vote was, told after it is on the disk."""
    won = {"left": pair.left[0], "right": pair.right[0]}.get(choice)
    said = f"You preferred {won}." if won else f"You said: {BUTTONS[choice].lower()}."
    return html.notice(f"Kept. A was {pair.left[0]}, B was {pair.right[0]}. {said}")


def summary(page: Page, run: Run) -> str:
    """Results of all votes on a run, and the links that save them."""
    votes = page.library.store(run).votes()
    if not votes:
        return html.empty("No votes yet", "Results with their interval appear here.")
    order = side_labels(page.library, run)
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
        html.table(["Sides", "Won", "Undecided", "Share, 95 %", "Sign test"], rows,
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
    if agreed := vote_statistics.agreement(votes):
        lines = [
            [f"{x.a} and {x.b}", str(x.rows), f"{x.share:.0%}",
             "–" if math.isnan(x.kappa) else f"{x.kappa:.2f}"]
            for x in agreed
        ]  # fmt: skip
        heads = ["Sheet", "Both judged", "Agreed", "Cohen's kappa"]
        parts.append(html.table(heads, lines, "Agreement"))
    return "".join([*parts, exports(votes)])


def blank_sheet(page: Page, key: str | None) -> str:
    """What the sheet is, and a link to it on paper: base against what the run has trained."""
    try:
        run = page.library.find(key)
        pairs = preference_sheet.draw(run, load_task(run), "base", trained_label(run))
    except ToolkitError as error:
        return html.failure(error)
    told = html.notice(
        f"{formatting.count(len(pairs), 'pair')} of test rows, the same for everybody: read what "
        "stands there, and say which answer is better. Give your name below the results."
    )
    link = download(
        "sheet.csv", preference_sheet.to_csv(pairs), "text/csv", "The sheet as CSV, to fill in"
    )
    return f'{told}<p class="tk-links">{link}</p>'


def _share(duel: vote_statistics.Duel) -> str:
    if not duel.decided:
        return "none decided"
    return f"{duel.share:.0%} ({duel.low:.0%} to {duel.high:.0%})"


def exports(votes: Sequence[Vote]) -> str:
    """Links to the preference data and to the sheet."""
    pairs = vote_statistics.preferences(votes)
    lines = "".join(json.dumps(pair, ensure_ascii=False) + "\n" for pair in pairs)
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, FIELDS)
    writer.writeheader()
    writer.writerows({name: _cell(getattr(vote, name)) for name in FIELDS} for vote in votes)
    return '<p class="tk-links">' + (
        download(
            "preferences.jsonl", lines, "application/x-ndjson",
            f"Preference data for DPO, {formatting.count(len(pairs), 'pair')}",
        )
        + download("votes.csv", buffer.getvalue(), "text/csv", "All votes as CSV")
    ) + "</p>"  # fmt: skip


def _cell(value: Any) -> Any:
    return preference_sheet.cell(value) if isinstance(value, str) else value
