"""The rows that a run was trained on, read once more."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from toolkit.errors import RunError
from toolkit.pipeline import load_task, make_kind, training_rows
from toolkit.runs.run import Run


@pytest.fixture
def copied(tmp_path: Path, played: Path) -> Run:
    """A run whose data are a file that may be changed."""
    run = Run.open(shutil.copytree(played, tmp_path / "task" / played.name))
    data = shutil.copy(run.info["source"]["data"], tmp_path / "goods.csv")
    run.info["source"]["data"] = str(data)
    return run


def test_they_are_the_rows_of_the_run_and_none_of_the_held_out_ones(copied: Run) -> None:
    task = load_task(copied)
    rows = training_rows(copied, task, make_kind(copied, task))
    lines = (copied.data / "heldout.jsonl").read_text().splitlines()
    held = {json.loads(line)["row_id"] for line in lines}
    assert len(rows) == copied.info["data"]["sizes"]["train"]
    assert not held & {row["row_id"] for row in rows} and all("price" in row for row in rows)


def test_other_data_missing_data_and_private_data_are_refused(copied: Run) -> None:
    task = load_task(copied)
    kind = make_kind(copied, task)
    place = Path(copied.info["source"]["data"])
    lines = place.read_text().splitlines()
    place.write_text("\n".join(lines[:-1]) + "\n")
    with pytest.raises(RunError, match="have changed"):
        training_rows(copied, task, kind)
    place.unlink()
    with pytest.raises(RunError, match="any more"):
        training_rows(copied, task, kind)
    copied.info["options"] = {**copied.info.get("options", {}), "store_data": False}
    with pytest.raises(RunError, match="keeps no rows"):
        training_rows(copied, task, kind)
