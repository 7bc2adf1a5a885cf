"""Finished runs of each kind that can be exported, and faults that are put into what is written."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import export_faults
import quick_runs
from cli_runner import goods, write_csv
from toolkit.runs.run import Run
from toolkit.system import Console
from toolkit_export import export as exporting

Export = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def strong_bert(tmp_path_factory: pytest.TempPathFactory, tiny_bert: Path) -> Path:
    """The tiny BERT with ten times the weights: what stands in its layers changes its answers."""
    folder = tmp_path_factory.mktemp("models") / "strong-bert"
    shutil.copytree(tiny_bert, folder)
    export_faults.change_weights(
        folder, lambda name, one: one * 10 if "encoder" in name and one.ndim > 1 else one
    )
    return folder


@pytest.fixture(scope="session")
def exported_runs(
    tmp_path_factory: pytest.TempPathFactory, tiny_qwen: Path, strong_bert: Path, tiny_t5: Path
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
        "classes": (quick_runs.CLASSES, data, strong_bert),
        "amounts": (quick_runs.AMOUNTS, numbers, strong_bert),
        "answers": (quick_runs.ANSWERS, questions, strong_bert),
        "places": (
            quick_runs.PLACES,
            quick_runs.write_places(folder / "places.jsonl"),
            strong_bert,
        ),
    }
    return {
        name: Run.open(quick_runs.run_task(folder, name, text, place, model))
        for name, (text, place, model) in made.items()
    }


@pytest.fixture
def export(tmp_path: Path) -> Export:
    """``export(run, "merged", …)`` → the record; written to ``tmp_path / "out"``."""

    def made(run: Run, form: str, **options: Any) -> dict[str, Any]:
        settings = {"margin": 0.02, "out": tmp_path / "out", **options}
        return exporting.export(run, exporting.Options(form, **settings), Console(quiet=True))

    return made


@pytest.fixture(scope="session")
def judged_after(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict[str, Any]]:
    """``judged_after(run, "merged", fault)`` → what the gate says of an export with that fault.

    The adapter is asked, and the export written, once for each run and form.
    """
    written: dict[tuple[str, str], exporting.Job] = {}

    def judged(run: Run, form: str, fault: export_faults.Fault) -> dict[str, Any]:
        if (run.id, form) not in written:
            folder = tmp_path_factory.mktemp("written")
            options = exporting.Options(form, margin=0.02)
            job = exporting.begin(run, options, Console(quiet=True), folder)
            exporting.write(job, exporting.ask(job))
            written[run.id, form] = job
        job = written[run.id, form]
        spoiled = tmp_path_factory.mktemp("spoiled") / "out"
        shutil.copytree(job.folder, spoiled)
        fault(spoiled)
        found = exporting.check(dataclasses.replace(job, folder=spoiled))
        shutil.rmtree(spoiled)
        gate: dict[str, Any] = found["gate"]
        return gate

    return judged
