"""Options that ``rows`` and ``sweep`` share, and what they become."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from toolkit import Source, Task
    from toolkit.pipeline.whole import Plan
    from toolkit.system import Console

Sets = Annotated[
    list[str] | None,
    typer.Option(
        "--set", help="section.field=value, such as training.learning_rate=1e-3. Repeatable."
    ),
]


def folder(given: Path | None, runs: Path, task: str, command: str) -> Path:
    """The folder of a command's results: the given one, or a new one among the task's runs."""
    if given is not None:
        return given
    stamp = dt.datetime.now(dt.UTC).strftime("%Y%m%d-%H%M%S")
    place, number = runs / task / f"{command}-{stamp}", 2
    while place.exists():
        place, number = place.with_name(f"{command}-{stamp}-{number}"), number + 1
    return place


def plan(
    task: type[Task], source: Source, runs: Path | None, *, seed: int, trust_remote_code: bool
) -> Plan:
    """How the runs of a command begin: on the same rows, by transformers or Unsloth."""
    import sys

    from toolkit.pipeline import whole
    from toolkit.runs import runs_folder

    return whole.Plan(
        task, source, runs_folder(runs), command=("toolkit", *sys.argv[1:]),
        options={"seed": seed, "trust_remote_code": trust_remote_code, "backend": "auto",
                 "allow_truncation": True},
    )  # fmt: skip


def tell(document: dict[str, Any], page: Path, console: Console, *, as_json: bool) -> None:
    """Print a command's results: as JSON, or the sentences and where the page is."""
    from toolkit.system import emit

    if as_json:
        emit(document)
        return
    for sentence in document["sentences"]:
        console.say(sentence)
    console.say(f"report: {page}")
