"""View "Failures": where a run fails, row by row; one click opens a row with all answers to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from toolkit_playground.rendering import failures as rendering
from toolkit_playground.rendering import html
from toolkit_playground.state.any_model import task_for
from toolkit_playground.state.failures import ALL, Failures, Kept, held_out_row
from toolkit_playground.state.fitting import unfitting
from toolkit_playground.views.page import QUIET, Page, block, no_run

READING = "Reading the predictions of this run …"
SHOW_FOCUS = "() => setTimeout(() => document.querySelector('#{}-go')?.focus(), 60)"
"""The button in the view that was opened: the one that was pressed is out of sight."""


def build(page: Page) -> None:
    """The view's components and what they do."""
    kept = Kept()
    block("failures-about", about())
    with gr.Row(elem_classes="tk-ask"):
        order = gr.Dropdown([], label="Sorted by", elem_id="failures-order", scale=4)
        part = gr.Dropdown([], label="Slice", elem_id="failures-part", scale=4)
        split = gr.Dropdown([], label="Rows of", elem_id="failures-split", scale=2, min_width=130)
    shown = block("failures-rows", js_on_load=rendering.SCRIPT)
    with gr.Row(elem_classes="tk-pages"):
        before = gr.Button("Previous", elem_id="failures-previous", scale=0, min_width=100)
        number = gr.Number(
            1, label="Page", precision=0, minimum=1, elem_id="failures-page", scale=0,
            min_width=100,
        )  # fmt: skip
        after = gr.Button("Next", elem_id="failures-next", scale=0, min_width=100)
    choices, turning = [order, part, split], [before, number, after]

    def found(key: str) -> Failures:
        run = page.library.find(key)
        return kept.of(page.library, run, task_for(run))

    def listed(
        key: str, order: str | None, split: str, part: str | None, number: float | None
    ) -> list[Any]:
        """The rows of a page, and its controls."""
        of = found(key)
        shown = of.page(page.library, of.order(order), split, part or ALL, int(number or 1))
        several = shown.pages > 1
        return [
            rendering.page(shown, of, split, views(of)),
            gr.Button(interactive=shown.number > 1, visible=several),
            gr.Number(value=shown.number, label=f"Page of {shown.pages:,}", visible=several),
            gr.Button(interactive=shown.number < shown.pages, visible=several),
        ]

    def views(of: Failures) -> list[str]:
        unfit = unfitting(of.run, of.task)
        return [view for view in rendering.VIEWS if view not in unfit]

    def hidden(shown: Any) -> list[Any]:
        return [shown, *[gr.update(visible=False)] * 3]

    nothing = [gr.Dropdown(choices=[], value=None)] * 3

    def values(key: str | None) -> list[Any]:
        return [*nothing, *hidden(no_run() if key is None else html.notice(READING))]

    def read(key: str | None) -> list[Any]:
        """The first rows of a run: its predictions are many, so that they are read last."""
        if key is None:
            return values(None)
        try:
            of = found(key)
        except Exception as error:
            return [*nothing, *hidden(html.failure(error, "reading the predictions"))]
        split, orders = of.splits[0], [(order.label, order.key) for order in of.orders]
        return [
            gr.Dropdown(choices=orders, value=orders[0][1]),
            gr.Dropdown(choices=of.parts(split), value=ALL),
            gr.Dropdown(choices=of.splits, value=split),
            *listed(key, None, split, ALL, 1),
        ]

    page.follow([*choices, shown, *turning], values)
    page.later.append((read, [*choices, shown, *turning]))

    def turn(step: int) -> Callable[..., list[Any]]:
        def turned(
            key: str | None, order: str | None, part: str | None, split: str | None,
            number: float | None,
        ) -> list[Any]:  # fmt: skip
            if key is None or split is None:
                return [gr.skip()] * 4
            try:
                return listed(key, order, split, part, (number or 1) + step)
            except Exception as error:  # one session's trouble is shown there and nowhere else
                return hidden(html.failure(error, "sorting the rows"))

        return turned

    def first(key: str | None, order: str | None, part: str | None, split: str | None) -> list[Any]:
        return turn(0)(key, order, part, split, 1)

    def another(key: str | None, order: str | None, split: str | None) -> list[Any]:
        """The parts of another split, and its rows."""
        if key is None or split is None:
            return [gr.skip()] * 5
        parts = gr.Dropdown(choices=found(key).parts(split), value=ALL)
        return [parts, *first(key, order, ALL, split)]

    outputs, now = [shown, *turning], [page.chosen, *choices]
    gr.on([order.input, part.input], first, now, outputs, trigger_mode="always_last", **QUIET)
    split.input(another, [page.chosen, order, split], [part, *outputs], **QUIET)
    for start, step in ((before.click, -1), (after.click, 1), (number.submit, 0), (number.blur, 0)):
        start(turn(step), [*now, number], outputs, trigger_mode="always_last", **QUIET)

    for view in rendering.VIEWS:
        opened = page.turn(
            getattr(shown, f"in_{view}"), view, opener(page, view), page.chosen,
            [page.tabs, shown, *page.openings[view].outputs],
        )  # fmt: skip
        opened.then(None, None, None, js=SHOW_FOCUS.format(view))


def about() -> Any:
    """What the view is for, in a sentence."""
    return html.fill(
        '<h2 class="tk-heading">Where it fails</h2><p class="tk-quiet">{}</p>',
        "The held-out rows of this run, by its stored predictions, the worst first. Prediction "
        "and Compare open a row with the answers of all systems, Tokens an answer token by "
        "token; the arrow keys go from row to row.",
    )


def opener(page: Page, view: str) -> Callable[..., list[Any]]:
    """What opens a row in another view: its tab, and its inputs."""
    opening = page.openings[view]

    def opened(request: gr.Request, key: str | None, event: gr.EventData) -> list[Any]:
        try:
            run = page.library.find(key)
            row = held_out_row(page.library, run, str(event.split), int(event.row))
            values = opening.values(task_for(run), row)
            return [gr.Tabs(selected=view), gr.skip(), *values]
        except Exception as error:
            skipped = [gr.skip()] * len(opening.outputs)
            return [gr.skip(), html.failure(error, "opening the row"), *skipped]

    return opened
