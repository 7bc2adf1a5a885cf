"""Another run's adapter, or another untouched model, answers the held-out rows."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.data.no_rows import REASON
from toolkit.errors import RunError
from toolkit.evaluation.predict import predict_model
from toolkit.evaluation.prediction_files import absent
from toolkit.kinds.registry import model_class
from toolkit.models import backend_choice
from toolkit.pipeline.ladder.named import Rung
from toolkit.pipeline.restore import load_task, make_kind
from toolkit.plugins import recipes
from toolkit.recipe import Recipe
from toolkit.runs import shared_rows, trust
from toolkit.runs.evaluated import trained_models
from toolkit.runs.run import Run
from toolkit.system import distributed
from toolkit.task import Row, Task

if TYPE_CHECKING:
    from toolkit.kinds.base import TaskModel
    from toolkit.pipeline.context import RunContext

FURTHER = "other"
"""The role of other models, which stand on the ladder and which no adapter has to beat."""


def predict_run(context: RunContext, rung: Rung) -> None:
    """The adapter of another run, with the state and the decoder of its own task.

    It is left out where test rows were among its training rows.
    """
    place = Path(rung.of)
    if not (place / "run.json").is_file():
        raise RunError(f"{rung.system}: there is no run {place} any more; bring it back")
    other = Run.open(place)
    seen, of = _seen(context.run, other)
    if seen:
        reason = f"{seen:,} of {of:,} test rows were among the training rows of that run"
        _left_out(context, rung.system, reason)
        return
    task = load_task(other)
    kind = make_kind(other, task)
    folder, role = trained_models(other)[0].folder, trained_models(other)[0].role
    kind.load_adapter(other.path / folder)
    what = "adapter" if role == "adapter" else "model"
    note = f"the {what} of run {other.id}, on {kind.recipe.model}"
    _predict(context, kind, rung.system, adapter=True, note=note, reader=task)


def _left_out(context: RunContext, name: str, reason: str) -> None:
    if distributed.first():
        absent(context.run, name, reason, FURTHER)
    context.console.warn(f"{name}: left out, {reason}")


def _seen(run: Run, other: Run) -> tuple[int, int]:
    """How many of a run's test rows another one was trained on, and how many there are."""
    test, theirs = shared_rows.of_split(run, "test"), shared_rows.row_digests(other)
    if not theirs:
        raise RunError(f"run {other.id} does not tell which rows it was trained on")
    learned = {sha for (split, _), sha in theirs.items() if split in ("train", "validation")}
    return sum(sha in learned for sha in test), len(test)


def predict_untouched(
    context: RunContext, rung: Rung, systems: Mapping[str, Sequence[Row]]
) -> None:
    """Another untouched model, zero-shot and few-shot.

    Args:
        context: the run.
        rung: the model.
        systems: the names of its systems → the solved examples in their prompts.
    """
    kind = model_class(context.task)(
        context.task,
        _recipe(context, rung.of),
        seed=context.seed,
        trust_remote_code=trust.remote_code(context.run.info),
        private=not context.run.info.get("options", {}).get("store_data", True),
        backend=backend_choice.get(backend_choice.TRANSFORMERS),
    )
    kind.on_note = context.console.note
    splits = context.prepared.splits
    with tempfile.TemporaryDirectory(prefix="toolkit-base-") as folder:
        if len(splits["train"]):
            kind.fit_base(splits["train"], Path(folder), splits["validation"])
        elif kind.base_note:
            for name in systems:
                _left_out(context, name, REASON)
            return
        for name, examples in systems.items():
            if examples and not max(kind.shots_used(_held(context), examples), default=0):
                _left_out(context, name, "no prompt has room for a solved example")
                continue
            _predict(context, kind, name, note=_note(rung.of, kind), shots=examples)


def _held(context: RunContext) -> list[Row]:
    return [dict(row) for row in context.prepared.splits["test"]]


def _note(model: str, kind: TaskModel) -> str:
    return "; ".join(filter(None, [f"{model}, untouched", kind.base_note, *kind.choices()]))


def _recipe(context: RunContext, model: str) -> Recipe:
    """How another model is loaded: as the task's recipe for it says, or plainly."""
    own = next((one for one in recipes.of(type(context.task)) if one.model == model), None)
    training = {k: v for k, v in context.recipe.training.items() if k != "model_init_kwargs"}
    if own is not None and "model_init_kwargs" in own.training:
        training["model_init_kwargs"] = own.training["model_init_kwargs"]
    return dataclasses.replace(
        context.recipe, model=model, training=training,
        quantization=own.quantization if own else None,
    )  # fmt: skip


def _predict(
    context: RunContext,
    kind: TaskModel,
    name: str,
    *,
    note: str,
    adapter: bool = False,
    shots: Sequence[Row] = (),
    reader: Task | None = None,
) -> None:
    with context.console.track(name) as progress:
        entry = predict_model(
            context.run, context.task, kind, name, FURTHER, context.prepared.splits,
            adapter=adapter, shots=shots, decoder=context.decoder, progress=progress, note=note,
            reader=reader,
        )  # fmt: skip
    context.note_result(entry, name, entry["predict_seconds"])
