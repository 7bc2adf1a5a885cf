"""Commands for tasks and their authors: ``tasks``, ``plugins``, ``recipes``, ``new``, ``check``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from toolkit.cli import data_options as options
from toolkit.cli.app import app
from toolkit.cli.run_options import Json
from toolkit.plugins import discovery, lookup


def _kinds(value: bool) -> None:
    if value:
        from toolkit.plugins import scaffold

        for name, summary in scaffold.kinds().items():
            typer.echo(f"{name}: {summary}")
        raise typer.Exit


@app.command()
def tasks(as_json: Json = False) -> None:
    """List the tasks."""
    from toolkit.cli.listings import show_tasks

    show_tasks(discovery.load(), as_json)


@app.command(name="plugins")
def plugins_command(as_json: Json = False) -> None:
    """List the plugins: where they come from, and what is broken."""
    from toolkit.cli.listings import show_plugins

    show_plugins(discovery.load(), as_json)


@app.command()
def recipes(
    task: Annotated[str | None, typer.Argument(help="Show only this task's recipes.")] = None,
    rows: Annotated[
        int, typer.Option(min=1, help="Number of training rows to estimate times for.")
    ] = 10_000,
    estimate: Annotated[
        bool,
        typer.Option(
            "--estimate", help="Estimate recipes without a stored estimate, and time this machine."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """List the recipes of the tasks, with the memory, time and money they take."""
    from toolkit.cli.listings import show_recipes

    found = discovery.load()
    chosen = [lookup.find(task)] if task else [found.tasks[name] for name in sorted(found.tasks)]
    if estimate:
        from toolkit.system import environment

        environment.prepare(offline=True)
    show_recipes(chosen, as_json, rows=rows, compute=estimate)


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="The task's name, such as my-task.")],
    kind: Annotated[
        str, typer.Option(help="The kind of model; toolkit new --kinds lists them.")
    ] = "causal-lm",
    folder: Annotated[
        Path | None, typer.Option(help="Folder to create the package in.", show_default="./NAME")
    ] = None,
    kinds: Annotated[
        bool, typer.Option("--kinds", callback=_kinds, is_eager=True, help="List the kinds.")
    ] = False,
) -> None:
    """Create a package with a task of your own that installs, passes its tests and runs."""
    from toolkit.cli.listings import show_new
    from toolkit.plugins import scaffold

    show_new(scaffold.create(name, kind, folder or Path(name)), name)


@app.command()
def check(
    task: options.TaskName,
    data: options.Data = None,
    text: options.Text = None,
    target: options.Target = None,
    train: options.Train = None,
    validation: options.Validation = None,
    test: options.Test = None,
    encoding: options.Encoding = None,
    header: options.Header = None,
    labels: options.Labels = None,
    sheet: options.Sheet = None,
    limit: options.Limit = None,
    group: options.Group = None,
    near_duplicates: options.NearDuplicates = None,
    as_json: Json = False,
) -> None:
    """Check a task against the contract, without a model."""
    from toolkit.cli.listings import show_checks
    from toolkit.pipeline.start import on_hub
    from toolkit.system import environment

    found = lookup.find(task)
    source = options.source(
        found, data=data, text=text, target=target, train=train, validation=validation, test=test,
        encoding=encoding, header=header, limit=limit, group=group,
        near_duplicates=near_duplicates, labels=labels, sheet=sheet,
    )  # fmt: skip
    environment.prepare(offline=not on_hub(source))
    from toolkit.plugins.contract import check as checking

    results = checking.check(found(), source)
    show_checks(task, results, as_json)
    if any(not result.passed for result in results):
        raise typer.Exit(1)
