"""Kills at write operations of whole runs: a dozen of those of ``.ci/campaign/faults.py``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cli_runner import ROOT, environment
from toolkit.pipeline import train
from toolkit.runs.files import read_json, write_json
from toolkit.runs.run import Run


@pytest.mark.slow
def test_a_dozen_kills_are_survived(tmp_path: Path) -> None:
    """``kill -9`` at operations drawn from all of a run; what it leaves is an undisturbed run's."""
    done = subprocess.run(
        [sys.executable, str(ROOT / ".ci/campaign/faults.py"), "--only", "causal,encoder-lora,two",
         "--kills", "12", "--faults", "0", "--seed", "12"],
        cwd=tmp_path, env={**environment(), "TMPDIR": str(tmp_path)}, capture_output=True,
        text=True, timeout=590,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "12 of 12 survived" in done.stdout


# -- what is known of a training follows from its folder -------------------------------------------

INFO = {"task": "t", "recipe": {}, "source": {}, "seed": 0}


def trained(run: Run, name: str, steps: int | None) -> None:
    """A trained model's folder; without steps as earlier versions left it."""
    write_json(run.path / name / "toolkit.json", {})
    if steps is not None:
        entry = {"info": {"steps": steps}, "history": [{"step": steps, "loss": 1.0}]}
        write_json(run.path / name / train.OUTCOME, entry)


def test_figures_come_from_the_folders_whatever_run_json_says(tmp_path: Path) -> None:
    run = Run.create(tmp_path, INFO)
    trained(run, "adapter", 5)
    trained(run, "adapter-seed-1", 6)
    for stale in ({}, {"training": {"steps": 5}}, {"training": {"steps": 1, "further_seeds": []}}):
        run.info.pop("training", None)
        run.info |= stale
        train.note_outcomes(run, 2)
        train.note_outcomes(run, 2)  # as often as it is resumed
        assert Run.open(run.path).info["training"] == {"steps": 5, "further_seeds": [{"steps": 6}]}
        assert read_json(run.path / "history.json") == [{"step": 5, "loss": 1.0}]


def test_an_adapter_without_figures_is_trained_again(tmp_path: Path) -> None:
    """As a kill between the rename and ``run.json`` left it in earlier versions."""
    run = Run.create(tmp_path, INFO)
    trained(run, "adapter", None)
    trained(run, "adapter-seed-1", None)
    assert train.outcome(run, 0) is None
    run.info["training"] = {"steps": 5}
    assert train.outcome(run, 0) == {"info": {"steps": 5}, "history": None}
    assert train.outcome(run, 1) is None
    run.info["training"]["further_seeds"] = [{"steps": 6}]
    assert train.outcome(run, 1) == {"info": {"steps": 6}, "history": None}
    train.note_outcomes(run, 2)
    assert run.info["training"] == {"steps": 5, "further_seeds": [{"steps": 6}]}


def test_a_folder_that_is_not_there_or_not_whole_counts_for_nothing(tmp_path: Path) -> None:
    run = Run.create(tmp_path, INFO)
    run.info["training"] = {"steps": 5}
    assert train.outcome(run, 0) is None
    (run.path / "adapter").mkdir()
    assert train.outcome(run, 0) is None
