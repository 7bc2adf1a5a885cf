"""Commands on finished runs, ``predict`` to ``compare``; and ``doctor``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from toolkit.cli.app import app
from toolkit.cli.run_options import Json, Runs, TrustRemoteCode, TrustTaskFile
from toolkit.errors import UsageError


@app.command()
def predict(
    run_name: Annotated[str, typer.Argument(metavar="RUN", help="Folder or ID of a finished run.")],
    inputs: Annotated[
        list[str] | None, typer.Argument(metavar="[TEXT]...", help="Texts to predict.")
    ] = None,
    data: Annotated[str | None, typer.Option(help="A file of rows to predict.")] = None,
    text: Annotated[str | None, typer.Option(help="Text column(s) of the file.")] = None,
    encoding: Annotated[str | None, typer.Option(help="Encoding of the file.")] = None,
    sheet: Annotated[str | None, typer.Option(help="Sheet of a workbook with several.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Write to this file (.jsonl, .csv, .parquet) instead of printing."),
    ] = None,
    base: Annotated[
        bool, typer.Option("--base", help="Predict with the untouched base model.")
    ] = False,
    trust_task_file: TrustTaskFile = False,
    trust_remote_code: TrustRemoteCode = False,
    runs: Runs = None,
    as_json: Json = False,
) -> None:
    """Predict new rows with a run's adapter, with prediction intervals."""
    from toolkit.cli.terminal import show_predictions, write_predictions
    from toolkit.data.columns import split_option
    from toolkit.data.source import Source
    from toolkit.pipeline import predict as serving
    from toolkit.pipeline import prediction_formats
    from toolkit.runs.run import Run, runs_folder

    if out is not None:
        prediction_formats.check_name(out)
    found = Run.find(run_name, runs_folder(runs))
    source = None
    if data:
        named = split_option(text) if text else ()
        source = Source(data=data, text=named, encoding=encoding, sheet=sheet)
    if source is not None and out is not None and not inputs:
        write_predictions(found, source, out, adapter=not base, quiet=as_json)
        return
    answers = serving.predict(found, inputs or [], source, adapter=not base)
    show_predictions(answers, out, as_json)


@app.command(name="runs")
def runs_command(runs: Runs = None, as_json: Json = False) -> None:
    """List the runs and their verdicts."""
    from toolkit.cli.terminal import show_runs
    from toolkit.runs.run import Run, runs_folder

    folder = runs_folder(runs)
    show_runs(*Run.listed(folder), folder, as_json)


@app.command()
def report(
    run_name: Annotated[
        str | None, typer.Argument(metavar="[RUN]", help="Folder or ID.", show_default="the newest")
    ] = None,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify",
            help="Check files, recompute every figure, and predict a sample of rows again.",
        ),
    ] = False,
    every: Annotated[
        bool,
        typer.Option(
            "--all", help="With --verify: predict all rows again, with the base model too."
        ),
    ] = False,
    sample: Annotated[int, typer.Option(min=1, help="Rows to predict again with --verify.")] = 64,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    badge: Annotated[
        bool,
        typer.Option(
            "--badge", help="Only write the verdict as badge.svg, and print it as Markdown."
        ),
    ] = False,
    url: Annotated[
        str | None, typer.Option(help="With --badge: the address that the report stands at.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="With --badge: the SVG file, instead of the run's own.")
    ] = None,
    trust_task_file: TrustTaskFile = False,
    trust_remote_code: TrustRemoteCode = False,
    runs: Runs = None,
    as_json: Json = False,
) -> None:
    """Score a run's predictions and write its report again, or verify its figures."""
    from toolkit.cli.terminal import show_badge, show_report, show_verification
    from toolkit.runs.run import Run, runs_folder

    if every and not verify:
        raise UsageError("--all goes with --verify")
    if (url or out) and not badge:
        raise UsageError(f"{'--url' if url else '--out'} goes with --badge")
    if badge and verify:
        raise UsageError("--badge and --verify are two things: use one of them")
    found = Run.find(run_name, runs_folder(runs))
    if badge:
        show_badge(found, out, url, as_json)
        return
    if verify:
        from toolkit.pipeline import verify as verifying

        show_verification(found, verifying.verify(found, sample=sample, every=every), as_json)
        return
    from toolkit.pipeline.restore import load_task, refresh
    from toolkit.system.console import Console

    refresh(found, load_task(found), Console(quiet=as_json).warn)
    show_report(found, open_page, as_json)


@app.command()
def forgetting(
    run_name: Annotated[str, typer.Argument(metavar="RUN", help="Folder or ID of a finished run.")],
    text: Annotated[
        Path | None,
        typer.Option(help="General text, a text on each line, instead of the toolkit's own."),
    ] = None,
    on: Annotated[
        list[str] | None,
        typer.Option(help="A run of another task on the same model, whose test rows are read too."),
    ] = None,
    rows: Annotated[int, typer.Option(min=2, help="The most texts and test rows.")] = 200,
    trust_task_file: TrustTaskFile = False,
    trust_remote_code: TrustRemoteCode = False,
    runs: Runs = None,
    as_json: Json = False,
) -> None:
    """Measure what training cost elsewhere: the loss on general text and on other tasks."""
    import json

    from toolkit.pipeline import forgetting as measuring
    from toolkit.pipeline.restore import load_task
    from toolkit.reporting.report import write
    from toolkit.runs.run import Run, runs_folder
    from toolkit.system.secrets import printable

    folder = runs_folder(runs)
    found = Run.find(run_name, folder)
    others = [Run.find(name, folder) for name in on or ()]
    document = measuring.forgetting(found, text, others, rows)
    if found.done("score"):
        write(found, load_task(found))
    typer.echo(json.dumps(document) if as_json else printable(document["sentence"]))


@app.command()
def compare(
    run_names: Annotated[
        list[str],
        typer.Argument(metavar="RUN RUN...", help="Two or more runs; with --checkpoints one."),
    ],
    steps: Annotated[
        bool,
        typer.Option(
            "--checkpoints",
            help="Compare the steps of one run that was made with --keep-steps.",
        ),
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Write a page here (.html or .md).")] = None,
    trust_task_file: TrustTaskFile = False,
    runs: Runs = None,
    as_json: Json = False,
) -> None:
    """Compare the systems of several runs, row by row where the runs share their data."""
    from toolkit.cli import terminal
    from toolkit.runs.run import Run, runs_folder

    if steps:
        if len(run_names) != 1 or out is not None:
            raise UsageError("--checkpoints takes one run, and writes no page")
        terminal.show_steps(Run.find(run_names[0], runs_folder(runs)), as_json)
        return
    if len(run_names) < 2:
        raise UsageError("compare takes two runs or more; see: toolkit runs")
    folder = runs_folder(runs)
    terminal.show([Run.find(name, folder) for name in run_names], out, as_json)


@app.command()
def doctor(
    step: Annotated[bool, typer.Option("--step/--no-step", help="Also train for one step.")] = True,
    as_json: Json = False,
) -> None:
    """Show what works on this machine, and prove it with one training step."""
    from toolkit.cli.listings import show_doctor
    from toolkit.pipeline import doctor as diagnosis

    results = diagnosis.examine(step=step)
    show_doctor(results, as_json)
    if any(result.state == "broken" for result in results):
        raise typer.Exit(1)
