"""``toolkit gate``: reads options and hands over; nothing heavy is imported here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


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
    trust_task_file: Annotated[
        bool, typer.Option("--trust-task-file", help="Run the Python files of the runs' tasks.")
    ] = False,
    runs: Annotated[
        Path | None,
        typer.Option("--runs", help="Folder of the runs.", show_default="TOOLKIT_RUNS or runs"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Exit with 0 if a run's model is no worse than another's, else 1; 2: not comparable."""
    from toolkit.runs import consent, runs_folder
    from toolkit.system import Console
    from toolkit_gate import pages
    from toolkit_gate.judging import judge, opened

    consent(task_file=trust_task_file)
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
