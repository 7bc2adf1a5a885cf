"""Finished runs of each kind that can be exported, and faults that are put into what is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import quick_runs
from cli_runner import goods, write_csv
from toolkit.runs.run import Run
from toolkit.system import Console
from toolkit_export import export as exporting

Export = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def exported_runs(
    tmp_path_factory: pytest.TempPathFactory, tiny_qwen: Path, tiny_bert: Path, tiny_t5: Path
) -> dict[str, Run]:
    """Runs by the names of their tasks; tests must not change them."""
    folder = tmp_path_factory.mktemp("to-export")
    rows = goods(rows=60)
    data = write_csv(folder / "goods.csv", rows)
    numbers = write_csv(
        folder / "numbers.csv", [{**row, "price": row["price"].strip("$")} for row in rows]
    )
    questions = quick_runs.write_questions(folder / "questions.jsonl")
    made = {
        "kinds": (quick_runs.SUBJECTS, data, tiny_qwen),
        "chats": (quick_runs.CHATS, quick_runs.write_chats(folder / "chats.jsonl"), tiny_qwen),
        "shorter": (quick_runs.NOTES, data, tiny_t5),
        "classes": (quick_runs.CLASSES, data, tiny_bert),
        "amounts": (quick_runs.AMOUNTS, numbers, tiny_bert),
        "answers": (quick_runs.ANSWERS, questions, tiny_bert),
    }
    return {
        name: Run.open(quick_runs.run_task(folder, name, text, place, model))
        for name, (text, place, model) in made.items()
    }


@pytest.fixture
def export(tmp_path: Path) -> Export:
    """``export(run, "merged", spoil=fault, …)`` → the record; written to ``tmp_path / "out"``."""

    def made(run: Run, form: str, spoil: Any = None, **options: Any) -> dict[str, Any]:
        settings = {"margin": 0.02, "out": tmp_path / "out", **options}
        return exporting.export(
            run, exporting.Options(form, **settings), Console(quiet=True),
            spoil or (lambda folder: None),
        )  # fmt: skip

    return made
