"""The training rows of a finished run, which its folder does not hold: read and split once more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.data.source import Source
from toolkit.errors import RunError
from toolkit.pipeline import inputs
from toolkit.plugins import recipes
from toolkit.recipe import Recipe
from toolkit.runs import evaluated
from toolkit.runs.run import Run
from toolkit.task import Row, Task

if TYPE_CHECKING:
    from toolkit.kinds.base import TaskModel
    from toolkit.preparation.prepare import Prepared, Unusable


def splits_of(run: Run, task: Task, source: Source, recipe: Recipe, unusable: Unusable) -> Prepared:
    """The rows of a run in their splits, read from its source."""
    from toolkit.preparation.prepare import prepare

    judged = evaluated.of(run)
    return prepare(
        task, source, int(run.info["seed"]), unusable=unusable, most=recipe.rows,
        curation=recipe.curation, untrained=bool(judged and judged.untrained),
    )  # fmt: skip


def training_rows(run: Run, task: Task, kind: TaskModel) -> list[Row]:
    """The rows that the run was trained on, in their order.

    Args:
        run: a run whose data are read.
        task: its task.
        kind: its model, whose tokenizer says which rows are unusable.

    Raises:
        RunError: the run keeps no rows or has none to train on, or its data are not where they
            were, or have changed.
    """
    from toolkit.data import tables

    if not run.info.get("options", {}).get("store_data", True):
        raise RunError(f"run {run.id} keeps no rows (--no-store-data), so none are shown")
    inputs.check_source(run)
    prepared = splits_of(
        run, task, Source.from_dict(run.info["source"]), recipes.from_dict(run.info["recipe"]),
        kind.unusable,
    )  # fmt: skip
    if prepared.fingerprint != run.info["data"]["fingerprint"]:
        raise RunError(
            f"the data of run {run.id} have changed since it was started, so its training rows "
            "are not known"
        )
    if not len(prepared.splits["train"]):
        raise RunError(
            f"run {run.id} judges what was trained elsewhere and was given no training rows, so "
            "none are shown"
        )
    return list(tables.rows(prepared.splits["train"]))
