"""``toolkit predict``: predict new rows with the model of a finished run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from toolkit.decoding import decode_as, or_fallback
from toolkit.errors import RunError, UsageError
from toolkit.pipeline.restore import load_task, make_kind
from toolkit.runs.evaluated import trained_models
from toolkit.runs.files import read_json
from toolkit.runs.run import Run
from toolkit.system import environment

if TYPE_CHECKING:
    from toolkit.data.source import Source
    from toolkit.kinds.base import TaskModel
    from toolkit.task import Row, Task


def open_run(run: Run, *, adapter: bool = True) -> tuple[Task, TaskModel]:
    """The task and the loaded model of a run.

    Args:
        run: a run whose model is trained.
        adapter: load the adapter too, and not the untouched base alone.

    Raises:
        RunError: the run has no adapter yet.
    """
    from toolkit.models.paths import is_local

    if not run.done("train"):
        raise RunError(f"run {run.id} has no adapter yet; go on with: toolkit resume {run.path}")
    environment.prepare(offline=is_local(run.info["recipe"]["model"]))
    task = load_task(run)
    kind = make_kind(run, task)
    kind.load()
    kind.load_base(run.base)
    if adapter:
        kind.load_adapter(run.adapter)
    return task, kind


def predict(
    run: Run, texts: Sequence[str], source: Source | None = None, *, adapter: bool = True
) -> list[dict[str, Any]]:
    """Predict new inputs.

    Args:
        run: a finished run.
        texts: inputs for a task with one input.
        source: a file of inputs, instead of ``texts``.
        adapter: predict with the adapter, or else with the untouched base.

    Returns:
        for each input ``row_id``, ``input`` and the values that :func:`read` gives.

    Raises:
        UsageError: neither or both of ``texts`` and ``source`` are given, or texts for a task of
            several inputs.
        RunError: the run has no adapter yet.
    """
    task, kind = open_run(run, adapter=adapter)
    if source is not None:
        source.chosen = dict(run.info["data"].get("chosen") or {})
    return answered(run, task, kind, _rows(task, texts, source), adapter=adapter)


def answered(
    run: Run, task: Task, kind: TaskModel, rows: Sequence[Row], *, adapter: bool
) -> list[dict[str, Any]]:
    """The predictions of rows by a loaded model, as :func:`predict` gives them."""
    outputs = kind.predict(rows, adapter=adapter)
    system = trained_models(run)[0].system if adapter else "base"
    return of_outputs(run, task, system, outputs, rows)


def of_outputs(
    run: Run, task: Task, system: str, outputs: Sequence[Any], rows: Sequence[Row]
) -> list[dict[str, Any]]:
    """The predictions of rows whose outputs are there; the arguments are those of :func:`read`.

    Returns:
        for each row ``row_id``, ``input`` and the values that :func:`read` gives.
    """
    answers = read(run, task, system, outputs, rows)
    return [
        {"row_id": row["row_id"], "input": " | ".join(str(row[c]) for c in task.input_columns())}
        | answer
        for row, answer in zip(rows, answers, strict=True)
    ]


def read(
    run: Run, task: Task, system: str, outputs: Sequence[Any], rows: Sequence[Row]
) -> list[dict[str, Any]]:
    """Decode outputs as a system of the run does, with its prediction intervals.

    Args:
        run: the run, which holds predictions of the system.
        task: its task.
        system: the system's name in the run.
        outputs: outputs of its model.
        rows: the rows that the outputs belong to.

    Returns:
        for each row ``prediction``, ``low``, ``high``, ``raw``, ``parsed`` and, where the output
        has one, ``detail``.
    """
    entries = read_json(run.predictions / "systems.json")
    entry: dict[str, Any] = next((s for s in entries if s["name"] == system), {})
    decoded = decode_as(task, entry, outputs, rows)
    width = entry.get("interval_width")
    answers = []
    for output, found, counted in zip(outputs, decoded, or_fallback(task, decoded), strict=True):
        low, high = (None, None) if width is None else task.interval(counted, width)
        answers.append(
            {
                "prediction": counted,
                "low": low,
                "high": high,
                "raw": getattr(output, "text", None),
                "parsed": found is not None,
                **({"detail": output.detail} if hasattr(output, "detail") else {}),
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
