"""The command line. Commands are thin: they read options, call one function and show its result.

Nothing heavy is imported here at module level: ``toolkit --help`` has to answer at once.
"""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from toolkit import plugins
from toolkit.errors import ToolkitError, UsageError

app = typer.Typer(
    name="toolkit",
    help="Fine-tune a model for a task of your own and know whether it helped.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)

INTERRUPTED = 130

Runs = Annotated[
    Path | None, typer.Option("--runs", help="Folder of the runs.  [default: TOOLKIT_RUNS or runs]")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks.")]


def _version(value: bool) -> None:
    if value:
        from toolkit import __version__

        typer.echo(f"adapter-toolkit {__version__}")
        raise typer.Exit


def _kinds(value: bool) -> None:
    if value:
        from toolkit import scaffold

        for name, summary in scaffold.kinds().items():
            typer.echo(f"{name}: {summary}")
        raise typer.Exit


@app.callback()
def options(
    debug: Debug = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Options that go before or behind any command; :func:`main` has taken ``--debug`` already."""


@app.command()
def run(
    task: Annotated[
        str, typer.Argument(help="A task (see: toolkit tasks), or a file my_task.py or .toml.")
    ],
    data: Annotated[
        str | None,
        typer.Option(
            help="csv, tsv, json, jsonl or parquet file, or a Hub dataset id.  "
            "[default: the task's own data]"
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
    limit: Annotated[
        int | None, typer.Option(min=1, help="Use so many rows, drawn by the seed.")
    ] = None,
    mask_target: Annotated[
        bool,
        typer.Option(
            "--mask-target", help="Take the target out of the text where it stands there."
        ),
    ] = False,
    mend: Annotated[
        bool,
        typer.Option("--mend", help="Mend rows that can be mended (an answer that is misplaced)."),
    ] = False,
    recipe: Annotated[
        str | None, typer.Option(help="A recipe of the task, or a TOML file.  [default: the first]")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Hub id or local folder, instead of the recipe's model.")
    ] = None,
    sets: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="section.field=value in upstream's own names, such as lora.r=32 "
            "or training.learning_rate=1e-3. Repeatable.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of splits, weights and order.")] = 0,
    seeds: Annotated[
        int, typer.Option(min=1, max=100, help="Train so many times and report the spread.")
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
    runs: Runs = None,
    as_json: Json = False,
) -> None:
    """Prepare, train, and put base model, adapter and baselines side by side."""
    from toolkit import flow, recipes
    from toolkit.columns import split_option
    from toolkit.run import runs_folder
    from toolkit.source import Source

    found = plugins.find(task)
    open_playground = _command("playground") if play else None
    source = Source(
        data=data, text=split_option(text) if text else (), target=target, train=train,
        validation=validation, test=test, encoding=encoding, header=header, limit=limit,
        seed=seed, mask_target=mask_target, mend=mend,
    )  # fmt: skip
    chosen = recipes.resolve(found, recipe, sets=sets or (), model=model)
    created = flow.start(
        found, chosen, source, runs=runs_folder(runs), command=flow.command_line(),
        options={"seed": seed, "seeds": seeds, "store_data": store_data,
                 "allow_truncation": allow_truncation, "trust_remote_code": trust_remote_code},
    )  # fmt: skip
    _go(created, as_json)
    if open_playground is not None:
        open_playground(runs_named=[str(created.path)], runs=runs)


def _command(name: str) -> Callable[..., None]:
    """A command that a plugin has brought; the core knows none of them."""
    for registered in app.registered_commands:
        if registered.name == name and registered.callback is not None:
            return registered.callback
    raise UsageError(f"there is no command {name!r} here; see: toolkit plugins")


@app.command()
def resume(
    run_name: Annotated[
        str | None,
        typer.Argument(metavar="[RUN]", help="Folder or ID.  [default: the newest unfinished]"),
    ] = None,
    runs: Runs = None,
    as_json: Json = False,
) -> None:
    """Go on with a run that was stopped."""
    from toolkit.run import Run, runs_folder

    _go(Run.find(run_name, runs_folder(runs), unfinished=True), as_json)


def _go(run: Any, as_json: bool) -> None:
    """Work through the stages of a run and show the answer."""
    from toolkit.console import Console
    from toolkit.flow import Flow
    from toolkit.showing import show_result

    console = Console(quiet=as_json)
    console.say(f"run {run.id} in {run.path}")
    os.environ["TOOLKIT_RUN"] = str(run.path)  # for the hint on how to go on
    Flow(run, console).go()
    show_result(run, as_json)


@app.command()
def tasks(as_json: Json = False) -> None:
    """List the tasks."""
    from toolkit.showing import show_tasks

    show_tasks(plugins.load(), as_json)


@app.command(name="plugins")
def plugins_command(as_json: Json = False) -> None:
    """List the plugins: where they come from, and what is broken."""
    from toolkit.showing import show_plugins

    show_plugins(plugins.load(), as_json)


@app.command()
def recipes(
    task: Annotated[str | None, typer.Argument(help="Only this task's.")] = None,
    as_json: Json = False,
) -> None:
    """List the recipes of the tasks."""
    from toolkit.showing import show_recipes

    found = plugins.load()
    chosen = [plugins.find(task)] if task else [found.tasks[name] for name in sorted(found.tasks)]
    show_recipes(chosen, as_json)


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="The task's name, such as my-task.")],
    kind: Annotated[
        str, typer.Option(help="The kind of model; toolkit new --kinds lists them.")
    ] = "causal-lm",
    folder: Annotated[
        Path | None, typer.Option(help="Where to make it.  [default: ./NAME]")
    ] = None,
    kinds: Annotated[
        bool, typer.Option("--kinds", callback=_kinds, is_eager=True, help="List the kinds.")
    ] = False,
) -> None:
    """Make a package with a task of your own: it installs, passes its tests and runs."""
    from toolkit import scaffold
    from toolkit.showing import show_new

    show_new(scaffold.create(name, kind, folder or Path(name)), name)


@app.command()
def check(
    task: Annotated[
        str, typer.Argument(help="A task (see: toolkit tasks), or a file my_task.py or .toml.")
    ],
    data: Annotated[str | None, typer.Option(help="Check with these data.")] = None,
    text: Annotated[str | None, typer.Option(help="Text column(s).")] = None,
    target: Annotated[str | None, typer.Option(help="Column to predict.")] = None,
    as_json: Json = False,
) -> None:
    """Check a task against the contract, without a model."""
    from toolkit import checking, environment
    from toolkit.columns import split_option
    from toolkit.showing import show_checks
    from toolkit.source import Source

    environment.prepare(offline=True)
    source = Source(data=data, text=split_option(text) if text else (), target=target)
    results = checking.check(plugins.find(task)(), source)
    show_checks(task, results, as_json)
    if any(not result.passed for result in results):
        raise typer.Exit(1)


@app.command()
def predict(
    run_name: Annotated[str, typer.Argument(metavar="RUN", help="Folder or ID of a finished run.")],
    inputs: Annotated[
        list[str] | None, typer.Argument(metavar="[TEXT]...", help="Texts to predict.")
    ] = None,
    data: Annotated[str | None, typer.Option(help="A file of rows to predict.")] = None,
    text: Annotated[str | None, typer.Option(help="Text column(s) of the file.")] = None,
    encoding: Annotated[str | None, typer.Option(help="Encoding of the file.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write JSON lines here instead of printing.")
    ] = None,
    base: Annotated[bool, typer.Option("--base", help="Ask the untouched base model.")] = False,
    runs: Runs = None,
    as_json: Json = False,
) -> None:
    """Predict new rows with a run's adapter, with intervals."""
    from toolkit import serving
    from toolkit.columns import split_option
    from toolkit.run import Run, runs_folder
    from toolkit.showing import show_predictions
    from toolkit.source import Source

    found = Run.find(run_name, runs_folder(runs))
    source = None
    if data:
        source = Source(data=data, text=split_option(text) if text else (), encoding=encoding)
    answers = serving.predict(found, inputs or [], source, adapter=not base)
    show_predictions(answers, out, as_json)


@app.command(name="runs")
def runs_command(runs: Runs = None, as_json: Json = False) -> None:
    """List the runs and their verdicts."""
    from toolkit.run import Run, runs_folder
    from toolkit.showing import show_runs

    folder = runs_folder(runs)
    show_runs(list(Run.all(folder)), folder, as_json)


@app.command()
def report(
    run_name: Annotated[
        str | None, typer.Argument(metavar="[RUN]", help="Folder or ID.  [default: the newest]")
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Recompute every figure, and predict a sample again.")
    ] = False,
    sample: Annotated[int, typer.Option(min=1, help="Rows to predict again with --verify.")] = 64,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    runs: Runs = None,
    as_json: Json = False,
) -> None:
    """Score a run's predictions and write its report again, or verify its figures."""
    from toolkit.run import Run, runs_folder
    from toolkit.showing import show_report, show_verification

    found = Run.find(run_name, runs_folder(runs))
    if verify:
        from toolkit import verifying

        show_verification(found, verifying.verify(found, sample=sample), as_json)
        return
    from toolkit.flow import load_task
    from toolkit.report import refresh

    refresh(found, load_task(found))
    show_report(found, open_page, as_json)


@app.command()
def compare(
    run_names: Annotated[list[str], typer.Argument(metavar="RUN RUN...", help="Two or more runs.")],
    out: Annotated[Path | None, typer.Option(help="Write a page here (.html or .md).")] = None,
    runs: Runs = None,
    as_json: Json = False,
) -> None:
    """Put several runs into one ladder, row by row where they share their data."""
    from toolkit import comparing
    from toolkit.run import Run, runs_folder

    if len(run_names) < 2:
        raise UsageError("compare takes two runs or more; see: toolkit runs")
    folder = runs_folder(runs)
    comparing.show([Run.find(name, folder) for name in run_names], out, as_json)


@app.command()
def doctor(
    step: Annotated[
        bool, typer.Option("--step/--no-step", help="Prove it with one training step.")
    ] = True,
    as_json: Json = False,
) -> None:
    """Say what works on this machine, and prove it with one training step."""
    from toolkit import diagnosis
    from toolkit.showing import show_doctor

    results = diagnosis.examine(step=step)
    show_doctor(results, as_json)
    if any(result.state == "broken" for result in results):
        raise typer.Exit(1)


def main() -> None:
    """The ``toolkit`` command: errors of ours are one message, Ctrl-C leaves a resumable run."""
    if "--debug" in sys.argv:
        sys.argv.remove("--debug")
        os.environ["TOOLKIT_DEBUG"] = "1"
    try:
        plugins.add_commands(app)
        code = app(standalone_mode=False)
        if code == INTERRUPTED:  # typer has caught the Ctrl-C
            code = _interrupted()
    except ToolkitError as error:
        code = _fail(error, error.exit_code)
    except KeyboardInterrupt:
        code = _interrupted()
    except Exception as error:
        code = _other(error)
    sys.exit(code if isinstance(code, int) else 0)


def _fail(error: BaseException, code: int) -> int:
    if os.environ.get("TOOLKIT_DEBUG"):
        import traceback

        traceback.print_exception(error)
    if "--json" in sys.argv:
        typer.echo(json.dumps({"error": str(error), "kind": type(error).__name__}))
    typer.secho("Error: ", fg="red", bold=True, err=True, nl=False)
    typer.echo(str(error), err=True)
    return code


def _interrupted() -> int:
    run_path = os.environ.get("TOOLKIT_RUN")
    hint = f"; go on with: toolkit resume {run_path}" if run_path else ""
    typer.echo(f"\nstopped{hint}", err=True)
    return INTERRUPTED


def _other(error: Exception) -> int:
    """Click's own errors, and what nobody foresaw."""
    if isinstance(error, typer.Abort):
        return _interrupted()
    if hasattr(error, "show") and hasattr(
        error, "exit_code"
    ):  # typer's own, whose click is private
        error.show()
        return int(error.exit_code)
    if _disk_is_full(error):
        run_path = os.environ.get("TOOLKIT_RUN", "")
        return _fail(
            ToolkitError(
                f"the disk is full; make room, then go on with: toolkit resume {run_path}"
            ),
            2,
        )
    reason = " ".join(f"{type(error).__name__}: {error}".split())[:500]
    unforeseen = ToolkitError(
        f"something went wrong that the toolkit did not foresee: {reason} (run again with --debug "
        "for a traceback)"
    )
    unforeseen.__cause__ = error
    return _fail(unforeseen, 1)


def _disk_is_full(error: BaseException | None) -> bool:
    """Whether an error comes of a full disk; torch and safetensors raise errors of their own."""
    while error is not None:
        full = isinstance(error, OSError) and error.errno == errno.ENOSPC
        if full or "No space left on device" in str(error) or "file write failed" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


if __name__ == "__main__":
    main()
