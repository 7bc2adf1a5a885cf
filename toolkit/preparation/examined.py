"""All rows read once: hashes of their texts and targets, their classes, and a sample of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit.data import splits, tables
from toolkit.data.normalization import normalized
from toolkit.data.splits import SPLITS
from toolkit.preparation.leakage import is_numeric
from toolkit.task import classes_of

if TYPE_CHECKING:
    from toolkit.preparation.prepare import Prepared
    from toolkit.task import Task

LEAK_SAMPLE = 5_000
"""Rows that are searched for their target."""
MOST_ANSWERS = 20
"""Different texts as answers, up to which they are taken for classes of a task without classes."""
ROWS_AN_ANSWER = 10
"""Training rows for each of them, on average, from which on they are."""
INPUTS = ("prompt", "text", "question", "context")
"""The columns of an example that are read, of all kinds."""
ANSWERS = ("completion", "text_target")
"""The columns of an example that are written, of all kinds."""


@dataclass
class Examined:
    """What the checks need to know of the rows, in the order of their splits.

    Args:
        texts: a hash of each row's normalized text, shape (rows,).
        targets: a hash of each row's target, shape (rows,).
        held_out: whether each row is held out, shape (rows,).
        values: the targets as numbers; ``None`` where some are none.
        classes: split → class → rows; empty for tasks without classes.
        declared: whether the task says what the classes are, or few different answers suggest it.
        sample_texts: the texts of some rows.
        sample_targets: their targets.
        sample_rows: their splits and numbers.
    """

    texts: np.ndarray
    targets: np.ndarray
    held_out: np.ndarray
    values: np.ndarray | None
    classes: dict[str, Counter[Any]]
    declared: bool = True
    sample_texts: list[str] = field(default_factory=list)
    sample_targets: list[Any] = field(default_factory=list)
    sample_rows: list[tuple[str, int]] = field(default_factory=list)


def examine(task: Task, prepared: Prepared) -> Examined:
    """Read all rows once."""
    total = sum(prepared.sizes[split] for split in SPLITS)
    texts = np.empty(total, dtype=np.uint64)
    targets = np.empty(total, dtype=np.uint64)
    values = np.full(total, np.nan)
    drawn = splits.sample(total, LEAK_SAMPLE, 0)
    sampled = set(drawn.tolist()) if drawn is not None else None
    held_out = np.arange(total) >= prepared.sizes["train"]
    found = Examined(texts, targets, held_out, values, {})
    classes = {split: Counter[Any]() for split in SPLITS}
    answers = {split: Counter[Any]() for split in SPLITS}
    at = 0
    for split in SPLITS:
        for row in tables.rows(prepared.splits[split]):
            text, target, kinds = text_of(task, row), task.reference(row), classes_of(task, row)
            texts[at] = splits.group_hash(normalized(text))
            targets[at] = splits.group_hash(repr(target))
            classes[split].update(kinds)
            if not kinds and isinstance(target, str) and len(answers["train"]) <= MOST_ANSWERS:
                answers[split][target] += 1
            if is_numeric(target):
                values[at] = target
            if sampled is None or at in sampled:
                found.sample_texts.append(text)
                found.sample_targets.append(target)
                found.sample_rows.append((split, int(row["row_id"])))
            at += 1
    if np.isnan(values).any():
        found.values = None
    if classes["train"]:
        found.classes = classes
    elif _are_classes(answers["train"]):
        found.classes, found.declared = answers, False
    return found


def _are_classes(answers: Counter[Any]) -> bool:
    """Whether the answers in training are so few that they are classes, by all appearance."""
    few = 0 < len(answers) <= MOST_ANSWERS
    return few and answers.total() >= ROWS_AN_ANSWER * len(answers)


def text_of(task: Task, row: Mapping[str, Any]) -> str:
    """The text of a row that the model reads: the columns of its example that are not targets."""
    return _text(task.format_example(row), INPUTS)


def answer_of(task: Task, row: Mapping[str, Any]) -> str:
    """The text of a row that the model writes; empty for kinds that write none."""
    return _text(task.format_example(row), ANSWERS)


def _text(example: Mapping[str, Any], names: tuple[str, ...]) -> str:
    shown = [example[name] for name in names if name in example]
    return "\n".join(part if isinstance(part, str) else _turns(part) for part in shown)


def _turns(messages: Any) -> str:
    """The text of a conversation."""
    if isinstance(messages, list):
        return "\n".join(str(m.get("content", "")) for m in messages if isinstance(m, Mapping))
    return str(messages)
