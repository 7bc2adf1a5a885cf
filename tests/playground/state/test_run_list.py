"""The list of runs: what each is chosen by, read once, and found among hundreds."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from toolkit.errors import UsageError
from toolkit.runs.run import Run
from toolkit_playground.state import run_list
from toolkit_playground.state.library import Library
from toolkit_playground.state.run_list import RunList, choice

METRICS = {
    "primary_metric": "mae",
    "metrics": [{"name": "mae", "label": "Mean absolute error", "unit": "$", "format": ".2f"}],
    "systems": {
        "base": {"role": "base", "metrics": {"mae": {"value": 30.0}}},
        "adapter": {"role": "adapter", "metrics": {"mae": {"value": 12.345}}},
    },
    "verdict": {"worth_it": True, "unfinished": None},
}


def scored(run: Run, **changes: Any) -> None:
    (run.path / "metrics.json").write_text(json.dumps({**METRICS, **changes}))


def test_a_run_is_listed_by_what_it_is_and_how_it_went(library: Library) -> None:
    run = library.given[0]
    assert (choice(run).verdict, choice(run).figure) == (run_list.UNSCORED, "")
    scored(run)
    found = choice(run)
    assert found.verdict == "worth it" and found.metric == "Mean absolute error"
    assert found.figure.replace("\xa0", " ") == "12.35 $" or "12.3" in found.figure
    scored(run, verdict={"worth_it": None, "unfinished": "stopped"})
    assert choice(run).verdict == run_list.UNFINISHED
    (run.path / "metrics.json").write_text("{")
    assert choice(run).verdict == run_list.UNSCORED


def test_the_named_run_comes_first_and_then_the_newest(library: Library) -> None:
    listed = [one.run for one in RunList(library).choices()]
    assert listed == ["20260101-000000-aaa", "20260103-000000-ccc", "20260102-000000-bbb"]


def test_a_run_is_read_again_once_its_files_change(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    monkeypatch.setattr(run_list, "choice", lambda run: read.append(run.id) or choice(run))
    found = RunList(library)
    found.choices()
    found.choices()
    assert len(read) == 3
    scored(library.given[0])
    assert found.choices()[0].verdict == "worth it" and len(read) == 4
    os.utime(library.given[0].path / "run.json", (1, 1))
    found.choices()
    assert len(read) == 5


def test_a_run_is_found_without_a_look_at_the_others(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Library, "runs", lambda self: pytest.fail("looked at all runs"))
    assert library.find("20260102-000000-bbb").id == "20260102-000000-bbb"
    assert library.find("20260101-000000-aaa").id == "20260101-000000-aaa"


@pytest.mark.parametrize("name", ["..", "", "../task/20260102-000000-bbb", "/", "task", "none"])
def test_a_name_that_is_no_runs_finds_none(library: Library, name: str) -> None:
    with pytest.raises(UsageError, match="no run"):
        library.find(name)


def test_a_run_whose_folder_was_renamed_is_found_by_its_id(library: Library) -> None:
    place = library.folder / "task" / "20260102-000000-bbb"
    place.rename(Path(place.parent) / "renamed")
    assert library.find("20260102-000000-bbb").path.name == "renamed"
