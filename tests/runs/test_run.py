"""The run directory: nothing half-written, nothing overwritten, everything found again."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from toolkit.errors import RunError, UsageError
from toolkit.runs.files import read_json, read_jsonl, write_bytes, write_json, write_jsonl
from toolkit.runs.run import STAGES, Run, runs_folder

INFO: dict[str, Any] = {"task": "prices", "recipe": {"name": "small"}, "source": {}, "seed": 0}


def finish(run: Run) -> Run:
    for stage in STAGES:
        with run.stage(stage):
            pass
    return run


# -- files -----------------------------------------------------------------------------------------


def test_what_is_written_comes_back(tmp_path: Path) -> None:
    rows = [{"text": "naïve – “quoted”\u2028\n", "n": 1}, {"text": "", "n": None}]
    write_json(tmp_path / "deep" / "a.json", rows)
    write_jsonl(tmp_path / "a.jsonl", rows)
    assert read_json(tmp_path / "deep" / "a.json") == rows
    assert read_jsonl(tmp_path / "a.jsonl") == rows


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_crash_in_the_middle_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, error: BaseException
) -> None:
    path = tmp_path / "metrics.json"
    write_json(path, {"old": True})

    def crash(*arguments: Any) -> None:
        raise error

    monkeypatch.setattr(*((os, "fsync") if step == "fsync" else (Path, "replace")), crash)
    with pytest.raises((RunError, KeyboardInterrupt)):
        write_json(path, {"new": True})
    monkeypatch.undo()
    assert read_json(path) == {"old": True}
    assert [p for p in tmp_path.iterdir() if p.suffix != ".tmp"] == [path]


def test_a_full_disk_is_an_error_with_advice_and_leaves_no_temporary_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunError, match=r"No space left.*toolkit resume"):
        write_bytes(tmp_path / "adapter", b"x")
    assert list(tmp_path.iterdir()) == []


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"run\.json is missing"):
        read_json(tmp_path / "run.json")
    with pytest.raises(RunError, match=r"x\.jsonl is missing"):
        read_jsonl(tmp_path / "x.jsonl")
    (tmp_path / "cut.json").write_text('{"a": [1, 2')
    for read in (read_json, read_jsonl):
        with pytest.raises(RunError, match=r"cut\.json is not readable"):
            read(tmp_path / "cut.json")


# -- making ----------------------------------------------------------------------------------------


def test_a_new_run_never_takes_a_folder_that_exists(tmp_path: Path) -> None:
    runs = [Run.create(tmp_path, INFO) for _ in range(5)]
    assert len({run.path for run in runs}) == 5
    assert all(Run.open(run.path).info == run.info for run in runs)
    assert all(run.path.parent == tmp_path / "prices" for run in runs)


def test_another_recipe_has_another_id(tmp_path: Path) -> None:
    one = Run.create(tmp_path, INFO)
    other = Run.create(tmp_path, {**INFO, "seed": 1})
    assert one.id.rpartition("-")[2] != other.id.rpartition("-")[2]


def test_a_folder_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for folder in (tmp_path / "file", tmp_path / "file" / "runs"):
        with pytest.raises(RunError, match="cannot make the run folder"):
            Run.create(folder, INFO)
        with pytest.raises(RunError, match="cannot write"):
            write_bytes(folder / "x", b"")
    assert (tmp_path / "file").read_text() == "mine"


def test_a_task_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "prices").write_text("mine")
    with pytest.raises(RunError, match="cannot make the run folder"):
        Run.create(tmp_path, INFO)


def test_where_runs_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOOLKIT_RUNS", raising=False)
    assert runs_folder() == Path("runs")
    monkeypatch.setenv("TOOLKIT_RUNS", "elsewhere")
    assert runs_folder() == Path("elsewhere")
    assert runs_folder(Path("given")) == Path("given")


# -- finding ---------------------------------------------------------------------------------------


def test_a_run_is_found_by_path_id_and_beginning(tmp_path: Path) -> None:
    run = Run.create(tmp_path, INFO)
    for name in (str(run.path), run.id, run.id[:-2]):
        assert Run.find(name, tmp_path).path == run.path


def test_a_beginning_that_fits_several_is_refused_and_a_whole_id_is_not(tmp_path: Path) -> None:
    # The second of two runs within a second is called like the first, and then some.
    path = tmp_path / "prices"
    for run_id in ("20260101-000000-abc123", "20260101-000000-abc123-1"):
        write_json(path / run_id / "run.json", {**INFO, "version": 1, "id": run_id,
                                                "created": "2026", "stages": {}})  # fmt: skip
    with pytest.raises(UsageError, match="fits 2 runs"):
        Run.find("20260101", tmp_path)
    assert Run.find("20260101-000000-abc123", tmp_path).id == "20260101-000000-abc123"


def test_the_error_for_an_unknown_run_names_the_nearest(tmp_path: Path) -> None:
    run = Run.create(tmp_path, INFO)
    wrong = run.id[:-1] + ("x" if run.id[-1] != "x" else "y")
    with pytest.raises(UsageError, match=f"did you mean '{run.id}'"):
        Run.find(wrong, tmp_path)


def test_without_a_name_it_is_the_newest_or_the_newest_unfinished(tmp_path: Path) -> None:
    older, newer = (Run.create(tmp_path, INFO) for _ in range(2))
    older, newer = sorted((older, newer), key=lambda r: (r.info["created"], r.id))
    finish(newer)
    assert Run.find(None, tmp_path).id == newer.id
    assert Run.find(None, tmp_path, unfinished=True).id == older.id
    finish(older)
    with pytest.raises(UsageError, match="no unfinished run"):
        Run.find(None, tmp_path, unfinished=True)


def test_no_run_at_all(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no run in .* start one with"):
        Run.find(None, tmp_path / "absent")


def test_folders_that_are_no_runs_are_ignored(tmp_path: Path) -> None:
    run = Run.create(tmp_path, INFO)
    for name, content in (("cut", '{"version": 1'), ("old", '{"version": 0}'), ("list", "[]")):
        write_bytes(tmp_path / "prices" / name / "run.json", content.encode())
    assert [r.id for r in Run.all(tmp_path)] == [run.id]
    with pytest.raises(RunError, match="another version"):
        Run.open(tmp_path / "prices" / "old")


# -- stages ----------------------------------------------------------------------------------------


def state(run: Run, stage: str) -> Any:
    return json.loads((run.path / "run.json").read_text())["stages"].get(stage, {}).get("state")


def test_a_stage_is_running_then_done(tmp_path: Path) -> None:
    run = Run.create(tmp_path, INFO)
    assert state(run, "data") is None
    with run.stage("data"):
        assert state(run, "data") == "running"
        assert not run.done("data")
    assert state(run, "data") == "done"
    assert Run.open(run.path).done("data")
    assert not run.finished
    assert finish(run).finished


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt()])
def test_a_stage_that_is_left_is_stopped(tmp_path: Path, error: BaseException) -> None:
    run = Run.create(tmp_path, INFO)
    with pytest.raises(type(error)), run.stage("train"):
        raise error
    assert state(run, "train") == "stopped"
    assert not run.done("train")


def test_seconds_add_up_over_tries(tmp_path: Path) -> None:
    run = Run.create(tmp_path, INFO)
    run.info["stages"]["train"] = {"state": "stopped", "seconds": 100.0}
    with run.stage("train"):
        pass
    assert 100.0 <= run.info["stages"]["train"]["seconds"] < 160.0
