"""``toolkit gate``: reads options and hands over; nothing heavy is imported here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from toolkit.cli.run_options import Json, Runs, TrustTaskFile


def gate(
    new: Annotated[
        str,
        typer.Argument(
            metavar="NEW", help="Folder or ID of a finished run, or a folder of runs: its newest."
        ),
    ],
    against: Annotated[
        str, typer.Option("--against", metavar="OLD", help="The run that NEW is compared with.")
    ],
    margin: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            max=1.0,
            help="The share of OLD's figure by which NEW may be worse.",
            show_default="the task's",
        ),
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a summary for a pull request here.")
    ] = None,
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the result as JUnit XML here.")
    ] = None,
    trust_task_file: TrustTaskFile = False,
    runs: Runs = None,
    as_json: Json = False,
) -> None:
    """Exit with 0 if a run's model is no worse than another's, else 1; 2: not comparable."""
    from toolkit.runs import runs_folder
    from toolkit.system import Console
    from toolkit_gate import pages
    from toolkit_gate.judging import judge, opened

    folder = runs_folder(runs)
    result = judge(opened(new, folder), opened(against, folder), margin)
    if markdown is not None:
        pages.write_markdown(markdown, result)
    if junit is not None:
        pages.write_junit(junit, result)
    if as_json:
        typer.echo(json.dumps(result.document()))
    else:
        Console().say(result.sentence)
    raise typer.Exit(result.code)
