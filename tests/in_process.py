"""``toolkit …`` within this process, for what a process of its own is no part of.

As ``command`` of ``cli_runner`` does it, without the eight seconds in which a new process imports
torch, transformers and TRL; and as its ``CommandLine``, for fixtures of a module too.
"""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import file_tasks
from cli_runner import environment


def command(folder: Path, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    """A command with ``folder`` as the working directory; must end with that exit code."""
    from toolkit.cli import main

    out, err = io.StringIO(), io.StringIO()
    ended = 0
    # What a command sets in the environment must end with it.
    settings = {**environment(), "TOOLKIT_DEBUG": "", "TOOLKIT_RUN": ""}
    with (
        mock.patch.dict(os.environ, settings),
        mock.patch.object(sys, "argv", ["toolkit", *map(str, arguments)]),
        contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err),
        _one_thread(), file_tasks.forgotten(),
    ):  # fmt: skip
        try:
            main()
        except SystemExit as stopped:
            ended = stopped.code if isinstance(stopped.code, int) else 0
    assert ended == code, err.getvalue()[-3000:]
    return subprocess.CompletedProcess(arguments, ended, out.getvalue(), err.getvalue())


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Sums of several threads may differ in their last bits from those of a run in a process."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
