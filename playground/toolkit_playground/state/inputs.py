"""A task's inputs: their labels, held-out rows as examples, and the row that was typed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from toolkit import Row, Task
from toolkit.errors import UsageError
from toolkit.runs import Run
from toolkit_playground.state.answers import answer_text
from toolkit_playground.state.engine import Engine
from toolkit_playground.state.library import Library
from toolkit_playground.state.writing import Sampling

BOXES = 4
"""Input boxes that a view has; a task with more inputs is tried with its held-out rows."""
EXAMPLES = 24


def inputs_of(task: Task) -> dict[str, str]:
    """Column → label of the boxes that the page shows."""
    if task.panel:
        return dict(task.panel.inputs)
    return {name: task.columns.get(name, name) for name in task.input_columns()}


def example_rows(library: Library, run: Run, task: Task) -> list[Row]:
    """Rows to click: of the validation split, or the panel's own examples where none were kept."""
    rows = library.held_out(run, "validation")[:EXAMPLES]
    own = task.panel.examples if task.panel else ()
    return rows or [{"row_id": 0, **example} for example in own]


def held_out_row(library: Library, run: Run, number: str) -> Row | None:
    """The held-out row of that number: of the validation split, else of any other."""
    if not number.isascii() or not number.isdigit():
        return None
    rows = [row for row in library.held_out(run) if row["row_id"] == int(number)]
    return min(rows, key=lambda row: bool(row["split"] != "validation"), default=None)


def has_reference(task: Task, row: Row) -> bool:
    """Whether a row holds its reference, not its inputs alone."""
    return all(name in row for name in task.columns)


def box_texts(task: Task, row: Row) -> list[str]:
    """A row's inputs as they stand in the boxes, of which the last may be empty."""
    texts = [_text(row.get(name, "")) for name in list(inputs_of(task))[:BOXES]]
    return texts + [""] * (BOXES - len(texts))


def read_row(task: Task, row: Row | None, texts: Sequence[str | None]) -> tuple[Row, bool]:
    """The row to answer, and whether it is a held-out one whose reference is known.

    Args:
        row: the example that was clicked last.
        texts: what stands in the boxes now; where it was changed, the example does not count.
    """
    names = list(inputs_of(task))[:BOXES]
    given = dict(zip(names, (text or "" for text in texts), strict=False))
    if row and all(_text(row.get(name, "")) == text for name, text in given.items()):
        return row, has_reference(task, row)
    if not any(text.strip() for text in given.values()):
        raise UsageError("there is nothing in the input yet; type a text, or click an example")
    if len(inputs_of(task)) > BOXES:
        raise UsageError(f"{task.name} has more inputs than boxes; click an example instead")
    return {"row_id": 0, **given}, False


def summary(task: Task, row: Row) -> str:
    """A row's inputs in one short line."""
    text = " | ".join(_text(row.get(name, "")) for name in inputs_of(task))
    return " ".join(text.split())[:140]


def asked(engine: Engine, row: Row, known: bool, settings: Sampling | None) -> str:
    """What was asked, of which run, and how: a line that stays with the answer.

    Args:
        known: whether it is one of the run's rows.
        settings: of raw text; ``None``: the run's own.
    """
    which = (
        f"{row.get('split', 'example')} row {row['row_id']}" if known else "an input of your own"
    )
    how = "the run's own decoder and limits"
    if settings is not None:
        how = "raw text: " + ", ".join(f"{k} {v}" for k, v in settings.generation.items())
        how += f", seed {settings.seed}"
    return f"Run {engine.run.id} · {which}: “{summary(engine.task, row)[:80]}” · {how}"


def true_answer(task: Task, row: Row) -> str:
    """A row's reference as people read it; nothing where it has none."""
    if not has_reference(task, row):
        return ""
    return answer_text(task.reference(row), task.metric().unit)


def reference_text(task: Task, row: Row) -> str:
    """A row's reference in a few characters; nothing where it has none."""
    return true_answer(task, row)[:60]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)
