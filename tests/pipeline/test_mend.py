"""Predictions that are not whole: found by resume and made again, refused by the report."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli_runner import CommandLine
from toolkit.errors import RunError
from toolkit.runs import predictions, record
from toolkit.runs.files import read_json, read_jsonl
from toolkit.runs.predictions import unlike
from toolkit.runs.run import Run

SPOILT: dict[str, Callable[[Path], Any]] = {
    "cut in a line": lambda place: place.write_bytes(place.read_bytes()[:-40]),
    "cut after a line": lambda place: place.write_text(_lines(place, slice(0, -3))),
    "without its first line": lambda place: place.write_text(_lines(place, slice(1, None))),
    "a line twice": lambda place: place.write_text(place.read_text() + _lines(place, slice(3))),
    "a row of another split": lambda place: place.write_text(
        place.read_text().replace('"row_id": ', '"row_id": 9', 1)
    ),
    "empty": lambda place: place.write_text(""),
    "another form": lambda place: place.write_text("[]\n" + place.read_text()),
    "missing": Path.unlink,
}
"""How a predictions file can be spoilt."""


def _lines(place: Path, which: slice) -> str:
    return "".join(place.read_text().splitlines(keepends=True)[which])


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(capsys, monkeypatch)


@pytest.fixture
def copy(played: Path, tmp_path: Path) -> Run:
    return Run.open(Path(shutil.copytree(played, tmp_path / "price-regression" / played.name)))


def answers(place: Path) -> list[dict[str, Any]]:
    return [{k: v for k, v in row.items() if k != "seconds"} for row in read_jsonl(place)]


@pytest.mark.parametrize("how", SPOILT)
def test_the_report_refuses_them_in_a_sentence(copy: Run, how: str, cli: CommandLine) -> None:
    SPOILT[how](copy.predictions / "constant-median.jsonl")
    answer = cli("report", copy.path)
    assert answer.code == 2 and "constant-median.jsonl" in answer.err
    assert "Traceback" not in answer.err and answer.err.count("Error: ") == 1
    with pytest.raises(RunError, match=r"constant-median\.jsonl"):
        predictions.load(copy)


@pytest.mark.slow
def test_resume_makes_them_again_each_by_its_stage(
    copy: Run, played: Path, cli: CommandLine
) -> None:
    names = ("constant-median", "base", "adapter")
    for name, how in zip(names, ("cut in a line", "a line twice", "missing"), strict=True):
        SPOILT[how](copy.predictions / f"{name}.jsonl")
    answer = cli("resume", copy.path)
    assert answer.code == 0, answer.err
    assert all(f"predictions/{name}.jsonl is not whole" in answer.err for name in names)
    for name in names:
        ours, theirs = (p / "predictions" / f"{name}.jsonl" for p in (copy.path, played))
        assert answers(ours) == answers(theirs)
    # In the places that they had: the first adapter of the list is what the verdict is about.
    listed = [[e["name"] for e in read_json(p / record.SYSTEMS)] for p in (copy.path, played)]
    assert listed[0] == listed[1]
    assert not any(e.get("incomplete") for e in read_json(copy.path / record.SYSTEMS))
    assert record.changed(Run.open(copy.path)) == {}
    assert cli("report", copy.path, "--verify").code == 0


def test_a_list_of_systems_that_is_cut_has_all_predict_again(copy: Run) -> None:
    from toolkit.pipeline import mend
    from toolkit.pipeline.restore import load_task

    (copy.path / record.SYSTEMS).write_text('[{"name": "ba')
    said: list[str] = []
    mend.mark_incomplete(copy, load_task(copy), {"test": []}, said.append)
    assert "all systems predict again" in said[0]
    states = {name: stage["state"] for name, stage in Run.open(copy.path).info["stages"].items()}
    again = {"baselines", "base", "predict", "score", "report"}
    assert {name for name, state in states.items() if state == "stopped"} == again
    assert not [n for n in record.of(copy)["files"] if n.startswith("predictions/")]


def test_whole_files_are_left_as_they_are(copy: Run) -> None:
    from toolkit.pipeline import mend
    from toolkit.pipeline.restore import load_task

    before = (copy.path / "run.json").read_bytes()
    stored = predictions.stored_rows(copy)
    assert stored is not None
    rows = {split: [{"row_id": row} for row in ids] for split, ids in stored.items()}
    said: list[str] = []
    mend.mark_incomplete(copy, load_task(copy), rows, said.append)
    assert said == [] and (copy.path / "run.json").read_bytes() == before


def test_differences_are_counted() -> None:
    wanted = {"test": {1, 2, 3}, "validation": {4}}
    assert unlike([("test", 1), ("test", 2), ("test", 3), ("validation", 4)], wanted) == ""
    found = unlike([("test", 1), ("test", 1), ("test", 4), ("train", 9)], wanted)
    assert found == (
        "3 of 4 rows are missing, 1 rows stand there twice, 2 rows are not of its splits"
    )


def test_what_a_person_guessed_may_be_some_rows_and_no_others(copy: Run) -> None:
    lines = (copy.predictions / "base.jsonl").read_text().splitlines(keepends=True)
    few = [line for line in lines if json.loads(line)["split"] == "test"][:3]
    place = copy.predictions / "human.jsonl"
    systems = read_json(copy.path / record.SYSTEMS)
    entry = {"name": "human", "role": "human", "file": "human.jsonl"}
    (copy.path / record.SYSTEMS).write_text(json.dumps([*systems, entry]))
    place.write_text("".join(few))
    assert len(predictions.load(copy)[-1].rows()) == 3
    place.write_text("".join(few).replace('"row_id": ', '"row_id": 9', 1))
    with pytest.raises(RunError, match="1 rows are not of its splits"):
        predictions.load(copy)
