"""What a task's methods give on a few rows, looked at before anything is predicted or trained.

A mistake that ``toolkit check`` finds would otherwise end a run after its training.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from toolkit.errors import PluginError
from toolkit.task import Baseline, Row, Task

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

CHECKED = 200
"""The most validation rows on which metrics and slices are tried."""
FIT_ROWS, PREDICTED = 100, 8
"""The most rows that baselines are fitted on and predict."""


def check_task(task: Task, splits: DatasetDict) -> None:
    """Refuse a task whose metrics, slices, targets or baselines cannot be used.

    Raises:
        PluginError: naming what is wrong; of an exception, where it was raised.
    """
    task.targets()
    task.row_transforms()
    with contextlib.suppress(NotImplementedError):
        task.fallback()
    check_metrics(task, splits["validation"])
    check_slices(task, splits["validation"])
    for name, fit in {**task.baselines(), **task.controls()}.items():
        check_baseline(name, fit, splits)


def check_metrics(task: Task, rows: Iterable[Row]) -> None:
    """Refuse a metric whose values are of uneven shape, found on references that judge themselves.

    Metrics that prepare all predictions at once are left to the predictions of the baselines, and
    so are rows whose reference is no prediction, for which a metric raises an exception.
    """
    from toolkit.evaluation.prediction_files import figures
    from toolkit.runs.predictions import check_shapes

    lines = []
    for row in itertools.islice(rows, CHECKED):
        values = {}
        reference = task.reference(row)
        for metric in task.metrics:
            if metric.prepare is None:
                with contextlib.suppress(PluginError):
                    values[metric.name] = figures(metric, reference, reference, row)
        lines.append({"split": "validation", "row_id": row["row_id"], "metrics": values})
    check_shapes({"the references": lines})


def check_slices(task: Task, rows: Iterable[Row]) -> None:
    """Refuse a slice that raises an exception, or puts a row into a part that has no name."""
    parts = task.slices()
    for row in itertools.islice(rows, CHECKED):
        for name, part_of in parts.items():
            part = part_of(row)
            if part is not None and not isinstance(part, str):
                raise PluginError(
                    f"slice {name!r} returned {part!r:.60} for row {row['row_id']}; return the "
                    "part's name or None"
                )


def check_baseline(name: str, fit: Baseline, splits: Mapping[str, Dataset]) -> None:
    """Refuse a baseline that gives no prediction for a row, or too few or too many.

    One that raises an exception here may only lack rows; it is fitted on all of them later.

    Raises:
        PluginError: naming the baseline.
    """
    from toolkit.evaluation.predict import wrong_predictions, wrong_predictor

    few = splits["train"].select(range(min(FIT_ROWS, len(splits["train"]))))
    unseen = splits["validation"].select(range(min(PREDICTED, len(splits["validation"]))))
    try:
        predictor: Any = fit(few)
        predictions = predictor(unseen) if callable(predictor) else []
        answers: list[Any] | None = None if predictions is None else list(predictions)
    except Exception:
        return
    problem = wrong_predictor(predictor) or wrong_predictions(
        answers, [row["row_id"] for row in unseen]
    )
    if problem:
        raise PluginError(f"baseline {name!r} {problem}")
