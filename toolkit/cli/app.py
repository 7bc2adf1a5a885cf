"""The application that commands are registered with, and the options that commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="toolkit",
    help="Fine-tune a model for a task of your own and know whether it helped.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)

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
Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks.")]


def _version(value: bool) -> None:
    if value:
        from toolkit import __version__

        typer.echo(f"adapter-toolkit {__version__}")
        raise typer.Exit


@app.callback()
def options(
    debug: Debug = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Options before or after any command; ``main`` has removed ``--debug`` already."""
