"""A person as a system of a run: guesses on its test rows, scored like other predictions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from toolkit.errors import DataError, RunError
from toolkit.evaluation.prediction_files import (
    line,
    predicted,
    prepare_metrics,
    remove_system,
    write_system,
)
from toolkit.runs import record
from toolkit.runs.files import read_jsonl
from toolkit.runs.run import Run
from toolkit.task import Row, Task

NAME = "human"
ENOUGH = 24
"""The fewest guesses that make a system: with fewer, an interval would show nothing."""


def rows(run: Run) -> dict[int, Row]:
    """The run's test rows by number; raises :class:`RunError` where they were not stored."""
    place = run.data / "heldout.jsonl"
    if not place.is_file():
        raise RunError(f"run {run.id} keeps no rows (--no-store-data), so nothing can be guessed")
    return {row["row_id"]: row for row in read_jsonl(place) if row["split"] == "test"}


def add(run: Run, task: Task, guesses: Mapping[int, Any], seconds: float = 0.0) -> dict[str, Any]:
    """Write guesses as ``predictions/human.jsonl``; returns its systems entry.

    Args:
        run: a finished run.
        task: its task.
        guesses: row number → prediction, as the task's decoder would give it.
        seconds: the time that all guesses took together.

    Raises:
        DataError: there are too few guesses, or one is for a row that is not a test row.
    """
    known = rows(run)
    if unknown := sorted(set(guesses) - set(known)):
        raise DataError(f"run {run.id} has no test row {unknown[0]}")
    if len(guesses) < ENOUGH:
        raise DataError(f"{len(guesses)} guesses are too few for the ladder; {ENOUGH} are enough")
    prepare_metrics(task, list(guesses.values()), [task.reference(known[r]) for r in guesses])
    share = seconds / len(guesses)
    lines = [
        line(task, "test", known[row_id], guess, None, seconds=share)
        for row_id, guess in sorted(guesses.items())
    ]
    with record.adding(run, NAME):
        return write_system(
            run, NAME, "human", lines, None, fit_seconds=None, predict_seconds=seconds,
            note=f"a person's guesses on {len(lines)} of the test rows",
        )  # fmt: skip


def remove(run: Run) -> bool:
    """Take the guesses out of a run again; whether they were in it.

    The run's figures and report are those of before only once they are computed again.
    """
    if not predicted(run, NAME):
        return False
    with record.removing(run, NAME):
        remove_system(run, NAME)
    return True
