"""A quick run of each kind of task, with 200 held-out rows and more.

For :mod:`equal_answers`: tasks in TOML files and that of prices, with models that learn something
in a minute or two, so that the sides differ: small random ones that write, and the recipe's own.
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

ROWS = 1_400
"""Rows of a run, of which the default shares hold out more than 200."""
LABELS = """
kind = "sequence-classification"
problem = "multi-label"
name = "topics"
summary = "What holds for a title"
text = "title"
target = "labels"
classes = ["one", "long", "steel"]
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
        model: the function of :mod:`toolkit.testing.models` that makes its tiny model; ``None``:
            the model of the recipe.
        rows: so many rows of its data.
        sets: what is set beside :func:`cli_runner.quick`.
    """

    task: str
    model: str | None
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
    """Questions in SQuAD's form about one of the two things in a context."""
    source = random.Random(0)
    found = []
    for number in range(count):
        things = source.sample(range(10, 100), 2)
        materials = source.sample(MATERIALS, 2)
        parts = [f"thing {n} is of {m}" for n, m in zip(things, materials, strict=True)]
        context, asked = f"no {number}: {', '.join(parts)}", source.randrange(2)
        start = context.index(materials[asked])
        found.append(
            {
                "id": str(number), "question": f"what is thing {things[asked]} made of?",
                "context": context,
                "answers": {"text": [materials[asked]], "answer_start": [start]},
            }
        )  # fmt: skip
    return found


def amount_rows(count: int) -> Rows:
    """Titles of goods; a price is high for one or three of three words, which is hard to see."""
    source = random.Random(0)
    return [
        {
            **row,
            "price": 20.0 + source.randrange(10)
            + 60 * (sum(word in row["title"] for word in ("oak", "silk", "steel")) % 2),
        }
        for row in goods(count)
    ]  # fmt: skip


def label_rows(count: int) -> Rows:
    """Titles of goods with what holds for them; no linear model knows the first."""
    return [
        {
            "title": row["title"],
            "labels": [
                name
                for name, holds in (
                    ("one", ("oak" in row["title"]) != ("silk" in row["title"])),
                    ("long", len(row["title"].split()) > 5),
                    ("steel", "steel" in row["title"]),
                )
                if holds
            ],
        }
        for row in goods(count)
    ]


def entity_rows(count: int) -> Rows:
    """Things with two materials and two numbers; the second ones are wanted of even things."""
    source = random.Random(0)
    found = []
    for number in range(count):
        thing = source.randrange(100)
        text, entities = f"{source.choice(MATERIALS)} thing {thing} ", []
        after = [("of ", "material", source.choice(MATERIALS)), ("no ", "number", str(number))]
        for before, label, word in source.sample(after, source.randrange(3)):
            text += before
            if thing % 2 == 0:
                entities.append({"start": len(text), "end": len(text) + len(word), "label": label})
            text += f"{word} "
        found.append({"text": text.strip(), "entities": entities})
    return found


_SELDOM = ("training.eval_steps=25", "training.save_steps=25")
_WRITTEN = ("training.learning_rate=0.005", "training.max_steps=150", *_SELDOM)
_LEARNT = ("training.max_steps=50", *_SELDOM)
_MORE = (
    "training.max_steps=150", "training.per_device_train_batch_size=16",
    "training.learning_rate=0.0003", *_SELDOM,
)  # fmt: skip
"""Fewer rows in a step are worse for numbers than the head that was fitted to the base."""
_LONGER = ("training.max_steps=150", *_SELDOM)
KINDS: Mapping[str, Kind] = {
    "text": Kind(quick_runs.SUBJECTS, "llama", goods, _WRITTEN),
    "price": Kind("price-regression", None, goods, _LEARNT),
    "seq2seq": Kind(
        quick_runs.NOTES, None, goods,
        (*_LEARNT, "training.max_target_length=24", "generation.max_new_tokens=12"),
    ),
    "classes": Kind(quick_runs.CLASSES, None, goods, _LEARNT),
    "number": Kind(quick_runs.AMOUNTS, None, amount_rows, _MORE),
    "labels": Kind(LABELS, None, label_rows, _LONGER),
    "spans": Kind(quick_runs.ANSWERS, None, question_rows, _LEARNT),
    "entities": Kind(ENTITIES, None, entity_rows, _LEARNT),
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
    model = None if kind.model is None else folder / kind.model
    if kind.model and model is not None and not (model / "config.json").is_file():
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
