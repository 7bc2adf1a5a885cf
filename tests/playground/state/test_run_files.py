"""What of a run's folder leaves it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from toolkit.errors import UsageError
from toolkit.runs.run import Run
from toolkit_playground.rendering.runs import one
from toolkit_playground.state.run_files import copied, own, present

MARKER = "NOBODY-MAY-READ-THIS"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    (tmp_path / "secret.html").write_text(MARKER)
    folder = tmp_path / "runs" / "task" / "20260101-000000-abc"
    (folder / "adapter").mkdir(parents=True)
    stages = {name: {"state": "done", "seconds": 1.0} for name in ("data", "train", "report")}
    info = {"id": folder.name, "task": "task", "stages": stages, "recipe": {"model": "m"}}
    (folder / "run.json").write_text(json.dumps(info))
    (folder / "report.html").symlink_to(tmp_path / "secret.html")
    (folder / "report.md").write_text("the report")
    return Run(folder, info)


def test_only_the_runs_own_files_are_copied_out(run: Run, tmp_path: Path) -> None:
    assert present(run) == ["report.md", "run.json"]
    assert Path(copied(run, "report.md", tmp_path / "out")).read_text() == "the report"
    for name in ("../../../secret.html", str(tmp_path / "secret.html"), "data/heldout.jsonl"):
        with pytest.raises(UsageError, match="that can be downloaded"):
            copied(run, name, tmp_path / "out")
    with pytest.raises(UsageError, match=r"has no report\.html"):
        copied(run, "report.html", tmp_path / "out")


def test_a_link_out_of_the_run_is_not_shown(run: Run) -> None:
    assert own(run, "report.html") is None and own(run, "../../../secret.html") is None
    assert MARKER not in one(run)
