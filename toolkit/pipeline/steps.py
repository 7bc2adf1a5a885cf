"""The steps that a training has saved: kept with the run, and compared on its test rows."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.errors import ModelError, RunError, UsageError
from toolkit.evaluation.groups import groups_of_rows
from toolkit.evaluation.noninferiority import row_values
from toolkit.kinds import checkpoints
from toolkit.metrics import statistics
from toolkit.pipeline.predict import open_run, read
from toolkit.pipeline.restore import heldout_rows
from toolkit.runs.evaluated import trained_models
from toolkit.runs.run import Run

if TYPE_CHECKING:
    from toolkit.kinds.base import Progress, TaskModel
    from toolkit.task import Row, Task

FOLDER = "steps"
"""In a run: an adapter's folder for each step that was saved, ``step-N``."""
TAKEN = ("adapter_model.safetensors", "adapter_config.json")
"""What a step has of its own; all else is as the adapter has it."""
FINAL = ("training.json", "test_results.json", "members")
"""Of the adapter alone: the figures of its training and its answers, and an ensemble of steps."""


def keep(run: Run, say: Callable[[str], None]) -> int:
    """Keep the steps of the first training that are still there, where a run was asked to.

    Each becomes an adapter's folder.

    Args:
        run: the run, before its checkpoints are removed.
        say: gets a sentence where nothing can be kept.

    Returns:
        how many there are.
    """
    if not run.info.get("options", {}).get("keep_steps") or not run.checkpoints.is_dir():
        return 0
    kept = 0
    for place in checkpoints.found(run.checkpoints / run.adapter.name):
        step = checkpoints.step_of(place)
        if not step or not (place / TAKEN[0]).is_file() or checkpoints.problem(place) is not None:
            continue
        target = run.path / FOLDER / f"step-{step}"
        fresh = run.path / FOLDER / f".step-{step}.new.tmp"
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.copytree(run.adapter, fresh, ignore=lambda folder, names: [*TAKEN, *FINAL])
        for name in TAKEN:
            shutil.copyfile(place / name, fresh / name)
        shutil.rmtree(target, ignore_errors=True)
        fresh.rename(target)
        kept += 1
    if not kept:
        say("no step of the training was kept: only adapters are, and this one saved none")
    return kept


def saved(run: Run) -> list[tuple[int, Path]]:
    """The steps that a run has kept, the first one first, and their folders."""
    found = [
        (int(place.name.removeprefix("step-")), place)
        for place in (run.path / FOLDER).glob("step-*")
        if place.name.removeprefix("step-").isdigit()
    ]
    return sorted(found)


def compare_steps(
    run: Run, track: Callable[[str], Progress] = lambda what: lambda done, total: None
) -> dict[str, Any]:
    """Have each step answer the run's test rows, and compare it with the adapter, row by row.

    All of them are read by the decoder and the tuned values of the run. The figures are to look at:
    to choose a step by its test rows would make them training rows.

    Args:
        run: a finished run that has kept steps.
        track: makes a progress of the name of what is being asked.

    Returns:
        ``metric``, ``rows``, ``groups``, ``adapter`` (value, low, high, and the step it is of), and
        ``steps``: of each ``step``, ``value``, ``low``, ``high`` and ``difference`` to the adapter
        (value, low, high, p), or ``why`` where it cannot answer.

    Raises:
        UsageError: the run has kept none.
        RunError: it stores no test rows, or is not finished.
    """
    steps = saved(run)
    if not steps:
        raise UsageError(
            f"run {run.id} has kept no steps: toolkit run … --keep-steps, and --set "
            "training.save_total_limit=N for as many as you want"
        )
    rows = [row for (split, _), row in heldout_rows(run).items() if split == "test"]
    if not rows:
        raise RunError(f"run {run.id} stores no test rows (--no-store-data)")
    task, kind = open_run(run)
    groups = groups_of_rows(task, rows)
    metric = task.metric()

    def figures(values: Sequence[Any]) -> dict[str, Any]:
        found: dict[str, Any] = statistics.as_json(
            statistics.interval(metric, values, groups=groups)
        )
        return found

    ours = _values(run, task, kind, rows, track("adapter"))
    lines: list[dict[str, Any]] = []
    for step, folder in steps:
        try:
            kind.load_adapter(folder)
        except ModelError as error:
            lines.append({"step": step, "why": str(error)})
            continue
        theirs = _values(run, task, kind, rows, track(f"step {step}"))
        gap = statistics.paired(metric, theirs, ours, groups=groups)
        lines.append({"step": step, **figures(theirs), "difference": statistics.as_json(gap)})
    return {
        "version": 1,
        "run": run.id,
        "metric": {
            "name": metric.name, "label": metric.label or metric.name, "unit": metric.unit,
            "format": metric.format, "greater_is_better": metric.greater_is_better,
        },
        "rows": len(rows),
        "groups": len(set(groups)) if groups else None,
        "adapter": {"step": (run.info.get("training") or {}).get("best_step"), **figures(ours)},
        "steps": lines,
    }  # fmt: skip


def _values(
    run: Run, task: Task, kind: TaskModel, rows: Sequence[Row], progress: Progress
) -> list[Any]:
    """The primary metric of each row, as the adapter that is loaded answers it."""
    outputs = kind.predict(rows, adapter=True, progress=progress)
    answers = read(run, task, trained_models(run)[0].system, outputs, rows)
    return row_values(task, [one["prediction"] for one in answers], rows)
