"""Exporting: the adapter's answers, the form, its answers by its own runtime, and the decision."""

from __future__ import annotations

import importlib.metadata
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import toolkit
from toolkit import Row, Task
from toolkit.errors import RunError, ToolkitError, UsageError
from toolkit.evaluation import groups
from toolkit.kinds import TaskModel, inspection
from toolkit.models import is_local
from toolkit.pipeline import load_task, make_kind, open_run, whole_model
from toolkit.runs import Run, predictions, write_json, write_text
from toolkit.system import Console, environment
from toolkit_export import answers, card, gate, merged
from toolkit_export.answers import Answers

RECORD = "export.json"
"""The file beside an artefact that says what it was made of and how it answers."""
VERSION = 1


class Refused(ToolkitError):
    """An export does not answer as the adapter that it was made of."""

    exit_code = 1


@dataclass(frozen=True)
class Options:
    """How a run is exported; see the command's help."""

    form: str
    numbers: str | None = None
    out: Path | None = None
    every: bool = False
    margin: float | None = None
    anyway: bool = False
    converter: Path | None = None


@dataclass
class Job:
    """One export on its way.

    Args:
        run: the run.
        task: its task.
        options: how it is exported.
        console: where progress is said.
        folder: the folder that is written, which is not at its place yet.
    """

    run: Run
    task: Task
    options: Options
    console: Console
    folder: Path
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Form:
    """A form of export.

    Args:
        check: refuses what cannot be exported, before a model is loaded.
        write: writes the artefact of a model in one piece into the job's folder.
        load: opens the artefact by its own runtime, and names the runtime.
        types: the types of weights; the first is what is written where none is named, ``""`` the
            base's own.
        dtype: the type in which the adapter is merged, for the options and a type of weights.
    """

    check: Callable[[Job, TaskModel], None]
    write: Callable[[Job, TaskModel, Any], None]
    load: Callable[[Job], tuple[TaskModel, str]]
    types: Sequence[str]
    dtype: Callable[[Options, str], str | None]


def forms() -> Mapping[str, Form]:
    """The forms by their names."""
    from toolkit_export import gguf_file, onnx_graph

    return {
        "merged": Form(
            lambda job, kind: None, _write_merged, _load_merged, ("", *merged.TYPES),
            lambda options, numbers: numbers or None,
        ),
        "onnx": Form(
            onnx_graph.check, onnx_graph.write, onnx_graph.load, onnx_graph.TYPES,
            lambda options, numbers: "float32",
        ),
        "gguf": Form(
            gguf_file.check, gguf_file.write, gguf_file.load, gguf_file.TYPES,
            # It is rounded once, to the file's type; a converter takes what the base has.
            lambda options, numbers: None if options.converter else "float32",
        ),
    }  # fmt: skip


def _write_merged(job: Job, kind: TaskModel, model: Any) -> None:
    merged.write(kind, model, job.folder)


def _load_merged(job: Job) -> tuple[TaskModel, str]:
    kind = whole_model.open_whole(job.run, job.task, job.folder)
    return kind, f"transformers {importlib.metadata.version('transformers')}"


# -- the command -----------------------------------------------------------------------------------
def export(
    run: Run,
    options: Options,
    console: Console,
    spoil: Callable[[Path], None] = lambda folder: None,
) -> dict[str, Any]:
    """Export the trained model of a run.

    Args:
        run: a finished run.
        options: how it is exported.
        console: where progress is said.
        spoil: changes the artefact before it is judged: by this, tests put faults into it.

    Returns:
        the record, which is beside the artefact.

    Raises:
        Refused: the artefact does not answer as the adapter, and ``anyway`` is not set.
        UsageError: this run cannot be exported to this form.
        RunError: the run is not finished, or stores no rows.
    """
    if not run.done("predict"):
        raise RunError(f"run {run.id} is not finished; go on with: toolkit resume {run.path}")
    environment.prepare(offline=is_local(str(run.info["recipe"]["model"])))
    task = load_task(run)
    margin = _margin(task, options)
    form = forms()[options.form]
    numbers = _numbers(options, form)
    place = options.out or run.path / "exports" / options.form
    _check_place(place)
    temporary = place.with_name(f".{place.name}.new.tmp")
    job = Job(run, task, options, console, temporary)
    form.check(job, make_kind(run, task))
    rows, keys, held = answers.chosen_rows(run, every=options.every)
    console.heading(f"The adapter answers {len(rows):,} of {held:,} held-out rows")
    ours, base, kind = _of_adapter(job, rows)
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        temporary.mkdir(parents=True)
        console.heading(f"Writing {options.form}")
        made_of, model = whole_model.in_one_piece(run, task, kind, form.dtype(options, numbers))
        form.write(job, made_of, model)
        del model, kind
        _let_go(made_of)
        spoil(temporary)
        console.heading("The export answers them")
        found, runtime = _answered(job, form, rows)
        record = _record(job, made_of, numbers, runtime)
        record["gate"] = _judged(job, margin, rows, keys, ours, base, found)
        return _kept(job, made_of, record, place)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _margin(task: Task, options: Options) -> float:
    margin = task.margin if options.margin is None else options.margin
    if options.margin is None and not margin:
        raise UsageError(
            f"{task.name} names no margin: say by which share of {task.primary_metric} an export "
            "may be worse, such as --margin 0.01"
        )
    return margin


def _numbers(options: Options, form: Form) -> str:
    if options.numbers and options.numbers not in form.types:
        known = ", ".join(one for one in form.types if one)
        raise UsageError(f"--to {options.form} has no type {options.numbers}; it has {known}")
    return options.numbers or form.types[0]


def _check_place(place: Path) -> None:
    """Refuse a folder that holds anything but an earlier export."""
    if place.exists() and not (place / RECORD).is_file() and (
        not place.is_dir() or any(place.iterdir())
    ):  # fmt: skip
        raise UsageError(f"{place} is there and holds no export; name another folder with --out")


def _of_adapter(job: Job, rows: Sequence[Row]) -> tuple[Answers, Sequence[Any], TaskModel]:
    """The adapter's answers, the base's logits for the same rows, and the loaded model."""
    task, kind = open_run(job.run)
    job.task = task
    ours = answers.of(job.run, task, kind, rows)
    base = inspection.answer_logits(kind, rows[: answers.LOGITS], adapter=False)
    return ours, base, kind


def _answered(job: Job, form: Form, rows: Sequence[Row]) -> tuple[Answers | str, str]:
    """The export's answers and its runtime; where it cannot even be opened, the reason why."""
    try:
        kind, runtime = form.load(job)
        return answers.of(job.run, job.task, kind, rows), runtime
    except ToolkitError as error:
        return str(error), "none"
    except Exception as error:  # of what is broken, the runtimes raise errors of their own
        said = " ".join(str(error).split())[:300]
        return f"{type(error).__name__}: {said}", "none"


def _judged(
    job: Job,
    margin: float,
    rows: Sequence[Row],
    keys: Sequence[tuple[str, Any]],
    ours: Answers,
    base: Sequence[Any],
    found: Answers | str,
) -> dict[str, Any]:
    if isinstance(found, str):
        return {
            "accepted": False, "reasons": [f"it cannot be used: {found}"], "rows": len(rows),
            "metric": job.task.primary_metric, "margin": margin, "equal_answers": 0.0,
            "adapter": None, "export": None, "logits": None,
        }  # fmt: skip
    judged = gate.measure(
        job.task.metric(), ours, base, found, margin=margin,
        groups=groups.groups_of_rows(job.task, rows), measured=_measured(job.run, keys),
    )  # fmt: skip
    return {"accepted": not judged.reasons, "reasons": list(judged.reasons), **judged.document}


def _measured(run: Run, keys: Sequence[tuple[str, Any]]) -> list[Any]:
    """The predictions of rows that the run has stored for its trained system."""
    system = predictions.trained(predictions.load(run))
    if system is None:
        return [None] * len(keys)
    return [
        (system.splits.get(split, {}).get(row_id) or {}).get("prediction") for split, row_id in keys
    ]


def _let_go(kind: TaskModel) -> None:
    """Free the memory of a model that is written; its tokenizer and limits stay."""
    for name in ("model", "tuned", "whole"):
        if hasattr(kind, name):
            setattr(kind, name, None)


# -- the record ------------------------------------------------------------------------------------
def _record(job: Job, kind: TaskModel, numbers: str, runtime: str) -> dict[str, Any]:
    ours = predictions.trained(predictions.load(job.run))
    decoding: dict[str, Any] = {}
    if ours is not None:
        decoding["decoder"] = ours.entry.get("decoder")
        decoding["tuned"] = predictions.tuned_values(ours.entry)
    return {
        "version": VERSION,
        "form": job.options.form,
        "type": numbers or "the base's own type",
        "run": job.run.id,
        "task": job.task.name,
        "model": str(job.run.info["recipe"]["model"]),
        "runtime": runtime,
        **decoding,
        "notes": job.notes,
        "toolkit": toolkit.__version__,
    }


def _kept(job: Job, kind: TaskModel, record: dict[str, Any], place: Path) -> dict[str, Any]:
    """Put the artefact at its place with its record; or refuse it.

    Raises:
        Refused: it is refused, and not wanted anyway. An earlier export at the place stays.
    """
    result = record["gate"]
    if not result["accepted"] and not job.options.anyway:
        raise Refused(
            f"the export is refused: {'; '.join(result['reasons'])}. --anyway keeps it, marked"
        )
    record["anyway"] = not result["accepted"]
    write_text(job.folder / "README.md", card.write(job.task, kind, record))
    record["files"] = {
        file.relative_to(job.folder).as_posix(): file.stat().st_size
        for file in sorted(job.folder.rglob("*"))
        if file.is_file()
    }
    write_json(job.folder / RECORD, record)
    if place.exists():
        shutil.rmtree(place)
    job.folder.rename(place)
    job.console.say(card.verdict(record).replace("**", ""))
    for note in job.notes:
        job.console.note(note)
    job.console.say(f"written: {place}")
    return record
