"""The application that commands are registered with, and the options of all of them."""

from __future__ import annotations

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
