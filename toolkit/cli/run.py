"""Commands that train: ``run``, ``resume``."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import nullcontext
from typing import Annotated, Any

import typer

from toolkit.cli import data_options as options
from toolkit.cli import system_options
from toolkit.cli.app import app
from toolkit.cli.exit import stoppable
from toolkit.cli.run_options import Json, Runs, TrustRemoteCode, TrustTaskFile
from toolkit.errors import UsageError
from toolkit.plugins import lookup
from toolkit.system import distributed

Moved = Annotated[
    str | None, typer.Option(help="Where it is now, if it was moved.", show_default=False)
]


@app.command()
def run(
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
    recipe: options.Recipe = None,
    model: options.Model = None,
    sets: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="section.field=value with the upstream libraries' field names, such as lora.r=32 "
            "or training.learning_rate=1e-3. Repeatable.",
        ),
    ] = None,
    seed: options.Seed = 0,
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
    keep_steps: Annotated[
        bool,
        typer.Option(
            "--keep-steps",
            help="Keep each step that training saves, for: toolkit compare RUN --checkpoints.",
        ),
    ] = False,
    trust_remote_code: options.RemoteCode = False,
    play: Annotated[
        bool, typer.Option("--play", help="Open the playground on the run when it is finished.")
    ] = False,
    minutes: options.Minutes = None,
    backend: Annotated[
        str,
        typer.Option(
            help="auto, transformers or unsloth; auto uses Unsloth where it is installed and "
            "supports the model."
        ),
    ] = "auto",
    systems: system_options.Systems = None,
    max_cost: system_options.MaxCost = None,
    price_in: system_options.PriceIn = None,
    price_out: system_options.PriceOut = None,
    parallel: system_options.Parallel = 8,
    answer_tokens: system_options.AnswerTokens = None,
    answers: system_options.Answers = None,
    runs: Runs = None,
    as_json: Json = False,
) -> None:
    """Prepare data, train, and compare base model, adapter and baselines."""
    from toolkit.pipeline import start
    from toolkit.runs.run import runs_folder

    found = lookup.find(task)
    open_playground = _command("playground") if play else None
    further = system_options.noted(
        found, systems, runs_folder(runs), max_cost=max_cost, price_in=price_in,
        price_out=price_out, parallel=parallel, answer_tokens=answer_tokens, answers=answers,
    )  # fmt: skip
    created = start.requested(
        found,
        {"data": data, "text": text, "target": target, "train": train, "validation": validation,
         "test": test, "encoding": encoding, "header": header, "limit": limit, "seed": seed,
         "group": group, "near_duplicates": near_duplicates, "labels": labels, "sheet": sheet},
        recipe=recipe, model=model, sets=[*(sets or ()), *options.within(minutes, seeds)],
        flags={"--mask-target": mask_target, "--mend": mend},
        runs=runs, command=start.command_line(), further=further,
        options={"seed": seed, "seeds": seeds, "store_data": store_data,
                 "allow_truncation": allow_truncation, "trust_remote_code": trust_remote_code,
                 "backend": backend, "keep_steps": keep_steps},
    )  # fmt: skip
    carry_out(created, as_json)
    if open_playground is not None and distributed.first():
        open_playground(runs_named=[str(created.path)], runs=runs)


def carry_out(created: Any, as_json: bool) -> None:
    """Do the stages of a new run and show its result."""
    from toolkit.pipeline.run import carry_out

    _go(created, as_json, carry_out)


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
    data: Moved = None,
    train: Moved = None,
    validation: Moved = None,
    test: Moved = None,
    model: Moved = None,
    task: Moved = None,
    sets: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Train with another training.learning_rate, training.max_grad_norm or other "
            "setting of the optimizer; the training begins anew.",
            show_default=False,
        ),
    ] = None,
    trust_task_file: TrustTaskFile = False,
    trust_remote_code: TrustRemoteCode = False,
    runs: Runs = None,
    as_json: Json = False,
) -> None:
    """Go on with a run that was stopped; name what it reads and was moved since."""
    from toolkit.pipeline import inputs, training_settings
    from toolkit.pipeline.run import execute
    from toolkit.runs.run import Run, runs_folder

    found = Run.find(run_name, runs_folder(runs), unfinished=True)
    places = {"data": data, "train": train, "validation": validation, "test": test,
              "model": model, "task": task}  # fmt: skip
    inputs.rename(found, places)
    training_settings.change(found, sets or ())
    _go(found, as_json, execute)


def _go(run: Any, as_json: bool, work: Callable[..., Any]) -> None:
    """Do the stages of a run by ``work`` and show its result."""
    from toolkit.cli.terminal import show_result
    from toolkit.system.console import Console

    # Of several processes the first prints.
    console = Console(quiet=as_json or not distributed.first())
    console.say(f"run {run.id} in {run.path}")
    os.environ["TOOLKIT_RUN"] = str(run.path)  # for the hint on how to go on
    with stoppable() if distributed.first() else nullcontext():
        work(run, console)
    if distributed.first():
        show_result(run, as_json)
    distributed.end()
