"""Sides next to each other: their texts or predictions, the differences, and a verdict for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from toolkit import Metric, Row, formatting
from toolkit_playground.rendering import html, panels
from toolkit_playground.state.answers import answer_text
from toolkit_playground.state.engine import Reading
from toolkit_playground.state.texts import Text

LONG = 40
"""Characters up to which a prediction is repeated in the verdict."""


def texts(labels: Sequence[str], written: Sequence[Text]) -> Markup:
    """The sides' texts with their times, while they are written."""
    cards = [
        html.card(i, label, text.text, html.timing(text), busy=not text.ended)
        for i, (label, text) in enumerate(zip(labels, written, strict=True))
    ]
    return html.cards(cards, busy=True)


@dataclass(frozen=True)
class Answered:
    """One side's whole answer, as plain data.

    Args:
        label: the side.
        text: what it wrote, or what it predicts.
        foot: how long it took, and how it ended.
        good: whether it is right; ``None``: neither right nor wrong.
        verdict: what is said of it; empty: nothing.
    """

    label: str
    text: str
    foot: str
    good: bool | None = None
    verdict: str = ""


def predictions(readings: Sequence[Reading], row: Row | None) -> list[Answered]:
    """The sides' predictions, each with the text that it was read from where there is one.

    Args:
        row: the row by whose reference they are judged; ``None``: they are not.
    """
    said = judgements(readings, row) if row is not None else [(None, "")] * len(readings)
    found = []
    for reading, (good, verdict) in zip(readings, said, strict=True):
        answer, unit = reading.answer, reading.side.task.metric().unit
        foot = f"{reading.seconds:.2f} s"
        if answer["raw"] is not None:
            foot += f" · wrote “{answer['raw']}”"
        body = answer_text(answer["prediction"], unit)
        found.append(Answered(reading.side.label, body, foot, good, verdict))
    return found


def written(
    labels: Sequence[str], texts: Sequence[Text], said: Sequence[tuple[bool | None, str]] = ()
) -> list[Answered]:
    """The sides' texts, once all have ended; ``said`` is of :func:`judgements`."""
    return [
        Answered(label, text.text, html.timing(text), *one)
        for label, text, one in zip(labels, texts, said or [(None, "")] * len(labels), strict=True)
    ]


def answers(sides: Sequence[Answered], *, marked: bool) -> Markup:
    """Whole answers side by side.

    Args:
        marked: whether words that the other side does not have are marked.
    """
    cards = []
    for i, side in enumerate(sides):
        body: str = side.text
        if marked and len(sides) > 1:
            body = html.differences(side.text, sides[1 if i == 0 else 0].text)
        said = html.verdict(side.good, side.verdict) if side.verdict else html.NOTHING
        cards.append(html.card(i, side.label, body, side.foot, said))
    return html.cards(cards)


@dataclass(frozen=True)
class Comparison:
    """A comparison that was made, as it is kept: plain data, from which the page draws it again.

    Args:
        asked: the run, the row and the settings in a line.
        texts: what stood in the boxes of the task's inputs.
        row_id: the held-out row; ``None`` for an input of one's own.
        reference: its right answer as text; empty: it is not known.
        prompt, tokens: the exact prompt, and how many tokens it has; empty: there is none.
        marked: as of :func:`answers`.
        sides: the answers.
        others: what the run's other systems have predicted for the row, as text.
    """

    asked: str
    texts: Sequence[str]
    row_id: int | None
    reference: str
    prompt: str
    tokens: int
    marked: bool
    sides: Sequence[Answered]
    others: Mapping[str, str] = field(default_factory=dict)

    def head(self) -> Markup:
        """What stands above the answers."""
        gold = reference(self.reference) if self.reference else html.NOTHING
        return html.asked(self.asked) + gold

    def foot(self) -> Markup:
        """What stands below them."""
        prompt = html.prompt(self.prompt, self.tokens) if self.prompt else html.NOTHING
        return panels.listed(None, self.others, "") + prompt

    def page(self) -> Markup:
        """The comparison as HTML."""
        return self.head() + answers(self.sides, marked=self.marked) + self.foot()

    @classmethod
    def read(cls, content: Mapping[str, Any]) -> Comparison:
        """The inverse of :func:`dataclasses.asdict`."""
        sides = [Answered(**side) for side in content["sides"]]
        return cls(**{**content, "sides": sides})


def reference(text: str) -> Markup:
    """The reference of a held-out row."""
    return html.fill('<p class="tk-gold">True answer: <b>{}</b></p>', text)


def judged(readings: Sequence[Reading], row: Row) -> list[Markup]:
    """A verdict for each side on the task's primary metric; unreadable output is named as such."""
    return [html.verdict(*one) for one in judgements(readings, row)]


def judgements(readings: Sequence[Reading], row: Row) -> list[tuple[bool | None, str]]:
    """What is said of each side, and whether it is right, wrong or neither.

    “Correct” is a full score or no error at all. Where sides differ, the better one is “nearer”,
    which says nothing of how near; only “correct” has a mark.
    """
    metric = row_metric(readings[0], row)
    values, lines = [], []
    for reading in readings:
        found, task = reading.answer["prediction"], reading.side.task
        own = next((one for one in task.metrics if one.name == metric.name), None)
        value = None if own is None or own.whole else own.of_row(found, task.reference(row))
        values.append(float(value) if isinstance(value, int | float) else None)
        text = answer_text(found, task.metric().unit)
        if not reading.answer["parsed"]:
            lines.append(f"unreadable, so the fallback counts: {text or 'nothing'}")
        else:  # a long text stands above already
            lines.append(f"reads {text}" if len(text) <= LONG else "")
    return [
        (correct(metric, value), "; ".join(filter(None, (
            _standing(metric, value, values), line, figure(metric, value),
        ))))
        for value, line in zip(values, lines, strict=True)
    ]  # fmt: skip


def row_metric(reading: Reading, row: Row) -> Metric:
    """The metric by which single rows are judged, as the report ranks its examples.

    It is the primary one where that has a number for a row, and else the first other one that has:
    the F1 of several labels is of all rows, and the share of equal answers of each.
    """
    task, found = reading.side.task, reading.answer["prediction"]
    primary = task.metric()
    for metric in sorted(task.metrics, key=lambda one: one is not primary):
        value = None if metric.whole else metric.of_row(found, task.reference(row))
        if isinstance(value, int | float):
            return metric
    return primary


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


def figure(metric: Any, value: float | None) -> str:
    """A row's value with the metric's name; nothing where a word has said it."""
    if value is None or (metric.greater_is_better and value in (0, 1)):
        return ""
    label = formatting.in_sentence(metric.label or metric.name).removeprefix("mean ")
    return f"{label} {formatting.figure(value, metric.format, metric.unit)}"
