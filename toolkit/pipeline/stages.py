"""The stages of a run, in order: :data:`STAGES`, and the function of each."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolkit.data.no_rows import REASON, MissingRows
from toolkit.errors import MissingExtra, PluginError, RunError
from toolkit.pipeline import adopt, train, trial
from toolkit.pipeline.context import RunContext
from toolkit.pipeline.ladder import predict as ladder
from toolkit.pipeline.training_rows import splits_of
from toolkit.plugins import fingerprint
from toolkit.preparation.prepare import Prepared
from toolkit.runs import record, trust
from toolkit.runs.evaluated import TrainedModel
from toolkit.runs.files import write_json
from toolkit.runs.run import Run
from toolkit.system import distributed
from toolkit.task import Row

if TYPE_CHECKING:
    from datasets import Dataset


@dataclass(frozen=True)
class Stage:
    """One stage of a run.

    Args:
        name: its key in the ``stages`` of ``run.json``.
        heading: what is printed when it begins.
        work: does it.
        writes: the files that it writes, as patterns; their hashes are recorded when it ends.
        restore: what a resumed run does instead once the stage is done; ``None``: nothing.
        shared: whether all processes of a distributed run take part; otherwise the first alone.
    """

    name: str
    heading: Callable[[RunContext], str]
    work: Callable[[RunContext], None]
    writes: Sequence[str] = ()
    restore: Callable[[RunContext], None] | None = None
    shared: bool = True


# -- data ------------------------------------------------------------------------------------------
def prepare_data(context: RunContext) -> None:
    """Read, split and check the rows, and store what later stages and the report need of them."""
    from toolkit.preparation import data_stage
    from toolkit.system import monitor

    run, versions = context.run, monitor.versions()
    context.prepared = _prepared(context)
    data_stage.look(
        run, context.task, context.model, context.prepared, context.console,
        adopt.state(context) if context.evaluated else None,
    )  # fmt: skip
    trial.check_task(context.task, context.prepared.splits)  # with the state that look has fitted
    run.info |= {"versions": dict(versions), "hardware": monitor.hardware()}
    if context.evaluated:
        adopt.adopt(context)
    _note_sizes(context)


def restore_data(context: RunContext) -> None:
    """Read and split the rows of a resumed run; raises :class:`RunError` if they have changed."""
    from toolkit.system import monitor

    run = context.run
    _check_versions(run, monitor.versions())
    prepared = context.prepared = _prepared(context)
    before = run.info["data"]["fingerprint"]
    if prepared.fingerprint != before:
        raise RunError(
            f"the data of run {run.id} has changed since it was started (fingerprint "
            f"{prepared.fingerprint[:12]}, was {before[:12]}); "
            "bring the old data back, name a file that has them (toolkit resume "
            f"{run.path} --data NEW), or start a new run"
        )
    _note_sizes(context)
    if distributed.first():
        _settle_stored(context)
    run.info = distributed.agreed(lambda: run.info)


def _prepared(context: RunContext) -> Prepared:
    def unusable(rows: Dataset) -> Mapping[str, Sequence[int]]:
        return context.model.unusable(rows)  # only now is the tokenizer needed

    return splits_of(context.run, context.task, context.source, context.recipe, unusable)


def _settle_stored(context: RunContext) -> None:
    """Have predictions made again that are not whole, and values by other code of the task."""
    from toolkit.evaluation.predict import held_out_rows
    from toolkit.pipeline import mend, other_code

    held = held_out_rows(context.task, context.prepared.splits)
    mend.mark_incomplete(context.run, context.task, held, context.console.warn)
    rows = {(split, row["row_id"]): row for split, found in held.items() for row in found}
    other_code.on_resume(context.run, context.task, rows, context.console.warn)


def _check_versions(run: Run, now: Mapping[str, Any]) -> None:
    """Raise :class:`RunError` if an unfinished run was started with other versions."""
    then = run.info.get("versions", {})
    changed = [
        f"{name} {then.get(name)} → {now.get(name)}"
        for name in {**then, **now}
        if then.get(name) != now.get(name)
    ]
    if changed and not run.finished:
        raise RunError(
            f"run {run.id} was started with other versions: {', '.join(sorted(changed))}; "
            "install those again, or start a new run"
        )


def _note_sizes(context: RunContext) -> None:
    prepared = context.prepared
    sizes = ", ".join(f"{name} {size:,}" for name, size in prepared.sizes.items())
    context.console.note(f"{sizes} rows{' (synthetic)' if prepared.synthetic else ''}")


def _check_predictions(run: Run) -> None:
    """Refuse predictions that could not be scored, before anything is trained on top of them."""
    from toolkit.runs import predictions

    if any(e.get("file") and not e.get("incomplete") for e in record.entries(run)):
        predictions.load(run, being_made=True)


# -- baselines -------------------------------------------------------------------------------------
def run_baselines(context: RunContext) -> None:
    """Fit baselines and controls and predict the held-out rows, in the first process alone."""
    from toolkit.evaluation import predict, prediction_files

    if not distributed.first():
        return
    run, task = context.run, context.task
    missing: list[str] = []
    fits = [
        *((name, fit, "baseline") for name, fit in task.baselines().items()),
        *((name, fit, "control") for name, fit in task.controls().items()),
    ]
    for name, fit, role in fits:
        if prediction_files.predicted(run, name):
            continue
        try:
            entry = predict.predict_baseline(run, task, name, fit, context.prepared.splits, role)
        except MissingRows as error:
            prediction_files.absent(run, name, str(error), role)
            missing.append(name)
            continue
        except (MissingExtra, predict.BaselineFailed) as error:
            prediction_files.absent(run, name, str(error), role)
            context.console.warn(f"{name}: left out, {error}")
            continue
        context.note_result(entry, name, entry["fit_seconds"] + entry["predict_seconds"])
    if missing:
        context.console.note(f"left out, as no training rows were given: {', '.join(missing)}")
    _check_predictions(run)


# -- the base model --------------------------------------------------------------------------------
def run_base_model(context: RunContext) -> None:
    """Predict the held-out rows with the untouched model, with and without few-shot examples."""
    from toolkit.evaluation import predict, prediction_files

    run, model = context.run, context.model
    shots = _few_shot_rows(context)
    ladder.predict(context, shots)
    if context.evaluated and context.evaluated.untrained and _missing_base(context):
        return
    fitted = fit_base(context)
    for name, role, examples in (("base", "base", ()), ("few-shot", "few-shot", shots)):
        if _predicted(context, name) or (name == "few-shot" and not examples):
            continue
        most, said = _shots_used(context, examples)
        if examples and not most:
            prediction_files.absent(run, name, said[0], role)
            continue
        with context.console.track(name) as progress:
            entry = predict.predict_model(
                run, context.task, model, name, role, context.prepared.splits,
                adapter=False, shots=examples, decoder=context.decoder, progress=progress,
                fit_seconds=fitted if model.base_note else None,
                note="; ".join(filter(None, [model.base_note, *model.choices(), *said])),
                perplexity=role == "base",
            )  # fmt: skip
        context.note_result(entry, name, entry["predict_seconds"])
    _predict_variants(context, "baseline", adapter=False)
    if distributed.first():
        _check_predictions(run)


def _missing_base(context: RunContext) -> bool:
    """Record which systems need training rows, where there are none; whether the base is one."""
    from toolkit.evaluation import prediction_files

    wanted = [("few-shot", "few-shot")] if context.model.few_shot else []
    if context.model.base_note:  # fitted to training rows, and never the untouched model itself
        wanted.append(("base", "base"))
    if distributed.first():
        for name, role in wanted:
            prediction_files.absent(context.run, name, REASON, role)
    if not context.model.base_note:
        return False
    context.console.note(f"base: left out, {REASON}")
    return True


def fit_base(context: RunContext) -> float:
    """Fit what the untouched model needs to predict, for all processes; the seconds it took."""
    started = time.perf_counter()
    if distributed.first():
        splits = context.prepared.splits
        if len(splits["train"]):
            context.model.fit_base(splits["train"], context.run.base, splits["validation"])
    distributed.wait()
    if not distributed.first():
        context.model.load_base(context.run.base)
    for sentence in context.model.choices():
        context.console.note(sentence)
    return time.perf_counter() - started


def restore_base(context: RunContext) -> None:
    """Load what the base was fitted to: the training of a resumed run begins from it."""
    context.model.load_base(context.run.base)


def _few_shot_rows(context: RunContext) -> list[Row]:
    """Training rows for the few-shot prompt, drawn with the run's random seed."""
    rows = context.prepared.splits["train"]
    count = min(context.model.few_shot, len(rows))
    drawn = rows.shuffle(seed=context.seed).select(range(count))
    return [dict(row) for row in drawn]


def _shots_used(context: RunContext, shots: Sequence[Row]) -> tuple[int, list[str]]:
    """The most solved examples that a prompt has, and a sentence where some have fewer than all."""
    from toolkit.evaluation.predict import held_out_rows

    if not shots:
        return 0, []
    held = held_out_rows(context.task, context.prepared.splits)
    used = context.model.shots_used([row for rows in held.values() for row in rows], shots)
    fewer = sum(count < len(shots) for count in used)
    if not fewer:
        return max(used), []
    why = f"the model has positions for {context.model.limits.positions:,} tokens"
    sentence = (
        f"{fewer:,} of {len(used):,} prompts have fewer than {len(shots)} solved examples (at least"
        f" {min(used)}, {sum(used) / len(used):.1f} on average): {why}"
        if max(used)
        else f"no prompt has room for a solved example beside its answer: {why}"
    )
    context.console.note(f"few-shot: {sentence}")
    return max(used), [sentence]


def _predicted(context: RunContext, name: str) -> bool:
    """Whether a system's predictions are stored already; the same in all processes."""
    from toolkit.evaluation import prediction_files

    return bool(distributed.agreed(lambda: prediction_files.predicted(context.run, name)))


def _predict_variants(context: RunContext, role: str, *, adapter: bool) -> None:
    """Predict with variants of the loaded model: an untrained head, an ensemble of checkpoints."""
    from toolkit.evaluation import predict

    model = context.model
    for name, note in model.variants(adapter=adapter).items():
        if _predicted(context, name):
            continue
        with model.as_variant(name), context.console.track(name) as progress:
            entry = predict.predict_model(
                context.run, context.task, model, name, role, context.prepared.splits,
                adapter=adapter, decoder=context.decoder, progress=progress, note=note,
            )  # fmt: skip
        context.note_result(entry, name, entry["predict_seconds"])


# -- the trained model -----------------------------------------------------------------------------
def trained_models(context: RunContext) -> None:
    """Train, or note what was trained elsewhere."""
    (adopt.note if context.evaluated else train.train_all)(context)


def run_trained_models(context: RunContext) -> None:
    """Predict the held-out rows with the trained models: one for each seed, or those judged."""
    from toolkit.evaluation import prediction_files

    run, model = context.run, context.model
    model.on_note = context.console.note
    for index, trained in enumerate(context.trained):
        predicted = _predicted(context, trained.system)
        if predicted and index:
            continue
        model.load_adapter(run.path / trained.folder)
        if not predicted:
            _predict_adapter(context, index, trained)
        if index == 0:  # a stopped run may have the adapter's predictions alone
            _measure_speed(context)
            _predict_variants(context, "ensemble", adapter=True)
            if reason := run.info["training"].get("no_ensemble"):
                prediction_files.absent(run, "ensemble", reason, "ensemble")


def _predict_adapter(context: RunContext, index: int, trained: TrainedModel) -> None:
    from toolkit.evaluation import predict

    name = trained.system
    run, model, splits = context.run, context.model, context.prepared.splits
    with context.console.track(name) as progress:
        entry = predict.predict_model(
            run, context.task, model, name, trained.role, splits,
            adapter=True, decoder=context.decoder, progress=progress,
            fit_seconds=run.info["training"]["seconds"],
            perplexity=index == 0 or context.evaluated is not None,
        )  # fmt: skip
    context.note_result(entry, f"{name}, decoder {entry['decoder']}", entry["predict_seconds"])
    if reason := entry.get("unscored"):
        context.console.warn(f"{name}: predicted, and not scored: {reason}")


def _measure_speed(context: RunContext) -> None:
    """Time single questions by the loaded adapter, unless the run has these times already."""
    from toolkit.evaluation import latency

    run = context.run
    if distributed.first() and "speed" not in run.info:
        rows = [dict(row) for row in context.prepared.splits["test"]]
        with context.console.track("single answers") as progress:
            run.info["speed"] = latency.measure(context.model, rows, progress)
        run.save()


# -- results ---------------------------------------------------------------------------------------
def write_metrics(context: RunContext) -> None:
    """Compute every figure from the predictions: ``metrics.json``."""
    from toolkit.evaluation import score, trainer_results
    from toolkit.pipeline import other_code
    from toolkit.pipeline.restore import heldout_rows

    run = context.run
    try:
        other_code.score_unscored(run, context.task, lambda: heldout_rows(run))
        document = score.score(run, context.task)
    except PluginError as error:
        # A task file that is mended is one that this user has not run.
        trusting = f" {trust.TASK_FILE}" if trust.in_code(run) else ""
        raise PluginError(f"{error}; mend it, then: toolkit report {run.path}{trusting}") from error
    write_json(run.path / "metrics.json", document)
    trainer_results.write(run, document)


def write_report(context: RunContext) -> None:
    """Write the pages: ``report.html``, ``report.md`` and the model card."""
    from toolkit.pipeline import steps
    from toolkit.reporting import report

    steps.keep(context.run, context.console.warn)
    # Only a training needs them; a run that is killed after its last stage is not resumed.
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(context.run.checkpoints)
    report.write(context.run, context.task)
    context.run.info.setdefault("record", {"files": {}, "systems": []})
    context.run.info["record"]["pages"] = fingerprint.of_pages()


STAGES = (
    Stage("data", lambda context: "data", prepare_data, ("data/*",), restore=restore_data),
    Stage("baselines", lambda context: "baselines", run_baselines, ("predictions/*.jsonl",)),
    Stage(
        "base", lambda context: f"base model ({context.recipe.model})", run_base_model,
        ("base/**/*", "predictions/*.jsonl"), restore=restore_base,
    ),
    Stage(
        "train", lambda context: "what was trained" if context.evaluated else "training",
        trained_models, ("adapter*/**/*", "history.json"),
    ),
    Stage(
        "predict", lambda context: "adapter on held-out rows", run_trained_models,
        ("predictions/*",),
    ),
    Stage(
        "score", lambda context: "scoring", write_metrics,
        ("metrics.json", "adapter/test_results.json"), shared=False,
    ),
    Stage(
        "report", lambda context: "report", write_report,
        (*record.PAGES, *record.REMARKS, "steps/**/*"),
        shared=False,
    ),
)  # fmt: skip
"""All stages in their order; their names are those of :data:`toolkit.runs.run.STAGES`."""
