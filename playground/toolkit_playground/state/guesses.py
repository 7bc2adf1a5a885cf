"""A person's guesses on test rows: the next row, how they compare, and the system they make."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from toolkit import Metric, Row, Task, formatting
from toolkit.errors import ToolkitError, UsageError
from toolkit.evaluation import human_guesses
from toolkit.evaluation.groups import groups_of_rows
from toolkit.metrics import statistics
from toolkit.pipeline import load_task
from toolkit.runs import Run
from toolkit.runs.predictions import remember
from toolkit_playground.state.answers import answer_text
from toolkit_playground.state.library import Library
from toolkit_playground.state.store import Guess

FEW = 8
"""Rows below which an interval says nothing."""
PERSON = 20
"""Guesses from which on a person stands in the table for all to see."""
SHOWN_ANSWERS = ("adapter", "full", "base")
"""The systems whose answers a person sees after a guess."""


@dataclass(frozen=True)
class Question:
    """The row that a session guesses, and when it was shown."""

    run: str
    row_id: int
    since: float


@dataclass(frozen=True)
class Line:
    """One system, or one or all people, on the rows that they have answered.

    Args:
        name: whose line it is.
        values: the metric's value for each of those rows.
        groups: the group of each row; ``None`` where no two share one.
        kind: ``system``, ``person``, ``class`` or ``best``.
        beside: the values of the run's trained system on the same rows; ``None``: it has none.
    """

    name: str
    values: Sequence[Any]
    groups: Sequence[str] | None = None
    kind: str = "system"
    beside: Sequence[Any] | None = None


@dataclass(frozen=True)
class Standing:
    """People beside the run's other systems.

    Args:
        metric: what is compared.
        lines: the systems on all rows that somebody has guessed, the best first; then the people.
        rows: how many rows those are.
        mine: the guesses of the person who looks.
        people: how many have guessed.
        needed: how many more rows must be guessed until the run has its system ``human``; 0 or less
            where it is there.
        begun: who has fewer guesses than a line needs → how many.
    """

    metric: Metric
    lines: Sequence[Line]
    rows: int
    mine: int
    people: int
    needed: int
    begun: Mapping[str, int] = field(default_factory=dict)


def next_question(
    library: Library, run: Run, voter: str, after: Question | None = None
) -> Question | None:
    """The next row that this person has not guessed, in an order of their own.

    Args:
        voter: who guesses.
        after: the question that was shown last; what follows it in the order comes first.
    """
    try:
        rows = human_guesses.rows(run)
    except ToolkitError:
        return None
    done = {guess.row_id for guess in library.store(run).guesses() if guess.voter == voter}
    order = sorted(rows)
    random.Random(f"{run.info['seed']} guess {voter}").shuffle(order)
    if after is not None and after.row_id in order:
        at = order.index(after.row_id) + 1
        order = order[at:] + order[:at]
    left = [row_id for row_id in order if row_id not in done]
    return Question(run.id, left[0], time.time()) if left else None


def guessable(task: Task, rows: Mapping[int, Row]) -> bool:
    """Whether the task's answers are numbers that a person can type."""
    reference = task.reference(next(iter(rows.values()))) if rows else None
    return isinstance(reference, int | float) and not isinstance(reference, bool)


def keep(library: Library, run: Run, question: Question, value: float | None, voter: str) -> str:
    """Store a guess; gives a sentence with the true answer and what the model predicted.

    Raises:
        UsageError: the guess is no answer to this question.
    """
    task = load_task(run)
    row = human_guesses.rows(run)[question.row_id]
    if value is None or not math.isfinite(value):
        raise UsageError("type a number first")
    metric = task.metric()
    reference = task.reference(row)
    if value <= 0 < reference:
        raise UsageError("the answer is above zero; so must the guess be")
    guess = float(value)
    error = None if metric.whole else metric.of_row(guess, reference)
    library.store(run).guess(voter, question.row_id, guess, max(0.0, time.time() - question.since))
    answers = [
        f"{name} said {answer_text(lines[question.row_id]['prediction'], metric.unit)}"
        for name, lines in library.system_answers(run).items()
        if name in SHOWN_ANSWERS and question.row_id in lines
    ]
    miss = "" if not isinstance(error, int | float) else (
        f"; {formatting.in_sentence(metric.label or metric.name).removeprefix('mean ')} "
        f"{answer_text(float(error), metric.unit, metric.format)}"
    )  # fmt: skip
    return (
        f"You said {answer_text(guess, metric.unit)}, the truth is "
        f"{answer_text(reference, metric.unit)}{miss}. {'; '.join(answers).capitalize()}."
    )


def standing(library: Library, run: Run, voter: str | None, least: int = PERSON) -> Standing | None:
    """How people compare with the run's systems; ``None`` before the first guess.

    Args:
        voter: who looks, whose line is there from the first guess on.
        least: guesses from which on everybody else has a line.
    """
    task, rows = load_task(run), human_guesses.rows(run)
    given = [guess for guess in library.store(run).guesses() if guess.row_id in rows]
    if not given:
        return None
    metric, answers = task.metric(), library.system_answers(run)
    trained = answers.get("adapter") or answers.get("full")

    def line(name: str, guesses: Sequence[Guess], kind: str) -> Line:
        asked = [rows[guess.row_id] for guess in guesses]
        groups = groups_of_rows(task, asked)
        if kind == "class":  # several people's guesses on a row depend on each other
            known = groups or [str(guess.row_id) for guess in guesses]
            groups = list(known)
        return Line(
            name, [metric.of_row(g.guess, task.reference(rows[g.row_id])) for g in guesses],
            groups, kind, _stored(trained, metric, [g.row_id for g in guesses]),
        )  # fmt: skip

    numbers = sorted({guess.row_id for guess in given})
    groups = groups_of_rows(task, [rows[number] for number in numbers])
    sign = -1 if metric.greater_is_better else 1
    systems = [
        Line(name, values, groups)
        for name, lines in answers.items()
        if name != human_guesses.NAME and (values := _stored(lines, metric, numbers)) is not None
    ]
    of: dict[str, list[Guess]] = {}
    for guess in given:
        of.setdefault(guess.voter, []).append(guess)
    people = [
        line(name, found, "person")
        for name, found in of.items()
        if len(found) >= least or name == voter
    ]
    for lines in (systems, people):
        lines.sort(key=lambda one: sign * metric.value(list(one.values)))
    whole = [one for one in people if len(one.values) >= least]
    if len(whole) > 1:
        people = [replace(one, kind="best" if one is whole[0] else one.kind) for one in people]
    pooled = [line("all people", given, "class")] if len(of) > 1 else []
    return Standing(
        metric, [*systems, *pooled, *people], len(numbers), len(of.get(voter or "", ())), len(of),
        human_guesses.ENOUGH - len(numbers),
        {name: len(found) for name, found in of.items() if len(found) < least},
    )  # fmt: skip


def _stored(
    lines: Mapping[int, Mapping[str, Any]] | None, metric: Metric, numbers: Sequence[int]
) -> list[Any] | None:
    """A system's values for rows; ``None`` where it has not answered all of them."""
    if lines is None or any(number not in lines for number in numbers):
        return None
    remember((metric,), [lines[number] for number in numbers])
    found = [lines[number]["metrics"][metric.name] for number in numbers]
    return [tuple(value) if isinstance(value, list) else value for value in found]


def figures(metric: Metric, line: Line) -> list[str]:
    """The metric of a line and its interval as text; no interval on a handful of rows."""
    values = list(line.values)
    if len(values) < FEW:
        return [formatting.figure(metric.value(values), metric.format, metric.unit), "too few yet"]
    found = statistics.interval(metric, values, groups=line.groups, resamples=999)
    return [
        formatting.figure(found.value, metric.format, metric.unit),
        formatting.span(found.low, found.high, metric.format),
    ]
