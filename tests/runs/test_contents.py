"""A run directory as one value."""

from __future__ import annotations

from pathlib import Path

import pytest

from judging_fixtures import NOISES, make_run
from toolkit.errors import RunError
from toolkit.runs.contents import read_run
from toolkit.runs.files import write_json
from toolkit.runs.predictions import trained_name


def test_a_run_is_read_once_with_all_that_figures_and_pages_need(tmp_path: Path) -> None:
    run, _ = make_run(tmp_path)
    write_json(run.path / "sheet.json", {"sentence": "Two readers preferred the adapter."})
    found = read_run(run)
    assert found.id == run.id and found.synthetic
    assert [system.name for system in found.systems] == list(NOISES)
    assert found.trained is not None and found.trained.name == "adapter"
    assert found.base is not None and found.base.name == "base"
    assert found.history[0]["step"] == 10 and found.preflight["notes"]
    assert {row["split"] for row in found.heldout} == {"validation", "calibration", "test"}
    assert found.remarks == {"sheet.json": "Two readers preferred the adapter."}
    assert found.absent == {}


def test_what_a_run_does_not_have_is_empty(tmp_path: Path) -> None:
    noises = {name: noise for name, noise in NOISES.items() if name not in ("adapter", "base")}
    run, _ = make_run(tmp_path, noises=noises, synthetic=False)
    for place in (run.data / "heldout.jsonl", run.data / "preflight.json"):
        place.unlink()
    (run.path / "history.json").unlink()
    found = read_run(run)
    assert not (found.heldout or found.preflight or found.history or found.remarks)
    assert found.trained is None and found.base is None and not found.synthetic


def test_without_predictions_there_is_nothing_to_read(tmp_path: Path) -> None:
    run, _ = make_run(tmp_path)
    (run.predictions / "systems.json").unlink()
    with pytest.raises(RunError, match=r"systems.json is missing"):
        read_run(run)


@pytest.mark.parametrize(
    ("roles", "name"),
    [
        ({"ridge": "baseline", "adapter": "adapter", "adapter-seed-1": "adapter"}, "adapter"),
        ({"full": "full", "late": "adapter"}, "late"),
        ({"full": "full", "ensemble": "ensemble"}, "full"),
        ({"base": "base"}, None),
        ({}, None),
    ],
)
def test_the_system_that_a_run_is_about(roles: dict[str, str], name: str | None) -> None:
    assert trained_name(roles) == name
