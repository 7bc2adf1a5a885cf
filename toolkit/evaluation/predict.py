"""From systems to ``predictions/SYSTEM.jsonl``: every system on the same held-out rows.

A system is a baseline, the untouched base (zero-shot, few-shot) or an adapter. Its decoder is
chosen on ``validation`` rows and its intervals are calibrated on ``calibration`` rows; ``test``
rows are only predicted.
"""

from __future__ import annotations

import contextlib
import errno
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from toolkit.data.no_rows import MissingRows, NoRows
from toolkit.data.splits import HELD_OUT, present
from toolkit.errors import MissingExtra, PluginError, ToolkitError
from toolkit.evaluation.outputs import (
    Answered,
    interval_width,
    store_outputs,
    validation_figure,
)
from toolkit.evaluation.prediction_files import (
    Tolerated,
    is_finite,
    line,
    prepare_metrics,
    write_system,
)
from toolkit.runs.run import Run
from toolkit.system import distributed

if TYPE_CHECKING:
    from datasets import DatasetDict

    from toolkit.kinds.base import Progress, TaskModel
    from toolkit.task import Baseline, Row, Task


def held_out_rows(task: Task, splits: DatasetDict) -> dict[str, list[Row]]:
    """The held-out rows that a system predicts, as plain dicts, by split.

    Calibration rows are left out where the task has no intervals, because nothing else uses them.
    """
    there = present(splits, HELD_OUT)
    if not has_intervals(task):
        there = tuple(split for split in there if split != "calibration")
    return {split: [dict(row) for row in splits[split]] for split in there}


def has_intervals(task: Task) -> bool:
    """Whether a task defines :meth:`~toolkit.Task.residual`, which intervals are made from."""
    from toolkit.task import Task as Contract

    return type(task).residual is not Contract.residual


def predict_baseline(
    run: Run, task: Task, name: str, fit: Baseline, splits: DatasetDict, role: str = "baseline"
) -> dict[str, Any]:
    """Fit a baseline, predict the held-out rows, and write its predictions file.

    Args:
        run: the run that gets the file.
        task: the task of the run.
        name: the name of the baseline.
        fit: fits it on the training rows.
        splits: the rows of the run.
        role: ``baseline``, or ``control`` for a system that only shows how to read the figures.

    Returns:
        The entry of ``systems.json``, and the primary metric on validation rows as ``validation``.

    Raises:
        BaselineFailed: it raises an exception, or gives no prediction for a row.
        MissingRows: it needs training rows, and there are none.
    """
    rows = held_out_rows(task, splits)
    with _failing():
        started = time.perf_counter()
        train: Any = splits["train"]
        predictor = fit(train if len(train) else NoRows())
        if problem := wrong_predictor(predictor):
            raise PluginError(f"it {problem}")
        fitted = time.perf_counter()
        predictions = {split: _answers(predictor(splits[split]), rows[split]) for split in rows}
        ended = time.perf_counter()
    width = interval_width(task, predictions.get("calibration", []), rows.get("calibration", []))
    prepare_metrics(
        task, [p for answers in predictions.values() for p in answers],
        [task.reference(row) for of in rows.values() for row in of],
    )  # fmt: skip
    share = (ended - fitted) / max(1, sum(map(len, predictions.values())))
    lines = [
        line(task, split, row, prediction, width, seconds=share)
        for split in rows
        for row, prediction in zip(rows[split], predictions[split], strict=True)
    ]
    entry = write_system(
        run, name, role, lines, width,
        fit_seconds=fitted - started, predict_seconds=ended - fitted,
    )  # fmt: skip
    return entry | {"validation": validation_figure(task.metric(), lines)}


class BaselineFailed(PluginError):
    """A baseline cannot be fitted, or does not predict; the run goes on without it."""


@contextlib.contextmanager
def _failing() -> Iterator[None]:
    """Within the block a baseline works; what it raises means that it failed."""
    try:
        yield
    except (MissingExtra, MissingRows):
        raise
    except Exception as error:  # a baseline may raise anything
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise
        said = " ".join(str(error).split())[:500]
        named = said if isinstance(error, ToolkitError) else f"{type(error).__name__}: {said}"
        raise BaselineFailed(f"it failed: {named}") from error


def _answers(predictions: Any, rows: Sequence[Row]) -> list[Any]:
    """A baseline's predictions, one for each row."""
    answers = None if predictions is None else list(predictions)
    if problem := wrong_predictions(answers, [row["row_id"] for row in rows]):
        raise PluginError(f"it {problem}")
    for row, answer in zip(rows, answers or [], strict=True):
        if not is_finite(answer):
            raise PluginError(f"it gave {answer!r} for row {row['row_id']}; give finite numbers")
    return answers or []


def wrong_predictor(predictor: Any) -> str:
    """What is wrong with what a baseline returned when it was fitted; empty: nothing."""
    if callable(predictor):
        return ""
    return f"returned {predictor!r:.60} when it was fitted; return a function of rows"


def wrong_predictions(answers: Sequence[Any] | None, row_ids: Sequence[Any]) -> str:
    """What is wrong with a baseline's predictions, of which each row has one; empty: nothing."""
    if answers is None:
        return "returned None; return one prediction for each row"
    if len(answers) != len(row_ids):
        return f"gave {len(answers):,} predictions for {len(row_ids):,} rows; give one a row"
    missing = [row for row, answer in zip(row_ids, answers, strict=True) if answer is None]
    return f"gave None for row {missing[0]}; a baseline must answer" if missing else ""


def predict_model(
    run: Run,
    task: Task,
    kind: TaskModel,
    name: str,
    role: str,
    splits: DatasetDict,
    *,
    adapter: bool,
    shots: Sequence[Row] = (),
    decoder: str | None = None,
    progress: Progress | None = None,
    fit_seconds: float | None = None,
    note: str = "",
    perplexity: bool = False,
    reader: Task | None = None,
) -> dict[str, Any]:
    """Predict the held-out rows with a model, and write its predictions file.

    Args:
        run: the run that gets the file.
        task: the task of the run.
        kind: the model.
        name: the name of the system.
        role: its role, see :class:`toolkit.runs.predictions.System`.
        splits: the rows of the run.
        adapter: whether the adapter is used, or the untouched base.
        shots: solved examples for the prompt.
        decoder: the decoder to use; ``None`` or ``"auto"`` takes the best on ``validation``.
        progress: called with (done, total).
        fit_seconds: the time that training took; ``None``: nothing was trained.
        note: the text beside the system's name in the report.
        perplexity: also store the losses of the test rows' right answers, where the task reports
            perplexity.
        reader: the task that decodes the outputs, where its state is not the run's.

    Returns:
        The entry of ``systems.json``, and the primary metric on validation rows as ``validation``.
    """
    rows = held_out_rows(task, splits)
    flat = [row for split in rows for row in rows[split]]
    where = [split for split in rows for _ in rows[split]]
    started = time.perf_counter()
    outputs = distributed.shared(
        flat, lambda part: kind.predict(part, adapter=adapter, shots=shots, progress=progress)
    )
    seconds = time.perf_counter() - started
    losses = _target_losses(kind, rows, adapter) if perplexity else {}
    return store_outputs(
        run, task, Answered(flat, where, outputs), name, role,
        decoder=decoder, reader=reader, seconds=seconds, fit_seconds=fit_seconds, note=note,
        losses=losses, tolerated=Tolerated() if adapter and reader is None else None,
    )  # fmt: skip


def _target_losses(
    kind: TaskModel, rows: Mapping[str, Sequence[Row]], adapter: bool
) -> dict[tuple[str, Any], dict[str, Any]]:
    """For each test row the summed loss of its answer's tokens, and their number."""
    if not kind.perplexity:
        return {}
    found = kind.target_losses(rows["test"], adapter=adapter)
    return {
        ("test", row["row_id"]): {"target_loss": [round(loss, 6), tokens]}
        for row, (loss, tokens) in zip(rows["test"], found, strict=True)
    }
