"""The answers of one copy of a model to held-out rows, and what these answers are made of."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolkit import Row, Task
from toolkit.errors import RunError
from toolkit.evaluation import noninferiority
from toolkit.kinds import TaskModel, inspection
from toolkit.pipeline import heldout_rows, read
from toolkit.runs import Run, trained_models

if TYPE_CHECKING:
    import numpy as np

ROWS = 200
"""Rows that are asked at least, where there are so many."""
SPLITS = ("test", "validation", "calibration", "challenge")
"""The order in which rows of held-out splits are taken."""
LOGITS = 64
"""Rows whose logits are compared: each may have those of a whole vocabulary."""


@dataclass(frozen=True)
class Answers:
    """What a copy of a model gives for the rows.

    Args:
        predictions: one for each row.
        values: the primary metric of each row.
        logits: of the first :data:`LOGITS` rows, see :mod:`toolkit.kinds.inspection`.
        tokens: the token ids that it reads for each row.
        stops: ids of the tokens that end its texts; empty where it writes none.
    """

    predictions: Sequence[Any]
    values: Sequence[Any]
    logits: Sequence[np.ndarray]
    tokens: Sequence[list[list[int]]]
    stops: tuple[int, ...]


def of(run: Run, task: Task, kind: TaskModel, rows: Sequence[Row]) -> Answers:
    """Ask what was trained, or what stands in its place.

    Args:
        run: the run, whose decoder and tuned values read the outputs.
        task: its task.
        kind: the loaded model.
        rows: rows with their answers.
    """
    outputs = kind.predict(rows, adapter=True)
    found = read(run, task, trained_models(run)[0].system, outputs, rows)
    predictions = [one["prediction"] for one in found]
    stops = tuple(kind.limits.stops) if kind.written is not None else ()
    return Answers(
        predictions,
        noninferiority.row_values(task, predictions, rows),
        inspection.answer_logits(kind, rows[:LOGITS], adapter=True),
        [inspection.read_tokens(kind, row) for row in rows],
        stops,
    )


def chosen_rows(run: Run, *, every: bool) -> tuple[list[Row], list[tuple[str, Any]], int]:
    """The rows that are asked: those of the test split before others.

    Args:
        run: the run.
        every: all held-out rows, and not :data:`ROWS` of them.

    Returns:
        the rows, the split and number of each, and the number of all held-out rows.

    Raises:
        RunError: the run stores no rows.
    """
    held = heldout_rows(run)
    if not held:
        raise RunError(
            f"run {run.id} stores no held-out rows (--no-store-data), so nothing can show that an "
            "export answers as it was measured"
        )
    keys = _drawn(held, len(held) if every else ROWS)
    return [held[key] for key in keys], keys, len(held)


def _drawn(held: Mapping[tuple[str, Any], Row], most: int) -> list[tuple[str, Any]]:
    """Keys of rows, drawn from one split after the other until there are enough."""
    found: list[tuple[str, Any]] = []
    splits = [*SPLITS, *sorted({split for split, _ in held} - {*SPLITS})]
    for split in splits:
        keys = [key for key in held if key[0] == split]
        room = most - len(found)
        if len(keys) > room:
            keys = sorted(random.Random(0).sample(keys, room))
        found += keys
    return found
