"""Options that ``rows`` and ``sweep`` share, and what they become."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

Recipe = Annotated[
    str | None,
    typer.Option(help="A recipe of the task, or a TOML file.", show_default="the first"),
]
Model = Annotated[
    str | None, typer.Option(help="Hub id or local folder, instead of the recipe's model.")
]
Sets = Annotated[
    list[str] | None,
    typer.Option(
        "--set", help="section.field=value, such as training.learning_rate=1e-3. Repeatable."
    ),
]
RemoteCode = Annotated[
    bool, typer.Option("--trust-remote-code", help="Run code that comes with the model.")
]
Runs = Annotated[
    Path | None,
    typer.Option("--runs", help="Folder of the runs.", show_default="TOOLKIT_RUNS or runs"),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]


def folder(given: Path | None, runs: Path, task: str, command: str) -> Path:
    """The folder of a command's results: the given one, or a new one among the task's runs."""
    if given is not None:
        return given
    stamp = dt.datetime.now(dt.UTC).strftime("%Y%m%d-%H%M%S")
    place, number = runs / task / f"{command}-{stamp}", 2
    while place.exists():
        place, number = place.with_name(f"{command}-{stamp}-{number}"), number + 1
    return place
