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
from toolkit_export.answers import Answers, Opened
from toolkit_export.metadata import shown

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


@dataclass(frozen=True)
class Form:
    """A form of export.

    Args:
        check: refuses what cannot be exported, before a model is loaded.
        write: writes the artefact of a model in one piece into the job's folder.
        load: opens the artefact by its own runtime.
        types: the types of weights; the first is what is written where none is named, ``""`` the
            base's own.
        dtype: the type in which the adapter is merged, for the options and a type of weights.
    """

    check: Callable[[Job, TaskModel], None]
    write: Callable[[Job, TaskModel, Any], None]
    load: Callable[[Job], Opened]
    types: Sequence[str]
    dtype: Callable[[Options, str], str | None]


@dataclass
class Job:
    """One export on its way.

    Args:
        run: the run.
        task: its task.
        options: how it is exported.
        console: where progress is said.
        folder: the folder that is written, which is not at its place yet.
        form: the form.
        numbers: the type of the weights; empty: the base's own, until it is known.
        margin: the share of the adapter's figure by which the export may be worse.
        rows: the rows that are asked.
        keys: split and number of each.
        ours: the adapter's answers.
        base: the base's logits for the first of the rows.
        computed: the type of the weights that the adapter's base has.
        notes: what a user should know of what was written, as sentences.
    """

    run: Run
    task: Task
    options: Options
    console: Console
    folder: Path
    form: Form
    numbers: str
    margin: float
    rows: Sequence[Row] = ()
    keys: Sequence[tuple[str, Any]] = ()
    ours: Answers | None = None
    base: Sequence[Any] = ()
    computed: str = ""
    notes: list[str] = field(default_factory=list)


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


def _load_merged(job: Job) -> Opened:
    kind = whole_model.open_whole(job.run, job.task, job.folder)
    return Opened(kind, f"transformers {importlib.metadata.version('transformers')}")


# -- the command -----------------------------------------------------------------------------------
def export(run: Run, options: Options, console: Console) -> dict[str, Any]:
    """Export the trained model of a run.

    Args:
        run: a finished run.
        options: how it is exported.
        console: where progress is said.

    Returns:
        the record, which is beside the artefact.

    Raises:
        Refused: the artefact does not answer as the adapter, and ``anyway`` is not set.
        UsageError: this run cannot be exported to this form.
        RunError: the run is not finished, or stores no rows.
    """
    place = options.out or run.path / "exports" / options.form
    _check_place(place)
    job = begin(run, options, console, place.with_name(f".{place.name}.new.tmp"))
    kind = ask(job)
    try:
        shutil.rmtree(job.folder, ignore_errors=True)
        job.folder.mkdir(parents=True)
        console.heading(f"Writing {options.form}")
        made_of = write(job, kind)
        console.heading("The export answers them")
        return _kept(job, made_of, {**_record(job), **check(job)}, place)
    finally:
        shutil.rmtree(job.folder, ignore_errors=True)


def begin(run: Run, options: Options, console: Console, folder: Path) -> Job:
    """What can be refused before a model is loaded; the arguments are those of :func:`export`.

    Args:
        run, options, console: as there.
        folder: where the artefact is written.
    """
    if not run.done("predict"):
        raise RunError(f"run {run.id} is not finished; go on with: toolkit resume {run.path}")
    environment.prepare(offline=is_local(str(run.info["recipe"]["model"])))
    task, form = load_task(run), forms()[options.form]
    job = Job(
        run, task, options, console, folder, form, _numbers(options, form), _margin(task, options)
    )
    form.check(job, make_kind(run, task))
    return job


def ask(job: Job) -> TaskModel:
    """Have the adapter answer, and give its loaded model."""
    job.rows, job.keys, held = answers.chosen_rows(job.run, every=job.options.every)
    job.console.heading(f"The adapter answers {len(job.rows):,} of {held:,} held-out rows")
    job.task, kind = open_run(job.run)
    job.computed = "few bits" if kind.recipe.quantization else _type(kind.model)
    with job.console.track("rows") as progress:
        job.ours = answers.of(job.run, job.task, kind, job.rows, progress)
    job.base = inspection.answer_logits(kind, job.rows[: answers.LOGITS], adapter=False)
    return kind


def write(job: Job, kind: TaskModel) -> TaskModel:
    """Write the artefact into the job's folder.

    Args:
        job: the export.
        kind: the model with its adapter, which is used up.

    Returns:
        the kind whose tokenizer and limits the artefact has.
    """
    dtype = job.form.dtype(job.options, job.numbers)
    made_of, model = whole_model.in_one_piece(job.run, job.task, kind, dtype)
    job.numbers = job.numbers or _type(model)
    job.form.write(job, made_of, model)
    for name in ("model", "tuned", "whole"):  # the memory is needed for the copy that is checked
        if hasattr(made_of, name):
            setattr(made_of, name, None)
    return made_of


def _type(model: Any) -> str:
    """The type of a model's weights."""
    return str(model.dtype).removeprefix("torch.")


def check(job: Job) -> dict[str, Any]:
    """Open the artefact, have it answer, and compare it with the adapter.

    Returns:
        ``runtime``: what has opened it; ``gate``: what was found, ``accepted`` or not.
    """
    assert job.ours is not None
    try:
        opened = job.form.load(job)
        with job.console.track("rows") as progress:
            found = answers.of(job.run, job.task, opened.kind, job.rows, progress)
        reading = answers.own_reading(opened, found.tokens)
    except ToolkitError as error:
        return {"runtime": "none", "gate": _unusable(job, str(error))}
    except Exception as error:  # of what is broken, the runtimes raise errors of their own
        said = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
        return {"runtime": "none", "gate": _unusable(job, said)}
    judged = gate.measure(
        job.task.metric(), job.ours, job.base, found, margin=job.margin,
        groups=groups.groups_of_rows(job.task, job.rows), measured=_measured(job.run, job.keys),
        exact=job.computed == job.numbers == "float32", reading=reading,
    )  # fmt: skip
    result = {"accepted": not judged.reasons, "reasons": list(judged.reasons), **judged.document}
    return {"runtime": opened.runtime, "gate": result}


def _unusable(job: Job, reason: str) -> dict[str, Any]:
    return {
        "accepted": False, "reasons": [f"it cannot be used: {reason}"], "rows": len(job.rows),
        "metric": job.task.primary_metric, "margin": job.margin, "equal_answers": 0.0,
        "adapter": None, "export": None, "logits": None,
    }  # fmt: skip


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


def _measured(run: Run, keys: Sequence[tuple[str, Any]]) -> list[Any]:
    """The predictions of rows that the run has stored for its trained system."""
    system = predictions.trained(predictions.load(run))
    if system is None:
        return [None] * len(keys)
    return [
        (system.splits.get(split, {}).get(row_id) or {}).get("prediction") for split, row_id in keys
    ]


# -- the record ------------------------------------------------------------------------------------
def _record(job: Job) -> dict[str, Any]:
    ours = predictions.trained(predictions.load(job.run))
    decoding: dict[str, Any] = {}
    if ours is not None:
        decoding["decoder"] = ours.entry.get("decoder")
        decoding["tuned"] = predictions.tuned_values(ours.entry)
    return {
        "version": VERSION,
        "form": job.options.form,
        "type": job.numbers,
        "run": job.run.id,
        "task": job.task.name,
        "model": shown(str(job.run.info["recipe"]["model"])),
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
