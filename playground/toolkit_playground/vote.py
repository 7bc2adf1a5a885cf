"""View "Vote": blind pairs, kept in SQLite, with what they say and an export for DPO."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from toolkit import wording
from toolkit.errors import UsageError
from toolkit.run import Run
from toolkit.task import Row, Task
from toolkit_playground import html, judging
from toolkit_playground.engine import Engine
from toolkit_playground.library import inputs_of
from toolkit_playground.page import (
    BOXES,
    MODEL_QUEUE,
    NO_RUN,
    NO_RUN_HINT,
    QUIET,
    Page,
    block,
    download,
    generation,
    resolve_sides,
    sampling_controls,
    side_labels,
)
from toolkit_playground.store import FIELDS, Vote

VIEW = "vote"
HELD_OUT, OWN, SHEET = "Held-out rows", "My own input", "Sheet of 100"
SHEET_ROWS = 100
TRIES = 5
BUTTONS = {"left": "A is better", "tie": "Tie", "both-bad": "Both bad", "right": "B is better"}


@dataclass(frozen=True)
class Pair:
    """What a voter has before them; who stands where is known to the server alone."""

    run: str
    sheet: bool
    row_id: int | None
    input: str
    prompt: str
    left: tuple[str, str]
    right: tuple[str, str]


def build(page: Page) -> None:
    """The view's components and what they do."""
    with gr.Row(elem_classes=["tk-split", "tk-wide"]):
        with gr.Column(elem_classes="tk-one"):
            with gr.Row():
                source = gr.Radio(
                    [HELD_OUT, OWN, SHEET], value=HELD_OUT, label="Vote on", elem_id="vote-source"
                )
            own = gr.Textbox(label="Input", lines=3, visible=False, elem_id="vote-own")
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
                    ["base", "adapter"], value=["base", "adapter"], label="Sides",
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
    source.change(
        lambda chosen: gr.Textbox(visible=chosen == OWN), source, own, queue=False, **QUIET
    )

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


# -- pairs -----------------------------------------------------------------------------------------
def next_pair(
    page: Page,
    engine: Engine,
    source: str,
    own: str,
    voter: str,
    labels: Sequence[str],
    settings: Sequence[Any],
    stop: Any,
) -> Pair:
    """A pair with different answers, in an order that nobody can tell."""
    if len(labels) < 2:
        raise UsageError("a pair needs two sides; choose another beside this one")
    drawn = random.SystemRandom()
    two = drawn.sample(list(labels), 2)
    if source == SHEET:
        return sheet_pair(page, engine, voter, two)
    if source == OWN:
        names = list(inputs_of(engine.task))
        if not (own or "").strip():
            raise UsageError("type an input first")
        row = {"row_id": 0, **dict.fromkeys(names, ""), names[0]: own}
        return _written(engine, row, None, two, settings, stop)
    rows = page.library.held_out(engine.run, "select")
    if not rows:
        raise UsageError("this run keeps no rows (--no-store-data); vote on an input of your own")
    for _ in range(TRIES):
        row = dict(drawn.choice(rows))
        found = _written(engine, row, int(row["row_id"]), two, settings, stop)
        if found.left[1] != found.right[1]:
            return found
    raise UsageError(
        f"both sides said the same {TRIES} times in a row; raise the temperature under Sampling"
    )


def _written(
    engine: Engine,
    row: Row,
    row_id: int | None,
    two: Sequence[str],
    settings: Sequence[Any],
    stop: Any,
) -> Pair:
    shown = _input(engine.task, row)
    if not engine.writes:
        readings = engine.predict(row, two)
        unit = engine.task.metric().unit
        said = [html.figure(r.answer["prediction"], unit) for r in readings]
        return Pair(
            engine.run.id, False, row_id, shown, shown, (two[0], said[0]), (two[1], said[1])
        )
    *controls, seed = settings
    wanted = generation(*controls)
    prompt = engine.prompt(row)
    engine.check_length(prompt, engine.room, engine.answer_room)
    engine.check_length(prompt, engine.positions, wanted["max_new_tokens"])
    texts = list(
        engine.write([prompt] * 2, two, generation=wanted, seed=int(seed or 0), stop=stop)
    )[-1]
    if any(text.stopped for text in texts):
        raise UsageError("stopped")
    left, right = ((label, text.text) for label, text in zip(two, texts, strict=True))
    return Pair(engine.run.id, False, row_id, shown, engine.shown(prompt), left, right)


def sheet_pair(page: Page, engine: Engine, voter: str, two: Sequence[str]) -> Pair:
    """The next row of the evaluation sheet that this voter has not judged.

    The sheet's rows are drawn by the run's seed, the same for everybody; the answers are those
    that the run's ladder was scored on, so that nothing is generated anew.
    """
    run, task = engine.run, engine.task
    rows = sheet_rows(page, run)
    done = {v.row_id for v in page.library.store(run).votes() if v.sheet and v.voter == voter}
    ladder = page.library.ladder(run)
    systems = [engine.side(label).system for label in two]
    for label, system in zip(two, systems, strict=True):
        if system not in ladder or engine.side(label).run is not run:
            raise UsageError(f"{label} has no predictions in this run; the sheet compares its own")
    for row in rows:
        row_id = int(row["row_id"])
        if row_id in done:
            continue
        left, right = (
            (label, _answer(ladder[system][row_id], task))
            for label, system in zip(two, systems, strict=True)
        )
        if left[1] != right[1]:
            prompt = _prompt(engine, row)
            return Pair(run.id, True, row_id, _input(task, row), prompt, left, right)
    raise UsageError("the sheet is done; export it, or give another name to fill it in again")


def sheet_rows(page: Page, run: Run) -> list[Row]:
    """Rows of the sheet: held-out ones that are not kept for guessing come first."""
    first = page.library.held_out(run, "select", "calibrate")
    more = page.library.held_out(run, "test") if len(first) < SHEET_ROWS else []
    order = random.Random(f"{run.info['seed']} sheet")
    order.shuffle(first)
    order.shuffle(more)
    return [*first, *more][:SHEET_ROWS]


def _answer(line: Mapping[str, Any], task: Task) -> str:
    raw = line.get("raw")
    return str(raw) if raw else html.figure(line["prediction"], task.metric().unit)


def _prompt(engine: Engine, row: Row) -> str:
    return engine.shown(engine.prompt(row)) if engine.writes else _input(engine.task, row)


def _input(task: Task, row: Row) -> str:
    names = list(inputs_of(task))[:BOXES]
    return "\n".join(str(row.get(name, "")) for name in names)


def as_vote(pair: Pair, choice: str, voter: str) -> Vote:
    """A pair with its choice, as it is kept."""
    return Vote(
        voter, pair.sheet, pair.row_id, pair.input, pair.prompt,
        pair.left[0], pair.right[0], pair.left[1], pair.right[1], choice,
    )  # fmt: skip


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
        for duel in judging.duels(votes, order)
    ]
    parts = [
        html.table(["", "Won", "Undecided", "Share, 95 %", "Sign test"], rows,
                   wording.count(len(votes), "vote"))
    ]  # fmt: skip
    if strong := judging.strengths(votes, order):
        parts.append(
            html.table(
                ["", "Bradley–Terry strength, 95 %"],
                [[s.side, f"{s.value:.2f} ({s.low:.2f} to {s.high:.2f})"] for s in strong],
                f"Log-odds against {order[0]}",
            )
        )
    if agreed := judging.agreement(votes):
        lines = [[f"{a} and {b}", str(n), f"{k:.2f}" if k == k else "–"] for a, b, n, k in agreed]
        parts.append(html.table(["Sheet", "Rows", "Cohen's kappa"], lines, "Agreement"))
    return "".join([*parts, exports(votes)])


def _share(duel: judging.Duel) -> str:
    if not duel.decided:
        return "none decided"
    return f"{duel.share:.0%} ({duel.low:.0%} to {duel.high:.0%})"


def exports(votes: Sequence[Vote]) -> str:
    """Links to the preference data and to the sheet."""
    pairs = judging.preferences(votes)
    lines = "".join(json.dumps(pair, ensure_ascii=False) + "\n" for pair in pairs)
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, FIELDS)
    writer.writeheader()
    writer.writerows({name: _cell(getattr(vote, name)) for name in FIELDS} for vote in votes)
    return '<p class="tk-links">' + (
        download(
            "preferences.jsonl", lines, "application/x-ndjson",
            f"Preference data for DPO, {wording.count(len(pairs), 'pair')}",
        )
        + download("votes.csv", buffer.getvalue(), "text/csv", "All votes as CSV")
    ) + "</p>"  # fmt: skip


def _cell(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula."""
    text = str(value) if isinstance(value, str) else value
    return f"'{text}" if isinstance(text, str) and text[:1] in ("=", "+", "-", "@") else text
