"""What a run folder says about itself: names have an alphabet, paths and links stay inside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from toolkit.errors import PluginError, RunError
from toolkit.evaluation.prediction_files import write_system
from toolkit.runs import record
from toolkit.runs.checked import within
from toolkit.runs.files import read_json
from toolkit.runs.run import VERSION, Run

CLIMBS = ("../x", "a/b", "/etc/x", "..", ".hidden", "a\\b", "a\x00b", "", "x" * 300, "a\nb", "<b>")


def folder(place: Path, **changes: Any) -> Path:
    path = place / "runs" / "task" / "20260101-000000-abc"
    path.mkdir(parents=True)
    info = {"version": VERSION, "id": path.name, "task": "task", "created": "2026",
            "recipe": {"model": "m"}, "stages": {}, **changes}  # fmt: skip
    (path / "run.json").write_text(json.dumps(info))
    return path


@pytest.mark.parametrize("name", CLIMBS)
@pytest.mark.parametrize("key", ["id", "task"])
def test_names_that_are_no_names(tmp_path: Path, key: str, name: str) -> None:
    path = folder(tmp_path, **{key: name})
    with pytest.raises(RunError, match=rf"as its {key}"):
        Run.open(path)
    assert list(Run.all(tmp_path / "runs")) == []


@pytest.mark.parametrize("key", ["plugin", "options", "source"])
def test_parts_that_are_no_objects(tmp_path: Path, key: str) -> None:
    with pytest.raises(RunError, match=f"no usable {key}"):
        Run.open(folder(tmp_path, **{key: ["x"]}))


@pytest.mark.parametrize("key", ["name", "file"])
@pytest.mark.parametrize("name", CLIMBS)
def test_systems_have_names_of_files(tmp_path: Path, key: str, name: str) -> None:
    entry = {"name": "ridge", "role": "baseline", "file": "ridge.jsonl"}
    entry[key] = f"{name}.jsonl" if key == "file" else name
    place = tmp_path / "systems.json"
    place.write_text(json.dumps([entry]))
    with pytest.raises(RunError, match=rf"entry 1 has .* as its {key}"):
        read_json(place)


def test_names_that_tasks_use_are_read(tmp_path: Path) -> None:
    names = ("adapter-seed-1", "few-shot", "n-grams (1 to 3)", "Grundlinie_ä", "tf.idf")
    place = tmp_path / "systems.json"
    entries = [{"name": name, "role": "baseline", "file": f"{name}.jsonl"} for name in names]
    place.write_text(json.dumps(entries))
    assert read_json(place) == entries


def test_a_system_with_another_name_is_not_written(tmp_path: Path) -> None:
    run = Run.open(folder(tmp_path))
    with pytest.raises(PluginError, match="cannot be a system's name"):
        write_system(
            run, "tf/idf", "baseline", [], None, fit_seconds=None, predict_seconds=0.0
        )  # fmt: skip


@pytest.mark.parametrize("name", ["adapter", "data/heldout.jsonl", "report.html", "a/b/c/d"])
def test_links_that_lead_out(tmp_path: Path, name: str) -> None:
    path = folder(tmp_path)
    (path / name).parent.mkdir(parents=True, exist_ok=True)
    (path / name).symlink_to(tmp_path)
    with pytest.raises(RunError, match="leads out of the run's folder"):
        Run.open(path)


def test_links_that_stay_inside_and_a_run_behind_a_link(tmp_path: Path) -> None:
    path = folder(tmp_path)
    (path / "base").mkdir()
    (path / "adapter").symlink_to(path / "base")
    (path / "data").symlink_to("base")
    (tmp_path / "shortcut").symlink_to(path)
    assert Run.open(tmp_path / "shortcut").id == path.name


def test_paths_are_inside_or_none(tmp_path: Path) -> None:
    path = folder(tmp_path)
    assert within(path, "data/x.json") == path / "data" / "x.json"
    for name in ("../x", "/etc/passwd", "data/../../x", "a\x00"):
        assert within(path, name) is None


def test_recorded_files_outside_are_named_not_read(tmp_path: Path) -> None:
    recorded = {"files": {"../../../secret.json": "0" * 64}, "systems": []}
    (tmp_path / "secret.json").write_text("{}")
    found = record.changed(Run.open(folder(tmp_path, record=recorded)))
    assert found == {"../../../secret.json": (
        "../../../secret.json is no path inside the run; run.json records it"
    )}  # fmt: skip
