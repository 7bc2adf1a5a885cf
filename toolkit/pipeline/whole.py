"""A whole run for a command that needs several: started, carried out, read back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from toolkit.data.source import Source
from toolkit.errors import RunError
from toolkit.recipe import Recipe
from toolkit.runs.files import read_json
from toolkit.runs.run import Run
from toolkit.system.console import Console
from toolkit.task import Task


@dataclass(frozen=True)
class Plan:
    """What is the same in all runs of a command.

    Args:
        task: the class of the task.
        source: where the rows come from.
        runs: the folder of all runs.
        command: the command line, for the reports.
        options: those of :func:`toolkit.pipeline.start.start`, but for the seeds.
    """

    task: type[Task]
    source: Source
    runs: Path
    command: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)

    def begin(self, recipe: Recipe, *, seeds: int = 1) -> Run:
        """A new run directory, in which nothing is done."""
        from toolkit.pipeline.start import start

        return start(
            self.task, recipe, self.source, runs=self.runs, command=self.command,
            options={"seed": 0, "store_data": True, **self.options, "seeds": seeds},
        )  # fmt: skip


def carried_out(run: Run, console: Console) -> dict[str, Any]:
    """Do what is left of a run, and give its ``metrics.json``.

    A run that is refused before any stage is done leaves no folder.

    Raises:
        ToolkitError: it is refused, or its task fails.
    """
    if not run.finished:
        from toolkit.pipeline.run import carry_out

        carry_out(run, console)
    return metrics(run)


def metrics(run: Run) -> dict[str, Any]:
    """The ``metrics.json`` of a finished run.

    Raises:
        RunError: it cannot be read.
    """
    try:
        found = read_json(run.path / "metrics.json")
    except (OSError, json.JSONDecodeError) as error:
        raise RunError(
            f"run {run.id} has no metrics.json; see: toolkit report {run.path}"
        ) from error
    if not isinstance(found, dict):
        raise RunError(f"{run.path / 'metrics.json'} holds no object")
    return found
