"""Rows of a run in an order, the worst first, as HTML: what was asked, and who answered what."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from toolkit import Task, formatting
from toolkit_playground.rendering import comparison, html
from toolkit_playground.rendering.html import NOTHING, fill, joined
from toolkit_playground.state.answers import answer_text
from toolkit_playground.state.failures import Failure, Failures, Line, Page, measured_in_words
from toolkit_playground.state.inputs import inputs_of

SCRIPT = Path(__file__).with_name("failures.js").read_text(encoding="utf-8")
"""Tells the page which row is to be opened where, by an event ``in_VIEW``."""
VIEWS = {"prediction": "Prediction", "compare": "Compare", "tokens": "Tokens"}
"""Views that a row can be opened in → their names."""
INPUT, ANSWER = 260, 160
"""Characters that are shown of an input and of an answer; the row itself has the rest."""


def page(found: Page, of: Failures, split: str, views: Sequence[str] = tuple(VIEWS)) -> Markup:
    """A page of rows as a list, with a line that says what it holds.

    Args:
        found: the page.
        of: the rows of the run.
        split: their split.
        views: the views that a row can be opened in.
    """
    if not found.rows:
        return html.empty("No rows", f"No {split} row of this part has been answered.")
    items = joined(_item(failure, found, of, split, views) for failure in found.failures)
    first = found.failures[0].rank
    return fill(
        '<p class="tk-asked tk-quiet" role="status">{}</p>'
        '<ol class="tk-fails" start="{}" aria-label="Rows, the worst first">{}</ol>',
        _told(found, of, split), first, items,
    )  # fmt: skip


def _told(found: Page, of: Failures, split: str) -> str:
    """What is shown, in a line."""
    first, last = found.failures[0].rank, found.failures[-1].rank
    rows = f"Rows {first:,} to {last:,} of {found.rows:,} {split} rows of run {of.run.id}"
    if found.amiss is None:
        return rows
    order = found.order
    if order.other is None:
        said = "with an error" if not of.metric.greater_is_better else "not fully right"
    elif order.lost:
        said = f"where {order.other} is nearer"
    else:
        said = "with different answers"
    return f"{rows} · {found.amiss:,} {said}"


def _item(failure: Failure, found: Page, of: Failures, split: str, views: Sequence[str]) -> Markup:
    buttons = joined(
        fill(
            '<button type="button" data-view="{}" data-split="{}" data-row="{}" '
            'aria-label="Open row {} in {}">{}</button>',
            view, split, failure.row_id, failure.row_id, VIEWS[view], VIEWS[view],
        )
        for view in views
    )  # fmt: skip
    text = NOTHING
    if failure.row is None:
        text = fill("<em>this run keeps no rows</em>")
        buttons = NOTHING
    else:
        text = fill("{}", _input(of.task, failure.row))
    parts = " · ".join(
        f"{name}: {part}"
        for name, part in (failure.lines[of.trained].get("slices") or {}).items()
        if part is not None
    )
    return fill(
        '<li class="tk-fail"><div><p class="tk-quiet">{}</p><p class="tk-fail-input">{}</p></div>'
        '<dl class="tk-fail-answers">{}</dl>'
        '<p class="tk-fail-far">{}</p><p class="tk-fail-go">{}</p></li>',
        f"{split} row {failure.row_id}" + (f" · {parts}" if parts else ""), text,
        _answers(failure, of), _far(failure, found, of), buttons,
    )  # fmt: skip


def _input(task: Task, row: Any) -> str:
    text = " | ".join(str(row.get(name) or "") for name in inputs_of(task))
    return formatting.clipped(" ".join(text.split()), INPUT)


def _answers(failure: Failure, of: Failures) -> Markup:
    """The truth and each system's answer, with what the metric says of it."""
    unit = of.task.metric().unit
    truth = _short(failure.lines[of.trained]["reference"], unit)
    rows = [fill('<div class="tk-truth"><dt>true</dt><dd>{}</dd></div>', truth)]
    rows += [_answer(name, line, failure, of, unit) for name, line in failure.lines.items()]
    return joined(rows)


def _answer(name: str, line: Line, failure: Failure, of: Failures, unit: str) -> Markup:
    value = failure.values[name]
    right = comparison.correct(of.metric, value)
    said = {True: "correct", False: "not correct", None: comparison.figure(of.metric, value)}[right]
    if not line.get("parsed", True):
        said = f"unreadable; {said}" if said else "unreadable"
    sign = {True: "✓", False: "✗", None: ""}[right]
    return fill(
        '<div class="tk-s{}"><dt>{}</dt><dd>{}<small>{}{}</small></dd></div>',
        _colour(name, of), name, _short(line["prediction"], unit),
        fill('<span aria-hidden="true">{}</span> ', sign) if sign else NOTHING, said,
    )  # fmt: skip


def _colour(name: str, of: Failures) -> int:
    """The colour that a system has in the views that rows are opened in."""
    return {of.base: 0, of.trained: 1}.get(name, 2)


def _short(value: Any, unit: str) -> str:
    return formatting.clipped(answer_text(value, unit), ANSWER) or "nothing"


def _far(failure: Failure, found: Page, of: Failures) -> str:
    """What the row is sorted by, in words; nothing where the answers say it already."""
    order = found.order
    if order.other is None:
        return ""
    if order.lost:
        if failure.distance <= 0:
            return "not nearer"
        return f"nearer by {_figure(failure.distance, of)}"
    one, other = (failure.lines[name]["prediction"] for name in (of.trained, order.other))
    if not failure.distance:
        same = answer_text(one) == answer_text(other)
        return "the same answer" if same else "the same words"
    if measured_in_words(one, other):
        if of.document.get("confusion") is not None:
            return "different classes"
        return f"{failure.distance:.0%} of the words differ"
    if isinstance(one, list):
        return f"{failure.distance:.0%} of the entries differ"
    return f"{answer_text(failure.distance, of.task.metric().unit)} apart"


def _figure(value: float, of: Failures) -> str:
    return formatting.figure(value, of.metric.format, of.metric.unit)
