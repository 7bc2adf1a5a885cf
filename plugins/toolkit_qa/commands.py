"""The command ``toolkit together``: adapters of several tasks on one encoder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def together(
    run_names: Annotated[
        list[str], typer.Argument(metavar="RUN RUN...", help="Two or more finished runs.")
    ],
    rows: Annotated[int, typer.Option(min=1, help="Test rows of each run to predict again.")] = 200,
    trust_task_file: Annotated[
        bool, typer.Option("--trust-task-file", help="Run the Python file of a run's task.")
    ] = False,
    trust_remote_code: Annotated[
        bool, typer.Option("--trust-remote-code", help="Run code that comes with a run's model.")
    ] = False,
    runs: Annotated[Path | None, typer.Option("--runs", help="Folder of the runs.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON for a program to read.")
    ] = False,
) -> None:
    """Put the adapters of several runs on one encoder, and check that predictions stay the same."""
    from toolkit.pipeline import load_task
    from toolkit.pipeline.shared_encoder import together as compare
    from toolkit.reporting.report import write
    from toolkit.runs import Run, consent, runs_folder

    consent(task_file=trust_task_file, remote_code=trust_remote_code)
    folder = runs_folder(runs)
    found = [Run.find(name, folder) for name in run_names]
    document = compare(found, rows)
    for run in found:
        if run.done("score"):
            write(run, load_task(run))
    typer.echo(json.dumps(document) if as_json else document["sentence"])
    if any(one["differing"] for one in document["tasks"]):
        raise typer.Exit(1)
