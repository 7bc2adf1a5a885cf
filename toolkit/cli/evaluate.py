"""``toolkit evaluate``: judge what was trained elsewhere."""

from __future__ import annotations

from typing import Annotated

import typer

from toolkit.cli import data_options as options
from toolkit.cli import system_options
from toolkit.cli.app import app
from toolkit.cli.run import carry_out
from toolkit.cli.run_options import Json, Runs
from toolkit.errors import UsageError
from toolkit.plugins import lookup


@app.command()
def evaluate(
    adapters: Annotated[
        list[str],
        typer.Argument(
            metavar="ADAPTER...",
            help="Folders or Hub ids: PEFT adapters of any tool, merged or fully trained models.",
        ),
    ],
    task: Annotated[
        str, typer.Option(help="A task (see: toolkit tasks), or a file my_task.py or .toml.")
    ],
    data: Annotated[
        str, typer.Option(help="The rows to judge on, all of them: a file or a Hub dataset id.")
    ],
    base: Annotated[
        str | None,
        typer.Option(
            help="The untouched model: Hub id or local folder.",
            show_default="what the adapter names",
        ),
    ] = None,
    train: Annotated[
        str | None, typer.Option(help="File of training rows, for the baselines alone.")
    ] = None,
    validation: options.Validation = None,
    prompt: Annotated[
        str | None,
        typer.Option(
            help="task or adapter: whose prompts the adapter is asked with, where they differ."
        ),
    ] = None,
    text: options.Text = None,
    target: options.Target = None,
    encoding: options.Encoding = None,
    header: options.Header = None,
    labels: options.Labels = None,
    sheet: options.Sheet = None,
    limit: options.Limit = None,
    group: options.Group = None,
    near_duplicates: options.NearDuplicates = None,
    recipe: Annotated[
        str | None,
        typer.Option(help="A recipe of the task, or a TOML file: how models are loaded and asked."),
    ] = None,
    sets: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="section.field=value, such as generation.max_new_tokens=32. Repeatable."
        ),
    ] = None,
    seed: options.Seed = 0,
    store_data: Annotated[
        bool, typer.Option("--store-data/--no-store-data", help="Keep the test rows in the run.")
    ] = True,
    trust_remote_code: options.RemoteCode = False,
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
    """Judge adapters and models that were trained elsewhere, on rows of your own."""
    from toolkit.pipeline import evaluate as evaluation
    from toolkit.pipeline.prompt_choice import WAYS
    from toolkit.pipeline.start import command_line
    from toolkit.runs.run import runs_folder

    if prompt is not None and prompt not in WAYS:
        raise UsageError(f"--prompt {prompt}: give {' or '.join(WAYS)}")
    found = lookup.find(task)
    given = options.source(
        found, data=data, text=text, target=target, encoding=encoding, header=header, limit=limit,
        seed=seed, group=group, near_duplicates=near_duplicates, labels=labels, sheet=sheet,
    )  # fmt: skip
    source = evaluation.source_of(given, data=data, train=train, validation=validation)
    further = system_options.noted(
        found, systems, runs_folder(runs), max_cost=max_cost, price_in=price_in,
        price_out=price_out, parallel=parallel, answer_tokens=answer_tokens, answers=answers,
    )  # fmt: skip
    created = evaluation.start(
        found, adapters, source, base=base, untrained=train is None, runs=runs_folder(runs),
        recipe=recipe, sets=sets or (), prompt=prompt, command=command_line(), further=further,
        options={"seed": seed, "seeds": 1, "store_data": store_data, "allow_truncation": True,
                 "trust_remote_code": trust_remote_code},
    )  # fmt: skip
    carry_out(created, as_json)
