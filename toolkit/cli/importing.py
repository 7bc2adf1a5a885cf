"""The command ``import``: a training of another tool as a recipe and a task file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from toolkit.cli.app import app
from toolkit.cli.run_options import Json


@app.command(name="import")
def import_command(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="A YAML of LLaMA-Factory or Axolotl, a config or command line of trl sft.",
        ),
    ],
    tool: Annotated[
        str | None,
        typer.Option("--from", help="llamafactory, axolotl or trl.", show_default="its keys tell"),
    ] = None,
    dataset_info: Annotated[
        Path | None,
        typer.Option(help="LLaMA-Factory's dataset_info.json.", show_default="in dataset_dir"),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the files.", show_default="that of FILE")
    ] = None,
    folder: Annotated[Path, typer.Option(help="Folder of the files.")] = Path(),
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
    as_json: Json = False,
) -> None:
    """Turn a training of LLaMA-Factory, Axolotl or TRL into a recipe and a task file."""
    from toolkit.cli.tables import print_parts, text_table
    from toolkit.errors import UsageError, did_you_mean
    from toolkit.pipeline.importing import make, written
    from toolkit.pipeline.importing.tools import TOOLS
    from toolkit.system.console import emit

    if tool is not None and tool not in TOOLS:
        raise UsageError(
            f"--from {tool!r:.40}{did_you_mean(tool, TOOLS)}: there are {', '.join(TOOLS)}"
        )
    found = make.make(file, make.Options(tool, name, folder, dataset_info, force))
    if as_json:
        files = {"task_file": str(found.task), "recipe_file": str(found.recipe)}
        emit({"tool": found.tool, **files, **written.document(found.draft),
              "commands": list(found.commands)})  # fmt: skip
        return
    table = text_table("Not carried over, or changed", "Value", "Why")
    for left in found.draft.left:
        table.add_row(left.key, left.value, left.reason)
    print_parts(table)
    typer.echo("\nWhat the toolkit decides:")
    for left in written.DECIDED:
        typer.echo(f"  - {left.reason}")
    typer.echo(f"\nwrote {found.task} and {found.recipe}; next:")
    for command in found.commands:
        typer.echo(f"  {command}")
