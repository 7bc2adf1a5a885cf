"""View "Compare": one input, all sides at once from one model, differences marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr

from toolkit import Row
from toolkit_playground.rendering import comparison, html
from toolkit_playground.state.inputs import read_row
from toolkit_playground.state.sessions import Visitor
from toolkit_playground.state.sides import resolve_sides
from toolkit_playground.state.writing import Controls, checked_prompt, sampling, write
from toolkit_playground.views.inputs import RowInput, sampling_controls, side_choice, sides_of
from toolkit_playground.views.page import Page, block

VIEW = "compare"
HINT = "Press Compare: base and adapter write at the same time, from one model in memory."


def build(page: Page) -> None:
    """The view's components and what they do."""
    with gr.Row(elem_classes="tk-split"):
        with gr.Column(elem_classes="tk-one"):
            inputs = RowInput(page, VIEW)
            with gr.Row(elem_classes="tk-go"):
                go = gr.Button("Compare", variant="primary", elem_id="compare-go", scale=2)
                stop = gr.Button("Stop", elem_id="compare-stop", scale=1, min_width=90)
        with gr.Column(elem_classes="tk-two"):
            out = block("compare-out")
        with gr.Column(elem_classes="tk-three"):
            sides = side_choice(page, VIEW)
            inputs.show_examples()
            controls = sampling_controls()

    def values(key: str | None) -> list[Any]:
        if key is None:
            return [gr.CheckboxGroup(), html.empty("Compare", HINT)]
        run = page.library.find(key)
        return [sides_of(page, run), html.empty("Nothing compared yet", HINT)]

    page.follow([sides, out], values)

    def compare(
        request: gr.Request, key: str | None, labels: list[str], row: Row | None, *rest: Any
    ) -> Iterator[str]:
        texts, settings = rest[: len(inputs.boxes)], rest[len(inputs.boxes) :]
        try:
            yield from answers(page, key, labels, row, texts, settings, request)
        except Exception as error:  # one session's trouble is shown there and nowhere else
            yield html.failure(error, "comparing")

    page.answer(
        inputs.starts(go), VIEW, compare,
        [page.chosen, sides, inputs.row, *inputs.boxes, *controls], out,
        api_name="compare", show_progress="hidden",
    )  # fmt: skip
    page.stop(stop, VIEW)


def answers(
    page: Page,
    key: str | None,
    labels: Sequence[str],
    example: Row | None,
    texts: Sequence[str],
    controls: Controls,
    visitor: Visitor,
) -> Iterator[str]:
    """The page's HTML while the sides answer.

    Args:
        example: the held-out row that was clicked last.
        texts: what stands in the boxes of the task's inputs.
    """
    engine = page.engine(key)
    chosen = resolve_sides(page.library, engine, labels)
    row, known = read_row(engine.task, example, texts)
    if not engine.writes:
        yield comparison.predictions(engine, chosen, row, known)
        return
    settings = sampling(*controls)
    prompt = checked_prompt(engine, row, settings)
    foot = html.prompt(engine.shown(prompt), len(prompt))
    with page.sessions.stoppable(visitor, VIEW) as stop:
        for written in write(engine, [prompt] * len(chosen), chosen, settings, stop):
            yield comparison.texts(engine, chosen, written, row if known else None) + foot
