"""Runs of a page whose models write as slowly as a test wants, and say what they were asked.

An answer is the run's ID, the side and the prompt, word by word: each piece that is read writes one
more. So whatever a page shows says by itself to what it belongs.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tiny_tasks import TinyPrices
from toolkit import Row
from toolkit.runs.run import STAGES, VERSION, Run
from toolkit_playground.state.engine import Reading, Side
from toolkit_playground.state.library import Library
from toolkit_playground.state.texts import Text

ROWS = 4
SIDES = ("base", "adapter")


def offer(run_id: str, number: int) -> str:
    """The text of a run's held-out row."""
    return f"offer {number} of {run_id}"


def make_run(folder: Path, run_id: str) -> Run:
    """A finished run without a model, which keeps its validation rows."""
    path = folder / TinyPrices.name / run_id
    (path / "data").mkdir(parents=True)
    info = {
        "version": VERSION, "id": run_id, "task": TinyPrices.name, "created": run_id, "seed": 0,
        "recipe": {"model": "m", "lora": {"r": 4}, "training": {}},
        "task_state": {"median": 10.0, "largest": 100},
        "stages": {name: {"state": "done"} for name in STAGES},
    }  # fmt: skip
    (path / "run.json").write_text(json.dumps(info))
    rows = [
        {"split": "validation", "row_id": n, "text": offer(run_id, n), "price": 10.0, "good": "cup"}
        for n in range(1, ROWS + 1)
    ]
    (path / "data" / "heldout.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return Run.open(path)


class SlowEngine:
    """What the views use of :class:`toolkit_playground.state.engine.Engine`.

    Args:
        run: a run of :func:`make_run`.
        task: its task.
    """

    writes = follows = True
    answer_room, positions, room, most_new_tokens = 5, None, 10**6, 10**6

    def __init__(self, run: Run, task: Any) -> None:
        self.run, self.task = run, task
        self.problems: dict[str, str] = {}
        self.sides = {label: Side(label, label, run, label, task) for label in SIDES}
        self.kind = SimpleNamespace(tokenizer=SimpleNamespace(chat_template=None))
        self.text_model = SimpleNamespace(answer_limit=lambda row: self.answer_room)
        self.writing = 0
        """How many answers are being written."""
        self.begun: list[str] = []
        """The prompts of all answers that were not stopped before they began."""

    def prompt(self, row: Row) -> list[int]:
        return list(map(ord, row["text"]))

    def shown(self, prompt: Sequence[int]) -> str:
        return "".join(map(chr, prompt))

    def check_length(self, prompt: Sequence[int], room: int | None, new: int) -> None:
        """Everything fits."""

    def side(self, label: str) -> Side:
        return self.sides[label]

    def write(
        self, prompts: Sequence[Sequence[int]], labels: Sequence[str], *,
        generation: Mapping[str, Any], stop: threading.Event, seed: int = 0,
        until: Sequence[str] = (),
    ) -> Iterator[list[Text]]:  # fmt: skip
        whole = [
            f"{self.run.id} {label} {generation['max_new_tokens']} {self.shown(prompt)}".split()
            for prompt, label in zip(prompts, labels, strict=True)
        ]
        self.writing += 1
        if not stop.is_set():
            self.begun.append(self.shown(prompts[0]))
        try:
            there = 0
            while not stop.is_set() and there < max(map(len, whole)):
                there += 1
                yield [Text(" ".join(words[:there]), there, 0.1, 0.1) for words in whole]
            yield [
                Text(" ".join(words[:there]), there, 0.1, 0.1, ended=True, stopped=stop.is_set())
                for words in whole
            ]
        finally:
            stop.set()
            self.writing -= 1

    def read_texts(self, row: Row, labels: Sequence[str], texts: Sequence[Text]) -> list[Reading]:
        return [
            Reading(self.sides[label], {"prediction": 10.0, "parsed": True}, None, 0.1)
            for label in labels
        ]


class SlowLibrary(Library):
    """Runs with slow engines, all of them loaded."""

    def __init__(self, folder: Path, runs: Sequence[Run]) -> None:
        super().__init__(folder, runs)
        self.slow = {run.id: SlowEngine(run, loaded(run)) for run in runs}

    def engine(self, key: str | None) -> Any:
        return self.slow[str(key)]


def loaded(run: Run) -> TinyPrices:
    """A run's task."""
    task = TinyPrices()
    task.load_state(run.info["task_state"])
    return task
