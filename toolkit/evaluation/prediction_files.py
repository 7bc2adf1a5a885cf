"""Writing the files of ``predictions/``: one file for each system, and ``systems.json``.

A system's file has one line for each row, ``systems.json`` one entry for each system. Both are
described on the architecture page.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from toolkit.errors import PluginError
from toolkit.evaluation.groups import group_of
from toolkit.metrics.metric import LEAVE_OUT, STOP, Metric
from toolkit.runs.checked import SYSTEM
from toolkit.runs.files import read_json, write_json, write_jsonl
from toolkit.runs.predictions import check_shapes
from toolkit.runs.run import Run

if TYPE_CHECKING:
    from toolkit.task import Row, Task


Result = TypeVar("Result")


# -- lines -----------------------------------------------------------------------------------------
def prepare_metrics(task: Task, predictions: Sequence[Any], references: Sequence[Any]) -> None:
    """Let the metrics compute what is cheaper for all predictions of a system at once."""
    for metric in task.metrics:
        if metric.prepare is not None:
            metric.prepare(predictions, references)


def line(
    task: Task,
    split: str,
    row: Row,
    prediction: Any,
    width: float | None,
    *,
    seconds: float,
    raw: str | None = None,
    parsed: bool = True,
    decoders: Mapping[str, Any] | None = None,
    tokens: int | None = None,
    hit_limit: bool | None = None,
    detail: Mapping[str, Any] | None = None,
    tolerated: Tolerated | None = None,
) -> dict[str, Any]:
    """One line of a predictions file (see the architecture page).

    ``tolerated`` takes what the task's metrics, slices and intervals raise: their values are then
    null. Without it, that ends the run.
    """
    tried = tolerated or Tolerated(strict=True)
    reference = task.reference(row)
    low, high = (None, None)
    if width is not None:
        low, high = tried.of(lambda: task.interval(prediction, width)) or (None, None)
    scored, failed = scores(task, prediction, reference, row, parsed, tried)
    content = {
        "split": split,
        "row_id": row["row_id"],
        "group": group_of(task, row),
        "reference": reference,
        "raw": raw,
        "prediction": prediction,
        "parsed": parsed,
        "low": low,
        "high": high,
        "metrics": scored,
        "slices": {name: tried.of(partial(part, row)) for name, part in task.slices().items()},
        "seconds": round(seconds, 6),
    }
    if failed:
        content["failed"] = failed
    if decoders is not None:
        content |= {"decoders": dict(decoders), "tokens": tokens, "hit_limit": hit_limit}
    if detail is not None:
        content["detail"] = dict(detail)
    return content


class Tolerated:
    """What a task's code raises where the answers of a trained model are scored.

    Training may have taken hours: the answers are written, and scored when the code is mended.

    Args:
        strict: raise it after all.
    """

    def __init__(self, *, strict: bool = False) -> None:
        self.strict = strict
        self.problem = ""

    def of(self, call: Callable[[], Result]) -> Result | None:
        """What a call returns; ``None`` where it raises :class:`PluginError`."""
        try:
            return call()
        except PluginError as error:
            if self.strict:
                raise
            self.problem = self.problem or str(error)
            return None


def scores(
    task: Task,
    prediction: Any,
    reference: Any,
    row: Row,
    parsed: bool,
    tried: Tolerated | None = None,
) -> tuple[dict[str, Any], dict[str, str]]:
    """The metrics' values for a row, and why some could not be had, by the metrics' names.

    Args:
        task: its metrics say what becomes of rows that they fail on (:attr:`Metric.on_failure`),
            and the task what becomes of unreadable outputs (:attr:`Task.on_unreadable`).
        prediction: what counts.
        reference: that of the row.
        row: has the number of the row.
        parsed: whether the output could be read; the prediction is the fallback otherwise.
        tried: see :func:`line`.

    Raises:
        PluginError: a metric fails and says that this stops the run, or the output is unreadable
            and the task says so.
    """
    tried = tried or Tolerated(strict=True)
    if not parsed and task.on_unreadable == STOP:
        raise PluginError(
            f"the output for row {row['row_id']} cannot be read, and {task.name} stops at that "
            "(on_unreadable)"
        )
    if not parsed and task.on_unreadable == LEAVE_OUT:
        return dict.fromkeys(m.name for m in task.metrics), dict.fromkeys(
            (m.name for m in task.metrics), UNREADABLE
        )
    values: dict[str, Any] = {}
    failed: dict[str, str] = {}
    for metric in task.metrics:
        try:
            values[metric.name] = figures(metric, prediction, reference, row)
        except PluginError as error:
            call = partial(_failing, task, metric, reference, row, error)
            values[metric.name] = tried.of(call)
            if metric.on_failure != STOP and values[metric.name] is None:
                failed[metric.name] = str(error)
    return values, failed


UNREADABLE = "the output cannot be read"
"""Why a row has no figures where the task leaves unreadable outputs out."""


def _failing(
    task: Task, metric: Metric, reference: Any, row: Row, error: PluginError
) -> float | list[float] | None:
    """The value of a row that a metric failed on; ``None``: it is left out. Raises if neither."""
    if metric.on_failure == STOP:
        raise error
    if metric.on_failure == LEAVE_OUT:
        return None
    return figures(metric, task.fallback(), reference, row)


def figures(
    metric: Metric, prediction: Any, reference: Any, row: Row
) -> float | list[float] | None:
    """A metric's value for a row; ``None`` where the metric does not apply to it, never NaN.

    Raises:
        PluginError: the metric raises an exception, or gives anything but finite numbers.
    """
    try:
        value = metric.per_example(prediction, reference)
        parts = [
            float(v)
            for v in (value if isinstance(value, tuple) else (value,) if value is not None else ())
        ]
    except PluginError as error:
        raise PluginError(f"{error}, for row {row['row_id']}") from error
    except Exception as error:  # a metric may raise anything
        raise PluginError(
            f"metric {metric.name!r} raised {type(error).__name__} for row {row['row_id']}: {error}"
        ) from error
    if value is None:
        return None
    if not all(map(math.isfinite, parts)):
        raise PluginError(
            f"metric {metric.name!r} gives {value!r} for row {row['row_id']}; per_example must "
            "return finite numbers"
        )
    return parts if isinstance(value, tuple) else parts[0]


def is_finite(answer: Any) -> bool:
    """Whether a prediction, or each number in it, is a finite number or no number at all."""
    if isinstance(answer, Mapping):
        return all(map(is_finite, answer.values()))
    if isinstance(answer, list):
        return all(map(is_finite, answer))
    return not isinstance(answer, float) or math.isfinite(answer)


# -- systems ---------------------------------------------------------------------------------------
def write_system(
    run: Run,
    name: str,
    role: str,
    lines: Sequence[Mapping[str, Any]],
    width: float | None,
    *,
    fit_seconds: float | None,
    predict_seconds: float,
    decoder: str | None = None,
    note: str = "",
    tuned: Mapping[str, Any] | None = None,
    tolerated: Tolerated | None = None,
    further: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Any]:
    """Write a system's predictions and its entry in ``systems.json``; returns the entry.

    Args:
        run: the run that gets them.
        name: the name of the system.
        role: its role, see :class:`toolkit.runs.predictions.System`.
        lines: its predictions, see :func:`line`.
        width: the conformal width of its intervals, see :meth:`toolkit.Task.interval`; ``None``: it
            has none.
        fit_seconds: the time of fitting or training; ``None``: nothing was fitted.
        predict_seconds: the time of predicting all rows.
        decoder: the decoder that was chosen.
        note: the text beside its name in the report.
        tuned: the values that the task tuned for it.
        tolerated: what its lines could not be scored for; the entry says so as ``unscored``.
        further: what the entry has besides.

    Raises:
        PluginError: the name cannot be a file's, a prediction is not a finite number, or a metric
            has values of uneven shape that is not tolerated.
    """
    if not SYSTEM.fullmatch(name):
        raise PluginError(
            f"{name!r} cannot be a system's name, which names a file; write ridge-log"
        )
    answers = [row["prediction"] for row in lines]
    bad = sum(not is_finite(answer) for answer in answers)
    if bad:
        raise PluginError(f"{name} gave {bad} predictions that are not finite numbers")
    write_jsonl(run.predictions / f"{name}.jsonl", lines)
    entry: dict[str, Any] = {
        "name": name,
        "role": role,
        "file": f"{name}.jsonl",
        "fit_seconds": None if fit_seconds is None else round(fit_seconds, 3),
        "predict_seconds": round(predict_seconds, 3),
        "decoder": decoder,
        "interval_width": width,
        "note": note,
        **further,
    }
    if tuned:
        entry["tuned"] = dict(tuned)
    if tolerated is not None:
        tolerated.of(lambda: check_shapes({name: lines}))
        if tolerated.problem:
            entry["unscored"] = tolerated.problem
    write_systems(run, entry)
    if tolerated is None:  # after they are written: a model's answers may have taken hours
        check_shapes({name: lines})
    return entry


def write_systems(run: Run, entry: Mapping[str, Any]) -> None:
    """Add a system to ``predictions/systems.json``, or put it in the place of its older entry."""
    path = run.predictions / "systems.json"
    systems = read_json(path) if path.is_file() else []
    if any(s["name"] == entry["name"] for s in systems):
        write_json(path, [dict(entry) if s["name"] == entry["name"] else s for s in systems])
    else:
        write_json(path, [*systems, dict(entry)])


def remove_system(run: Run, name: str) -> None:
    """Take a system out of ``predictions/systems.json``, and delete its predictions."""
    path = run.predictions / "systems.json"
    write_json(path, [entry for entry in read_json(path) if entry["name"] != name])
    (run.predictions / f"{name}.jsonl").unlink(missing_ok=True)


def predicted(run: Run, name: str) -> bool:
    """Whether a system's predictions are there already, and whole."""
    path = run.predictions / "systems.json"
    return path.is_file() and any(
        s["name"] == name and not s.get("incomplete") for s in read_json(path)
    )


def absent(run: Run, name: str, reason: str, role: str = "baseline") -> None:
    """Record that a system is not available; the report names it with the reason."""
    entry = {"name": name, "role": role, "file": None, "note": reason}
    write_systems(run, entry)
