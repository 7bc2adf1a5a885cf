"""Views that do not fit a task are not offered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tiny_tasks import TinyGoods
from toolkit.runs.run import Run
from toolkit_playground.state.fitting import unfitting
from toolkit_price_regression.task import PriceRegression

INFO = {"id": "r", "task": "goods", "recipe": {"lora": {"r": 8}}}


def run_with(folder: Path, **row: object) -> Run:
    (folder / "data").mkdir()
    line = {"split": "test", "row_id": 1, "text": "cup", **row}
    (folder / "data" / "heldout.jsonl").write_text(json.dumps(line) + "\n")
    return Run(folder, INFO)


def test_nobody_talks_to_a_classifier_or_guesses_its_classes(tmp_path: Path) -> None:
    assert unfitting(run_with(tmp_path, good="cup"), TinyGoods()) == [
        "chat",
        "tokens",
        "step",
        "guess",
    ]


def test_a_price_is_talked_about_and_guessed(tmp_path: Path) -> None:
    assert unfitting(run_with(tmp_path, price=3.0), PriceRegression()) == []
    (tmp_path / "data" / "heldout.jsonl").unlink()
    # The view says why there are no rows.
    assert unfitting(Run(tmp_path, INFO), TinyGoods()) == ["chat", "tokens", "step"]


def test_a_step_needs_an_adapter(tmp_path: Path) -> None:
    run = run_with(tmp_path, price=3.0)
    run.info["recipe"] = {"lora": None}
    assert unfitting(run, PriceRegression()) == ["step"]


@pytest.mark.parametrize("name", ["chat", "guess", "tokens", "step"])
def test_the_names_are_those_of_the_tabs(name: str) -> None:
    from toolkit_playground import app

    assert name in app.view_ids()
