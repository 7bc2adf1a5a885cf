"""The command ``toolkit together``: adapters of several tasks on one encoder."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from toolkit.cli.run_options import Json, Runs, TrustRemoteCode, TrustTaskFile


def together(
    run_names: Annotated[
        list[str], typer.Argument(metavar="RUN RUN...", help="Two or more finished runs.")
    ],
    rows: Annotated[int, typer.Option(min=1, help="Test rows of each run to predict again.")] = 200,
    trust_task_file: TrustTaskFile = False,
    trust_remote_code: TrustRemoteCode = False,
    runs: Runs = None,
    as_json: Json = False,
) -> None:
    """Put the adapters of several runs on one encoder, and check that predictions stay the same."""
    from toolkit.pipeline import load_task
    from toolkit.pipeline.shared_encoder import together as compare
    from toolkit.reporting.report import write
    from toolkit.runs import Run, runs_folder

    folder = runs_folder(runs)
    found = [Run.find(name, folder) for name in run_names]
    document = compare(found, rows)
    for run in found:
        if run.done("score"):
            write(run, load_task(run))
    typer.echo(json.dumps(document) if as_json else document["sentence"])
    if any(one["differing"] for one in document["tasks"]):
        raise typer.Exit(1)
