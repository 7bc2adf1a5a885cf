"""Files from outside a run: stored by absolute paths with what identifies them, and named again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from cli_runner import CommandLine, goods, quick, write_csv
from in_process import command
from toolkit.data.source import Source
from toolkit.errors import BusyError, RunError, UsageError
from toolkit.pipeline import inputs
from toolkit.recipe import Recipe
from toolkit.runs import lock
from toolkit.runs.run import Run


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(capsys, monkeypatch)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a file of rows, a model folder and a task file."""
    place = tmp_path / "here"
    (place / "model").mkdir(parents=True)
    (place / "model" / "config.json").write_text('{"a": 1}')
    write_csv(place / "goods.csv", goods(rows=8))
    (place / "task.py").write_text("class Mine: ...\n")
    monkeypatch.chdir(place)
    return place


def made(folder: Path, **source: str) -> Run:
    """A run whose inputs are given as typed, as ``toolkit run`` stores it."""
    given = inputs.absolute_source(Source(**{"data": "goods.csv", **source}))
    recipe = inputs.absolute_recipe(Recipe("small", "", "model"))
    file = str(folder / "task.py") + ":Mine"
    info: dict[str, Any] = {
        "task": "t", "seed": 0, "source": given.as_dict(), "recipe": {"model": recipe.model},
        "plugin": {"file": file}, "inputs": inputs.identified(given, recipe, file),
    }  # fmt: skip
    return Run.create(folder.parent / "runs", info)


def test_paths_as_typed_are_stored_absolute_with_size_and_hash(folder: Path) -> None:
    run = made(folder, validation="../here/goods.csv", test="./goods.csv")
    place = str(folder / "goods.csv")
    assert [run.info["source"][n] for n in ("data", "validation", "test")] == [place] * 3
    assert run.info["recipe"]["model"] == str(folder / "model")
    assert set(run.info["inputs"]) == {"data", "validation", "test", "model", "task"}
    import hashlib

    content = (folder / "goods.csv").read_bytes()
    assert run.info["inputs"]["data"] == {
        "path": place, "size": len(content), "sha256": hashlib.sha256(content).hexdigest(),
    }  # fmt: skip
    assert run.info["inputs"]["task"]["path"] == str(folder / "task.py")


def test_names_that_are_no_files_here_stay_as_they_are(folder: Path) -> None:
    source = inputs.absolute_source(Source(data="owner/rows", test="none.csv"))
    assert (source.data, source.test) == ("owner/rows", "none.csv")
    for model in ("owner/model", "embedded:causal-lm", "../nowhere"):
        assert inputs.absolute_recipe(Recipe("r", "", model)).model == model
    assert inputs.identified(source, Recipe("r", "", "owner/model"), None) == {}


CHECKS = {
    "data": (inputs.check_source, "goods.csv"),
    "model": (inputs.check_model, "model"),
    "task": (inputs.check_task, "task.py"),
}


@pytest.mark.parametrize("part", CHECKS)
def test_what_was_moved_is_said_in_a_sentence_and_can_be_named_again(
    folder: Path, part: str
) -> None:
    run = made(folder)
    check, name = CHECKS[part]
    check(run)
    moved = folder / f"moved{(folder / name).suffix}"
    (folder / name).rename(moved)
    with pytest.raises(RunError, match=f"there is no f.* any more; .*--{part} NEW") as error:
        check(run)
    assert "\n" not in str(error.value) and str(run.path) in str(error.value)
    inputs.rename(run, {part: moved.name})
    check(Run.open(run.path))
    assert Run.open(run.path).info["inputs"][part]["path"] == str(moved)


def test_the_class_in_a_task_file_stays_named(folder: Path) -> None:
    run = made(folder)
    (folder / "task.py").rename(folder / "other.py")
    inputs.rename(run, {"task": "other.py"})
    assert run.info["plugin"]["file"] == str(folder / "other.py") + ":Mine"


def test_another_model_in_the_place_is_refused(folder: Path) -> None:
    run = made(folder)
    (folder / "model" / "config.json").write_text('{"a": 2}')
    with pytest.raises(RunError, match="is not the one that run"):
        inputs.check_model(run)
    with pytest.raises(RunError, match="is not the one that run"):
        inputs.rename(run, {"model": "model"})


def test_large_weights_are_told_apart_by_their_beginning_and_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inputs, "WHOLE", 10)
    monkeypatch.setattr(inputs, "_PART", 4)
    weights = tmp_path / "model.safetensors"
    seen = set()
    for content in (b"a" * 100, b"b" + b"a" * 99, b"a" * 99 + b"b", b"a" * 101):
        weights.write_bytes(content)
        seen.add(inputs.identity(tmp_path)["sha256"])
    assert len(seen) == 4


@pytest.mark.parametrize(
    ("places", "said"),
    [
        ({"data": "none.csv"}, "--data none.csv: there is no file"),
        ({"model": "goods.csv"}, "--model goods.csv: there is no folder"),
        ({"train": "goods.csv"}, "has no --train"),
        ({"task": "goods.csv"}, "ends in .py as the run's does"),
    ],
)
def test_what_cannot_be_named_is_refused(folder: Path, places: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        inputs.rename(made(folder), places)


def test_nothing_is_named_while_the_run_is_running(folder: Path) -> None:
    run = made(folder)
    with lock.held(run.path), pytest.raises(BusyError, match="is running since"):
        inputs.rename(run, {"data": "goods.csv"})


def test_runs_of_earlier_versions_with_relative_paths_stay_readable(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = made(folder)
    run.info["source"]["data"], run.info["recipe"]["model"] = "goods.csv", "./model"
    del run.info["inputs"]
    for check in (inputs.check_source, inputs.check_model):
        check(run)
    monkeypatch.chdir("/")
    for check, part in ((inputs.check_source, "data"), (inputs.check_model, "model")):
        with pytest.raises(RunError, match=f"--{part} NEW"):
            check(run)


@pytest.mark.slow
@pytest.mark.usefixtures("no_charts")
def test_a_run_is_used_from_any_folder_and_survives_moves(
    cli: CommandLine, tiny_llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    for place in (here, there):
        place.mkdir()
    shutil.copytree(tiny_llama, here / "model")
    write_csv(here / "goods.csv", goods(rows=80))
    (here / "prices.toml").write_text('task = "price-regression"\ndata = "goods.csv"\n')
    options = quick(None)
    command(here, "run", "prices.toml", "--model", "model", "--runs", "runs", *options)
    (run,) = (here / "runs" / "prices").iterdir()
    monkeypatch.chdir(there)
    assert cli("predict", run, "red oak thing", "--json").code == 0
    for name in ("model", "goods.csv", "prices.toml"):
        (here / name).rename(there / name)
    answer = cli("predict", run, "red oak thing")
    assert answer.code == 2 and "--task NEW" in answer.err
    assert cli("resume", run, "--task", "prices.toml").code == 2  # the model is still missing
    answer = cli("resume", run, "--model", "model", "--data", "goods.csv")
    assert answer.code == 0, answer.err
    assert json.loads((run / "run.json").read_text())["recipe"]["model"] == str(there / "model")
    monkeypatch.chdir(tmp_path)
    for arguments in (("predict", run, "red oak thing"), ("report", run, "--verify")):
        answer = cli(*arguments)
        assert answer.code == 0, answer.err
