"""``toolkit sweep``: reads options and hands over; nothing heavy is imported here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from toolkit.cli import data_options as options
from toolkit.cli.run_options import Json, Runs
from toolkit_search import shared_options as shared


def sweep(
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
    space: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="TOML file whose table 'space' has any section.field and its values.",
            show_default="learning rate, batch, epochs, adapter, rows left out, prompts",
        ),
    ] = None,
    recipe: options.Recipe = None,
    models: Annotated[
        list[str] | None,
        typer.Option("--model", help="Base model; several are chosen from. Repeatable."),
    ] = None,
    sets: shared.Sets = None,
    seed: options.Seed = 0,
    minutes: Annotated[
        float | None,
        typer.Option(
            help="Of all trainings together, 60 % for trials; scoring winner and recipe on "
            "held-out rows comes on top."
        ),
    ] = None,
    trials: Annotated[
        int | None, typer.Option(min=1, help="Trials of the study, by all processes together.")
    ] = None,
    max_cost: Annotated[
        float | None,
        typer.Option(min=0, help="The most to spend, at cost.machine_price_per_hour."),
    ] = None,
    trial_minutes: Annotated[
        float | None, typer.Option(help="The most minutes of one trial's training.")
    ] = None,
    seeds: Annotated[
        int, typer.Option(min=0, max=20, help="Trainings of winner and default recipe; 0: none.")
    ] = 3,
    storage: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Database that several machines share, as SQLAlchemy writes its address.",
            show_default="a journal in --out",
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option("--study", help="Name of the study in it.", show_default="the task's"),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the results; one that is there is gone on with.",
            show_default="a new one among the runs",
        ),
    ] = None,
    trust_remote_code: options.RemoteCode = False,
    runs: Runs = None,
    as_json: Json = False,
) -> None:
    """Search for better settings within a budget, and compare the best with the recipe once."""
    from toolkit.plugins import lookup, recipes
    from toolkit.system import Console
    from toolkit_search import sweeping

    found = lookup.find(task)
    source = options.source(
        found, data=data, text=text, target=target, train=train, validation=validation, test=test,
        encoding=encoding, header=header, limit=limit, seed=seed, group=group,
        near_duplicates=near_duplicates, labels=labels, sheet=sheet,
    )  # fmt: skip
    several = models or []
    chosen = recipes.resolve(found, recipe, sets=sets or (), model=several[0] if several else None)
    plan = shared.plan(found, source, runs, seed=seed, trust_remote_code=trust_remote_code)
    budget = sweeping.Budget.of(
        chosen, minutes=minutes, trials=trials, max_cost=max_cost, trial_minutes=trial_minutes,
        seeds=seeds,
    )  # fmt: skip
    place = shared.folder(out, plan.runs, found.name, "sweep")
    console = Console(quiet=as_json)
    document, page = sweeping.swept(
        plan, chosen, sweeping.space_of(found, chosen, space, several), budget,
        sweeping.Shared(place, storage, name or found.name), console,
    )  # fmt: skip
    shared.tell(document, page, console, as_json=as_json)
