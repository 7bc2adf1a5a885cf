"""Run directories of version 1 of the contract are read under the present names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from toolkit.runs.files import read_json, read_jsonl

CASES: dict[str, tuple[Any, Any]] = {
    "run.json": (
        {"facts": {"a": 1}, "settings": {"b": 2}, "data": {"sizes": {"train": 9, "select": 2}}},
        {
            "task_state": {"a": 1}, "task_options": {"b": 2},
            "data": {"sizes": {"train": 9, "validation": 2}},
        },
    ),
    "toolkit.json": (
        {"facts": {"select": 1}, "settings": {}, "canaries": []},
        {"task_state": {"select": 1}, "task_options": {}, "canaries": []},
    ),
    "systems.json": (
        [{"name": "gold", "role": "yardstick"}, {"name": "base", "chosen": {"t": 1}}],
        [{"name": "gold", "role": "control"}, {"name": "base", "tuned": {"t": 1}}],
    ),
    "metrics.json": (
        {
            "version": 1, "select": {"base": {"mae": 1.0}},
            "systems": {"gold": {"role": "yardstick"}},
            "decoders": {"adapter": [{"name": "greedy", "select": 2.0, "chosen": True}]},
        },
        {
            "version": 2, "validation": {"base": {"mae": 1.0}},
            "systems": {"gold": {"role": "control"}},
            "decoders": {"adapter": [{"name": "greedy", "validation": 2.0, "chosen": True}]},
        },
    ),
    "preflight.json": ({"sizes": {"calibrate": 3}}, {"sizes": {"calibration": 3}}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_files_of_version_1_have_present_names(name: str, tmp_path: Path) -> None:
    before, now = CASES[name]
    (tmp_path / name).write_text(json.dumps(before))
    assert read_json(tmp_path / name) == now
    (tmp_path / name).write_text(json.dumps(now))
    assert read_json(tmp_path / name) == now  # what is new already stays


def test_lines_have_the_present_names_of_splits(tmp_path: Path) -> None:
    place = tmp_path / "base.jsonl"
    names = ("select", "calibrate", "stress", "test", "train", "validation")
    place.write_text("".join(json.dumps({"split": name, "x": name}) + "\n" for name in names))
    found = read_jsonl(place)
    assert [row["split"] for row in found] == [
        "validation", "calibration", "challenge", "test", "train", "validation",
    ]  # fmt: skip
    assert [row["x"] for row in found] == list(names)


@pytest.mark.parametrize("odd", [[], {}, "text", 3, None, {"systems": 3, "decoders": []}])
@pytest.mark.parametrize("name", CASES)
def test_what_no_run_writes_comes_back_as_it_is(name: str, odd: Any, tmp_path: Path) -> None:
    (tmp_path / name).write_text(json.dumps(odd))
    assert read_json(tmp_path / name) == odd


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "history.json").write_text('[{"select": 1}]')
    assert read_json(tmp_path / "history.json") == [{"select": 1}]
