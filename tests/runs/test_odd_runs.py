"""What lies among the runs and cannot be read is a row with its reason, and breaks no list."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli_runner import CommandLine
from toolkit.errors import RunError
from toolkit.runs.run import STAGES, Run
from toolkit_playground.state.library import Library

INFO: dict[str, Any] = {"task": "prices", "recipe": {"model": "m"}, "source": {}, "seed": 0}
ODD = "20260101-000000-abcdef"


def _file(place: Path, content: str | bytes) -> None:
    place.mkdir(parents=True)
    raw = content if isinstance(content, bytes) else content.encode()
    (place / "run.json").write_bytes(raw)


SPOILT: dict[str, tuple[Callable[[Path], Any], str]] = {
    "only a version": (lambda p: _file(p, '{"version": 1}'), "has no usable id"),
    "another version": (lambda p: _file(p, '{"version": 99}'), "another version"),
    "no JSON": (lambda p: _file(p, "{"), "not readable JSON"),
    "no text": (lambda p: _file(p, b"\xff\xfe\x00"), "not readable JSON"),
    "a list": (lambda p: _file(p, "[]"), "another version"),
    "deep": (lambda p: _file(p, "[" * 100_000), "not readable JSON"),
    "a folder for a file": (lambda p: (p / "run.json").mkdir(parents=True), "Is a directory"),
    "a link to nothing": (
        lambda p: (p.mkdir(parents=True), (p / "run.json").symlink_to("nowhere")), "is missing",
    ),
    "a file for a folder": (
        lambda p: (p.parent.mkdir(exist_ok=True), p.write_text("")), "is a file",
    ),
    "empty": (lambda p: p.mkdir(parents=True), "has no run.json"),
}  # fmt: skip


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(capsys, monkeypatch)


@pytest.fixture
def good(tmp_path: Path) -> Run:
    return Run.create(tmp_path, INFO)


@pytest.mark.parametrize("how", SPOILT)
def test_a_spoilt_run_is_a_row_with_its_reason(
    cli: CommandLine, tmp_path: Path, good: Run, how: str
) -> None:
    spoil, reason = SPOILT[how]
    spoil(tmp_path / "prices" / ODD)
    found, odd = Run.listed(tmp_path)
    assert [run.id for run in found] == [good.id]
    assert [one.path.name for one in odd] == [ODD] and reason in odd[0].reason
    answer = cli("runs", "--runs", tmp_path, "--json")
    assert answer.code == 0, answer.err
    first, second = json.loads(answer.out)
    assert first["problem"] is None and reason in second["problem"] and second["id"] == ODD
    answer = cli("runs", "--runs", tmp_path)
    assert answer.code == 0 and ODD in answer.out and "unreadable" in answer.out
    with pytest.raises(RunError, match=reason):
        Run.find(ODD, tmp_path)
    library = Library(tmp_path)
    assert [run.id for run in library.runs()] == [good.id]
    with pytest.raises(RunError, match=reason):
        library.find(ODD)


def test_a_folder_that_may_not_be_read_is_a_row(
    tmp_path: Path, good: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for a user without the right; the administrator, who may run this, has it always."""
    _file(tmp_path / "prices" / ODD, "{}")
    before = Path.lstat

    def lstat(self: Path) -> Any:
        if ODD in self.parts:
            raise PermissionError(13, "Permission denied")
        return before(self)

    monkeypatch.setattr(Path, "lstat", lstat)
    found, (odd,) = Run.listed(tmp_path)
    assert [run.id for run in found] == [good.id] and "Permission denied" in odd.reason


def test_what_is_no_run_is_no_row(tmp_path: Path, good: Run) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / ".trackio").mkdir()
    (tmp_path / "prices" / "my notes").mkdir()
    (tmp_path / "prices" / "table.csv").write_text("")
    assert Run.listed(tmp_path)[1] == []


@pytest.mark.parametrize("content", [None, "", "{}", "[]", "null", '{"verdict": {"worth_it": 3}}'])
def test_a_finished_run_with_odd_metrics_is_a_row_with_its_reason(
    cli: CommandLine, tmp_path: Path, good: Run, content: str | None
) -> None:
    for stage in STAGES:
        with good.stage(stage):
            pass
    if content is not None:
        (good.path / "metrics.json").write_text(content)
    answer = cli("runs", "--runs", tmp_path, "--json")
    assert answer.code == 0, answer.err
    (row,) = json.loads(answer.out)
    assert "metrics.json" in row["problem"] and row["finished"]
    assert cli("runs", "--runs", tmp_path).code == 0


def test_a_recipe_without_a_model_breaks_no_list(cli: CommandLine, tmp_path: Path) -> None:
    Run.create(tmp_path, {**INFO, "recipe": {}})
    assert cli("runs", "--runs", tmp_path).code == 0
