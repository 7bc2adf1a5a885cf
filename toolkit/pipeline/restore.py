"""Load the task and the model of a run directory, and write its figures and report again."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.data.source import FORMER_OPTIONS
from toolkit.errors import RunError, ToolkitError
from toolkit.kinds.registry import model_class
from toolkit.pipeline import inputs
from toolkit.plugins import discovery, file_options, fingerprint, guarded, lookup, recipes
from toolkit.recipe import Recipe
from toolkit.reporting import report
from toolkit.runs import lock, record, trust
from toolkit.runs.files import read_jsonl, write_json
from toolkit.runs.run import Run
from toolkit.task import Row, Task

if TYPE_CHECKING:
    from toolkit.kinds.base import TaskModel
    from toolkit.models.backend import Backend


def load_task(run: Run) -> Task:
    """The run's task, with its options and, once it is stored, its state.

    Raises:
        RunError: its file is not where it was.
        UsageError: it is in a Python file that this user has not run, see
            :mod:`toolkit.runs.trust`.
    """
    inputs.check_task(run)
    file = trust.task_file(run)
    with file_options.of_stored_run():
        # Never a file's task of the same name, which another run has brought into this process.
        found = lookup.find(file) if file else discovery.load().installed(str(run.info["task"]))
        task = guarded.instance(found)
    task.options |= _options(run, task)
    if "task_state" in run.info:
        task.load_state(run.info["task_state"])
    return task


def _options(run: Run, task: Task) -> dict[str, Any]:
    """The options of the run's task; earlier versions stored two of them with the source."""
    source = run.info.get("source") or {}
    former = {
        new: True for old, new in FORMER_OPTIONS.items() if source.get(old) and new in task.options
    }
    return {**former, **(run.info["recipe"].get("task") or {})}


def make_kind(
    run: Run, task: Task, backend: Backend | None = None, recipe: Recipe | None = None
) -> TaskModel:
    """The run's model with its tokenizer; the weights are not loaded yet.

    Args:
        run: the run, whose recipe and random seed are used.
        task: its task.
        backend: what loads the model; transformers by default, which reads any backend's adapter.
        recipe: another recipe than the run's, such as one for a copy of its model.

    Raises:
        RunError: the model is not where it was, or is another one.
    """
    inputs.check_model(run)
    options = run.info.get("options", {})
    trust.check_settings(run.info)
    return model_class(task)(
        task,
        recipe or recipes.from_dict(run.info["recipe"]),
        seed=int(run.info["seed"]),
        trust_remote_code=trust.remote_code(run.info),
        private=not options.get("store_data", True),
        backend=backend,
    )


def base_of(run: Run) -> tuple[str, str]:
    """What decides whether two runs' adapters go on one base: the model, and how it is loaded."""
    from toolkit.models import model_path, packaged

    recipe = run.info["recipe"]
    init = (recipe.get("training") or {}).get("model_init_kwargs")
    model = str(recipe.get("model", ""))
    if model not in packaged.NAMES:  # whose names say which weights, without converting them
        with contextlib.suppress(ToolkitError):  # one that was moved is nobody else's trouble
            model = model_path(model)
    return model, repr((recipe.get("quantization"), init))


def refresh(run: Run, task: Task, say: Callable[[str], None] = lambda sentence: None) -> Path:
    """Score the run's predictions again, as a person may have added guesses, and write its report.

    A run that ended while it was scored, because of a fault in its task, is finished by this.

    What the figures are computed from stays as the run recorded it: where it was changed by other
    means, the report has a caveat, and ``--verify`` still finds the change.

    Args:
        run: a run that is scored.
        task: its task.
        say: gets what a person should know, one sentence each.

    Returns:
        the path of ``report.html``.

    Raises:
        RunError: the run has not predicted its rows yet.
        BusyError: another process works at it.
    """
    with lock.held(run.path, say):
        run.info = run.reread()
        return _refreshed(run, task, say)


def _refreshed(run: Run, task: Task, say: Callable[[str], None]) -> Path:
    from toolkit.evaluation import trainer_results
    from toolkit.evaluation.score import score
    from toolkit.pipeline import other_code

    if not run.done("predict"):
        raise RunError(f"run {run.id} is not finished; go on with: toolkit resume {run.path}")
    altered = record.changed(run, record.sources(run))
    for sentence in (*altered.values(), *record.other_systems(run)):
        say(f"{sentence}; see: toolkit report {run.path} --verify")
    other_code.on_report(run, task, heldout_rows(run), say)
    other_code.score_unscored(run, task, lambda: heldout_rows(run))
    document = score(run, task)
    if altered:
        document["verdict"]["caveats"].append(record.caveat(altered))
    write_json(run.path / "metrics.json", document)
    trainer_results.write(run, document)
    page = report.write(run, task)
    if record.of(run):
        run.info["record"]["pages"] = fingerprint.of_pages()
    for stage in ("score", "report"):
        if not run.done(stage):
            before = run.info["stages"].get(stage, {"seconds": 0.0})
            run.info["stages"][stage] = {**before, "state": "done"}
            run.save()
    record.rewrote(run, record.REWRITTEN)
    return page


def heldout_rows(run: Run) -> dict[tuple[str, Any], Row]:
    """The held-out rows of a run by split and number; none where it does not store them."""
    place = run.data / "heldout.jsonl"
    rows = read_jsonl(place) if place.is_file() else []
    return {
        (row["split"], row["row_id"]): {k: v for k, v in row.items() if k != "split"}
        for row in rows
    }
