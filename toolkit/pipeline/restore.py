"""From a run directory back to its task and its model; its figures and report computed again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.data.source import FORMER_OPTIONS
from toolkit.errors import RunError
from toolkit.kinds.registry import model_class
from toolkit.plugins import lookup, recipes
from toolkit.reporting import report
from toolkit.runs.files import write_json
from toolkit.runs.run import Run
from toolkit.task import Task

if TYPE_CHECKING:
    from toolkit.kinds.base import TaskModel
    from toolkit.models.backend import Backend


def load_task(run: Run) -> Task:
    """The run's task, with its settings and, where they are stored already, its facts."""
    file = (run.info.get("plugin") or {}).get("file")
    task = lookup.find(file or str(run.info["task"]))()
    task.options |= _options(run, task)
    if "task_state" in run.info:
        task.load_state(run.info["task_state"])
    return task


def _options(run: Run, task: Task) -> dict[str, Any]:
    """The task's options of the run; earlier versions kept two of them with the source."""
    source = run.info.get("source") or {}
    kept = {
        new: True for old, new in FORMER_OPTIONS.items() if source.get(old) and new in task.options
    }
    return {**kept, **(run.info["recipe"].get("task") or {})}


def make_kind(run: Run, task: Task, backend: Backend | None = None) -> TaskModel:
    """The run's model with its tokenizer; the weights are not loaded yet.

    Args:
        run: has the recipe and the seed.
        task: its task.
        backend: what loads the model; transformers by default, which reads any backend's adapter.
    """
    options = run.info.get("options", {})
    return model_class(task)(
        task,
        recipes.from_dict(run.info["recipe"]),
        seed=int(run.info["seed"]),
        trust_remote_code=bool(options.get("trust_remote_code")),
        private=not options.get("store_data", True),
        backend=backend,
    )


def refresh(run: Run, task: Task) -> Path:
    """Score the run's predictions again (a person's guesses may be new) and write its report."""
    from toolkit.evaluation.score import score

    if not run.done("score"):
        raise RunError(f"run {run.id} is not finished; go on with: toolkit resume {run.path}")
    write_json(run.path / "metrics.json", score(run, task))
    return report.write(run, task)
