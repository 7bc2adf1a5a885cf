"""The training rows of a finished run, which its folder does not hold: read and split once more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.data.source import Source
from toolkit.errors import RunError
from toolkit.pipeline import inputs
from toolkit.plugins import recipes
from toolkit.runs.run import Run
from toolkit.task import Row, Task

if TYPE_CHECKING:
    from toolkit.kinds.base import TaskModel


def training_rows(run: Run, task: Task, kind: TaskModel) -> list[Row]:
    """The rows that the run was trained on, in their order.

    Args:
        run: a run whose data are read.
        task: its task.
        kind: its model, whose tokenizer says which rows are unusable.

    Raises:
        RunError: the run keeps no rows, or its data are not where they were, or have changed.
    """
    from toolkit.data import tables
    from toolkit.preparation.prepare import prepare

    if not run.info.get("options", {}).get("store_data", True):
        raise RunError(f"run {run.id} keeps no rows (--no-store-data), so none are shown")
    inputs.check_source(run)
    prepared = prepare(
        task, Source.from_dict(run.info["source"]), int(run.info["seed"]),
        unusable=kind.unusable, most=recipes.from_dict(run.info["recipe"]).rows,
    )  # fmt: skip
    if prepared.fingerprint != run.info["data"]["fingerprint"]:
        raise RunError(
            f"the data of run {run.id} have changed since it was started, so its training rows "
            "are not known"
        )
    return list(tables.rows(prepared.splits["train"]))
