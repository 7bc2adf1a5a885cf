"""Views that do not fit a task are not offered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tiny_tasks import TinyGoods
from toolkit.runs.run import Run
from toolkit_playground.state.fitting import unfitting
from toolkit_price_regression.task import PriceRegression


def run_with(folder: Path, **row: object) -> Run:
    (folder / "data").mkdir()
    line = {"split": "test", "row_id": 1, "text": "cup", **row}
    (folder / "data" / "heldout.jsonl").write_text(json.dumps(line) + "\n")
    return Run(folder, {"id": "r"})


def test_nobody_talks_to_a_classifier_or_guesses_its_classes(tmp_path: Path) -> None:
    assert unfitting(run_with(tmp_path, good="cup"), TinyGoods()) == ["chat", "guess"]


def test_a_price_is_talked_about_and_guessed(tmp_path: Path) -> None:
    assert unfitting(run_with(tmp_path, price=3.0), PriceRegression()) == []
    (tmp_path / "data" / "heldout.jsonl").unlink()
    assert unfitting(Run(tmp_path, {"id": "r"}), TinyGoods()) == ["chat"]  # the view says why


@pytest.mark.parametrize("name", ["chat", "guess"])
def test_the_names_are_those_of_the_tabs(name: str) -> None:
    from toolkit_playground import app

    assert f'"{name.capitalize()}", {name}.build' in Path(app.__file__).read_text()
