"""View "Compare": one input, all sides at once from one model, differences marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

import gradio as gr

from toolkit import formatting
from toolkit.kinds.causal_lm.task import Generated
from toolkit.task import Row
from toolkit_playground.rendering import html
from toolkit_playground.state.engine import Engine, Side, Text
from toolkit_playground.views.inputs import RowInput, generation, sampling_controls
from toolkit_playground.views.page import (
    MODEL_QUEUE,
    QUIET,
    Page,
    block,
    resolve_sides,
    side_labels,
)

VIEW = "compare"
LONG = 40
HINT = "Press Compare: base and adapter write at the same time, from one model in memory."


def build(page: Page) -> None:
    """The view's components and what they do."""
    sides_there = page.first_sides()
    with gr.Row(elem_classes="tk-split"):
        with gr.Column(elem_classes="tk-one"):
            inputs = RowInput(page, VIEW)
            with gr.Row(elem_classes="tk-go"):
                go = gr.Button("Compare", variant="primary", elem_id="compare-go", scale=2)
                stop = gr.Button("Stop", elem_id="compare-stop", scale=1, min_width=90)
        with gr.Column(elem_classes="tk-two"):
            out = block("compare-out")
        with gr.Column(elem_classes="tk-three"):
            sides = gr.CheckboxGroup(
                sides_there, value=sides_there[:2], label="Sides",
                elem_id="compare-sides",
            )  # fmt: skip
            inputs.show_examples()
            controls = sampling_controls()

    def values(key: str | None) -> list[Any]:
        if key is None:
            return [gr.CheckboxGroup(choices=["base", "adapter"]), html.empty("Compare", HINT)]
        labels = side_labels(page.library, page.library.find(key))
        return [
            gr.CheckboxGroup(choices=labels, value=labels[:2]),
            html.empty("Nothing compared yet", HINT),
        ]

    page.follow([sides, out], values)

    def compare(
        request: gr.Request, key: str | None, labels: list[str], row: Row | None, *rest: Any
    ) -> Iterator[str]:
        texts, settings = rest[: len(inputs.boxes)], rest[len(inputs.boxes) :]
        try:
            yield from answers(page, inputs, key, labels, row, texts, settings, request)
        except Exception as error:  # one session's trouble is shown there and nowhere else
            yield html.failure(error, "comparing")

    asked = [page.chosen, sides, inputs.row, *inputs.boxes, *controls]
    gr.on(
        [go.click, *(box.submit for box in inputs.boxes)],
        page.begin(VIEW), None, None, queue=False, **QUIET,
    ).then(
        compare, asked, out, api_name="compare", show_progress="hidden", **MODEL_QUEUE
    )  # fmt: skip
    stop.click(page.stop(VIEW), None, None, queue=False, **QUIET)


def answers(
    page: Page,
    inputs: RowInput,
    key: str | None,
    labels: Sequence[str],
    row: Row | None,
    texts: Sequence[str],
    settings: Sequence[Any],
    request: gr.Request,
) -> Iterator[str]:
    """The page's HTML while the sides answer."""
    engine = page.engine(key)
    chosen = resolve_sides(page, engine, labels)
    asked, gold = inputs.read(engine.task, row, texts)
    *controls, seed = settings
    if not engine.writes:
        yield predicted(engine, chosen, asked, gold)
        return
    wanted = generation(*controls)
    prompt = engine.prompt(asked)
    engine.check_length(prompt, engine.room, engine.answer_room)
    engine.check_length(prompt, engine.positions, wanted["max_new_tokens"])
    foot = html.prompt(engine.shown(prompt), len(prompt))
    with page.sessions.sign(request, VIEW) as stop:
        for written in engine.write(
            [prompt] * len(chosen), chosen, generation=wanted, seed=int(seed or 0), stop=stop
        ):
            yield shown(engine, chosen, written, asked if gold else None) + foot


def shown(engine: Engine, labels: Sequence[str], texts: Sequence[Text], row: Row | None) -> str:
    """The sides' texts with their differences, times and verdicts."""
    busy = not all(text.ended for text in texts)
    sides = [engine.side(label) for label in labels]
    verdicts = ["" for _ in sides]
    if row is not None and not busy:
        outputs = [Generated(text=t.text, tokens=t.tokens, hit_limit=t.limit) for t in texts]
        predictions = [s.task.postprocess(o, row) for s, o in zip(sides, outputs, strict=True)]
        verdicts = judged(sides, predictions, row)
    bodies = [
        html.differences(text.text, texts[1 if i == 0 else 0].text)
        if len(texts) > 1 and not busy
        else escape(text.text)
        for i, text in enumerate(texts)
    ]
    cards = [
        html.card(i, label, body, html.timing(text), verdict, busy=not text.ended)
        for i, (label, body, text, verdict) in enumerate(
            zip(labels, bodies, texts, verdicts, strict=True)
        )
    ]
    return truth(engine, row) + html.cards(cards, busy=busy)


def predicted(engine: Engine, labels: Sequence[str], row: Row, gold: bool) -> str:
    """Sides whose model writes no text: their predictions."""
    readings = engine.predict(row, labels)
    predictions = [reading.answer["prediction"] for reading in readings]
    verdicts = judged([r.side for r in readings], predictions, row) if gold else [""] * len(labels)
    unit = engine.task.metric().unit
    cards = [
        html.card(
            i, label, escape(html.figure(prediction, unit)), f"{reading.seconds:.2f} s", verdict
        )
        for i, (label, prediction, reading, verdict) in enumerate(
            zip(labels, predictions, readings, verdicts, strict=True)
        )
    ]
    return truth(engine, row if gold else None) + html.cards(cards)


def truth(engine: Engine, row: Row | None) -> str:
    """The gold answer of a held-out row."""
    if row is None:
        return ""
    text = html.figure(engine.task.reference(row), engine.task.metric().unit)
    return f'<p class="tk-gold">True answer: <b>{escape(text)}</b></p>'


def judged(sides: Sequence[Side], predictions: Sequence[Any], row: Row) -> list[str]:
    """A verdict for each side on the task's primary metric; unreadable output counts as such."""
    values: list[float | None] = []
    lines = []
    for side, found in zip(sides, predictions, strict=True):
        metric = side.task.metric()
        counted = side.task.fallback() if found is None else found
        value = metric.per_example(counted, side.task.reference(row))
        values.append(float(value) if isinstance(value, int | float) else None)
        said = html.figure(counted, metric.unit)
        if found is None:
            lines.append(f"unreadable, so the fallback counts: {said or 'nothing'}")
        else:  # a long text stands above already
            lines.append(f"reads {said}" if len(said) <= LONG else "")
    metric = sides[0].task.metric()
    known = [value for value in values if value is not None]
    binary = metric.greater_is_better and set(known) <= {0.0, 1.0}
    best = (max if metric.greater_is_better else min)(known) if known else None
    several = len(set(known)) > 1
    result = []
    for value, line in zip(values, lines, strict=True):
        if value is None:
            result.append(html.verdict(None, line))
        elif binary:
            result.append(html.verdict(value == 1.0, "right" if value == 1.0 else "wrong"))
        else:
            label = formatting.in_sentence(metric.label or metric.name).removeprefix("mean ")
            shown_value = formatting.figure(value, metric.format, metric.unit)
            good = value == best if several else None
            parts = [part for part in (line, f"{label} {shown_value}") if part]
            result.append(html.verdict(good or None, "; ".join(parts)))
    return result
