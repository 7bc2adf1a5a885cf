"""A real run in seconds, with a tiny random model."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from toolkit.task import Task


@dataclass(frozen=True)
class FinishedRun:
    """A finished run.

    Args:
        path: its folder.
        metrics: the content of ``metrics.json``.
    """

    path: Path
    metrics: Mapping[str, Any]

    def predictions(self, system: str) -> list[dict[str, Any]]:
        """The lines of ``predictions/SYSTEM.jsonl``, one a held-out row."""
        from toolkit.runs.files import read_jsonl

        return read_jsonl(self.path / "predictions" / f"{system}.jsonl")


def run(
    task: type[Task],
    folder: Path,
    *,
    model: str | Path | None = None,
    data: str | Path | None = None,
    limit: int | None = 80,
    steps: int = 2,
) -> FinishedRun:
    """A real run of a few training steps, from data to report.

    Args:
        task: the task's class; it need not be installed.
        folder: where the run, and the tiny model if none is given, are put.
        model: a folder with a model; a tiny random one of the task's kind by default.
        data: a file instead of the task's own data.
        limit: rows that are used; ``None``: all.
        steps: training steps.
    """
    from toolkit.data.source import Source
    from toolkit.pipeline import start
    from toolkit.pipeline.run import execute
    from toolkit.plugins import discovery, recipes, registration
    from toolkit.runs.files import read_json
    from toolkit.system import environment
    from toolkit.system.console import Console
    from toolkit.testing import models

    environment.prepare(offline=True)
    discovery.load()  # a plugin may bring the task's kind
    registration.check_registration(task)
    origin = discovery.Plugin(task.name, "under test", "0", task.__module__, [task.name])
    with discovery.load().provided(task, origin):
        recipe = recipes.resolve(
            task,
            model=str(model or models.tiny(task, folder / "models")),
            sets=[f"{key}={value}" for key, value in _quick(task, steps).items()],
        )
        started = start.start(
            task,
            dataclasses.replace(recipe, quantization=None),
            Source(data=str(data) if data else None, limit=limit),
            runs=folder / "runs",
            options={"seed": 0, "seeds": 1, "store_data": True},
        )
        finished = execute(started, Console(quiet=True))
    return FinishedRun(finished.path, read_json(finished.path / "metrics.json"))


def _quick(task: type[Task], steps: int) -> dict[str, Any]:
    """``--set`` fields with which a run ends in seconds on any machine."""
    longest = int(task.recipes[0].training.get("max_length") or 512)
    settings: dict[str, Any] = {
        "training.max_steps": steps,
        "training.eval_strategy": "steps",
        "training.eval_steps": steps,
        "training.save_steps": steps,
        "training.per_device_train_batch_size": 4,
        "training.bf16": "false",
        "training.report_to": "none",
        "training.max_length": min(longest, 512),
        "training.model_init_kwargs": "none",
    }
    return settings
