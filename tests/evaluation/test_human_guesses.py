"""A person's guesses as a system of a run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from cli_runner import CommandLine
from toolkit.errors import DataError, RunError
from toolkit.evaluation import human_guesses
from toolkit.pipeline import restore
from toolkit.pipeline.restore import load_task
from toolkit.runs.files import read_json
from toolkit.runs.run import Run


@pytest.fixture
def run(played: Path, tmp_path: Path) -> Run:
    target = tmp_path / "runs" / "price-regression" / played.name
    shutil.copytree(played, target)
    return Run.open(target)


def test_guesses_become_a_system_that_the_report_includes(
    run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    task = load_task(run)
    rows = human_guesses.rows(run)
    chosen = sorted(rows)[: human_guesses.ENOUGH]
    human_guesses.add(
        run, task, {r: rows[r]["price"] + (6.0, 8.0)[i % 2] for i, r in enumerate(chosen)}
    )
    answer = CommandLine(capsys, monkeypatch)("report", run.path)
    assert answer.code == 0
    found = read_json(run.path / "metrics.json")["systems"]["human"]
    mae = found["metrics"]["mae"]
    assert found["role"] == "human" and found["n"] == len(chosen)
    assert mae["value"] == pytest.approx(7.0) and 6 < mae["low"] < 7 < mae["high"] < 8
    assert "human" in (run.path / "report.html").read_text()
    assert read_json(run.path / "metrics.json")["verdict"]["best_baseline"] != "human"
    verified = CommandLine(capsys, monkeypatch)("report", run.path, "--verify")
    assert verified.code == 0, verified.err


def test_guesses_that_are_taken_out_leave_no_trace(
    run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = read_json(run.predictions / "systems.json")
    assert not human_guesses.remove(run)
    chosen = sorted(human_guesses.rows(run))[: human_guesses.ENOUGH]
    human_guesses.add(run, load_task(run), dict.fromkeys(chosen, 10.0))
    assert human_guesses.remove(run)
    assert read_json(run.predictions / "systems.json") == before
    verified = CommandLine(capsys, monkeypatch)("report", run.path, "--verify")
    assert verified.code == 0, verified.err


def test_too_few_guesses_and_unknown_rows_are_refused(run: Run) -> None:
    task = load_task(run)
    rows = sorted(human_guesses.rows(run))
    with pytest.raises(DataError, match="too few"):
        human_guesses.add(run, task, dict.fromkeys(rows[:3], 10.0))
    with pytest.raises(DataError, match="no test row 999999"):
        human_guesses.add(run, task, dict.fromkeys([*rows[:30], 999999], 10.0))
    assert not (run.predictions / "human.jsonl").exists()


def test_without_rows_nothing_can_be_guessed(run: Run) -> None:
    (run.data / "heldout.jsonl").unlink()
    with pytest.raises(RunError, match="no-store-data"):
        human_guesses.rows(run)


def test_an_unfinished_run_has_no_report(run: Run) -> None:
    state = json.loads((run.path / "run.json").read_text())
    del state["stages"]["predict"]
    (run.path / "run.json").write_text(json.dumps(state))
    with pytest.raises(RunError, match="toolkit resume"):
        restore.refresh(Run.open(run.path), load_task(run))
