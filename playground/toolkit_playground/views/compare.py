"""View "Compare": one input, all sides at once from one model, differences marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr
from markupsafe import Markup

from toolkit import Row
from toolkit.errors import UsageError
from toolkit_playground.rendering import comparison, html
from toolkit_playground.state.inputs import asked, read_row
from toolkit_playground.state.sessions import Visitor
from toolkit_playground.state.sides import resolve_sides
from toolkit_playground.state.writing import (
    Controls,
    checked_prompt,
    own_settings,
    sampling,
    write,
)
from toolkit_playground.views.inputs import RowInput, raw_controls, side_choice, sides_of
from toolkit_playground.views.page import Page, block

VIEW = "compare"
NOTHING_YET = "Nothing compared yet"
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
            inputs.show_examples(out, blank)
            raw, controls = raw_controls(VIEW)

    def values(key: str | None) -> list[Any]:
        if key is None:
            return [*sides_of(page, None), html.empty("Compare", HINT)]
        run = page.library.find(key)
        return [*sides_of(page, run), blank()]

    page.follow([*sides, out], values)

    def compare(
        request: gr.Request,
        key: str | None,
        own: list[str],
        others: list[str],
        row: Row | None,
        *rest: Any,
    ) -> Iterator[Markup]:
        count = len(inputs.boxes)
        texts, raw, settings = rest[:count], bool(rest[count]), rest[count + 1 :]
        try:
            yield from answers(page, key, [*own, *others], row, texts, raw, settings, request)
        except Exception as error:  # one session's trouble is shown there and nowhere else
            yield html.failure(error, "comparing")

    page.answer(
        inputs.starts(go), VIEW, compare,
        [page.chosen, *sides, inputs.row, *inputs.boxes, raw, *controls], out,
        left=blank, show_progress="hidden",
        api_visibility="private",
    )  # fmt: skip
    page.stop(stop, VIEW)


def blank() -> Markup:
    """What stands where nothing has been compared."""
    return html.empty(NOTHING_YET, HINT)


def answers(
    page: Page,
    key: str | None,
    labels: Sequence[str],
    example: Row | None,
    texts: Sequence[str],
    raw: bool,
    controls: Controls,
    visitor: Visitor,
) -> Iterator[Markup]:
    """The page's HTML while the sides answer.

    Args:
        example: the held-out row that was clicked last.
        texts: what stands in the boxes of the task's inputs.
        raw: whether the sides write by the controls, and not as the run was scored.
    """
    engine = page.engine(key)
    chosen = resolve_sides(page.library, engine, labels)
    row, known = read_row(engine.task, example, texts)
    if raw and not engine.writes:
        raise UsageError("this run's model writes no text, so there is none to show raw")
    prompt, foot, settings = None, html.NOTHING, None
    if engine.writes:
        settings = sampling(*controls) if raw else own_settings(engine, row)
        prompt = checked_prompt(engine, row, settings)
        foot = html.prompt(engine.shown(prompt), len(prompt))
    head = html.asked(asked(engine, row, known, settings if raw else None))
    if known:
        head += comparison.reference(engine, row)
    if settings is None or prompt is None or not (raw or engine.follows):
        readings = engine.predict(row, chosen)
        verdicts = comparison.judged(readings, row) if known else []
        yield head + comparison.predictions(readings, verdicts) + foot
        return
    with page.sessions.stoppable(visitor, VIEW) as stop:
        for written in write(engine, [prompt] * len(chosen), chosen, settings, stop):
            whole = all(text.ended and not text.stopped for text in written)
            judge = whole and known and not raw
            verdicts = (
                comparison.judged(engine.read_texts(row, chosen, written), row) if judge else []
            )
            yield head + comparison.texts(chosen, written, verdicts) + foot
