"""View "Compare": one input, all sides at once from one model, differences marked."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr
from markupsafe import Markup

from toolkit import Row
from toolkit.errors import UsageError
from toolkit_playground.rendering import comparison, html
from toolkit_playground.rendering.comparison import Comparison
from toolkit_playground.state.answers import answer_text
from toolkit_playground.state.engine import Engine
from toolkit_playground.state.inputs import asked, held_out_row, read_row, true_answer
from toolkit_playground.state.kept import Kept
from toolkit_playground.state.sessions import Visitor
from toolkit_playground.state.sides import resolve_sides
from toolkit_playground.state.writing import (
    Controls,
    checked_prompt,
    own_settings,
    sampling,
    write,
)
from toolkit_playground.views.address import noted
from toolkit_playground.views.inputs import RowInput, raw_controls, side_choice, sides_of
from toolkit_playground.views.kept import KeptList
from toolkit_playground.views.page import QUIET, Page, block

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
                stop = gr.Button(
                    "Stop", elem_id="compare-stop", scale=1, min_width=90, interactive=False
                )
                page.stop(stop, VIEW)
        with gr.Column(elem_classes="tk-two"):
            out = block("compare-out")
        with gr.Column(elem_classes="tk-three"):
            sides = side_choice(page, VIEW)
            inputs.show_examples(out, blank)
            raw, controls = raw_controls(page, VIEW)
            kept = KeptList(page, VIEW, "comparison")

    def values(key: str | None) -> list[Any]:
        if key is None:
            return [*sides_of(page, None), html.empty("Compare", HINT)]
        run = page.library.find(key)
        return [*sides_of(page, run), blank()]

    page.follow([*sides, out], values)
    made = gr.State(None)

    def compare(
        request: gr.Request,
        key: str | None,
        own: list[str],
        others: list[str],
        row: Row | None,
        *rest: Any,
    ) -> Iterator[list[Any]]:
        count = len(inputs.boxes)
        texts, raw, settings = rest[:count], bool(rest[count]), rest[count + 1 :]
        try:
            for piece in answers(page, key, [*own, *others], row, texts, raw, settings, request):
                if isinstance(piece, Comparison):
                    yield [piece.page(), (key, piece)]
                else:
                    yield [piece, None]
        except Exception as error:  # one session's trouble is shown there and nowhere else
            yield [html.failure(error, "comparing"), None]

    def put(
        key: str | None, owner: str | None, made: tuple[str | None, Comparison] | None
    ) -> list[Any]:
        """Keep the comparison, unless its run was left before this was asked for."""
        if made is None or made[0] != key:
            return [gr.skip()] * len(kept.outputs)
        content = dataclasses.asdict(made[1])
        name = next((text for text in made[1].texts if text.strip()), "a row")
        return kept.put(key, owner, uuid.uuid4().hex, name[:60], content)

    def again(key: str | None, found: Kept, own: bool) -> list[Any]:
        """A comparison that was kept, with the input that it was made of."""
        made = Comparison.read(found.content)
        run = page.library.find(key)
        row = None
        if made.row_id is not None:
            row = held_out_row(page.library, run, str(made.row_id))
        texts = [*made.texts, *[""] * len(inputs.boxes)][: len(inputs.boxes)]
        return [*texts, row, "" if row is None else str(made.row_id), made.page(), None]

    page.answer(
        inputs.starts(go), VIEW, compare,
        [page.chosen, *sides, inputs.row, *inputs.boxes, raw, *controls], [out, made],
        left=lambda: [blank(), None], show_progress="hidden",
        api_visibility="private",
    ).then(put, [page.chosen, page.owner, made], kept.outputs, **QUIET).then(
        None, kept.now, None, js=noted(VIEW, kept.kind)
    )  # fmt: skip
    kept.opened(again, [*inputs.outputs, out, made])


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
) -> Iterator[Markup | Comparison]:
    """The page's HTML while the sides answer, and at the end the whole comparison.

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
    prompt, settings = [], None
    if engine.writes:
        settings = sampling(*controls) if raw else own_settings(engine, row)
        prompt = checked_prompt(engine, row, settings)
    begun = Comparison(
        asked(engine, row, known, settings if raw else None), texts,
        int(row["row_id"]) if known else None, true_answer(engine.task, row) if known else "",
        engine.shown(prompt) if prompt else "", len(prompt), engine.writes, (),
        others_of(page, engine, row) if known else {},
    )  # fmt: skip
    if settings is None or not (raw or engine.follows):
        sides = comparison.predictions(engine.predict(row, chosen), row if known else None)
        yield dataclasses.replace(begun, sides=sides, marked=False)
        return
    with page.sessions.stoppable(visitor, VIEW) as stop:
        for written in write(engine, [prompt] * len(chosen), chosen, settings, stop):
            if not all(text.ended for text in written):
                yield begun.head() + comparison.texts(chosen, written) + begun.foot()
                continue
            said: Sequence[tuple[bool | None, str]] = ()
            if known and not raw and not any(text.stopped for text in written):
                said = comparison.judgements(engine.read_texts(row, chosen, written), row)
            sides = comparison.written(chosen, written, said)
            yield dataclasses.replace(begun, sides=sides)


def others_of(page: Page, engine: Engine, row: Row) -> dict[str, str]:
    """What the run's other systems have predicted for a held-out row, as text."""
    unit = engine.task.metric().unit
    found = page.library.other_answers(engine.run, row)
    return {name: answer_text(value, unit) for name, value in found.items()}
