"""A quick run of each kind of task, with 200 held-out rows and more.

For :mod:`equal_answers`: tiny random models, tasks in TOML files and the two tasks of prices.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import quick_runs
from cli_runner import command, goods, quick
from several_fixtures import TOPICS, label_rows

ROWS = 1_400
"""Rows of a run, of which the default shares hold out more than 200."""
LABELS = f"""
kind = "sequence-classification"
problem = "multi-label"
name = "topics"
summary = "The topics of a message"
text = "text"
target = "labels"
classes = {json.dumps(list(TOPICS))}
"""
ENTITIES = """
kind = "token-classification"
name = "found"
summary = "What a thing is made of, and its number"
text = "text"
target = "entities"
classes = ["material", "number"]
"""
MATERIALS = ("oak", "silk", "steel", "glass")
Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Kind:
    """A kind of task.

    Args:
        task: the content of its TOML file, or the name of an installed task.
        model: the function of :mod:`toolkit.testing.models` that makes its tiny model.
        rows: so many rows of its data.
        sets: what is set beside :func:`cli_runner.quick`.
    """

    task: str
    model: str
    rows: Callable[[int], Rows]
    sets: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The task's name."""
        return self.task if "\n" not in self.task else _named(self.task)


def _named(content: str) -> str:
    line = next(line for line in content.splitlines() if line.startswith("name = "))
    return str(json.loads(line.removeprefix("name = ")))


def question_rows(count: int) -> Rows:
    """Questions in SQuAD's form whose answers are the second word of their contexts."""
    return [
        {
            "id": str(n), "question": f"what is thing {n} made of?",
            "context": f"this {MATERIALS[n % 4]} thing {n} is old",
            "answers": {"text": [MATERIALS[n % 4]], "answer_start": [5]},
        }
        for n in range(count)
    ]  # fmt: skip


def amount_rows(count: int) -> Rows:
    """Titles of goods with their prices as numbers."""
    return [{**row, "price": float(row["price"].removeprefix("$"))} for row in goods(count)]


def entity_rows(count: int) -> Rows:
    """Sentences with a material, a number or both, each a place in the text."""
    source = random.Random(0)
    found = []
    for number in range(count):
        text, entities = f"{source.choice(('this', 'one old', 'a large'))} ", []
        words = [("material", source.choice(MATERIALS)), ("number", str(number))]
        for label, word in source.sample(words, 1 + number % 2):
            entities.append({"start": len(text), "end": len(text) + len(word), "label": label})
            text += f"{word} thing "
        found.append({"text": text.strip(), "entities": entities})
    return found


_WRITTEN = ("training.learning_rate=0.005", "training.max_steps=150")
_MARKED = ("training.learning_rate=0.01", "training.max_steps=120")
KINDS: Mapping[str, Kind] = {
    "text": Kind(quick_runs.SUBJECTS, "llama", goods, _WRITTEN),
    "price": Kind("price-regression", "llama", goods, _WRITTEN),
    "seq2seq": Kind(
        quick_runs.NOTES, "t5", goods,
        ("training.learning_rate=0.01", "training.max_steps=150", "training.max_target_length=24"),
    ),
    "classes": Kind(quick_runs.CLASSES, "bert", goods, _MARKED),
    "number": Kind(quick_runs.AMOUNTS, "bert", amount_rows, _MARKED),
    "labels": Kind(LABELS, "bert", label_rows, _MARKED),
    "spans": Kind(quick_runs.ANSWERS, "bert", question_rows, _MARKED),
    "entities": Kind(ENTITIES, "bert", entity_rows, _MARKED),
}  # fmt: skip
"""The kinds by what their answers are."""


def trained(name: str, folder: Path, rows: int = ROWS) -> Path:
    """A finished run of a kind, trained by the command in a process of its own.

    Args:
        name: in :data:`KINDS`.
        folder: gets the model, the data, the task file, and the run in its folder ``runs``.
        rows: rows of its data.
    """
    from toolkit.testing import models

    kind = KINDS[name]
    model = folder / kind.model
    if not (model / "config.json").is_file():
        getattr(models, kind.model)(model)
    data = folder / f"{name}.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in kind.rows(rows)), encoding="utf-8")
    task = kind.task
    if kind.name != kind.task:
        file = folder / f"{kind.name}.toml"
        file.write_text(kind.task, encoding="utf-8")
        task = str(file)
    sets = [part for one in kind.sets for part in ("--set", one)]
    command(folder, "run", task, "--data", str(data), *quick(model), *sets)
    (run,) = (folder / "runs" / kind.name).iterdir()
    return run
