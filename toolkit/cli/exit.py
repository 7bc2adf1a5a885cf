"""How a command ends: an exit code, and for an error one message."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import signal
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import typer

from toolkit.errors import ToolkitError, UsageError
from toolkit.system.secrets import printable, redacted

INTERRUPTED = 130
LONGEST_WORD = 200
"""Letters without a blank that a message shows; names of files may be thousands long."""
_SIGNALS: list[int] = []
"""The signal that has stopped the command, other than that of Ctrl-C."""


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """Within the context, SIGTERM and SIGHUP stop the command as Ctrl-C does.

    Signals that are ignored, as ``nohup`` has it, stay ignored.
    """

    def stop(number: int, frame: Any) -> None:
        _SIGNALS.append(number)
        raise KeyboardInterrupt

    before = {}
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            with contextlib.suppress(ValueError):  # not in the main thread
                before[number] = signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def fail(error: BaseException, code: int) -> int:
    """Print an error as one message, with ``--json`` also as JSON; returns the exit code.

    Where a run is worked at and the machine lacks something, the message ends with how to go on.
    """
    message = str(error)
    if _hint("") and "toolkit resume" not in message and (lacking := fault(error.__cause__)):
        message += f" ({lacking})"
    if os.environ.get("TOOLKIT_DEBUG"):
        import traceback

        typer.echo(printable("".join(traceback.format_exception(error))), err=True)
    if "--json" in sys.argv:
        typer.echo(json.dumps({"error": redacted(message), "kind": type(error).__name__}))
    typer.secho("Error: ", fg="red", bold=True, err=True, nl=False)
    typer.echo(_shown(message), err=True)
    return code


def _shown(message: str) -> str:
    """A message whose longest words are shortened, and that a terminal can show."""
    words = re.sub(
        rf"\S{{{LONGEST_WORD},}}", lambda word: f"{word[0][:80]}…{word[0][-20:]}", message
    )
    return printable(words.encode("utf-8", "backslashreplace").decode("utf-8"))


def check_arguments(arguments: Sequence[str]) -> None:
    """Refuse arguments that are no text, which no file of a run could hold.

    A name of a file may be any bytes; Python reads those that are not UTF-8 as halves of
    characters (PEP 383).

    Raises:
        UsageError: naming the first such argument.
    """
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError as error:
            raise UsageError(
                f"the argument {argument!r} is not UTF-8; rename the file, or type it again"
            ) from error
        if "\0" in argument:
            raise UsageError(f"the argument {argument!r} holds a NUL byte, which no name can")


def interrupted() -> int:
    """Print that the command was stopped, and how to resume its run; returns the exit code.

    The code is 128 and the number of the signal, as a shell gives it.
    """
    typer.echo(f"\nstopped{_hint('; go on with: ')}", err=True)
    return 128 + _SIGNALS.pop() if _SIGNALS else INTERRUPTED


def _hint(before: str) -> str:
    """How to go on with the run that the command works at; empty where it works at none."""
    run_path = os.environ.get("TOOLKIT_RUN")
    return f"{before}toolkit resume {run_path}" if run_path else ""


def other(error: Exception) -> int:
    """Print an error of the command-line library or an unexpected one; returns the exit code."""
    if isinstance(error, typer.Abort):
        return interrupted()
    if hasattr(error, "show") and hasattr(
        error, "exit_code"
    ):  # an error of typer, whose click is private
        error.show()
        return int(error.exit_code)
    if sentence := fault(error):
        return fail(ToolkitError(sentence), 2)
    if isinstance(error, OSError) and error.filename is not None:
        # Of a file that the user has named or that belongs to the machine.
        return fail(ToolkitError(f"cannot use {error.filename}: {error.strerror or error}"), 2)
    reason = " ".join(f"{type(error).__name__}: {error}".split())[:500]
    unexpected = ToolkitError(
        f"an error that the toolkit does not expect: {reason} (run again with --debug for a "
        "traceback)"
    )
    unexpected.__cause__ = error
    return fail(unexpected, 1)


FAULTS: tuple[tuple[frozenset[int], tuple[str, ...], str, str], ...] = (
    (
        frozenset({errno.ENOSPC, errno.EDQUOT}),
        ("No space left on device", "Disk quota exceeded"),
        "the disk is full", "make room",
    ),
    (
        frozenset({errno.EFBIG}), ("File too large",),
        "a file is larger than this user may write (ulimit -f)", "allow larger ones",
    ),
    (
        frozenset({errno.EMFILE, errno.ENFILE}), ("Too many open files",),
        "too many files are open (ulimit -n)", "allow more",
    ),
    (
        frozenset({errno.EROFS, errno.EACCES, errno.EPERM}),
        ("Read-only file system", "Permission denied"),
        "a file may not be written or read", "make the folder writable",
    ),
    (
        frozenset({errno.ENOMEM}),
        ("out of memory", "allocate memory", "Cannot allocate", "bad_alloc"),
        "memory ran out", "end other programs",
    ),
    (
        frozenset({errno.EIO, errno.ESTALE}), ("Input/output error", "Stale file handle"),
        "the disk or its connection failed", "mend it",
    ),
    # What torch says of a write that failed, whatever the reason was.
    (
        frozenset(), ("file write failed", "PytorchStreamWriter failed"),
        "a file could not be written", "make room",
    ),
)  # fmt: skip
"""Numbers of errors, parts of messages of libraries that have errors of their own, what it means
and what to do."""


def fault(error: BaseException | None) -> str:
    """What the machine lacks where that has caused an error, in a sentence; empty: nothing.

    The causes of an error are looked at too; the one that was raised first says most.
    """
    found = ""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        found = _fault(error) or found
        error = error.__cause__ or error.__context__
    return found


def _fault(error: BaseException) -> str:
    text = str(error)
    for numbers, parts, what, remedy in FAULTS:
        by_number = isinstance(error, OSError) and error.errno in numbers
        memory = isinstance(error, MemoryError) and errno.ENOMEM in numbers
        if by_number or memory or any(part.lower() in text.lower() for part in parts):
            place = getattr(error, "filename", None) if by_number else None
            named = f": {place}" if place else ""
            return f"{what}{named}; {remedy}{_hint(', then go on with: ')}"
    return ""
