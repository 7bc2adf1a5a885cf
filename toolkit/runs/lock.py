"""One process at a time works at a run: a lock on its folder, with its owner and a heartbeat.

While a process works at a run it holds ``.lock`` (filelock, which takes ``flock``: the system frees
it when the process ends, however it ends), and ``running.json`` says who it is and since when. Its
time of change is the heartbeat, set anew every :data:`BEAT` seconds.

On one machine the lock alone decides. Between machines that share a folder ``flock`` may not
reach, or not be there at all: another machine's owner then counts as alive while its heartbeat is
younger than :data:`STALE`. Both times are those of the file server, so that clocks which differ do
no harm. Of several processes of one run (``torchrun``) the first holds the lock for all.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.errors import BusyError, RunError, WriteError
from toolkit.formatting import duration
from toolkit.runs.files import read_json, remedy, write_json
from toolkit.system import distributed

if TYPE_CHECKING:
    from filelock import BaseFileLock

LOCK = ".lock"
OWNER = "running.json"
BEAT = 10.0
"""Seconds between two heartbeats."""
STALE = 120.0
"""Seconds without a heartbeat after which an owner on another machine counts as gone."""
_NO_LOCKS = ("ENOLCK", "ENOSYS", "ENOTSUP", "EOPNOTSUPP", "EINVAL")
"""Errors of file systems that know no locks."""


@dataclass(frozen=True)
class Owner:
    """The process that works at a run, or has worked at it until it was killed.

    Args:
        process: its number.
        host: its machine.
        since: when it took the run, in ISO format.
        born: when the process was started, in seconds; tells it from a later one of its number.
        beat: the time of its last heartbeat, in seconds.
    """

    process: int
    host: str
    since: str
    born: float
    beat: float

    @property
    def here(self) -> bool:
        """Whether it is, or was, a process of this machine."""
        return self.host == socket.gethostname()

    def __str__(self) -> str:
        return f"since {self.since}, by process {self.process} on {self.host}"

    def alive(self, now: float) -> bool:
        """Whether it still works at the run, by its process or by its heartbeat.

        Args:
            now: the time, by the clock that its heartbeat is taken from.
        """
        beating = now - self.beat < STALE
        if not self.here:
            return beating
        import psutil

        try:
            born = psutil.Process(self.process).create_time()
        except psutil.Error:
            return False
        return beating or abs(born - self.born) < 2  # a process that was suspended beats no more


def owner(folder: Path) -> Owner | None:
    """Who works at a run, or was killed at it; ``None``: nobody, or what it says is unreadable."""
    place = folder / OWNER
    try:
        found, beat = read_json(place), place.stat().st_mtime
        return Owner(
            int(found["process"]), str(found["host"]), str(found["since"]),
            float(found["born"]), beat,
        )  # fmt: skip
    except (RunError, OSError, KeyError, TypeError, ValueError):
        return None


def running(folder: Path) -> Owner | None:
    """The process that works at a run now; ``None``: nobody does. Writes nothing."""
    found = owner(folder)
    return found if found is not None and found.alive(time.time()) else None


@contextlib.contextmanager
def held(folder: Path, say: Callable[[str], None] = lambda sentence: None) -> Iterator[None]:
    """Work at a run as the only one.

    Args:
        folder: the run's.
        say: gets a sentence where the run is taken over from a process that is gone.

    Raises:
        BusyError: another process works at it.
        WriteError: the folder cannot be written.
    """
    locks: list[BaseFileLock | None] = []
    distributed.agreed(lambda: locks.append(_taken(folder, say)))
    if not locks:  # another than the first of several processes
        yield
        return
    stop = threading.Event()
    thread = threading.Thread(target=_beat, args=(folder / OWNER, stop), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        with contextlib.suppress(OSError):
            (folder / OWNER).unlink()
        if locks[0] is not None:
            locks[0].release()


def _taken(folder: Path, say: Callable[[str], None]) -> BaseFileLock | None:
    """The lock, held; ``None`` where the file system has none and the owner's file is all."""
    from filelock import FileLock, Timeout

    lock: BaseFileLock | None = FileLock(folder / LOCK)
    assert lock is not None
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise _busy(folder, owner(folder)) from error
    except NotImplementedError:  # filelock's word for a file system without locks
        lock = None
    except OSError as error:
        if not _knows_no_locks(error):
            raise WriteError(
                f"cannot write in {folder}: {error.strerror or error}; {remedy(error)}, then go on "
                "with: toolkit resume"
            ) from error
        lock = None
    try:
        before = owner(folder)
        if before is not None and _still_there(folder, before, locked=lock is not None):
            raise _busy(folder, before)
        if before is not None:
            say(f"taken over from a process that has ended without a word (it ran {before})")
        write_json(folder / OWNER, _myself())
    except BaseException:
        if lock is not None:
            lock.release()
        raise
    return lock


def _knows_no_locks(error: OSError) -> bool:
    import errno

    return error.errno in {getattr(errno, name, None) for name in _NO_LOCKS}


def _still_there(folder: Path, before: Owner, *, locked: bool) -> bool:
    """Whether the owner that the run names still works at it."""
    if before.here and (locked or before.process == os.getpid()):
        return False  # the lock would be held
    now = time.time()
    with contextlib.suppress(OSError):  # the time of the file server, where that is another
        os.utime(folder / LOCK)
        now = (folder / LOCK).stat().st_mtime
    return before.alive(now)


def _busy(folder: Path, by: Owner | None) -> BusyError:
    if by is None:
        return BusyError(f"run {folder.name} is running, by another process; wait until it ends")
    hint = "wait until it ends, or stop it first"
    if not by.here:
        age = duration(max(0.0, time.time() - by.beat))
        hint += (
            f"; if it is gone (its last sign of life was {age} ago), try again after "
            f"{duration(STALE)}, or remove {folder / OWNER}"
        )
    return BusyError(f"run {folder.name} is running {by}; {hint}")


def _myself() -> dict[str, Any]:
    import psutil

    return {
        "process": os.getpid(),
        "host": socket.gethostname(),
        "since": dt.datetime.now().astimezone().isoformat(timespec="seconds"),
        "born": psutil.Process().create_time(),
    }


def _beat(place: Path, stop: threading.Event) -> None:
    while not stop.wait(BEAT):
        with contextlib.suppress(OSError):  # a disk that is full for a while ends no training
            os.utime(place)
