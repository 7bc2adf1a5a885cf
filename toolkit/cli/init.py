"""The command ``init``: look at a file, and write a task file that goes with it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from toolkit.cli import data_options as options
from toolkit.cli.app import app
from toolkit.cli.run_options import Json

WIDTH = 80


@app.command()
def init(
    data: Annotated[str, typer.Argument(metavar="DATA", help="File of rows, or a Hub dataset id.")],
    task: Annotated[
        str | None, typer.Option(help="A task (see: toolkit tasks), or a kind of task files.")
    ] = None,
    text: options.Text = None,
    target: options.Target = None,
    labels: options.Labels = None,
    group: Annotated[
        str | None,
        typer.Option(help="Column that rows of one split share; 'none': the same text."),
    ] = None,
    validation: options.Validation = None,
    test: options.Test = None,
    encoding: options.Encoding = None,
    header: options.Header = None,
    sheet: options.Sheet = None,
    output: Annotated[
        Path | None, typer.Option(help="The task file.", show_default="NAME.toml, after the data")
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Ask nothing and take the defaults.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    as_json: Json = False,
) -> None:
    """Look at a file of rows, and write a task file that runs on it."""
    from toolkit.data.readers.read import is_hub_id
    from toolkit.pipeline.init import make as making
    from toolkit.pipeline.init import summary
    from toolkit.system import environment
    from toolkit.system.console import emit

    environment.prepare(offline=not is_hub_id(data))
    asks = not (yes or as_json) and sys.stdin.isatty() and sys.stdout.isatty()
    outcome = making.make(
        data,
        making.Wanted(task, text, target, labels, group, validation, test),
        making.output_path(data, output),
        ask=_ask if asks else None,
        force=force,
        show=lambda seen: None if as_json else _print(summary.file_lines(seen)),
        encoding=encoding,
        header=header,
        sheet=sheet,
    )
    if as_json:
        emit(summary.document(outcome))
        return
    _print(["", *summary.task_lines(outcome), "", f"wrote {outcome.output}, and checked it"])
    typer.echo(f"toolkit show {outcome.output}\n{outcome.command}")


def _print(lines: Sequence[str]) -> None:
    """Print lines that fit the width of a terminal, further ones of a line indented."""
    import textwrap

    for line in lines:
        indent = len(line) - len(line.lstrip(" "))
        folded = textwrap.wrap(
            line, WIDTH, initial_indent="", subsequent_indent=" " * (indent + 2),
            break_on_hyphens=False, drop_whitespace=True,
        )  # fmt: skip
        typer.echo("\n".join(folded) if folded else "")


def _ask(question: str, offered: Sequence[str], default: str) -> str:
    """Ask a question; the answer is one of those that are offered, by number, or another."""
    _print(["", question])
    for number, answer in enumerate(offered, start=1):
        typer.echo(f"  {number}  {answer}")
    at = offered.index(default) + 1
    given = str(typer.prompt("number, or another answer", default=str(at))).strip()
    if given.isdigit() and 1 <= int(given) <= len(offered):
        return offered[int(given) - 1]
    return given
