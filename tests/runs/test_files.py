"""Modes of files, what a killed process leaves, and words about files that cannot be written."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from toolkit.errors import RunError, WriteError
from toolkit.runs.files import read_json, read_jsonl, sweep, usual_modes, write_json


@pytest.fixture(params=[0o022, 0o002, 0o077])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def test_files_get_the_mode_that_the_umask_gives(tmp_path: Path, umask: int) -> None:
    for name in ("a.safetensors", "members/b.safetensors"):
        place = tmp_path / name
        place.parent.mkdir(exist_ok=True)
        place.touch()
        place.chmod(0o600)
    write_json(tmp_path / "c.json", 1)
    usual_modes(tmp_path)
    files = [place for place in tmp_path.rglob("*") if place.is_file()]
    assert len(files) == 3
    assert {place.stat().st_mode & 0o777 for place in files} == {0o666 & ~umask}


def test_what_a_killed_process_leaves_is_swept_and_nothing_else(tmp_path: Path) -> None:
    left = [".run.json.12.tmp", "predictions/.a.jsonl.12.tmp", ".adapter.new.tmp/toolkit.json",
            ".adapter.old/toolkit.json", ".adapter.new.tmp/.toolkit.json.3.tmp"]  # fmt: skip
    kept = ["run.json", "predictions/a.jsonl", "adapter/toolkit.json", ".lock", "notes.tmp"]
    for name in (*left, *kept):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    sweep(tmp_path)
    there = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()}
    assert there == set(kept)


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "make room"), (errno.EDQUOT, "make room"), (errno.EFBIG, "ulimit -f"),
        (errno.EMFILE, "ulimit -n"), (errno.EROFS, "make the folder writable"),
        (errno.EACCES, "make the folder writable"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_written_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, advice: str
) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(WriteError, match=r"go on with: toolkit resume") as error:
        write_json(tmp_path / "x.json", 1)
    assert advice in str(error.value) and os.strerror(number) in str(error.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("read", [read_json, read_jsonl])
def test_what_cannot_be_read_is_said_in_words(tmp_path: Path, read: object) -> None:
    assert callable(read)
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "deep.json").write_text("[" * 100_000)
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe{")
    for name in ("folder", "deep", "bytes"):
        with pytest.raises(RunError, match=f"{name}.json"):
            read(tmp_path / f"{name}.json")
