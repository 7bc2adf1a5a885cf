"""One process at a time works at a run; who it is can be read, and a dead one is taken over."""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli_runner import environment
from toolkit.errors import BusyError, WriteError
from toolkit.runs import lock
from toolkit.runs.run import Run
from toolkit.system import distributed

INFO: dict[str, Any] = {"task": "t", "recipe": {}, "source": {}, "seed": 0}
HOLD = """
import sys, time
from pathlib import Path
from toolkit.runs import lock

with lock.held(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(300)
"""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run.create(tmp_path, INFO)


@pytest.fixture
def other(run: Run) -> Iterator[subprocess.Popen[str]]:
    """Another process that works at the run."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(run.path)], env=environment(), stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def owner(folder: Path, age: float = 0.0, **fields: Any) -> None:
    """Writes who works at a run, or did."""
    known = {"process": 1, "host": "elsewhere", "since": "2026-01-01T00:00:00+00:00", "born": 1.0}
    place = folder / lock.OWNER
    place.write_text(json.dumps(known | fields))
    os.utime(place, (time.time() - age,) * 2)


def test_a_second_process_is_refused_in_words(run: Run, other: subprocess.Popen[str]) -> None:
    with pytest.raises(BusyError) as error, lock.held(run.path):
        pass
    said = str(error.value)
    assert f"by process {other.pid} on {socket.gethostname()}" in said and "running since " in said
    assert error.value.exit_code == 2
    assert run.running == said.partition(" is running ")[2].partition(";")[0]


def test_a_killed_process_is_taken_over_in_words(run: Run, other: subprocess.Popen[str]) -> None:
    os.kill(other.pid, signal.SIGKILL)
    other.wait()
    assert run.running is None
    said: list[str] = []
    with lock.held(run.path, said.append):
        assert run.running is not None
    assert len(said) == 1 and f"by process {other.pid}" in said[0] and "taken over" in said[0]
    assert run.running is None and not (run.path / lock.OWNER).exists()


def test_two_holders_in_one_process_exclude_each_other(run: Run) -> None:
    with (
        lock.held(run.path),
        pytest.raises(BusyError, match=f"process {os.getpid()}"),
        lock.held(run.path),
    ):
        pass
    with lock.held(run.path):
        pass


@pytest.mark.parametrize("locks", [True, False])
def test_another_machine_counts_while_its_heart_beats(
    run: Run, monkeypatch: pytest.MonkeyPatch, locks: bool
) -> None:
    if not locks:  # a network file system without them
        _without_locks(monkeypatch)
    owner(run.path, age=30)
    assert run.running == "since 2026-01-01T00:00:00+00:00, by process 1 on elsewhere"
    with (
        pytest.raises(BusyError, match=r"on elsewhere; .*last sign of life.*running\.json"),
        lock.held(run.path),
    ):
        pass
    owner(run.path, age=lock.STALE + 60)
    assert run.running is None
    said: list[str] = []
    with lock.held(run.path, said.append):
        pass
    assert "on elsewhere" in said[0]


def _without_locks(monkeypatch: pytest.MonkeyPatch, number: int = errno.ENOLCK) -> None:
    from filelock import FileLock

    def none(self: Any, *arguments: Any, **keywords: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(FileLock, "acquire", none)


def test_without_locks_a_process_of_this_machine_counts_while_it_lives(
    run: Run, monkeypatch: pytest.MonkeyPatch, other: subprocess.Popen[str]
) -> None:
    _without_locks(monkeypatch)
    with pytest.raises(BusyError, match=f"process {other.pid}"), lock.held(run.path):
        pass
    other.kill()
    other.wait()
    with lock.held(run.path):
        assert run.running is not None


def test_a_folder_that_cannot_be_written_is_said(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    _without_locks(monkeypatch, errno.EROFS)
    said = r"Read-only file system; make the folder writable.*resume"
    with pytest.raises(WriteError, match=said), lock.held(run.path):
        pass


def test_the_number_of_a_dead_process_may_be_that_of_another(run: Run) -> None:
    owner(run.path, age=2 * lock.STALE, process=os.getpid(), host=socket.gethostname())
    assert run.running is None  # this process was not started in 1970
    import psutil

    born = psutil.Process().create_time()
    owner(run.path, age=2 * lock.STALE, process=os.getpid(), host=socket.gethostname(), born=born)
    assert run.running is not None  # it was suspended for a while


def test_the_heart_beats(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "BEAT", 0.01)
    with lock.held(run.path):
        place = run.path / lock.OWNER
        os.utime(place, (1, 1))
        deadline = time.monotonic() + 10
        while place.stat().st_mtime < 10:
            assert time.monotonic() < deadline
            time.sleep(0.01)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"process": "x"}', '{"process": 1}'])
def test_an_owner_that_cannot_be_read_is_none(run: Run, content: str) -> None:
    (run.path / lock.OWNER).write_text(content)
    assert run.running is None
    with lock.held(run.path):
        assert run.running is not None


def test_of_several_processes_the_first_holds_it_for_all(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What the first process does is done there; the others learn that it has succeeded.
    monkeypatch.setattr(distributed, "agreed", lambda decide: None)
    with lock.held(run.path):
        assert not (run.path / lock.LOCK).exists() and run.running is None
