"""Sides next to each other: their texts or predictions, the differences, and a verdict for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from toolkit import Row, formatting
from toolkit_playground.rendering import html
from toolkit_playground.state.answers import answer_text
from toolkit_playground.state.engine import Engine, Reading, Text

LONG = 40
"""Characters up to which a prediction is repeated in the verdict."""


def texts(
    labels: Sequence[str], written: Sequence[Text], verdicts: Sequence[Markup] = ()
) -> Markup:
    """The sides' texts with their differences and times.

    Args:
        verdicts: one for each side, of :func:`judged`; none where nothing is judged.
    """
    busy = not all(text.ended for text in written)
    bodies = [
        html.differences(text.text, written[1 if i == 0 else 0].text)
        if len(written) > 1 and not busy
        else text.text
        for i, text in enumerate(written)
    ]
    cards = [
        html.card(i, label, body, html.timing(text), verdict, busy=not text.ended)
        for i, (label, body, text, verdict) in enumerate(
            zip(labels, bodies, written, verdicts or [html.NOTHING] * len(labels), strict=True)
        )
    ]
    return html.cards(cards, busy=busy)


def predictions(readings: Sequence[Reading], verdicts: Sequence[Markup] = ()) -> Markup:
    """The sides' predictions, each with the text that it was read from where there is one."""
    cards = []
    for i, reading in enumerate(readings):
        answer, unit = reading.answer, reading.side.task.metric().unit
        foot = f"{reading.seconds:.2f} s"
        if answer["raw"] is not None:
            foot += f" · wrote “{answer['raw']}”"
        body = answer_text(answer["prediction"], unit)
        verdict = verdicts[i] if verdicts else html.NOTHING
        cards.append(html.card(i, reading.side.label, body, foot, verdict))
    return html.cards(cards)


def reference(engine: Engine, row: Row) -> Markup:
    """The reference of a held-out row."""
    text = answer_text(engine.task.reference(row), engine.task.metric().unit)
    return html.fill('<p class="tk-gold">True answer: <b>{}</b></p>', text)


def judged(readings: Sequence[Reading], row: Row) -> list[Markup]:
    """A verdict for each side on the task's primary metric; unreadable output is named as such.

    “Correct” is a full score or no error at all. Where sides differ, the better one is “nearer”,
    which says nothing of how near; only “correct” has a mark.
    """
    metric = readings[0].side.task.metric()
    values, lines = [], []
    for reading in readings:
        found, task = reading.answer["prediction"], reading.side.task
        value = task.metric().per_example(found, task.reference(row))
        values.append(float(value) if isinstance(value, int | float) else None)
        text = answer_text(found, task.metric().unit)
        if not reading.answer["parsed"]:
            lines.append(f"unreadable, so the fallback counts: {text or 'nothing'}")
        else:  # a long text stands above already
            lines.append(f"reads {text}" if len(text) <= LONG else "")
    return [
        html.verdict(correct(metric, value), "; ".join(filter(None, (
            _standing(metric, value, values), line, _figure(metric, value),
        ))))
        for value, line in zip(values, lines, strict=True)
    ]  # fmt: skip


def correct(metric: Any, value: float | None) -> bool | None:
    """Whether a row's value is a full score; ``None``: it is neither right nor wrong."""
    if value is None:
        return None
    if not metric.greater_is_better:
        return True if value == 0 else None
    return value == 1 if value in (0, 1) else None


def _standing(metric: Any, value: float | None, values: Sequence[float | None]) -> str:
    """A side beside the others, in a word."""
    said = correct(metric, value)
    if said is not None:
        return "correct" if said else "not correct"
    known = [other for other in values if other is not None]
    if value is None or len(known) < 2:
        return ""
    if len(set(known)) == 1:
        return "equal"
    best = (max if metric.greater_is_better else min)(known)
    return "nearer" if value == best else ""


def _figure(metric: Any, value: float | None) -> str:
    """A row's value with the metric's name; nothing where a word has said it."""
    if value is None or (metric.greater_is_better and value in (0, 1)):
        return ""
    label = formatting.in_sentence(metric.label or metric.name).removeprefix("mean ")
    return f"{label} {formatting.figure(value, metric.format, metric.unit)}"
