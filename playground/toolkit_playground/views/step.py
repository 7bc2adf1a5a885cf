"""View "Step": one training step on one row of a run, explained and taken back."""

from __future__ import annotations

from typing import Any

import gradio as gr
from markupsafe import Markup

from toolkit import Row
from toolkit_playground.rendering import html
from toolkit_playground.rendering import training_step as rendering
from toolkit_playground.state.training_step import numbered_row, take, training_row
from toolkit_playground.views.page import Page, block, no_run

VIEW = "step"
TRAINED, NEW = "The trained adapter", "A new adapter, as before training"
HINT = "Press Take one step: forward, loss, backward, step, with all numbers; it is taken back."


def build(page: Page) -> None:
    """The view's components and what they do."""
    with gr.Row(elem_classes="tk-split"):
        with gr.Column(elem_classes="tk-one"):
            block("step-about", about())
            with gr.Row(elem_classes="tk-ask"):
                number = gr.Number(
                    None, label="Number of the row", precision=0, elem_id="step-number", scale=1,
                    min_width=130,
                )  # fmt: skip
                other = gr.Button("Another row", elem_id="step-another", scale=1, min_width=120)
            card = block("step-row")
            start = gr.Radio([TRAINED, NEW], value=TRAINED, label="Begin with",
                             elem_id="step-start")  # fmt: skip
            go = gr.Button("Take one step", variant="primary", elem_id="step-go")
        with gr.Column(elem_classes="tk-two"):
            out = block("step-out")
    chosen, place = gr.State(None), gr.State(-1)
    drawn = [chosen, place, number, card]

    def values(key: str | None) -> list[Any]:
        return [None, -1, None, html.NOTHING, no_run() if key is None else blank()]

    page.follow([*drawn, out], values)

    def found(key: str | None, row: Row, at: int) -> list[Any]:
        shown = {"run": key, "row": row}
        return [shown, at, row["row_id"], rendering.row(page.engine(key).task, row)]

    def another(request: gr.Request, key: str | None, at: int) -> list[Any]:
        """The next training row, in an order of chance that is the same each time."""
        try:
            engine = page.engine(key)
            return [*found(key, training_row(page.library, engine, at + 1), at + 1), blank()]
        except Exception as error:  # one session's trouble is shown there and nowhere else
            return [None, at, None, html.failure(error, "reading the training rows"), gr.skip()]

    def numbered(
        request: gr.Request, key: str | None, at: int, wanted: float | None
    ) -> list[Any]:  # fmt: skip
        if wanted is None:
            return [gr.skip()] * 5
        try:
            row = numbered_row(page.library, page.engine(key), int(wanted))
            return [*found(key, row, at), blank()]
        except Exception as error:
            return [None, at, wanted, html.failure(error, "reading the training rows"), gr.skip()]

    def step(
        request: gr.Request, key: str | None, now: dict[str, Any] | None, at: int, begin: str
    ) -> list[Any]:  # fmt: skip
        skipped = [gr.skip()] * len(drawn)
        try:
            engine = page.engine(key)
            if now is None or now["run"] != key:
                skipped = found(key, training_row(page.library, engine, at + 1), at + 1)
                now = skipped[0]
            assert now is not None
            stepped = take(engine, now["row"], fresh=begin == NEW)
            return [*skipped, rendering.explained(stepped)]
        except Exception as error:
            return [*skipped, html.failure(error, "taking the step")]

    shown = [*drawn, out]
    reading = {"show_progress": "minimal", "concurrency_limit": 4}
    page.turn(other.click, VIEW, another, [page.chosen, place], shown, **reading)
    page.turn(number.submit, VIEW, numbered, [page.chosen, place, number], shown, **reading)
    page.answer(
        go.click, VIEW, step, [page.chosen, chosen, place, start], [*drawn, out],
        left=lambda: [*[gr.skip()] * len(drawn), blank()], show_progress="minimal",
        api_visibility="private",
    )  # fmt: skip


def about() -> Markup:
    """What the view is for."""
    return html.fill(
        '<h2 class="tk-heading">One step, explained</h2><p class="tk-quiet">{}</p>',
        "What training does, once, on one row: the probabilities of the answer, the loss, the "
        "gradient in each layer of the adapter, one step of the optimizer, and what came of it.",
    )


def blank() -> Markup:
    """What stands where no step has been taken."""
    return html.empty("No step taken yet", HINT)
