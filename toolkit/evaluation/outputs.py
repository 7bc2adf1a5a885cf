"""A system's outputs: decoded, scored a row, and written as its predictions file."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from toolkit import decoding
from toolkit.decoding import decode_all, or_fallback, primary_values
from toolkit.errors import RecipeError
from toolkit.evaluation.groups import groups_of_rows
from toolkit.evaluation.prediction_files import Tolerated, line, prepare_metrics, write_system
from toolkit.metrics.statistics import conformal_width
from toolkit.runs.run import Run

if TYPE_CHECKING:
    from toolkit.metrics.metric import Metric
    from toolkit.task import Row, Task


@dataclass(frozen=True)
class Answered:
    """Held-out rows with a system's outputs.

    Args:
        rows: the rows that it answered.
        where: the split of each.
        outputs: its output for each.
    """

    rows: Sequence[Row]
    where: Sequence[str]
    outputs: Sequence[Any]

    def of(self, split: str) -> tuple[list[Any], list[Row]]:
        """Outputs and rows of one split."""
        places = [at for at, name in enumerate(self.where) if name == split]
        return [self.outputs[at] for at in places], [self.rows[at] for at in places]


def store_outputs(
    run: Run,
    task: Task,
    answered: Answered,
    name: str,
    role: str,
    *,
    seconds: float,
    decoder: str | None = None,
    reader: Task | None = None,
    readable: Sequence[str] | None = None,
    fit_seconds: float | None = None,
    note: str = "",
    losses: Mapping[tuple[str, Any], dict[str, Any]] = MappingProxyType({}),
    tolerated: Tolerated | None = None,
    further: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Any]:
    """Decode a system's outputs, and write its predictions file.

    Args:
        run: the run that gets the file.
        task: the task of the run, by which predictions are scored.
        answered: the rows with the outputs.
        name: the name of the system.
        role: its role.
        seconds: the time of answering all rows.
        decoder: the decoder to use; ``None`` or ``auto``: the best on validation.
        reader: the task that decodes, where its state is another one; by default ``task``.
        readable: the decoders that can read such outputs; by default all.
        fit_seconds: the time of fitting.
        note: the text beside the name in the report.
        losses: what is added to the line of a row, by split and row number.
        tolerated: takes what the task's code raises, see :class:`Tolerated`.
        further: what the entry of ``systems.json`` has besides.

    Returns:
        The entry of ``systems.json``, and the primary metric on validation rows as ``validation``.
    """
    reader, flat, where = reader or task, answered.rows, answered.where
    tried = tolerated or Tolerated(strict=True)
    read = _read(reader, answered, decoder, tried, readable)
    tried.of(lambda: prepare_metrics(task, read.counted, [task.reference(row) for row in flat]))
    calibration = [i for i, split in enumerate(where) if split == "calibration"]
    width = tried.of(
        lambda: interval_width(
            task, [read.counted[i] for i in calibration], [flat[i] for i in calibration]
        )
    )
    parsed = read.parsed
    lines = [
        _covered(output) | losses.get((where[i], row["row_id"]), {}) | line(
            task, where[i], row, read.counted[i], width,
            seconds=output.seconds, raw=output.text, parsed=parsed[i],
            decoders={n: or_fallback(reader, [values[i]])[0] for n, values in read.decoded.items()},
            tokens=output.tokens, hit_limit=output.hit_limit,
            detail=getattr(output, "detail", None), tolerated=tolerated,
        )
        for i, (row, output) in enumerate(zip(flat, answered.outputs, strict=True))
    ]  # fmt: skip
    entry = write_system(
        run, name, role, lines, width,
        fit_seconds=fit_seconds, predict_seconds=seconds, decoder=read.decoder, note=note,
        tuned=read.tuned, tolerated=tolerated, further=further,
    )  # fmt: skip
    figure = tried.of(lambda: validation_figure(task.metric(), lines))
    return entry | {"validation": math.nan if figure is None else figure}


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
    answered: Answered,
    wanted: str | None,
    tried: Tolerated,
    readable: Sequence[str] | None = None,
) -> _Read:
    """Tune and choose a decoder on the validation rows, and decode the outputs of all rows."""
    on_validation = answered.of("validation")
    tuned = task.tune(*on_validation) if on_validation[0] else {}
    names = [name for name in task.decoders() if readable is None or name in readable]
    if readable is not None and (len(names) == 1 or wanted not in (None, "auto", *names)):
        wanted = names[0]
    decoder = tried.of(lambda: decoder_for(task, *on_validation, tuned, wanted))
    decoder = decoder or names[0]  # chosen again when it is scored
    decoded = decode_all(task, answered.outputs, answered.rows, tuned)
    kept = {name: decoded[name] for name in names}
    return _Read(tuned, decoder, kept, or_fallback(task, kept[decoder]))


def _covered(output: Any) -> dict[str, float]:
    """What the number distribution of an output covers, where it has one."""
    shares = decoding.covered([output])
    return {"covered": round(shares[0], 6)} if shares else {}


def validation_figure(metric: Metric, lines: Sequence[Mapping[str, Any]]) -> float:
    """A metric over the validation rows among the lines of a predictions file."""
    values = [row["metrics"][metric.name] for row in lines if row["split"] == "validation"]
    if not values:
        return math.nan
    return metric.value([tuple(v) if isinstance(v, list) else v for v in values])


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
    if len(names) == 1 or not rows:  # where nothing can be chosen, the task's first one is taken
        return names[0]
    return best_decoder(task, primary_values(task, outputs, rows, tuned))


def best_decoder(task: Task, values: Mapping[str, float]) -> str:
    """The decoder with the best figure on the validation rows; of equals the task's first."""
    names = [name for name in task.decoders() if name in values]
    sign = -1 if task.metric().greater_is_better else 1
    return min(names, key=lambda name: (sign * values[name], names.index(name)))


def interval_width(task: Task, predictions: Sequence[Any], rows: Sequence[Row]) -> float | None:
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
