"""The commands ``toolkit templates`` and ``toolkit sheet``: thin, as the core's are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from toolkit import UsageError

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
        str | None, typer.Option(help="File with test rows; they are not looked at.")
    ] = None,
    text: Annotated[str | None, typer.Option(help="Text column(s).")] = None,
    target: Annotated[str | None, typer.Option(help="Column with the summaries.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Use so many rows.")] = None,
    rows: Annotated[int, typer.Option(min=2, help="Validation rows that are answered.")] = 100,
    steps: Annotated[
        int, typer.Option(min=0, help="Train an adapter so long for each; 0: the untouched model.")
    ] = 0,
    two_stage: Annotated[
        bool, typer.Option("--two-stage", help="Also extract sentences first.")
    ] = False,
    ensemble: Annotated[
        int, typer.Option(min=0, help="Also let so many checkpoints answer together.")
    ] = 0,
    recipe: Annotated[str | None, typer.Option(help="Recipe.", show_default="the first")] = None,
    model: Annotated[str | None, typer.Option(help="Model instead of the recipe's.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything that is drawn.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:  # fmt: skip
    """Compare prompt templates for summaries on validation rows, and name the best."""
    from toolkit.data import Source, columns
    from toolkit.models.paths import is_local
    from toolkit.plugins import recipes
    from toolkit.preparation import prepare as reading
    from toolkit.system import environment
    from toolkit.system.console import Console
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
    asked = choosing.Asked(
        templates=template or tuple(TEMPLATES), rows=rows, steps=steps,
        two_stage=two_stage, ensemble=ensemble, seed=seed,
    )  # fmt: skip
    found = choosing.compare(prepared, resolved, asked, console)
    if as_json:
        from toolkit.cli.terminal import emit

        emit(found)
        return
    for line in found["lines"]:
        console.say(_told(line))
    console.say(f"winner: {found['winner']} ({found['why']}; {found['rows']} validation rows)")


def _told(line: dict[str, Any]) -> str:
    parts = [line["name"]]
    for name, label in (("perplexity", "perplexity"), ("rouge1", "ROUGE-1"), ("rouge2", "ROUGE-2"),
                        ("rougeL", "ROUGE-L")):  # fmt: skip
        if name in line:
            spec = ".2f" if name == "perplexity" else ".3f"
            low, high = format(line[name]["low"], spec), format(line[name]["high"], spec)
            parts.append(f"{label} {format(line[name]['value'], spec)} ({low} to {high})")
    return "  ".join(parts)


def sheet(
    run: Annotated[str, typer.Argument(help="A finished run.")],
    filled: Annotated[
        list[Path] | None, typer.Argument(help="Sheets that people have filled in.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the empty sheet here.")] = None,
    a: Annotated[str, typer.Option("--a", help="One system.")] = "base",
    b: Annotated[
        str | None, typer.Option("--b", help="The other.", show_default="what was trained")
    ] = None,
    rows: Annotated[int, typer.Option(min=1, help="Pairs on the sheet.")] = 100,
    runs: Annotated[Path | None, typer.Option("--runs", help="Folder of the runs.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write a blind sheet of pairs for human evaluation, or read filled-in ones back."""
    from toolkit.pipeline.restore import load_task
    from toolkit.runs.run import Run, runs_folder
    from toolkit.system.console import Console
    from toolkit_summarization import human

    found = Run.find(run, runs_folder(runs))
    task = load_task(found)
    console = Console(quiet=as_json)
    if not filled:
        if out is None:
            raise UsageError("say where the sheet goes with --out, or name sheets to read back")
        number = human.export(found, task, a, b, out, rows)
        document: dict[str, Any] = {"pairs": number, "file": str(out)}
        console.say(f"wrote {number} pairs to {out}; fill in its last column and read it back")
    else:
        document = human.read_back(found, task, a, b, filled, rows)
        console.say(document["sentence"])
    if as_json:
        from toolkit.cli.terminal import emit

        emit(document)
