"""Commands in forks of one process that has imported the libraries."""

from __future__ import annotations

import importlib
import math
import os
import signal
import socket
import sys
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

MODULES = "modules.txt"
"""The modules that an undisturbed run has imported."""
PATIENCE = 400
"""Seconds after which a child counts as hanging."""
GRACE = 10
"""Seconds that the other processes of a run have to say what is wrong, once one has ended badly."""


def import_all() -> None:
    """What the first run imports at its beginning; the rest is imported after it, see MODULES."""
    from toolkit.system import environment

    environment.prepare(offline=True)
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    for name in ("torch", "transformers", "peft", "trl", "datasets", "toolkit.cli"):
        importlib.import_module(name)
    import torch

    torch.set_num_threads(1)


@dataclass
class Child:
    """What a forked command has left."""

    code: int
    error: str


def run(
    folder: Path,
    arguments: list[str],
    processes: int = 1,
    prepare: Callable[[int], None] = lambda rank: None,
    note_modules: bool = False,
) -> Child:
    """``toolkit ARGUMENTS`` in forks of this process, all but the first without a hook."""
    from toolkit.cli import main

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    reading, writing = os.pipe()  # a file would have the limits that a fault sets
    children = []
    for rank in range(processes):
        pid = os.fork()
        if pid == 0:
            code = 99
            try:
                os.setpgid(0, 0)
                out = writing if rank == 0 else os.open(os.devnull, os.O_WRONLY)
                os.dup2(out, 1)
                os.dup2(out, 2)
                os.close(reading)
                os.close(writing)
                os.chdir(folder)
                if processes > 1:
                    os.environ.update(
                        RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(processes),
                        LOCAL_WORLD_SIZE=str(processes), MASTER_ADDR="127.0.0.1",
                        MASTER_PORT=str(port),
                    )  # fmt: skip
                sys.argv = ["toolkit", *arguments]
                sys.modules["matplotlib"] = None  # type: ignore[assignment]  # no charts: seconds
                prepare(rank)
                main()
            except SystemExit as ended:
                code = ended.code if isinstance(ended.code, int) else 0
                if code == 0 and rank == 0 and note_modules:
                    (folder / MODULES).write_text("\n".join(sys.modules))
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        children.append(pid)
    os.close(writing)
    said: list[bytes] = []
    with open(reading, "rb") as output:
        reader = threading.Thread(target=lambda: said.append(output.read()))
        reader.start()
        code = _wait(children)
        reader.join()
    return Child(code, b"".join(said).decode(errors="replace"))


def _wait(children: list[int]) -> int:
    """The exit code of the first; where one ends badly the others are ended, as torchrun does."""
    codes: dict[int, int] = {}
    deadline, ended_badly = time.monotonic() + PATIENCE, math.inf
    while len(codes) < len(children):
        for pid in children:
            if pid not in codes:
                done, status = os.waitpid(pid, os.WNOHANG)
                if done:
                    codes[pid] = os.waitstatus_to_exitcode(status)
        late = time.monotonic() > deadline
        if any(codes.values()):
            ended_badly = min(ended_badly, time.monotonic())
        if late or time.monotonic() > ended_badly + GRACE:
            for pid in children:
                if pid not in codes:
                    os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)
                    codes[pid] = 98 if late else -9
        time.sleep(0.01)
    return codes[children[0]] or next((code for code in codes.values() if code), 0)
