"""A person's guesses on test rows: the next row, how they compare, and the system they make."""

from __future__ import annotations

import math
import random
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolkit import Metric, Row, Task, formatting
from toolkit.errors import ToolkitError, UsageError
from toolkit.evaluation import human_guesses
from toolkit.evaluation.groups import groups_of_rows
from toolkit.metrics import statistics
from toolkit.pipeline import load_task, refresh
from toolkit.runs import Run
from toolkit_playground.state.answers import answer_text
from toolkit_playground.state.chart_lock import CHART_LOCK
from toolkit_playground.state.library import Library

FEW = 8
"""Rows below which an interval says nothing."""
SHOWN_ANSWERS = ("adapter", "full", "base")
"""The systems whose answers a person sees after a guess."""


@dataclass(frozen=True)
class Question:
    """The row that a session guesses, and when it was shown."""

    run: str
    row_id: int
    since: float


@dataclass(frozen=True)
class Standing:
    """A person beside the run's other systems, on exactly the rows that were guessed.

    Args:
        metric: what is compared.
        systems: name → its values on those rows, the best first.
        count: how many rows those are.
        needed: how many more guesses the run's own ``human`` system needs; 0 or less where it is
            there.
        groups: the group of each of those rows; ``None`` where no two share one.
    """

    metric: Metric
    systems: Sequence[tuple[str, list[Any]]]
    count: int
    needed: int
    groups: Sequence[str] | None = None


class HumanSystem:
    """Writes the guesses into the run as its system ``human``, in the background.

    Scoring takes a second or two, which nobody should wait for.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: set[str] = set()
        self.problems: dict[str, Exception] = {}
        """Run's ID → why its last writing failed; the guess itself is kept."""

    def update(self, library: Library, run: Run) -> None:
        """Score the run again with all guesses there are; at most one more update waits."""
        if run.id in self._waiting:  # the update that waits will find this guess too
            return
        self._waiting.add(run.id)
        threading.Thread(
            target=self._work, args=(library, run), name="playground-human-system"
        ).start()

    def _work(self, library: Library, run: Run) -> None:
        with self._lock:
            self._waiting.discard(run.id)
            try:
                self._write(library, run)
            except Exception as error:  # it is shown with the next guess
                self.problems[run.id] = error
            else:
                self.problems.pop(run.id, None)

    @staticmethod
    def _write(library: Library, run: Run) -> None:
        """Guesses into the run, the run into its report."""
        given, seconds = library.store(run).guesses()
        task = load_task(run)
        human_guesses.add(run, task, dict(given), seconds)
        with CHART_LOCK:
            refresh(run, task)


def next_question(library: Library, run: Run, after: Question | None = None) -> Question | None:
    """The next row that nobody has guessed, in an order drawn by the run's seed.

    Args:
        after: the question that was shown last; what follows it in the order comes first.
    """
    try:
        rows = human_guesses.rows(run)
    except ToolkitError:
        return None
    done, _ = library.store(run).guesses()
    order = sorted(rows)
    random.Random(f"{run.info['seed']} guess").shuffle(order)
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
    error = metric.per_example(guess, reference)
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


def standing(library: Library, run: Run) -> Standing | None:
    """How the guesses compare with the run's systems; ``None`` before the first guess."""
    given, _ = library.store(run).guesses()
    if not given:
        return None
    task = load_task(run)
    rows = human_guesses.rows(run)
    metric = task.metric()
    kept = {r: guess for r, guess in given.items() if r in rows}
    ours = [metric.per_example(guess, task.reference(rows[r])) for r, guess in kept.items()]
    systems = [("you (all guesses)", ours)]
    for name, lines in library.system_answers(run).items():
        theirs = [lines[r]["metrics"][metric.name] for r in kept if r in lines]
        if name != human_guesses.NAME and len(theirs) == len(kept):
            systems.append((name, [tuple(v) if isinstance(v, list) else v for v in theirs]))
    sign = -1 if metric.greater_is_better else 1
    systems.sort(key=lambda item: sign * metric.value(item[1]))
    groups = groups_of_rows(task, [rows[r] for r in kept])
    return Standing(metric, systems, len(kept), human_guesses.ENOUGH - len(given), groups)


def figures(metric: Metric, values: list[Any], groups: Sequence[str] | None = None) -> list[str]:
    """A system's metric and its interval as text; no interval on a handful of rows."""
    if len(values) < FEW:
        return [formatting.figure(metric.value(values), metric.format, metric.unit), "too few yet"]
    found = statistics.interval(metric, values, groups=groups, resamples=999)
    return [
        formatting.figure(found.value, metric.format, metric.unit),
        formatting.span(found.low, found.high, metric.format),
    ]
