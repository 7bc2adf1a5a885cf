"""The training stage: training with each seed, progress on the terminal, experiment tracking."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
import io
import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.errors import MissingExtra
from toolkit.evaluation import verdict_sentence
from toolkit.formatting import duration
from toolkit.kinds.watching import TrainingWatch
from toolkit.models import adapters
from toolkit.pipeline.context import RunContext, adapter_name
from toolkit.runs.files import read_json, usual_modes, write_json
from toolkit.runs.run import Run
from toolkit.system import device, distributed

if TYPE_CHECKING:
    from datasets import DatasetDict

    from toolkit.kinds.base import TaskModel
    from toolkit.kinds.watching import Trained
    from toolkit.metrics.metric import Metric

OUTCOME = "training.json"
"""In a trained model's folder: the figures of its training and its learning curve."""
LOCAL = "trackio"
"""The experiment tracker if the recipe names none: its data stay on this machine."""


def train_all(context: RunContext) -> None:
    """Train once for each seed, except where a resumed run has saved the adapter already."""
    backend, console = context.backend, context.console
    console.note(f"backend {backend['name']}: {backend['reason']}")
    model, recipe = context.model, context.recipe
    if model.trains_in(recipe) and not model.computes_in(recipe, gpu=device.is_gpu()):
        console.note("this processor has no bfloat16 instructions: training computes in float32")
    if distributed.count() > 1:
        console.note(f"{distributed.count()} processes share training and predicting")
    run = context.run
    for index in range(context.seeds):
        if not distributed.agreed(partial(outcome, run, index)):
            _train_one(context, index, adapter_name(index))
    note_outcomes(run, context.seeds)


def outcome(run: Run, index: int) -> dict[str, Any] | None:
    """What the training with a seed has left: ``info`` and ``history``; ``None``: it is to be done.

    A trained model's folder appears whole, with both in its :data:`OUTCOME`. Earlier versions kept
    the figures in ``run.json`` alone and the history in ``history.json``.
    """
    folder = run.path / adapter_name(index)
    if not (folder / "toolkit.json").is_file():
        return None
    if (folder / OUTCOME).is_file():
        return dict(read_json(folder / OUTCOME))
    known = run.info.get("training")
    if known and index:
        further = known.get("further_seeds", [])
        known = further[index - 1] if len(further) >= index else None
    if not known:
        return None  # it was killed before it wrote them
    return {"info": {k: v for k, v in known.items() if k != "further_seeds"}, "history": None}


def note_outcomes(run: Run, seeds: int) -> None:
    """Bring ``training`` of ``run.json`` and ``history.json`` up to what the trainings left."""
    run.info["training"] = distributed.agreed(lambda: _written(run, seeds))
    if distributed.first():
        run.save()


def _written(run: Run, seeds: int) -> dict[str, Any]:
    """The figures of all trainings, as ``run.json`` has them; writes the first one's history."""
    outcomes = [outcome(run, index) for index in range(seeds)]
    first, *further = [found for found in outcomes if found is not None]
    if first["history"] is not None:
        write_json(run.path / "history.json", first["history"])
    more = {"further_seeds": [found["info"] for found in further]} if further else {}
    return {**first["info"], **more}


def _train_one(context: RunContext, index: int, name: str) -> None:
    """Train with one seed; the model's folder appears with the figures of its training."""
    run, model, console = context.run, context.model, context.console
    if index:
        console.note(f"seed {index + 1} of {context.seeds}")
    model.seed = context.seed + index
    with console.track("training") as progress:

        def on_log(entry: dict[str, Any]) -> None:
            if index == 0:
                keep_curve(run, entry)
            line = describe(entry, context.task.metric())
            progress.detail = line if "loss" in entry else progress.detail
            if "eval_loss" in entry:
                console.note(line)

        def on_step(step: int, steps: int, tokens: int) -> None:
            progress(step, steps)

        watch = TrainingWatch(on_log, on_step, console.note)
        splits, tracking = context.prepared.splits, _tracking(context, index)
        trained = train(model, splits, run, name, watch, tracking)
    console.note(summary(trained.info))
    if sentence := verdict_sentence.unfinished(trained.info.get("unfinished")):
        console.warn(sentence)


def train(
    kind: TaskModel,
    splits: DatasetDict,
    run: Run,
    name: str,
    watch: TrainingWatch,
    tracking: Mapping[str, Any],
) -> Trained:
    """Fine-tune, from the newest valid checkpoint if there is one, and save the best adapter.

    Everything is written into a folder beside the adapter's, which gets its name at the end.

    Args:
        kind: the model, which is not loaded yet.
        splits: training and validation rows.
        run: the run directory.
        name: the adapter's folder in it.
        watch: is called with logged steps and progress.
        tracking: training arguments that name the tracker; see :func:`fields`.
    """
    recipe = dataclasses.replace(kind.recipe, training={**kind.recipe.training, **tracking})
    staged = run.path / f".{name}.new.tmp"
    # Trackers print; standard output belongs to the answer (and to --json).
    with contextlib.redirect_stdout(io.StringIO()):
        trained = kind.train(
            splits, recipe=recipe, checkpoints=run.checkpoints / name,
            adapter=staged, watch=watch,
        )  # fmt: skip
        distributed.agreed(lambda: _settle(staged, run.path / name, trained))
        return trained


def _settle(staged: Path, folder: Path, trained: Trained) -> None:
    """Complete a trained model's folder by the figures of its training, and give it its name."""
    trained.info["checkpoint_mb"] = weights_mb(staged)
    write_json(staged / OUTCOME, {"info": trained.info, "history": trained.history})
    usual_modes(staged)
    adapters.replace_folder(folder, staged)


def weights_mb(folder: Path) -> float | None:
    """The size of a saved model's weights in MiB; ``None`` where this process sees no file."""
    sizes = [file.stat().st_size for file in folder.glob("*.safetensors")]
    return round(sum(sizes) / 2**20, 2) if sizes else None


# -- progress --------------------------------------------------------------------------------------
def keep_curve(run: Run, entry: Mapping[str, Any]) -> None:
    """Add a logged step to ``history.json``, so that the curves of a running training can be shown.

    A resumed run logs the steps since its checkpoint again; they replace the earlier ones.
    """
    place = run.path / "history.json"
    kept = read_json(place) if place.is_file() else []
    step, judged = entry["step"], "eval_loss" in entry
    before = [
        e for e in kept
        if e["step"] < step or (e["step"] == step and ("eval_loss" in e) != judged)
    ]  # fmt: skip
    write_json(place, [*before, dict(entry)])


def describe(entry: Mapping[str, Any], metric: Metric) -> str:
    """One logged step in a few words."""
    if "eval_loss" in entry:
        value = entry.get(f"eval_{metric.name}")
        figure = "" if value is None else f", {metric.name} {value:{metric.format}}{metric.unit}"
        return f"step {entry['step']}: loss {entry['eval_loss']:.4f} on validation{figure}"
    rate = entry.get("tokens_per_second")
    speed = "" if rate is None else f", {rate:,.0f} tokens/s"
    return f"loss {entry['loss']:.4f}{speed}"


def summary(info: Mapping[str, Any]) -> str:
    """The figures of a training in one line."""
    early = ", stopped early" if info["stopped_early"] else ""
    return (
        f"{info['parameters_trained']:,} of {info['parameters_total']:,} parameters trained in "
        f"{duration(info['seconds'])}, {info['tokens_per_second'] or 0:,.0f} tokens/s; best step "
        f"{info['best_step']} of {info['steps']}{early}"
    )


TRACKING = "tracking"
"""The extra that brings Trackio."""


# -- the tracker -----------------------------------------------------------------------------------
def _tracking(context: RunContext, index: int) -> dict[str, Any]:
    run = context.run
    if reason := untracked(context.recipe.training):
        context.console.note(reason)
    return fields(
        context.recipe.training,
        runs=run.path.parent.parent,
        project=context.task.name,
        run_name=run.id + (f"-seed-{index}" if index else ""),
    )


def fields(
    training: Mapping[str, Any], *, runs: Path, project: str, run_name: str
) -> dict[str, Any]:
    """The training arguments for the tracker that the recipe names, or for Trackio by default.

    Trackio's data stay beside the runs; nothing is sent anywhere unless ``report_to`` names a
    tracker that sends.

    Raises:
        MissingExtra: the recipe names Trackio, which is not installed.
    """
    tracker = training.get("report_to")
    installed = importlib.util.find_spec(LOCAL) is not None
    if tracker is None:
        tracker = LOCAL if installed else "none"
    if tracker == "none":
        return {"report_to": "none"}
    if LOCAL in ([tracker] if isinstance(tracker, str) else tracker):
        if not installed:
            raise MissingExtra("report_to = trackio", TRACKING)
        os.environ.setdefault("TRACKIO_DIR", str((runs / ".trackio").resolve()))
    return {"report_to": tracker, "project": project, "run_name": run_name}


def untracked(training: Mapping[str, Any]) -> str:
    """Why the training is not tracked although the recipe does not turn tracking off; or empty."""
    if training.get("report_to") is None and importlib.util.find_spec(LOCAL) is None:
        return f"no experiment tracker: {MissingExtra('local tracking with trackio', TRACKING)}"
    return ""
