"""From systems to ``predictions/SYSTEM.jsonl``: every system on the same held-out rows.

A system is a baseline, the untouched base (zero-shot, few-shot) or an adapter. Its decoder is
chosen on ``validation`` rows and its intervals are calibrated on ``calibration`` rows; ``test``
rows are only predicted.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolkit.data.splits import HELD_OUT, present
from toolkit.decoding import decode_all, or_fallback, primary_values
from toolkit.errors import RecipeError
from toolkit.evaluation.groups import groups_of_rows
from toolkit.evaluation.prediction_files import line, prepare_metrics, write_system
from toolkit.metrics.statistics import conformal_width
from toolkit.runs.run import Run
from toolkit.system import distributed

if TYPE_CHECKING:
    from datasets import DatasetDict

    from toolkit.kinds.base import Progress, TaskModel
    from toolkit.metrics.metric import Metric
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
    """
    started = time.perf_counter()
    predictor = fit(splits["train"])
    fitted = time.perf_counter()
    rows = held_out_rows(task, splits)
    started_answers = time.perf_counter()
    predictions = {split: list(predictor(splits[split])) for split in rows}
    ended = time.perf_counter()
    width = _interval_width(task, predictions.get("calibration", []), rows.get("calibration", []))
    prepare_metrics(
        task, [p for answers in predictions.values() for p in answers],
        [task.reference(row) for of in rows.values() for row in of],
    )  # fmt: skip
    share = (ended - started_answers) / max(1, sum(map(len, predictions.values())))
    lines = [
        line(task, split, row, prediction, width, seconds=share)
        for split in rows
        for row, prediction in zip(rows[split], predictions[split], strict=True)
    ]
    entry = write_system(
        run, name, role, lines, width,
        fit_seconds=fitted - started, predict_seconds=ended - started_answers,
    )  # fmt: skip
    return entry | {"validation": validation_figure(task.metric(), lines)}


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
    read = _read(task, outputs, flat, where, decoder)
    prepare_metrics(task, read.counted, [task.reference(row) for row in flat])
    calibration = [i for i, split in enumerate(where) if split == "calibration"]
    width = _interval_width(
        task, [read.counted[i] for i in calibration], [flat[i] for i in calibration]
    )
    losses = _target_losses(kind, rows, adapter) if perplexity else {}
    parsed = read.parsed
    lines = [
        losses.get((where[i], row["row_id"]), {}) | line(
            task, where[i], row, read.counted[i], width,
            seconds=output.seconds, raw=output.text, parsed=parsed[i],
            decoders={n: or_fallback(task, [values[i]])[0] for n, values in read.decoded.items()},
            tokens=output.tokens, hit_limit=output.hit_limit,
            detail=getattr(output, "detail", None),
        )
        for i, (row, output) in enumerate(zip(flat, outputs, strict=True))
    ]  # fmt: skip
    entry = write_system(
        run, name, role, lines, width,
        fit_seconds=fit_seconds, predict_seconds=seconds, decoder=read.decoder, note=note,
        tuned=read.tuned,
    )  # fmt: skip
    return entry | {"validation": validation_figure(task.metric(), lines)}


@dataclass(frozen=True)
class _Read:
    """A system's outputs as predictions.

    Args:
        tuned: the values that the task tuned for the system on the validation rows.
        decoder: the name of the decoder that was chosen.
        decoded: decoder → its prediction of each row, ``None`` where it could not read the output.
        counted: the chosen decoder's predictions, the task's fallback in place of ``None``.
    """

    tuned: dict[str, Any]
    decoder: str
    decoded: Mapping[str, Sequence[Any | None]]
    counted: Sequence[Any]

    @property
    def parsed(self) -> list[bool]:
        """For each row, whether the chosen decoder could read the output."""
        return [prediction is not None for prediction in self.decoded[self.decoder]]


def _read(
    task: Task,
    outputs: Sequence[Any],
    rows: Sequence[Row],
    where: Sequence[str],
    wanted: str | None,
) -> _Read:
    """Tune and choose a decoder on the validation rows, and decode the outputs of all rows."""
    validation = [i for i, split in enumerate(where) if split == "validation"]
    on_validation = [outputs[i] for i in validation], [rows[i] for i in validation]
    tuned = task.tune(*on_validation)
    decoder = decoder_for(task, *on_validation, tuned, wanted)
    decoded = decode_all(task, outputs, rows, tuned)
    return _Read(tuned, decoder, decoded, or_fallback(task, decoded[decoder]))


def validation_figure(metric: Metric, lines: Sequence[Mapping[str, Any]]) -> float:
    """A metric over the validation rows among the lines of a predictions file."""
    values = [row["metrics"][metric.name] for row in lines if row["split"] == "validation"]
    return metric.value([tuple(v) if isinstance(v, list) else v for v in values])


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


def decoder_for(
    task: Task,
    outputs: Sequence[Any],
    rows: Sequence[Row],
    tuned: Mapping[str, Any],
    wanted: str | None,
) -> str:
    """The name of the decoder that is best on the validation rows, or of the wanted one.

    Args:
        task: the task, which has the decoders and the primary metric.
        outputs: a system's outputs on the validation rows.
        rows: the validation rows.
        tuned: what :meth:`~toolkit.Task.tune` returned for the system.
        wanted: the decoder to use; ``None`` or ``"auto"`` for the best one.
    """
    names = list(task.decoders())
    if wanted not in (None, "auto"):
        if wanted not in names:
            raise RecipeError(f"task.decoder is {wanted!r}, and the task has {', '.join(names)}")
        return str(wanted)
    if len(names) == 1:
        return names[0]
    return best_decoder(task, primary_values(task, outputs, rows, tuned))


def best_decoder(task: Task, values: Mapping[str, float]) -> str:
    """The decoder with the best figure on the validation rows; of equals the task's first."""
    names = [name for name in task.decoders() if name in values]
    sign = -1 if task.metric().greater_is_better else 1
    return min(names, key=lambda name: (sign * values[name], names.index(name)))


def _interval_width(task: Task, predictions: Sequence[Any], rows: Sequence[Row]) -> float | None:
    """The width of the prediction intervals, from the calibration rows and their groups."""
    if not rows:
        return None
    residuals: list[float] = []
    for prediction, row in zip(predictions, rows, strict=True):
        residual = task.residual(prediction, task.reference(row))
        if residual is None:
            return None
        residuals.append(residual)
    return conformal_width(residuals, groups=groups_of_rows(task, rows))
