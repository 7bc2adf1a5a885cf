"""Runs that end in seconds: tasks in TOML files, on tiny random models."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from cli_runner import goods, quick

SUBJECTS = """
kind = "causal-lm"
name = "kinds"
summary = "The first word of a title"
prompt = "{title}\\n\\nKind:"
target = "kind"
metrics = ["exact_match"]
"""
PRICES = """
kind = "causal-lm"
name = "prices"
summary = "What a title costs"
prompt = "How much is {title}?"
target = "price"
metrics = ["exact_match"]
"""
CLASSES = """
kind = "sequence-classification"
name = "classes"
summary = "The first word of a title, by an encoder"
text = "title"
target = "kind"
"""


NOTES = """
kind = "seq2seq-lm"
name = "shorter"
summary = "The first word of a title, written"
text = "{title}"
target = "kind"
metrics = ["exact_match"]
"""
ANSWERS = """
kind = "question-answering"
name = "answers"
summary = "What a thing is made of"
metrics = ["exact_match"]
"""
PLACES = """
kind = "token-classification"
name = "places"
summary = "Where a material stands"
classes = ["cloth", "hard"]
"""
CHATS = """
kind = "causal-lm"
name = "chats"
summary = "The first word of a title, in a chat"
metrics = ["exact_match"]
"""
AMOUNTS = """
kind = "sequence-regression"
name = "amounts"
summary = "What a title costs, by an encoder"
text = "title"
target = "price"
"""


def write_chats(path: Path, rows: int = 60) -> Path:
    """Conversations of two turns: a title, and its first word."""
    turns = [
        [{"role": "user", "content": row["title"]}, {"role": "assistant", "content": row["kind"]}]
        for row in goods(rows)
    ]
    lines = (json.dumps({"messages": each}) + "\n" for each in turns)
    path.write_text("".join(lines), encoding="utf-8")
    return path


def _things(rows: int) -> Iterator[tuple[int, str, str]]:
    """Numbers, materials and texts in which the material is the second word."""
    materials = ("oak", "silk", "steel", "glass")
    for number in range(rows):
        material = materials[number % len(materials)]
        yield number, material, f"this {material} thing {number} is old"


def write_places(path: Path, rows: int = 60) -> Path:
    """Texts in which a material is marked."""
    lines = []
    for _, material, text in _things(rows):
        label = "cloth" if material == "silk" else "hard"
        mark = {"start": 5, "end": 5 + len(material), "label": label}
        lines.append(json.dumps({"text": text, "entities": [mark]}) + "\n")
    path.write_text("".join(lines), encoding="utf-8")
    return path


def write_questions(path: Path, rows: int = 60) -> Path:
    """Questions in SQuAD's form whose answers are the second word of their contexts."""
    made = []
    for number, material, context in _things(rows):
        made.append(
            {
                "id": str(number), "question": f"what is thing {number} made of?",
                "context": context, "answers": {"text": [material], "answer_start": [5]},
            }
        )  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in made), encoding="utf-8")
    return path


def run_task(folder: Path, name: str, text: str, data: Path, model: str | Path, *sets: str) -> Path:
    """A finished run of a task in a TOML file; gives its folder.

    Args:
        folder: gets the file, and the run in its folder ``runs``.
        name: of the task.
        text: of the file.
        data: its rows.
        model: as ``--model``.
        sets: further settings, as ``--set``.
    """
    from toolkit.data.source import Source
    from toolkit.pipeline import start
    from toolkit.pipeline.run import execute
    from toolkit.plugins import lookup, recipes
    from toolkit.system.console import Console

    file = folder / f"{name}.toml"
    file.write_text(text, encoding="utf-8")
    found = lookup.find(str(file))
    recipe = recipes.resolve(
        found, model=str(model),
        sets=[*quick(None)[1::2], "training.learning_rate=0.02", *sets],
    )  # fmt: skip
    started = start.start(
        found, recipe, Source(data=str(data), limit=60), runs=folder / "runs",
        options={"seed": 0, "seeds": 1, "store_data": True},
    )  # fmt: skip
    return execute(started, Console(quiet=True)).path
