"""How a command ends: an exit code, and for an error one message."""

from __future__ import annotations

import errno
import json
import os
import re
import sys
from collections.abc import Sequence

import typer

from toolkit.errors import ToolkitError, UsageError

INTERRUPTED = 130
LONGEST_WORD = 200
"""Letters without a blank that a message shows; names of files may be thousands long."""


def fail(error: BaseException, code: int) -> int:
    """Print an error as one message, with ``--json`` also as JSON; returns the exit code."""
    if os.environ.get("TOOLKIT_DEBUG"):
        import traceback

        traceback.print_exception(error)
    if "--json" in sys.argv:
        typer.echo(json.dumps({"error": str(error), "kind": type(error).__name__}))
    typer.secho("Error: ", fg="red", bold=True, err=True, nl=False)
    typer.echo(_shown(str(error)), err=True)
    return code


def _shown(message: str) -> str:
    """A message whose longest words are shortened, and that a terminal can show."""
    words = re.sub(
        rf"\S{{{LONGEST_WORD},}}", lambda word: f"{word[0][:80]}…{word[0][-20:]}", message
    )
    return words.encode("utf-8", "backslashreplace").decode("utf-8")


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
    """Print that the command was stopped, and how to resume its run; returns the exit code."""
    run_path = os.environ.get("TOOLKIT_RUN")
    hint = f"; go on with: toolkit resume {run_path}" if run_path else ""
    typer.echo(f"\nstopped{hint}", err=True)
    return INTERRUPTED


def other(error: Exception) -> int:
    """Print an error of the command-line library or an unexpected one; returns the exit code."""
    if isinstance(error, typer.Abort):
        return interrupted()
    if hasattr(error, "show") and hasattr(
        error, "exit_code"
    ):  # an error of typer, whose click is private
        error.show()
        return int(error.exit_code)
    if _disk_is_full(error):
        run_path = os.environ.get("TOOLKIT_RUN", "")
        return fail(
            ToolkitError(
                f"the disk is full; make room, then go on with: toolkit resume {run_path}"
            ),
            2,
        )
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


def _disk_is_full(error: BaseException | None) -> bool:
    """Whether a full disk caused an error; torch and safetensors raise errors of their own."""
    while error is not None:
        full = isinstance(error, OSError) and error.errno == errno.ENOSPC
        if full or "No space left on device" in str(error) or "file write failed" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False
