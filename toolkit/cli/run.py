"""Commands that train: ``run``, ``resume``."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Annotated, Any

import typer

from toolkit.cli.app import Json, Runs, app
from toolkit.errors import ToolkitError, UsageError
from toolkit.plugins import lookup
from toolkit.system import distributed


@app.command()
def run(
    task: Annotated[
        str, typer.Argument(help="A task (see: toolkit tasks), or a file my_task.py or .toml.")
    ],
    data: Annotated[
        str | None,
        typer.Option(
            help="csv, tsv, json, jsonl, parquet, xlsx or ods file, or a Hub dataset id.",
            show_default="the task's own data",
        ),
    ] = None,
    text: Annotated[
        str | None,
        typer.Option(
            help="Text column, several ('name,description'), or a template "
            "('{name} in {city}'); numbers where the file has no header."
        ),
    ] = None,
    target: Annotated[str | None, typer.Option(help="Column to predict.")] = None,
    train: Annotated[
        str | None, typer.Option(help="File of training rows, instead of --data.")
    ] = None,
    validation: Annotated[str | None, typer.Option(help="File of validation rows.")] = None,
    test: Annotated[str | None, typer.Option(help="File of test rows.")] = None,
    encoding: Annotated[
        str | None, typer.Option(help="Encoding of the file, such as cp1252.")
    ] = None,
    header: Annotated[
        bool | None,
        typer.Option("--header/--no-header", help="Whether the file begins with column names."),
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option(
            help="What the file's labels mean ('0=negative,2=neutral,4=positive'; '0=' leaves rows "
            "out), or the ends of their scale ('0..100')."
        ),
    ] = None,
    sheet: Annotated[
        str | None, typer.Option(help="Sheet of a workbook (xlsx, ods, …) with several.")
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, help="Use only this many rows, drawn at random with --seed."),
    ] = None,
    group: Annotated[
        str | None,
        typer.Option(
            help="Column that rows of one split share, such as a user or a product.",
            show_default="the same text",
        ),
    ] = None,
    near_duplicates: Annotated[
        bool,
        typer.Option(
            "--near-duplicates",
            help="Keep rows with nearly the same text in one split too (needs an extra).",
        ),
    ] = False,
    mask_target: Annotated[
        bool,
        typer.Option(
            "--mask-target",
            help="Remove the target from texts that contain it; sets task.mask_target=true.",
        ),
    ] = False,
    mend: Annotated[
        bool,
        typer.Option(
            "--mend",
            help="Repair rows, such as one with a misplaced answer; sets task.repair=true.",
        ),
    ] = False,
    recipe: Annotated[
        str | None,
        typer.Option(help="A recipe of the task, or a TOML file.", show_default="the first"),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Hub id or local folder, instead of the recipe's model.")
    ] = None,
    sets: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="section.field=value with the upstream libraries' field names, such as lora.r=32 "
            "or training.learning_rate=1e-3. Repeatable.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Random seed of splits, weights and order.")] = 0,
    seeds: Annotated[
        int, typer.Option(min=1, max=100, help="Train this many times and report the spread.")
    ] = 1,
    allow_truncation: Annotated[
        bool,
        typer.Option(
            "--allow-truncation", help="Leave out training rows whose answer does not fit."
        ),
    ] = False,
    store_data: Annotated[
        bool,
        typer.Option("--store-data/--no-store-data", help="Keep the held-out rows in the run."),
    ] = True,
    trust_remote_code: Annotated[
        bool, typer.Option("--trust-remote-code", help="Run code that comes with the model.")
    ] = False,
    play: Annotated[
        bool, typer.Option("--play", help="Open the playground on the run when it is finished.")
    ] = False,
    backend: Annotated[
        str,
        typer.Option(
            help="auto, transformers or unsloth; auto uses Unsloth where it is installed and "
            "supports the model."
        ),
    ] = "auto",
    runs: Runs = None,
    as_json: Json = False,
) -> None:
    """Prepare data, train, and compare base model, adapter and baselines."""
    from toolkit.data.columns import split_option
    from toolkit.data.source import Source
    from toolkit.pipeline import start
    from toolkit.plugins import recipes
    from toolkit.runs.run import runs_folder

    found = lookup.find(task)
    open_playground = _command("playground") if play else None
    source = Source(
        data=data, text=split_option(text) if text else (), target=target, train=train,
        validation=validation, test=test, encoding=encoding, header=header, limit=limit,
        seed=seed, group=group, near_duplicates=near_duplicates, labels=labels, sheet=sheet,
    )  # fmt: skip
    flags = {"--mask-target": mask_target, "--mend": mend}
    options = recipes.options_of_flags(found, [name for name, given in flags.items() if given])
    chosen = recipes.resolve(found, recipe, sets=[*(sets or ()), *options], model=model)
    created = start.start(
        found, chosen, source, runs=runs_folder(runs), command=start.command_line(),
        options={"seed": seed, "seeds": seeds, "store_data": store_data,
                 "allow_truncation": allow_truncation, "trust_remote_code": trust_remote_code,
                 "backend": backend},
    )  # fmt: skip
    try:
        _go(created, as_json)
    except ToolkitError:
        # What is refused before its data is ready has nothing to go on with.
        if distributed.first():
            created.forget()
        raise
    if open_playground is not None and distributed.first():
        open_playground(runs_named=[str(created.path)], runs=runs)


def _command(name: str) -> Callable[..., None]:
    """The function of a command that a plugin has registered."""
    for registered in app.registered_commands:
        if registered.name == name and registered.callback is not None:
            return registered.callback
    raise UsageError(f"there is no command {name!r} here; see: toolkit plugins")


@app.command()
def resume(
    run_name: Annotated[
        str | None,
        typer.Argument(metavar="[RUN]", help="Folder or ID.", show_default="the newest unfinished"),
    ] = None,
    runs: Runs = None,
    as_json: Json = False,
) -> None:
    """Go on with a run that was stopped."""
    from toolkit.runs.run import Run, runs_folder

    _go(Run.find(run_name, runs_folder(runs), unfinished=True), as_json)


def _go(run: Any, as_json: bool) -> None:
    """Do the stages of a run and show its result."""
    from toolkit.cli.terminal import show_result
    from toolkit.pipeline.run import execute
    from toolkit.system.console import Console

    # Of several processes the first prints.
    console = Console(quiet=as_json or not distributed.first())
    console.say(f"run {run.id} in {run.path}")
    os.environ["TOOLKIT_RUN"] = str(run.path)  # for the hint on how to go on
    execute(run, console)
    if distributed.first():
        show_result(run, as_json)
    distributed.end()
