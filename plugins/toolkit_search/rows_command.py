"""``toolkit rows``: reads options and hands over; nothing heavy is imported here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from toolkit.cli import data_options as options
from toolkit.cli.run_options import Json, Runs
from toolkit_search import shared_options as shared


def rows(
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
    shares: Annotated[
        str, typer.Option(help="Shares of the training rows, three at least; 1 are all.")
    ] = "0.0625,0.125,0.25,0.5,1",
    times: Annotated[
        str, typer.Option(help="Multiples of all training rows that are looked at.")
    ] = "2,10",
    recipe: options.Recipe = None,
    model: options.Model = None,
    sets: shared.Sets = None,
    seed: options.Seed = 0,
    seeds: Annotated[int, typer.Option(min=1, max=20, help="Trainings of each share.")] = 1,
    minutes: options.Minutes = None,
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
    """Train on growing shares of the rows, and say what more rows would bring."""
    from toolkit.errors import UsageError
    from toolkit.plugins import lookup, recipes
    from toolkit.system import Console
    from toolkit_search import growing, rows_result

    found = lookup.find(task)
    source = options.source(
        found, data=data, text=text, target=target, train=train, validation=validation, test=test,
        encoding=encoding, header=header, limit=limit, seed=seed, group=group,
        near_duplicates=near_duplicates, labels=labels, sheet=sheet,
    )  # fmt: skip
    chosen = recipes.resolve(found, recipe, sets=sets or (), model=model)
    if minutes is not None:
        options.within(minutes)
    if "train" in chosen.rows:
        raise UsageError("--shares says how many rows are trained on; leave rows.train out")
    plan = shared.plan(found, source, runs, seed=seed, trust_remote_code=trust_remote_code)
    growth = growing.Growth(
        shares=growing.numbers(shares, "--shares", most=1.0, least=3),
        seeds=seeds, minutes=minutes,
    )  # fmt: skip
    wanted = growing.numbers(times, "--times", most=1e6, least=1)
    place = shared.folder(out, plan.runs, found.name, "rows")
    console = Console(quiet=as_json)
    points = growing.grown(plan, chosen, growth, place, console)
    document = rows_result.document(found, points, wanted)
    page = rows_result.write(document, place)
    shared.tell(document, page, console, as_json=as_json)
