"""The command ``show``: rows as a model is trained on them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from toolkit.cli import data_options as options
from toolkit.cli.app import app
from toolkit.cli.run_options import Json
from toolkit.plugins import lookup

if TYPE_CHECKING:
    from rich.text import Text

    from toolkit.pipeline.show import Shown, ShownRow

OPEN, CLOSE = "«", "»"
"""What stands around the tokens that are trained on, where there is no terminal to print bold."""
LONGEST_GROUP = 60


@app.command()
def show(
    task: options.TaskName,
    rows: Annotated[int, typer.Option(min=1, help="How many rows to show.")] = 5,
    split: Annotated[
        str | None,
        typer.Option(
            help="Show rows of this split: train, validation, calibration or test.",
            show_default="some of each",
        ),
    ] = None,
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
    recipe: options.Recipe = None,
    model: options.Model = None,
    sets: Annotated[
        list[str] | None, typer.Option("--set", help="section.field=value, as for run. Repeatable.")
    ] = None,
    seed: options.Seed = 0,
    trust_remote_code: Annotated[
        bool, typer.Option("--trust-remote-code", help="Run code that comes with the tokenizer.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show rows as a model is trained on them: prompt, what is learned, target, group and split."""
    from toolkit.pipeline import show as showing
    from toolkit.plugins import recipes
    from toolkit.system.console import emit

    found = lookup.find(task)
    source = options.source(
        found, data=data, text=text, target=target, train=train, validation=validation, test=test,
        encoding=encoding, header=header, limit=limit, seed=seed, group=group,
        near_duplicates=near_duplicates, labels=labels, sheet=sheet,
    )  # fmt: skip
    chosen = recipes.resolve(found, recipe, sets=sets or (), model=model)
    shown = showing.show(
        found, chosen, source, rows=rows, split=split, trust_remote_code=trust_remote_code
    )
    if as_json:
        emit(dataclasses.asdict(shown))
        return
    _print(shown)


def _print(shown: Shown) -> None:
    from rich.console import Console

    console = Console(highlight=False)

    def say(text: Any, style: str = "") -> None:
        console.print(text, style=style, markup=False, soft_wrap=True)

    for note in shown.notes:
        say(note, "dim")
    for row in shown.rows:
        say(f"\n{row.split}, row {row.row_id}, {_group(shown, row)}", "bold cyan")
        if row.problem:
            say(f"it cannot be trained on: {row.problem}", "red")
        else:
            say(_passages(row, plain=not console.is_terminal))
            if row.cut:
                say(f"({row.cut:,} of {row.tokens:,} tokens are cut: it loses {shown.loses})")
        say(f"target: {json.dumps(row.target, ensure_ascii=False, default=str)}")
        if row.learned:
            say(f"learned as: {row.learned}")
    mark = f"{OPEN}…{CLOSE}" if not console.is_terminal else "what is bold and underlined"
    limit = f"; a row has at most {shown.max_length:,} tokens" if shown.max_length else ""
    windows = " (longer ones are read in windows, of which one is shown)" if shown.windowed else ""
    learned = any(piece["loss"] for row in shown.rows for piece in row.passages)
    what = f"{mark} is trained on" if learned else "the whole text is read, and the target learned"
    say(f"\n{what}; tokens of {shown.model}{limit}{windows}", "dim")


def _group(shown: Shown, row: ShownRow) -> str:
    """The row's group in a few words: how many rows of its split are in it, and what they share."""
    rows = f"{row.group_rows:,} row{'s' * (row.group_rows != 1)}"
    if shown.grouped_by:
        return f"group of {rows} with the same {shown.grouped_by!r}"
    flat = " ".join(row.group.split())
    name = flat if len(flat) <= LONGEST_GROUP else f"{flat[: LONGEST_GROUP - 1]}…"
    return f"group of {rows}: {name}"


def _passages(row: ShownRow, *, plain: bool) -> Text:
    """What the model reads, with the tokens that are trained on marked, and unknown ones too."""
    from rich.text import Text

    text = Text()
    for piece in row.passages:
        text.append(_marked(piece) if plain else str(piece["text"]), _style(piece, plain))
    return text


def _marked(piece: Mapping[str, Any]) -> str:
    return f"{OPEN}{piece['text']}{CLOSE}" if piece["loss"] else str(piece["text"])


def _style(piece: Mapping[str, Any], plain: bool) -> str:
    if plain:
        return ""
    if piece["unknown"]:
        return "bold red"
    return "bold underline" if piece["loss"] else ""
