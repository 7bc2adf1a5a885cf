"""The training stage: the kind's own training, and what it says while it goes on."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.errors import MissingExtra
from toolkit.runs.files import read_json, write_json
from toolkit.runs.run import Run
from toolkit.system import distributed
from toolkit.system.console import duration

if TYPE_CHECKING:
    from datasets import DatasetDict

    from toolkit.kinds.base import Kind, Trained, TrainingWatch
    from toolkit.metrics.metric import Metric


def train(
    kind: Kind,
    splits: DatasetDict,
    run: Run,
    name: str,
    watch: TrainingWatch,
    tracking: Mapping[str, Any],
) -> Trained:
    """Fine-tune and save the best adapter in the run's folder of that name.

    Goes on from the newest valid checkpoint where there is one.
    """
    recipe = kind.recipe
    kind.recipe = dataclasses.replace(recipe, training={**recipe.training, **tracking})
    try:
        # Trackers print; standard output belongs to the answer (and to --json).
        with contextlib.redirect_stdout(io.StringIO()):
            trained = kind.train(
                splits, checkpoints=run.checkpoints / name, adapter=run.path / name, watch=watch
            )
            distributed.wait()  # the first has saved
            return trained
    finally:
        kind.recipe = recipe


def keep_curve(run: Run, entry: Mapping[str, Any]) -> None:
    """Add a logged step to ``history.json``, so that a run can be looked at while it goes on.

    A resumed run logs the steps since its checkpoint again; they replace those from before.
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
        return f"step {entry['step']}: loss {entry['eval_loss']:.4f} on select{figure}"
    rate = entry.get("tokens_per_second")
    speed = "" if rate is None else f", {rate:,.0f} tokens/s"
    return f"loss {entry['loss']:.4f}{speed}"


def summary(info: Mapping[str, Any]) -> str:
    """What training did, in one line."""
    early = ", stopped early" if info["stopped_early"] else ""
    return (
        f"{info['parameters_trained']:,} of {info['parameters_total']:,} parameters trained in "
        f"{duration(info['seconds'])}, {info['tokens_per_second'] or 0:,.0f} tokens/s; best step "
        f"{info['best_step']} of {info['steps']}{early}"
    )


LOCAL = "trackio"
TRACKING = "tracking"
"""The extra that brings it."""


def fields(
    training: Mapping[str, Any], *, runs: Path, project: str, run_name: str
) -> dict[str, Any]:
    """The training arguments that name the tracker, where the recipe does not.

    Trackio's data stay beside the runs; nothing is sent anywhere unless ``report_to`` names a
    tracker that sends.

    Raises:
        MissingExtra: the recipe names Trackio, which is not installed.
    """
    chosen = training.get("report_to")
    installed = importlib.util.find_spec(LOCAL) is not None
    if chosen is None:
        chosen = LOCAL if installed else "none"
    if chosen == "none":
        return {"report_to": "none"}
    if LOCAL in ([chosen] if isinstance(chosen, str) else chosen):
        if not installed:
            raise MissingExtra("report_to = trackio", TRACKING)
        os.environ.setdefault("TRACKIO_DIR", str((runs / ".trackio").resolve()))
    return {"report_to": chosen, "project": project, "run_name": run_name}


def untracked(training: Mapping[str, Any]) -> str:
    """Why no tracker follows the training although the recipe turns none off; else empty."""
    if training.get("report_to") is None and importlib.util.find_spec(LOCAL) is None:
        return f"no experiment tracker: {MissingExtra('local tracking with trackio', TRACKING)}"
    return ""
