"""View "Vote": blind pairs, kept in SQLite, with their results and an export for DPO."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr
from markupsafe import Markup

from toolkit.errors import ToolkitError, UsageError
from toolkit.evaluation import preference_sheet
from toolkit.pipeline import load_task
from toolkit.runs import Run
from toolkit_playground.rendering import html, votes
from toolkit_playground.state.engine import BASE_LABEL, trained_label
from toolkit_playground.state.pairs import OWN, SHEET, TRAINING, Pair, Request, next_pair
from toolkit_playground.state.people import person
from toolkit_playground.state.sides import resolve_sides, side_labels
from toolkit_playground.views.inputs import raw_controls, side_choice, sides_of
from toolkit_playground.views.page import QUIET, Page, block, no_run

VIEW = "vote"


def build(page: Page) -> None:
    """The view's components and what they do."""
    with gr.Row(elem_classes=["tk-split", "tk-wide"]):
        with gr.Column(elem_classes="tk-one"):
            with gr.Row():
                source = gr.Radio(
                    [TRAINING, OWN, SHEET], value=TRAINING, label="Vote on", elem_id="vote-source"
                )
            own = gr.Textbox(label="Input", lines=3, visible=False, elem_id="vote-own")
            paper = block("vote-sheet")
            following = gr.Button("Next pair", variant="primary", elem_id="vote-next")
            shown = block("vote-pair")
            with gr.Row(elem_classes="tk-votes"):
                buttons = {
                    choice: gr.Button(label, interactive=False, elem_id=f"vote-{choice}",
                                      min_width=120)
                    for choice, label in votes.CHOICES.items()
                }  # fmt: skip
            message = block("vote-told")
        with gr.Column(elem_classes="tk-two"):
            results = block("vote-results")
            with gr.Accordion("On whom", open=False):
                sides = side_choice(page, VIEW)
            raw, controls = raw_controls(VIEW)
    pair = gr.State(None)
    outputs = [shown, message, pair, *buttons.values()]

    def buttons_on(on: bool) -> list[Any]:
        return [gr.Button(interactive=on)] * len(buttons)

    def values(key: str | None) -> list[Any]:
        off = buttons_on(False)
        if key is None:
            return [*sides_of(page, None), "", no_run(), "", None, *off]
        run = page.library.find(key)
        return [*sides_of(page, run), results_of(page, run), not_drawn(), "", None, *off]

    page.follow([*sides, results, *outputs], values)

    def turned(key: str | None, chosen: str) -> list[Any]:
        return [
            gr.Textbox(visible=chosen == OWN),
            blank_sheet(page, key) if chosen == SHEET else "",
        ]

    source.change(turned, [page.chosen, source], [own, paper], concurrency_limit=4, **QUIET)

    def draw(
        request: gr.Request, key: str | None, source: str, own: str, voter: str, labels: list[str],
        others: list[str], raw: bool, *controls: Any,
    ) -> list[Any]:  # fmt: skip
        try:
            engine = page.engine(key)
            chosen = resolve_sides(page.library, engine, [*labels, *others])
            wanted = Request(source, own, person(request, voter), chosen, controls if raw else None)
            with page.sessions.stoppable(request, VIEW) as stop:
                drawn = next_pair(page.library, engine, wanted, stop)
            return [votes.pair(drawn), "", drawn, *buttons_on(True)]
        except Exception as error:  # one session's trouble is shown there and nowhere else
            return [gr.skip(), html.failure(error, "drawing a pair"), None, *buttons_on(False)]

    def cast(choice: str) -> Callable[..., list[Any]]:
        def vote(key: str | None, now: Pair | None, voter: str, request: gr.Request) -> list[Any]:
            try:
                if now is None or now.run != key:
                    raise UsageError("there is no pair to vote on; press Next pair")
                run = page.library.find(key)
                page.library.store(run).vote(now.vote(choice, person(request, voter)))
                return [votes.pair(now, named=True), votes.thanks(now, choice), None,
                        *buttons_on(False), results_of(page, run)]  # fmt: skip
            except Exception as error:  # one session's trouble is shown there and nowhere else
                skipped = [gr.skip()] * len(buttons)
                return [gr.skip(), html.failure(error, "voting"), gr.skip(), *skipped, gr.skip()]

        return vote

    page.answer(
        following.click, VIEW, draw,
        [page.chosen, source, own, page.person, *sides, raw, *controls], outputs,
        left=lambda: [not_drawn(), "", None, *buttons_on(False)], show_progress="minimal",
        api_visibility="private",
    )  # fmt: skip
    for choice, button in buttons.items():
        button.click(
            cast(choice), [page.chosen, pair, page.person], [*outputs, results],
            trigger_mode="once", concurrency_limit=4, **QUIET,
        )  # fmt: skip


def not_drawn() -> Markup:
    """What stands where no pair is shown."""
    return html.empty(
        "Blind comparison", "Press Next pair: two answers, whose side is hidden and shuffled."
    )


def results_of(page: Page, run: Run) -> str:
    """Results of all votes on a run."""
    return votes.summary(page.library.store(run).votes(), side_labels(page.library, run))


def blank_sheet(page: Page, key: str | None) -> str:
    """The evaluation sheet for paper: the base against what the run has trained."""
    try:
        run = page.library.find(key)
        pairs = preference_sheet.draw(run, load_task(run), BASE_LABEL, trained_label(run))
    except ToolkitError as error:
        return html.failure(error)
    return votes.sheet(pairs)
