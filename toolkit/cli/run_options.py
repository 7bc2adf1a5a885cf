"""The options that commands on runs share, those of plugins too."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Runs = Annotated[
    Path | None,
    typer.Option("--runs", help="Folder of the runs.", show_default="TOOLKIT_RUNS or runs"),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]


def _consent(**given: bool) -> None:
    """Note what a command line consents to; the modules behind it are imported only then."""
    if any(given.values()):
        from toolkit.runs import trust

        trust.consent(**given)


TrustTaskFile = Annotated[
    bool,
    typer.Option(
        "--trust-task-file",
        help="Run the Python file that a run names as its task, though you have not run it.",
        callback=lambda value: _consent(task_file=value),
    ),
]
TrustRemoteCode = Annotated[
    bool,
    typer.Option(
        "--trust-remote-code",
        help="Run code that comes with a run's model, and use its settings that reach outside.",
        callback=lambda value: _consent(remote_code=value),
    ),
]
