"""How a command ends: signals, and what the machine may lack, in one sentence with the way on."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli_runner import CommandLine, environment, goods, quick, write_csv
from toolkit.cli import exit as ending
from toolkit.errors import ModelError

CODES = {"SIGTERM": 143, "SIGHUP": 129, "SIGINT": 130}


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(capsys, monkeypatch)


@pytest.fixture
def at_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOOLKIT_RUN", "runs/t/1")


# -- signals ---------------------------------------------------------------------------------------
@pytest.fixture
def heeded() -> Iterator[None]:
    """Signals do what they do on a terminal, also where the tests run under ``nohup`` or ``&``."""
    usual = dict.fromkeys(("SIGTERM", "SIGHUP"), signal.SIG_DFL)
    before = {
        one: signal.signal(getattr(signal, one), usual.get(one, signal.default_int_handler))
        for one in CODES
    }
    yield
    for one, handler in before.items():
        signal.signal(getattr(signal, one), handler)


@pytest.mark.usefixtures("heeded")
@pytest.mark.parametrize("name", CODES)
def test_a_signal_stops_a_run_with_the_way_to_go_on(
    cli: CommandLine, tiny_llama: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from toolkit.pipeline import run as pipeline

    def stop(*arguments: Any) -> None:
        os.kill(os.getpid(), getattr(signal, name))
        time.sleep(30)

    monkeypatch.setattr(pipeline, "_do", stop)
    data = write_csv(tmp_path / "goods.csv", goods(rows=80))
    before = [signal.getsignal(getattr(signal, one)) for one in CODES]
    answer = cli("run", "price-regression", "--data", data, "--runs", tmp_path, *quick(tiny_llama))
    (run,) = (tmp_path / "price-regression").iterdir()
    assert answer.code == CODES[name]
    assert f"stopped; go on with: toolkit resume {run}" in answer.err
    assert [signal.getsignal(getattr(signal, one)) for one in CODES] == before
    assert not (run / "running.json").exists()


@pytest.mark.slow
def test_a_run_in_a_process_of_its_own_is_stopped_by_the_scheduler(
    tiny_llama: Path, tmp_path: Path
) -> None:
    data = write_csv(tmp_path / "goods.csv", goods(rows=80))
    process = subprocess.Popen(
        [sys.executable, "-m", "toolkit.cli", "run", "price-regression", "--data", str(data),
         *quick(tiny_llama)],
        cwd=tmp_path, env=environment(), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
        text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 300
    while not list(tmp_path.glob("runs/*/*/running.json")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    process.terminate()
    _, said = process.communicate(timeout=120)
    assert process.returncode == 143
    assert "stopped; go on with: toolkit resume runs/price-regression/" in said
    assert "Traceback" not in said


@pytest.fixture
def ignored() -> Iterator[None]:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("ignored")
def test_what_nohup_ignores_stays_ignored() -> None:
    with ending.stoppable():
        os.kill(os.getpid(), signal.SIGHUP)
        assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


# -- what the machine lacks ------------------------------------------------------------------------


def os_error(number: int, name: str | None = None) -> OSError:
    return OSError(number, os.strerror(number), name)


@pytest.mark.usefixtures("at_run")
@pytest.mark.parametrize(
    ("error", "said"),
    [
        (os_error(errno.ENOSPC), "the disk is full"),
        (os_error(errno.EDQUOT), "the disk is full"),
        (RuntimeError("I/O error: No space left on device"), "the disk is full"),
        (os_error(errno.EFBIG), "ulimit -f"),
        (RuntimeError("I/O error: File too large (os error 27)"), "ulimit -f"),
        (os_error(errno.EMFILE), "ulimit -n"),
        (os_error(errno.ENFILE, "x"), "ulimit -n"),
        (os_error(errno.EROFS, "a/b"), "may not be written or read: a/b"),
        (os_error(errno.EACCES, "a/b"), "may not be written or read: a/b"),
        (os_error(errno.EIO), "the disk or its connection failed"),
        (MemoryError(), "memory ran out"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "memory ran out"),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), "memory ran out"),
        (RuntimeError("[enforce fail at inline_container.cc] PytorchStreamWriter failed writing"),
         "a file could not be written"),
    ],
)  # fmt: skip
def test_what_the_machine_lacks_is_one_sentence_with_the_way_on(
    error: Exception, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ending.other(error) == 2
    printed = capsys.readouterr().err
    assert said in printed and "go on with: toolkit resume runs/t/1" in printed
    assert len(printed.strip().splitlines()) == 1 and "does not expect" not in printed


@pytest.mark.usefixtures("at_run")
def test_what_the_machine_lacks_is_added_to_what_a_library_made_of_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    error = ModelError("the adapter does not fit this base model: cannot open it")
    error.__cause__ = RuntimeError("unable to open file: Too many open files (24)")
    assert ending.fail(error, 2) == 2
    printed = capsys.readouterr().err
    assert "does not fit" in printed and "ulimit -n" in printed
    assert "go on with: toolkit resume runs/t/1" in printed
    said = ModelError("make room, then go on with: toolkit resume here")
    said.__cause__ = os_error(errno.ENOSPC)
    ending.fail(said, 2)
    assert capsys.readouterr().err.count("toolkit resume") == 1  # it says so itself


def test_the_first_cause_says_most() -> None:
    writing = RuntimeError("PytorchStreamWriter failed writing file data.pkl: file write failed")
    writing.__context__ = os_error(errno.EFBIG)
    assert "ulimit -f" in ending.fault(writing)


def test_other_errors_are_no_faults_of_the_machine() -> None:
    for error in (
        KeyError("training"),
        ValueError("x"),
        OSError("odd"),
        FileNotFoundError(2, "no"),
    ):
        assert ending.fault(error) == ""
    loop = ValueError("a")
    loop.__context__ = KeyError("b")
    loop.__context__.__context__ = loop
    assert ending.fault(loop) == ""


# -- refusals --------------------------------------------------------------------------------------


def test_a_run_that_another_process_works_at_is_refused(
    cli: CommandLine, tmp_path: Path, played: Path
) -> None:
    import json
    import shutil

    from toolkit.runs import lock

    run = Path(shutil.copytree(played, tmp_path / "price-regression" / played.name))
    with lock.held(run):
        for arguments in (("resume", run), ("report", run)):
            answer = cli(*arguments)
            assert answer.code == 2 and f"by process {os.getpid()} on " in answer.err
            assert "is running since " in answer.err
        (row,) = json.loads(cli("runs", "--runs", tmp_path, "--json").out)
        assert row["running"].startswith("since ")
        assert "running since" in " ".join(cli("runs", "--runs", tmp_path).out.split())
    assert cli("report", run).code == 0


def test_a_run_that_was_refused_as_busy_is_not_removed(
    cli: CommandLine, tiny_llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from toolkit.errors import BusyError, WriteError
    from toolkit.pipeline import run as pipeline

    data = write_csv(tmp_path / "goods.csv", goods(rows=80))
    for number, error in enumerate((BusyError("busy"), WriteError("full")), start=1):

        def refuse(*arguments: Any, error: Exception = error) -> None:
            raise error

        monkeypatch.setattr(pipeline, "_do", refuse)
        arguments = ("run", "price-regression", "--data", data, "--runs", tmp_path / "r")
        assert cli(*arguments, *quick(tiny_llama)).code == 2
        assert len(list((tmp_path / "r").glob("*/*/run.json"))) == number
