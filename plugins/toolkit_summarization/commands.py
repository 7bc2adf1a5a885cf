"""The commands ``toolkit templates`` and ``toolkit sheet``: they parse options and print."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from toolkit import UsageError, formatting
from toolkit.cli.run_options import Json, Runs, TrustTaskFile

TASK = "summarization"


def templates(
    task: Annotated[str, typer.Argument(help=TASK)],
    template: Annotated[
        list[str] | None,
        typer.Option(help="A known name, or a text with {article} in it; may be repeated.",
                     show_default="all five"),
    ] = None,
    data: Annotated[
        str | None, typer.Option(help="File of articles.", show_default="synthetic articles")
    ] = None,
    train: Annotated[str | None, typer.Option(help="File with training rows.")] = None,
    validation: Annotated[str | None, typer.Option(help="File with validation rows.")] = None,
    test: Annotated[
        str | None, typer.Option(help="File with test rows; they are not used.")
    ] = None,
    text: Annotated[str | None, typer.Option(help="Text column(s).")] = None,
    target: Annotated[str | None, typer.Option(help="Column with the summaries.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Use so many rows.")] = None,
    rows: Annotated[int, typer.Option(min=2, help="Validation rows to summarize.")] = 100,
    steps: Annotated[
        int, typer.Option(min=0, help="Training steps for each template; 0: the untrained model.")
    ] = 0,
    two_stage: Annotated[
        bool, typer.Option("--two-stage", help="Also with sentences extracted first.")
    ] = False,
    ensemble: Annotated[
        int, typer.Option(min=0, help="Also an ensemble of so many checkpoints.")
    ] = 0,
    recipe: Annotated[str | None, typer.Option(help="Recipe.", show_default="the first")] = None,
    model: Annotated[str | None, typer.Option(help="Model instead of the recipe's.")] = None,
    seed: Annotated[
        int, typer.Option(min=0, max=2**31 - 1, help="Seed of all random choices.")
    ] = 0,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Compare prompt templates for summaries on validation rows, and name the best."""
    from toolkit.data import Source, columns
    from toolkit.models import is_local
    from toolkit.plugins import recipes
    from toolkit.preparation import prepare as reading
    from toolkit.system import Console, environment
    from toolkit_summarization import choosing
    from toolkit_summarization.task import Summarization
    from toolkit_summarization.templates import TEMPLATES

    if task != TASK:
        raise UsageError(f"the task {task!r} has no prompt templates to compare; {TASK} has")
    resolved = recipes.resolve(Summarization, recipe=recipe, model=model)
    environment.prepare(offline=is_local(resolved.model))
    console = Console(quiet=as_json)
    source = Source(
        data=data, train=train, validation=validation, test=test, target=target,
        text=columns.split_option(text) if text else (), limit=limit, seed=seed,
    )  # fmt: skip
    prepared = reading.prepare(Summarization(), source, seed)
    request = choosing.Asked(
        templates=template or tuple(TEMPLATES), rows=rows, steps=steps,
        two_stage=two_stage, ensemble=ensemble, seed=seed,
    )  # fmt: skip
    result = choosing.compare(prepared, resolved, request, console)
    if as_json:
        from toolkit.system import emit

        emit(result)
        return
    for line in result["lines"]:
        console.say(_metrics_text(line))
    console.say(f"winner: {result['winner']} ({result['why']}; {result['rows']} validation rows)")


def _metrics_text(line: dict[str, Any]) -> str:
    """A template's metrics with their intervals, for the terminal."""
    parts = [line["name"]]
    for name, label in (("perplexity", "perplexity"), ("rouge1", "ROUGE-1"), ("rouge2", "ROUGE-2"),
                        ("rougeL", "ROUGE-L")):  # fmt: skip
        if name in line:
            spec = ".2f" if name == "perplexity" else ".3f"
            span = formatting.span(line[name]["low"], line[name]["high"], spec)
            parts.append(f"{label} {format(line[name]['value'], spec)} ({span})")
    return "  ".join(parts)


def sheet(
    run: Annotated[str, typer.Argument(help="The finished run to compare systems of.")],
    filled: Annotated[
        list[Path] | None, typer.Argument(help="Sheets that readers have filled in.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="File for the empty sheet.")] = None,
    a: Annotated[str, typer.Option("--a", help="One system.")] = "base",
    b: Annotated[
        str | None, typer.Option("--b", help="The other system.", show_default="the trained model")
    ] = None,
    rows: Annotated[int, typer.Option(min=1, help="Pairs on the sheet.")] = 100,
    trust_task_file: TrustTaskFile = False,
    runs: Runs = None,
    as_json: Json = False,
) -> None:
    """Write a sheet of blind pairs for human evaluation, or evaluate sheets that were filled in."""
    from toolkit.pipeline import load_task
    from toolkit.runs import Run, runs_folder
    from toolkit.system import Console
    from toolkit_summarization import human

    finished = Run.find(run, runs_folder(runs))
    task = load_task(finished)
    console = Console(quiet=as_json)
    if not filled:
        if out is None:
            raise UsageError("give a file for the empty sheet with --out, or name filled-in sheets")
        number = human.export(finished, task, a, b, out, rows)
        document: dict[str, Any] = {"pairs": number, "file": str(out)}
        console.say(
            f"wrote {number} pairs to {out}; fill in its last column, then run the command with it"
        )
    else:
        document = human.read_back(finished, task, a, b, filled, rows)
        console.say(document["sentence"])
    if as_json:
        from toolkit.system import emit

        emit(document)
