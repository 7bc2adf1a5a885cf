"""Runs that are folders alone, without a model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from toolkit.runs.run import STAGES, VERSION, Run
from toolkit_playground.state.library import Library


def bare_run(folder: Path, run_id: str, *, model: str = "m", lora: bool = True) -> Run:
    """A finished run of a folder with its ``run.json``."""
    path = folder / "task" / run_id
    path.mkdir(parents=True)
    recipe = {"model": model, "lora": {"r": 8} if lora else None, "training": {}}
    stages = {name: {"state": "done"} for name in STAGES}
    info = {"version": VERSION, "id": run_id, "task": "task", "recipe": recipe,
            "stages": stages, "created": run_id}  # fmt: skip
    (path / "run.json").write_text(json.dumps(info))
    return Run.open(path)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """Three runs of a task, the last on another base; the first was named."""
    first = bare_run(tmp_path, "20260101-000000-aaa")
    (first.path / "adapter-seed-1").mkdir()
    bare_run(tmp_path, "20260102-000000-bbb")
    bare_run(tmp_path, "20260103-000000-ccc", model="other", lora=False)
    return Library(tmp_path, [first])
