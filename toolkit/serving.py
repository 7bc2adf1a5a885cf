"""A finished run's model answering new rows, and answering old ones again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit import environment
from toolkit.decode import decode_all, or_fallback
from toolkit.errors import RunError, UsageError
from toolkit.flow import load_task, make_kind
from toolkit.run import Run, read_json, read_jsonl

if TYPE_CHECKING:
    from toolkit.kinds.base import Kind
    from toolkit.source import Source
    from toolkit.task import Row, Task


def open_run(run: Run, *, adapter: bool = True) -> tuple[Task, Kind]:
    """The task and the loaded model of a run; raises :class:`RunError` if it has no adapter."""
    from toolkit.backends import is_local

    if not run.done("train"):
        raise RunError(f"run {run.id} has no adapter yet; go on with: toolkit resume {run.path}")
    environment.prepare(offline=is_local(run.info["recipe"]["model"]))
    task = load_task(run)
    kind = make_kind(run, task)
    kind.load()
    if adapter:
        kind.load_adapter(run.adapter)
    return task, kind


def predict(
    run: Run, texts: Sequence[str], source: Source | None = None, *, adapter: bool = True
) -> list[dict[str, Any]]:
    """Predictions of new inputs, each with raw text and, where the task has one, an interval.

    Args:
        run: a finished run.
        texts: inputs for a task with one input.
        source: a file of inputs, instead.
        adapter: with the adapter, or the untouched base.
    """
    task, kind = open_run(run, adapter=adapter)
    if source is not None:
        source.chosen = dict(run.info["data"].get("chosen") or {})
    rows = _rows(task, texts, source)
    name = "adapter" if adapter else "base"
    outputs = kind.predict(rows, adapter=adapter)
    entry = next(s for s in read_json(run.predictions / "systems.json") if s["name"] == name)
    decoded = decode_all(task, outputs, rows)[entry["decoder"] or next(iter(task.decoders()))]
    width = entry.get("interval_width")
    answers = []
    for row, output, read, counted in zip(
        rows, outputs, decoded, or_fallback(task, decoded), strict=True
    ):
        low, high = (None, None) if width is None else task.interval(counted, width)
        answers.append(
            {
                "row_id": row["row_id"],
                "input": " | ".join(str(row[c]) for c in task.input_columns()),
                "prediction": counted,
                "low": low,
                "high": high,
                "raw": output.text,
                "parsed": read is not None,
            }
        )
    return answers


def _rows(task: Task, texts: Sequence[str], source: Source | None) -> list[Row]:
    if bool(texts) == (source is not None):
        raise UsageError("give texts to predict, or a file with --data")
    if source is not None:
        return [dict(row) for row in task.load_inputs(source)]
    columns = task.input_columns()
    if len(columns) != 1:
        raise UsageError(f"{task.name} takes {', '.join(columns)}: give a file with --data")
    return [{"row_id": i, columns[0]: text} for i, text in enumerate(texts, 1)]


def predict_again(run: Run, sample: int) -> tuple[int, list[str]]:
    """Predict a sample of test rows again from the saved adapter.

    Returns:
        how many rows, and a sentence for each whose prediction is not the stored one.
    """
    place = run.data / "heldout.jsonl"
    if not place.is_file():
        return 0, []
    test = [row for row in read_jsonl(place) if row["split"] == "test"]
    rows = test[:: max(1, len(test) // sample)][:sample]
    task, kind = open_run(run)
    entry = next(s for s in read_json(run.predictions / "systems.json") if s["name"] == "adapter")
    stored = _stored(run.predictions / entry["file"])
    outputs = kind.predict(rows, adapter=True)
    decoded = or_fallback(task, decode_all(task, outputs, rows)[entry["decoder"]])
    return len(rows), [
        f"row {row['row_id']}: the adapter predicts {value!r}, the file says "
        f"{stored[row['row_id']]!r}"
        for row, value in zip(rows, decoded, strict=True)
        if not _alike(value, stored.get(row["row_id"]))
    ]


def _stored(path: Path) -> Mapping[Any, Any]:
    return {line["row_id"]: line["prediction"] for line in read_jsonl(path) if line["split"] == "test"}


def _alike(a: Any, b: Any) -> bool:
    """Equal, or within what another batch's rounding may change of a number."""
    if isinstance(a, float) and isinstance(b, int | float):
        return abs(a - b) <= 1e-3 * abs(b) + 1e-6
    return bool(a == b)
