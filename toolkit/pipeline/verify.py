"""``toolkit report RUN --verify``: check stored figures against predictions and the adapter.

:func:`recompute` needs no model: it computes again the figures in each prediction line, the widths
of the prediction intervals, and the whole of ``metrics.json``. :func:`verify` also predicts a
sample of rows again with the saved adapter.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from toolkit.decoding import decode_as, or_fallback
from toolkit.evaluation.groups import group_of
from toolkit.evaluation.prediction_files import prepare_metrics
from toolkit.evaluation.score import metrics_document
from toolkit.formatting import is_number
from toolkit.metrics import statistics
from toolkit.pipeline.predict import open_run
from toolkit.pipeline.restore import load_task
from toolkit.runs import predictions
from toolkit.runs.contents import read_run
from toolkit.runs.files import read_json, read_jsonl
from toolkit.runs.predictions import System, is_list, same
from toolkit.runs.run import Run
from toolkit.task import Task

_TOLERANCE = 1e-3
"""The relative difference up to which predictions count as equal: a prediction depends, by
rounding, on the rows that share its batch."""
_CHANGING = {"timings"}
"""Parts of ``metrics.json`` that change after it is written: the report stage adds its own time."""


@dataclass(frozen=True)
class Verification:
    """What was compared, and every difference.

    Args:
        differences: one sentence for each difference.
        figures: how many numbers of ``metrics.json`` were computed again.
        rows: how many rows were predicted again.
    """

    differences: list[str]
    figures: int
    rows: int

    def document(self) -> dict[str, Any]:
        """The values as plain data, for ``--json``."""
        return asdict(self)


def verify(run: Run, *, sample: int = 64) -> Verification:
    """Recompute every figure, and predict a sample of held-out rows again.

    Args:
        run: a finished run.
        sample: how many rows to predict again; none where the run did not store its rows.
    """
    task = load_task(run)
    rows, again = predict_again(run, task, sample)
    figures = _count(read_json(run.path / "metrics.json"))
    return Verification([*recompute(run, task), *again], figures, rows)


def predict_again(run: Run, task: Task, sample: int) -> tuple[int, list[str]]:
    """Predict some test rows again with the saved adapter: their number, and the differences."""
    ours, place = predictions.trained(predictions.load(run)), run.data / "heldout.jsonl"
    if ours is None or not place.is_file():
        return 0, []
    stored = ours.splits["test"]
    rows = read_jsonl(place)
    tests = [index for index, row in enumerate(rows) if row["split"] == "test"]
    drawn = sorted(random.Random(0).sample(tests, min(sample, len(tests))))
    _, kind = open_run(run)
    if kind.reduced:
        # In bfloat16 a prediction varies with the rows of its batch, so all batches are repeated.
        compared = set(drawn)
    else:
        rows, compared = [rows[index] for index in drawn], set(range(len(drawn)))
    inputs = [{k: v for k, v in row.items() if k != "split"} for row in rows]
    decoded = decode_as(task, ours.entry, kind.predict(inputs, adapter=True), inputs)
    differences = []
    for index, (row, now) in enumerate(zip(inputs, or_fallback(task, decoded), strict=True)):
        if index not in compared:
            continue
        then = stored[row["row_id"]]["prediction"]
        if not same(then, now, _TOLERANCE):
            differences.append(
                f"predictions/{ours.entry['file']}, row {row['row_id']}: prediction is {then!r}, "
                f"the adapter now gives {now!r}"
            )
    return len(compared), differences


def _count(value: Any) -> int:
    """How many numbers a document holds."""
    if isinstance(value, Mapping):
        return sum(_count(inside) for inside in value.values())
    if is_list(value):
        return sum(_count(inside) for inside in value)
    return int(is_number(value))


def recompute(run: Run, task: Task) -> list[str]:
    """Every difference between the stored figures and those that the predictions give.

    Args:
        run: a finished run.
        task: its task, with the ``options`` and ``state`` of the run.

    Returns:
        one sentence for each difference, which names file and place; empty if there are none.
    """
    contents = read_run(run)
    # Row ids are unique within a file, and each split may come from its own file.
    heldout = {(row["split"], row["row_id"]): row for row in contents.heldout}
    found: list[str] = []
    for system in contents.systems:
        every = [row for rows in system.splits.values() for row in rows.values()]
        prepare_metrics(task, [r["prediction"] for r in every], [r["reference"] for r in every])
        for rows in system.splits.values():
            for row in rows.values():
                found += _line(system, row, task, heldout.get((row["split"], row["row_id"])))
        found += _width(system, task)
    stored = read_json(run.path / "metrics.json")
    again = metrics_document(contents, task)
    found += [
        f"metrics.json: {where} is {old!r}, the predictions give {new!r}"
        for where, old, new in differences(
            {k: v for k, v in stored.items() if k not in _CHANGING},
            {k: v for k, v in again.items() if k not in _CHANGING},
        )
    ]
    return found


def _line(
    system: System, row: Mapping[str, Any], task: Task, source: Mapping[str, Any] | None
) -> Iterator[str]:
    """Differences between one prediction line and what its prediction and its row give."""
    where = f"predictions/{system.entry['file']}, row {row['row_id']}"
    for metric in task.metrics:
        value = metric.per_example(row["prediction"], row["reference"])
        if not same(row["metrics"].get(metric.name), value, metric.tolerance):
            stored = row["metrics"].get(metric.name)
            yield f"{where}: {metric.name} is {stored!r}, the prediction gives {value!r}"
    decoded = (row.get("decoders") or {}).get(system.entry.get("decoder"))
    if decoded is not None and not same(row["prediction"], decoded):
        yield f"{where}: prediction is {row['prediction']!r}, its decoder gave {decoded!r}"
    width = system.entry.get("interval_width")
    if width is not None and row.get("low") is not None:
        ends = task.interval(row["prediction"], width)
        if not same([row["low"], row["high"]], ends):
            yield f"{where}: interval is {row['low']!r} to {row['high']!r}, should be {ends!r}"
    if source is None:
        return
    if not same(row["reference"], task.reference(source)):
        yield f"{where}: reference is {row['reference']!r}, the row has {task.reference(source)!r}"
    if "group" in row and row["group"] != group_of(task, source):
        yield f"{where}: group is {row['group']!r}, the row has {group_of(task, source)!r}"
    for name, part in task.slices().items():
        if name in (row.get("slices") or {}) and row["slices"][name] != part(source):
            yield f"{where}: slice {name} is {row['slices'][name]!r}, should be {part(source)!r}"


def _width(system: System, task: Task) -> Iterator[str]:
    """The stored width of the intervals against the one that the calibration rows give."""
    stored, rows = system.entry.get("interval_width"), system.rows("calibration")
    if stored is None or not rows:
        return
    judged = [
        (row, residual)
        for row in rows
        if (residual := task.residual(row["prediction"], row["reference"])) is not None
    ]
    groups = predictions.grouping([row for row, _ in judged])
    width = statistics.conformal_width([residual for _, residual in judged], groups=groups)
    if not same(stored, width):
        yield (
            f"predictions/systems.json, {system.name}: interval_width is {stored!r}, "
            f"the calibration rows give {width!r}"
        )


def differences(old: Any, new: Any, where: str = "") -> Iterator[tuple[str, Any, Any]]:
    """The places at which two JSON documents differ, numbers up to rounding."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in {**old, **new}:
            inside = f"{where}.{key}" if where else str(key)
            yield from differences(old.get(key), new.get(key), inside)
    elif is_list(old) and is_list(new) and len(old) == len(new):
        for i, (a, b) in enumerate(zip(old, new, strict=True)):
            yield from differences(a, b, f"{where}[{i}]")
    elif not same(old, new):
        yield where, old, new
