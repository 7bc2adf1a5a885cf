"""View "Guess": a person answers test rows; after a few dozen they are a rung of the ladder."""

from __future__ import annotations

import math
import random
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from toolkit import formatting
from toolkit.errors import ToolkitError, UsageError
from toolkit.evaluation import human_guesses
from toolkit.metrics import statistics
from toolkit.pipeline import restore
from toolkit.pipeline.restore import load_task
from toolkit.runs.run import Run
from toolkit.task import Row, Task
from toolkit_playground.rendering import html
from toolkit_playground.state.library import inputs_of
from toolkit_playground.views.page import DRAWING, NO_RUN, NO_RUN_HINT, QUIET, Page, block

VIEW = "guess"
FEW = 8
"""Rows below which an interval would only look like one."""


@dataclass(frozen=True)
class Asked:
    """The row that a session is asked about, and when it was shown."""

    run: str
    row_id: int
    since: float


class Rungs:
    """Writes the human rung behind the page's back: scoring takes a second or two."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: set[str] = set()
        self.problems: dict[str, str] = {}

    def update(self, page: Page, run: Run) -> None:
        """Score the run again with all guesses there are; one at a time, none for nothing."""
        if run.id in self._waiting:  # who waits will find this guess too
            return
        self._waiting.add(run.id)
        threading.Thread(target=self._work, args=(page, run), name="playground-rung").start()

    def _work(self, page: Page, run: Run) -> None:
        with self._lock:
            self._waiting.discard(run.id)
            try:
                self._write(page, run)
            except Exception as error:  # it is told with the next guess; the guess itself is kept
                self.problems[run.id] = html.failure(error, "writing the rung")
            else:
                self.problems.pop(run.id, None)

    @staticmethod
    def _write(page: Page, run: Run) -> None:
        """Guesses into the run, the run into its report."""
        given, seconds = page.library.store(run).guesses()
        task = load_task(run)
        human_guesses.add(run, task, {r: guessed(task, g) for r, g in given.items()}, seconds)
        with DRAWING:
            restore.refresh(run, task)


def guessed(task: Task, value: float) -> Any:
    """A typed number as the task's prediction."""
    return float(value)


def build(page: Page) -> None:
    """The view's components and what they do."""
    rungs = Rungs()
    with gr.Row(elem_classes=["tk-split", "tk-wide"]):
        with gr.Column(elem_classes="tk-one"):
            card = block("guess-card")
            with gr.Row(elem_classes="tk-ask"):
                number = gr.Number(
                    label="Your guess", value=None, elem_id="guess-number", minimum=0, scale=3
                )
                give = gr.Button("Guess", variant="primary", elem_id="guess-give", scale=1,
                                 min_width=110)  # fmt: skip
                other = gr.Button("Another one", elem_id="guess-skip", scale=1, min_width=110)
            told = block("guess-told")
        with gr.Column(elem_classes="tk-two"):
            score = block("guess-score")
    asked = gr.State(None)
    outputs = [card, number, told, score, asked]

    def values(key: str | None) -> list[Any]:
        found = _ask(page, key)
        try:
            text, box = show_row(page, key, found)
            return [text, box, "", standing(page, key)[0], found]
        except Exception as error:
            return [html.failure(error, "guessing"), gr.Number(interactive=False), "", "", None]

    page.follow(outputs, values)

    def guess(key: str | None, value: float | None, now: Asked | None, request: gr.Request) -> Any:
        try:
            if now is None or now.run != key:
                raise UsageError("choose a row first: press Another one")
            run = page.library.find(key)
            line = keep(page, run, now, value, str(request.session_hash or "")[:8])
            table, count = standing(page, key)
            if count >= human_guesses.ENOUGH:
                rungs.update(page, run)
                line += rungs.problems.get(run.id, "")
            following = _ask(page, key)
            text, box = show_row(page, key, following)
            return [text, box, line, table, following]
        except Exception as error:  # one session's trouble is shown there and nowhere else
            return [gr.skip(), gr.skip(), html.failure(error, "guessing"), gr.skip(), gr.skip()]

    def another(key: str | None, now: Asked | None) -> Any:
        following = _ask(page, key, after=now)
        text, box = show_row(page, key, following)
        return [text, box, "", gr.skip(), following]

    first = {**QUIET, "concurrency_limit": 4}
    gr.on([give.click, number.submit], guess, [page.chosen, number, asked], outputs, **first)
    other.click(another, [page.chosen, asked], outputs, **first)


def guessable(task: Task, rows: Mapping[int, Row]) -> bool:
    """Whether the task's answers are numbers that a person can type."""
    reference = task.reference(next(iter(rows.values()))) if rows else None
    return isinstance(reference, int | float) and not isinstance(reference, bool)


def _ask(page: Page, key: str | None, after: Asked | None = None) -> Asked | None:
    """The next row that nobody has guessed, in an order drawn by the run's seed."""
    if key is None:
        return None
    run = page.library.find(key)
    try:
        rows = human_guesses.rows(run)
    except ToolkitError:
        return None
    done, _ = page.library.store(run).guesses()
    order = sorted(rows)
    random.Random(f"{run.info['seed']} guess").shuffle(order)
    if after is not None and after.row_id in order:
        at = order.index(after.row_id) + 1
        order = order[at:] + order[:at]
    left = [row_id for row_id in order if row_id not in done]
    return Asked(run.id, left[0], time.time()) if left else None


def show_row(page: Page, key: str | None, asked: Asked | None) -> list[Any]:
    """The question, and the box for the answer."""
    if key is None:
        return [html.empty(NO_RUN, NO_RUN_HINT), gr.Number(value=None, interactive=False)]
    run = page.library.find(key)
    task = load_task(run)
    rows = human_guesses.rows(run)
    if not guessable(task, rows):
        text = f"The answers of {task.name} are no numbers; vote on its texts instead."
        return [html.empty("Nothing to guess here", text), gr.Number(interactive=False)]
    if asked is None:
        return [
            html.empty("All done", "Every test row of this run has been guessed."),
            gr.Number(value=None, interactive=False),
        ]
    row = rows[asked.row_id]
    unit = task.metric().unit
    parts = "".join(
        f'<p class="tk-quiet">{escape(label)}</p><p class="tk-question">'
        f"{escape(str(row.get(name, '')))}</p>"
        for name, label in inputs_of(task).items()
    )
    label = f"Your guess{f', {unit}' if unit else ''}"
    box = gr.Number(value=None, interactive=True, label=label)
    return [f'<section class="tk-card tk-plain">{parts}</section>', box]


def keep(page: Page, run: Run, asked: Asked, value: float | None, voter: str) -> str:
    """Store a guess and tell the truth; refuses, in words, what is no answer."""
    task = load_task(run)
    row = human_guesses.rows(run)[asked.row_id]
    if value is None or not math.isfinite(value):
        raise UsageError("type a number first")
    metric = task.metric()
    reference = task.reference(row)
    if value <= 0 < reference:
        raise UsageError("the answer is above zero; so must the guess be")
    values = metric.per_example(guessed(task, value), reference)
    page.library.store(run).guess(
        voter, asked.row_id, float(value), max(0.0, time.time() - asked.since)
    )
    said = [
        f"{name} said {html.figure(lines[asked.row_id]['prediction'], metric.unit)}"
        for name, lines in page.library.ladder(run).items()
        if name in ("adapter", "full", "base") and asked.row_id in lines
    ]
    miss = "" if not isinstance(values, int | float) else (
        f"; {formatting.in_sentence(metric.label or metric.name).removeprefix('mean ')} "
        f"{html.figure(float(values), metric.unit, metric.format)}"
    )  # fmt: skip
    return html.notice(
        f"You said {html.figure(float(value), metric.unit)}, the truth is "
        f"{html.figure(reference, metric.unit)}{miss}. {'; '.join(said).capitalize()}."
    )


def standing(page: Page, key: str | None) -> tuple[str, int]:
    """The person beside the ladder on the very rows that were guessed, and how many those are."""
    if key is None:
        return "", 0
    run = page.library.find(key)
    given, _ = page.library.store(run).guesses()
    needed = human_guesses.ENOUGH - len(given)
    if not given:
        return (
            html.empty(
                "No guesses yet",
                f"After {human_guesses.ENOUGH} guesses you are a rung of this run's ladder, with "
                "an interval, in its report too.",
            ),
            0,
        )
    task = load_task(run)
    rows = human_guesses.rows(run)
    metric = task.metric()
    kept = {r: g for r, g in given.items() if r in rows}
    ours = [metric.per_example(guessed(task, g), task.reference(rows[r])) for r, g in kept.items()]
    ladder = [("you (all guesses)", ours)]
    for name, lines in page.library.ladder(run).items():
        theirs = [lines[r]["metrics"][metric.name] for r in kept if r in lines]
        if name != human_guesses.NAME and len(theirs) == len(kept):
            ladder.append((name, [tuple(v) if isinstance(v, list) else v for v in theirs]))
    sign = -1 if metric.greater_is_better else 1
    ladder.sort(key=lambda item: sign * metric.value(item[1]))
    table = html.table(
        ["System", metric.label or metric.name, "95 %"],
        [[name, *_figures(metric, values)] for name, values in ladder],
        f"On {formatting.count(len(kept), 'guessed row')}",
    )
    place = (
        f"{needed} more until the human rung stands in the report."
        if needed > 0
        else f"The human rung stands in the run's ladder and report, with {len(kept)} rows."
    )
    return f"{table}{html.notice(place)}", len(kept)


def _figures(metric: Any, values: list[Any]) -> list[str]:
    if len(values) < FEW:
        return [formatting.figure(metric.value(values), metric.format, metric.unit), "too few yet"]
    found = statistics.interval(metric, values, resamples=999)
    return [
        formatting.figure(found.value, metric.format, metric.unit),
        formatting.span(found.low, found.high, metric.format),
    ]
