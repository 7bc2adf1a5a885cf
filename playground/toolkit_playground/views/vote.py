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
            with gr.Row(elem_classes="tk-go"):
                following = gr.Button("Next pair (N)", variant="primary", elem_id="vote-next")
                stop = gr.Button("Stop", elem_id="vote-stop", interactive=False, min_width=90)
                undo = gr.Button("Undo (Z)", elem_id="vote-undo", min_width=110)
            shown = block("vote-pair")
            with gr.Row(elem_classes="tk-votes"):
                buttons = {
                    choice: gr.Button(f"{label} ({votes.KEYS[choice]})", interactive=False,
                                      elem_id=f"vote-{choice}", min_width=120)
                    for choice, label in votes.CHOICES.items()
                }  # fmt: skip
            message = block("vote-told")
            with gr.Row(elem_classes="tk-below"):
                auto = gr.Checkbox(True, label="Next pair by itself", elem_id="vote-auto")
                gr.Checkbox(
                    True, label="Keys A, B, T, X, N, Z", elem_id="vote-keys", interactive=True
                )
        with gr.Column(elem_classes="tk-two"):
            results = block("vote-results")
            with gr.Accordion("On whom", open=False):
                sides = side_choice(page, VIEW)
            raw, controls = raw_controls(page, VIEW)
    page.address.keep(VIEW, source=source)
    pair, before = gr.State(None), gr.State(None)
    page.stop(stop, VIEW)
    outputs = [shown, message, pair, *buttons.values()]

    def buttons_on(on: bool) -> list[Any]:
        return [gr.Button(interactive=on)] * len(buttons)

    def values(key: str | None) -> list[Any]:
        off = buttons_on(False)
        if key is None:
            return [*sides_of(page, None), no_run(), "", None, *off]
        run = page.library.find(key)
        return [*sides_of(page, run), not_drawn(), "", None, *off]

    def counted(key: str | None, owner: str | None) -> list[Any]:
        return ["" if key is None else results_of(page, page.library.find(key), owner)]

    page.follow([*sides, *outputs], values)
    page.owned.append((counted, [results]))

    def turned(key: str | None, chosen: str) -> list[Any]:
        return [
            gr.Textbox(visible=chosen == OWN),
            blank_sheet(page, key) if chosen == SHEET else "",
        ]

    source.change(turned, [page.chosen, source], [own, paper], concurrency_limit=4, **QUIET)

    def draw(
        request: gr.Request, key: str | None, source: str, own: str, voter: str, labels: list[str],
        others: list[str], raw: bool, *controls: Any, told: bool = False,
    ) -> list[Any]:  # fmt: skip
        """A pair; ``told``: what was said of the vote before stays."""
        try:
            engine = page.engine(key)
            chosen = resolve_sides(page.library, engine, [*labels, *others])
            name = page.library.roster(engine.run).join(request, voter)
            wanted = Request(source, own, name, chosen, controls if raw else None)
            with page.sessions.stoppable(request, VIEW) as stop:
                drawn = next_pair(page.library, engine, wanted, stop)
            return [votes.pair(drawn), gr.skip() if told else "", drawn, *buttons_on(True)]
        except Exception as error:  # one session's trouble is shown there and nowhere else
            return [gr.skip(), html.failure(error, "drawing a pair"), None, *buttons_on(False)]

    def draw_after(request: gr.Request, auto: bool, now: Pair | None, *rest: Any) -> list[Any]:
        """The next pair, once a vote is in."""
        if not auto or now is not None:  # it is done by hand, or the vote was refused
            return [gr.skip()] * len(outputs)
        return draw(request, *rest, told=True)

    def take_back(
        request: gr.Request, key: str | None, voter: str, owner: str | None, last: Pair | None
    ) -> list[Any]:
        try:
            run = page.library.find(key)
            name = page.library.roster(run).join(request, voter)
            found = page.library.store(run).undo_vote(name, owner)
            if found is None:
                raise UsageError("there is no vote of yours to undo")
            told, counts = html.notice("Undone; vote again."), results_of(page, run, owner)
            if (
                last is None
                or last.run != key
                or last.vote(found.choice, found.voter, owner) != found
            ):
                return [gr.skip(), told, *[gr.skip()] * (1 + len(buttons)), counts, None]
            return [votes.pair(last), told, last, *buttons_on(True), counts, None]
        except Exception as error:  # one session's trouble is shown there and nowhere else
            skipped = [gr.skip()] * (2 + len(buttons))
            return [gr.skip(), html.failure(error, "undoing"), *skipped, gr.skip()]

    def cast(choice: str) -> Callable[..., list[Any]]:
        def vote(
            key: str | None, now: Pair | None, voter: str, owner: str | None, request: gr.Request
        ) -> list[Any]:
            try:
                if now is None or now.run != key:
                    raise UsageError("there is no pair to vote on; press Next pair")
                run = page.library.find(key)
                name = page.library.roster(run).join(request, voter)
                page.library.store(run).vote(now.vote(choice, name, owner))
                return [votes.pair(now, named=True), votes.thanks(now, choice), None,
                        *buttons_on(False), results_of(page, run, owner), now]  # fmt: skip
            except Exception as error:  # one session's trouble is shown there and nowhere else
                skipped = [gr.skip()] * len(buttons)
                return [gr.skip(), html.failure(error, "voting"), gr.skip(), *skipped,
                        gr.skip(), gr.skip()]  # fmt: skip

        return vote

    asked = [page.chosen, source, own, page.person, *sides, raw, *controls]
    page.answer(
        following.click, VIEW, draw, asked, outputs,
        left=lambda: [not_drawn(), "", None, *buttons_on(False)], show_progress="minimal",
        api_visibility="private",
    )  # fmt: skip
    for choice, button in buttons.items():
        voted = button.click(
            cast(choice), [page.chosen, pair, page.person, page.owner],
            [*outputs, results, before], trigger_mode="once", concurrency_limit=4, **QUIET,
        )  # fmt: skip
        page.answer(
            voted.then, VIEW, draw_after, [auto, pair, *asked], outputs,
            left=lambda: [not_drawn(), "", None, *buttons_on(False)], show_progress="minimal",
            api_visibility="private",
        )  # fmt: skip
    # As an answer of the model, so that a pair that is being drawn does not come after it.
    page.answer(
        undo.click, VIEW, take_back, [page.chosen, page.person, page.owner, before],
        [*outputs, results, before],
        left=lambda: [not_drawn(), "", None, *buttons_on(False), gr.skip(), None],
        show_progress="hidden", api_visibility="private",
    )  # fmt: skip


def not_drawn() -> Markup:
    """What stands where no pair is shown."""
    return html.empty(
        "Blind comparison", "Press Next pair, or N: two answers, whose side is hidden and shuffled."
    )


def results_of(page: Page, run: Run, owner: str | None) -> str:
    """Results of all votes on a run, as this owner may see them."""
    return votes.summary(page.library.store(run).votes(), side_labels(page.library, run), owner)


def blank_sheet(page: Page, key: str | None) -> str:
    """The evaluation sheet for paper: the base against what the run has trained."""
    try:
        run = page.library.find(key)
        pairs = preference_sheet.draw(run, load_task(run), BASE_LABEL, trained_label(run))
    except ToolkitError as error:
        return html.failure(error)
    return votes.sheet(pairs)
