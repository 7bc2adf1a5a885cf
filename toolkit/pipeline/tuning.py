"""One training for a search: judged on validation rows alone, and nothing of it is kept."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass

from toolkit.kinds.watching import TrainingWatch
from toolkit.models import backend_choice
from toolkit.pipeline import stages, train
from toolkit.pipeline.context import RunContext
from toolkit.pipeline.start import offline
from toolkit.runs import lock
from toolkit.runs.run import Run
from toolkit.system import environment
from toolkit.system.console import Console

SEED = 1000
"""Is added to the run's seed: what is trained again later has seeds that no trial had."""


@dataclass(frozen=True)
class Tried:
    """What a training has given.

    Args:
        value: the primary metric on validation rows, of the checkpoint that was kept.
        seconds: the time of training.
        steps: the steps that were done.
        planned: those of the recipe.
    """

    value: float
    seconds: float
    steps: int
    planned: int


def tried(
    run: Run, console: Console, on_value: Callable[[int, float], None] = lambda number, value: None
) -> Tried:
    """Train in a new run directory, and remove it.

    Rows are checked and the memory is estimated before the model is loaded, as in any run. No test
    row is predicted.

    Args:
        run: the run directory, in which nothing is done.
        console: where progress is shown.
        on_value: is called with the number of an evaluation, from 1, and its value; what it raises
            ends the training.

    Raises:
        ToolkitError: the settings cannot work, or do not fit into memory.
    """
    context = RunContext.of(run, console)
    environment.prepare(offline=offline(context.recipe, context.source, run.info))
    backend_choice.get(context.backend["name"])
    metric, seen = context.task.primary_metric, 0

    def on_log(entry: dict[str, object]) -> None:
        nonlocal seen
        value = entry.get(f"eval_{metric}")
        if isinstance(value, int | float):
            seen += 1
            on_value(seen, float(value))

    try:
        with lock.held(run.path, console.warn):
            stages.prepare_data(context)
            stages.fit_base(context)
            context.model.seed = context.seed + SEED
            watch = TrainingWatch(on_log=on_log, on_note=console.note)
            splits = context.prepared.splits
            trained = train.train(
                context.model, splits, run, "adapter", watch, {"report_to": "none"}
            ).info
    finally:
        shutil.rmtree(run.path, ignore_errors=True)
    return Tried(
        float(trained["best_metric"]), float(trained["seconds"]),
        int(trained["steps"]), int(trained["planned_steps"]),
    )  # fmt: skip
