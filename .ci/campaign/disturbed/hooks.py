"""Write operations of a process, counted by hooks, and the faults that come at one of them."""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass
class Hook:
    """Counts the write operations below a folder, and does something at one of them.

    Args:
        folder: the runs folder.
        at: the number of the operation; ``None``: only count.
        act: what happens there.
        log: gets a line for each operation.
    """

    folder: str
    at: int | None
    act: Callable[[], None]
    log: Any = None
    every: Callable[[str], None] | None = None
    count: int = 0
    busy: bool = False

    def install(self) -> None:
        sys.addaudithook(self.audit)
        self._wrap_fsync()
        self._wrap_torch()
        self._wrap_safetensors()

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.busy or event not in EVENTS:
            return
        path = EVENTS[event](arguments)
        if path is not None:
            self.operation(event.removeprefix("os."), path)

    def operation(self, what: str, path: str, cut: Callable[[], None] | None = None) -> None:
        """Note an operation; at the chosen one act, with a file cut in half before, if wanted."""
        if not path.startswith(self.folder) or self.busy:
            return
        self.busy = True
        try:
            if self.log is not None:
                self.log.write(f"{what} {path[len(self.folder) :]}\n")
                self.log.flush()
            self.count += 1
            if self.at == self.count:
                if cut is not None:
                    cut()
                self.act()
        finally:
            self.busy = False
        if self.every is not None and self.at is not None and self.count >= self.at:
            self.every(path)

    def _wrap_fsync(self) -> None:
        before = os.fsync

        def fsync(descriptor: Any) -> None:
            number = descriptor if isinstance(descriptor, int) else descriptor.fileno()
            self.operation("fsync", os.readlink(f"/proc/self/fd/{number}"))
            before(descriptor)

        os.fsync = fsync

    def _wrap_torch(self) -> None:
        import torch

        before = torch.save

        def save(value: Any, place: Any, *rest: Any, **more: Any) -> None:
            path = os.path.abspath(place) if isinstance(place, str | Path) else ""
            self.operation("torch begins", path)
            before(value, place, *rest, **more)
            self.operation("torch is halfway", path, lambda: _halve(path))

        torch.save = save

    def _wrap_safetensors(self) -> None:
        import safetensors.torch as module

        before = module.serialize_file

        def serialize(tensors: Any, place: Any, *rest: Any, **more: Any) -> None:
            path = os.path.abspath(place)
            self.operation("safetensors begins", path)
            before(tensors, place, *rest, **more)
            self.operation("safetensors is halfway", path, lambda: _halve(path))

        module.serialize_file = serialize


def _halve(path: str) -> None:
    with open(path, "r+b") as file:
        file.truncate(os.path.getsize(path) // 2)


def _place(path: Any, folder: Any = None) -> str | None:
    """The absolute path of an operation's argument, which may be relative to an open folder."""
    if isinstance(path, int):
        return None
    name = os.fsdecode(path)
    if isinstance(folder, int) and folder >= 0 and not os.path.isabs(name):
        name = os.path.join(os.readlink(f"/proc/self/fd/{folder}"), name)
    return os.path.abspath(name)


def _opened(arguments: tuple[Any, ...]) -> str | None:
    path, mode, flags = arguments
    if isinstance(path, str) and os.path.isdir(path):
        return None
    writing = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) if isinstance(flags, int) else 0
    return _place(path) if writing or any(c in (mode or "") for c in "wax+") else None


EVENTS: dict[str, Callable[[tuple[Any, ...]], str | None]] = {
    "open": _opened,
    "os.rename": lambda a: _place(a[1], a[3]),
    "os.remove": lambda a: _place(a[0], a[1]),
    "os.rmdir": lambda a: _place(a[0], a[1]),
    "os.mkdir": lambda a: None if a[2] < 0 and os.path.isdir(a[0]) else _place(a[0], a[2]),
    "os.chmod": lambda a: _place(a[0], a[2]),
    "os.utime": lambda a: _place(a[0], a[3]),
    "os.truncate": lambda a: _place(a[0]),
}
"""An audit event that writes → the path that it writes at."""


def kill() -> None:
    """End this process as ``kill -9`` does."""
    os.kill(os.getpid(), signal.SIGKILL)


def no_more_descriptors() -> None:
    """Let this process open no further file."""
    used = len(list(Path("/proc/self/fd").iterdir()))
    resource.setrlimit(
        resource.RLIMIT_NOFILE, (used - 1, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    )


def failing(number: int) -> Callable[[str], None]:
    """What makes every operation fail with this error."""

    def fail(path: str) -> None:
        raise OSError(number, os.strerror(number), path)

    return fail


def clock_back() -> None:
    """Two days ago, for Python, and for the times of the checkpoints that are saved from now on."""
    import transformers.trainer as module

    now, rotate = time.time, module.rotate_checkpoints
    time.time = lambda: now() - 172_800

    def rotated(output_dir: str, *rest: Any, **more: Any) -> None:
        newest = max(Path(output_dir).glob("checkpoint-*"), key=lambda p: int(p.name[11:]))
        os.utime(newest, (now() - 172_800,) * 2)
        rotate(output_dir, *rest, **more)

    module.rotate_checkpoints = rotated


def memory_out(step: int, error: BaseException) -> None:
    """The training step of this number has no memory."""
    from transformers import Trainer

    before, seen = Trainer.training_step, [0]

    def training_step(*arguments: Any, **more: Any) -> Any:
        seen[0] += 1
        if seen[0] == step:
            raise error
        return before(*arguments, **more)

    Trainer.training_step = training_step
