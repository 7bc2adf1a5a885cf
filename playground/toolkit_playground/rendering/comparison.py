"""Sides next to each other: their texts or predictions, the differences, and a verdict for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from toolkit import Generated, Row, formatting
from toolkit_playground.rendering import html
from toolkit_playground.state.answers import answer_text
from toolkit_playground.state.engine import Engine, Side, Text

LONG = 40
"""Characters up to which a prediction is repeated in the verdict."""


def texts(
    engine: Engine, labels: Sequence[str], written: Sequence[Text], row: Row | None
) -> Markup:
    """The sides' texts with their differences, times and verdicts.

    Args:
        row: the held-out row with its reference; ``None`` for an input without one.
    """
    busy = not all(text.ended for text in written)
    sides = [engine.side(label) for label in labels]
    verdicts = [html.NOTHING for _ in sides]
    if row is not None and not busy:
        outputs = [Generated(text=t.text, tokens=t.tokens, hit_limit=t.limit) for t in written]
        predictions = [s.task.postprocess(o, row) for s, o in zip(sides, outputs, strict=True)]
        verdicts = judged(sides, predictions, row)
    bodies = [
        html.differences(text.text, written[1 if i == 0 else 0].text)
        if len(written) > 1 and not busy
        else text.text
        for i, text in enumerate(written)
    ]
    cards = [
        html.card(i, label, body, html.timing(text), verdict, busy=not text.ended)
        for i, (label, body, text, verdict) in enumerate(
            zip(labels, bodies, written, verdicts, strict=True)
        )
    ]
    return _reference(engine, row) + html.cards(cards, busy=busy)


def predictions(engine: Engine, labels: Sequence[str], row: Row, known: bool) -> Markup:
    """Sides whose model writes no text: their predictions.

    Args:
        known: whether the row has its reference.
    """
    readings = engine.predict(row, labels)
    found = [reading.answer["prediction"] for reading in readings]
    verdicts = (
        judged([r.side for r in readings], found, row) if known else [html.NOTHING] * len(labels)
    )
    unit = engine.task.metric().unit
    cards = [
        html.card(i, label, answer_text(prediction, unit), f"{reading.seconds:.2f} s", verdict)
        for i, (label, prediction, reading, verdict) in enumerate(
            zip(labels, found, readings, verdicts, strict=True)
        )
    ]
    return _reference(engine, row if known else None) + html.cards(cards)


def _reference(engine: Engine, row: Row | None) -> Markup:
    """The reference of a held-out row."""
    if row is None:
        return html.NOTHING
    text = answer_text(engine.task.reference(row), engine.task.metric().unit)
    return html.fill('<p class="tk-gold">True answer: <b>{}</b></p>', text)


def judged(sides: Sequence[Side], found: Sequence[Any], row: Row) -> list[Markup]:
    """A verdict for each side on the task's primary metric; unreadable output is named as such."""
    values: list[float | None] = []
    lines = []
    for side, prediction in zip(sides, found, strict=True):
        metric = side.task.metric()
        counted = side.task.fallback() if prediction is None else prediction
        value = metric.per_example(counted, side.task.reference(row))
        values.append(float(value) if isinstance(value, int | float) else None)
        text = answer_text(counted, metric.unit)
        if prediction is None:
            lines.append(f"unreadable, so the fallback counts: {text or 'nothing'}")
        else:  # a long text stands above already
            lines.append(f"reads {text}" if len(text) <= LONG else "")
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
