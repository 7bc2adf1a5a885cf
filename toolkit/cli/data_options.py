"""The options that name data and a recipe, shared by ``run``, ``check``, ``show`` and ``init``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any

import typer

from toolkit.errors import UsageError

if TYPE_CHECKING:
    from toolkit.data.source import Source
    from toolkit.task import Task

TaskName = Annotated[
    str, typer.Argument(help="A task (see: toolkit tasks), or a file my_task.py or .toml.")
]
Data = Annotated[
    str | None,
    typer.Option(
        help="csv, tsv, json, jsonl, parquet, xlsx or ods file, or a Hub dataset id.",
        show_default="the task's own data",
    ),
]
Recipe = Annotated[
    str | None,
    typer.Option(help="A recipe of the task, or a TOML file.", show_default="the first"),
]
Model = Annotated[
    str | None, typer.Option(help="Hub id or local folder, instead of the recipe's model.")
]
RemoteCode = Annotated[
    bool, typer.Option("--trust-remote-code", help="Run code that comes with the model.")
]
Minutes = Annotated[
    float | None,
    typer.Option(
        help="End training after so many minutes with the best so far; its schedule is fitted to "
        "them.",
        show_default="the recipe's early_stopping.minutes",
    ),
]
Text = Annotated[
    str | None,
    typer.Option(
        help="Text column, several ('name,description'), or a template "
        "('{name} in {city}'); numbers where the file has no header."
    ),
]
Target = Annotated[str | None, typer.Option(help="Column to predict.")]
Train = Annotated[str | None, typer.Option(help="File of training rows, instead of --data.")]
Validation = Annotated[str | None, typer.Option(help="File of validation rows.")]
Test = Annotated[str | None, typer.Option(help="File of test rows.")]
Encoding = Annotated[str | None, typer.Option(help="Encoding of the file, such as cp1252.")]
Header = Annotated[
    bool | None,
    typer.Option("--header/--no-header", help="Whether the file begins with column names."),
]
Labels = Annotated[
    str | None,
    typer.Option(
        help="What the file's labels mean ('0=negative,2=neutral,4=positive'; '0=' leaves rows "
        "out), or the ends of their scale ('0..100')."
    ),
]
Sheet = Annotated[str | None, typer.Option(help="Sheet of a workbook (xlsx, ods, …) with several.")]
Seed = Annotated[
    int,
    typer.Option(min=0, max=2**31 - 1, help="Random seed of splits, weights and order."),
]
"""numpy takes no negative seed, and none from 2**32; each further training adds one to it."""
Limit = Annotated[
    int | None,
    typer.Option(min=1, help="Use only this many rows, drawn at random with --seed."),
]
Group = Annotated[
    str | None,
    typer.Option(
        help="Column that rows of one split share, such as a user or a product.",
        show_default="the same text",
    ),
]
NearDuplicates = Annotated[
    bool | None,
    typer.Option(
        "--near-duplicates/--no-near-duplicates",
        help="Keep rows with nearly the same text in one split too (needs an extra).",
        show_default=False,
    ),
]


def source(task: type[Task], **options: Any) -> Source:
    """The source that a command's options and the task's file make.

    Args:
        task: the task; one of a task file brings defaults.
        options: fields of :class:`~toolkit.data.source.Source`; ``None``: not given.
    """
    from toolkit.plugins.file_options import merged

    return merged(task, options)


def within(minutes: float | None, trainings: int = 1) -> list[str]:
    """``--minutes`` as a setting of the recipe: each of several trainings gets its share.

    Raises:
        UsageError: they are not above 0.
    """
    if minutes is None:
        return []
    if not 0 < minutes < math.inf:
        raise UsageError(f"--minutes {minutes:g} must be above 0")
    return [f"early_stopping.minutes={minutes / trainings:.6g}"]
