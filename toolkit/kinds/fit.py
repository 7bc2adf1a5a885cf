"""Fine-tuning, where all kinds do the same: arguments, evaluation, resuming, figures."""

from __future__ import annotations

import math
import pickle
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np
from transformers import EarlyStoppingCallback, TrainerCallback

from toolkit.data import tables
from toolkit.decoding import primary_values
from toolkit.errors import PreflightError, RecipeError, RunError
from toolkit.kinds.base import TaskModel
from toolkit.kinds.checkpoints import resumable
from toolkit.kinds.schedule import TimeBudget, spaced, steps_of_epoch, unfinished
from toolkit.kinds.trainer import JudgedTrainer, StartHolder, Watcher, history
from toolkit.kinds.watching import Trained, TrainingWatch
from toolkit.models import adapters, lora_start, unsloth
from toolkit.recipe import Recipe
from toolkit.system import device, distributed, upstream
from toolkit.system.monitor import Monitor
from toolkit.task import Task

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

CHECKPOINTS_KEPT = 2
MOST_VARIANTS = 8
"""The most variants of each training row; with more epochs they are repeated."""
CANARIES = 4
"""Rows stored with an adapter; on them its outputs must differ from the base's."""

DEFAULTS: Mapping[str, Any] = {
    "save_total_limit": CHECKPOINTS_KEPT,
    "eval_strategy": "epoch",
    "logging_steps": 10,
    "report_to": "none",
    "gradient_checkpointing": False,
    # The reentrant implementation finds no gradient behind frozen embeddings.
    "gradient_checkpointing_kwargs": {"use_reentrant": False},
}
"""Training arguments for which a recipe needs no value."""
UNPAGED: Mapping[str, str] = {
    "paged_adamw": "adamw_torch_fused",
    "paged_adamw_32bit": "adamw_torch_fused",
    "paged_adamw_8bit": "adamw_8bit",
    "paged_lion_32bit": "lion_32bit",
    "paged_lion_8bit": "lion_8bit",
    "paged_ademamix_32bit": "ademamix",
    "paged_ademamix_8bit": "ademamix_8bit",
}
"""Optimizers by their names without paging, which moves states between a GPU and main memory."""


def arguments(kind: TaskModel, recipe: Recipe, checkpoints: Path, **fixed: Any) -> Any:
    """The kind's training arguments, from the recipe's ``[training]``.

    Args:
        kind: the model; its class, seed and task are used.
        recipe: how to train.
        checkpoints: the trainer's output folder.
        fixed: further fields, which a recipe cannot change.

    Raises:
        RecipeError: the recipe has unknown fields or values.
    """
    metric, cls = kind.task.metric(), kind.training_arguments()
    fields: dict[str, Any] = {
        **unsloth.replaced_defaults(cls),
        **DEFAULTS,
        **recipe.training,
        "output_dir": str(checkpoints),
        "seed": kind.seed,
        "data_seed": kind.seed,
        "use_cpu": not device.is_gpu(),
        "disable_tqdm": True,
        "load_best_model_at_end": True,
        "metric_for_best_model": f"eval_{metric.name}",
        "greater_is_better": metric.greater_is_better,
        **fixed,
    }
    fields.pop("model_init_kwargs", None)  # the model is loaded already
    if kind.trains_in(recipe) != kind.computes_in(recipe, gpu=not fields["use_cpu"]):
        fields["bf16"] = False
    if fields["use_cpu"] and "optim" in fields:
        fields["optim"] = UNPAGED.get(str(fields["optim"]), fields["optim"])
    # A checkpoint is saved at each evaluation, so that the best one is always there.
    fields.setdefault("save_strategy", fields["eval_strategy"])
    if "eval_steps" in fields:
        fields.setdefault("save_steps", fields["eval_steps"])
    try:
        return cls(**upstream.training_fields(cls, fields))
    except (TypeError, ValueError) as error:
        raise RecipeError(
            f"{cls.__name__} refuses [training]: {' '.join(str(error).split())}"
        ) from error


def tokenized_train(kind: TaskModel, recipe: Recipe, train: Dataset) -> tuple[Dataset, np.ndarray]:
    """The training rows as tokens, in all their variants, and their lengths.

    Rows that do not fit are left out; preflight has refused or counted them.

    Args:
        kind: the model; its task may augment rows, and its ``max_length`` limits them.
        recipe: how to train; the number of epochs is used.
        train: the training split.

    Returns:
        tokenized rows, one variant of all of them after the other, and the tokens of each, shape
        (variants, rows).

    Raises:
        PreflightError: no row fits.
    """
    from datasets import concatenate_datasets

    parts = [with_ids(kind.tokenized(part), part) for part in _row_variants(kind, recipe, train)]
    lengths = np.array([[len(ids) for ids in part["input_ids"]] for part in parts])
    limit = kind.max_length
    keep = np.arange(lengths.shape[1])
    if limit is not None:
        keep = keep[(lengths <= limit).all(axis=0)]
    if not keep.size:
        raise PreflightError(f"no training row fits into max_length {limit}")
    return concatenate_datasets([part.select(keep) for part in parts]), lengths[:, keep]


def with_ids(tokenized: Dataset, rows: Dataset) -> Dataset:
    """Tokenized rows with the ``row_id`` of each, by which a message names them.

    A kind that makes several of a row names them itself.
    """
    if "row_id" in tokenized.column_names or len(tokenized) != len(rows):
        return tokenized
    named = "row_id" in rows.column_names
    return tokenized.add_column(
        "row_id", rows["row_id"][:] if named else [*range(1, len(rows) + 1)]
    )


def _row_variants(kind: TaskModel, recipe: Recipe, train: Dataset) -> list[Dataset]:
    """The rows as they are and, where the task augments them, a variant for each further epoch."""
    if type(kind.task).augment is Task.augment:
        return [train]
    epochs = math.ceil(float(recipe.training.get("num_train_epochs", 3)))

    def augmented(row: dict[str, Any], epoch: int) -> dict[str, Any]:
        random = Random(f"{kind.seed} {epoch} {row['row_id']}")
        return {**row, **kind.task.augment(row, random)}

    return [train] + [
        tables.mapped(train, augmented, fn_kwargs={"epoch": epoch})
        for epoch in range(1, min(epochs, MOST_VARIANTS))
    ]


def judge(
    kind: TaskModel, validation: Dataset, tokenized: Dataset
) -> Callable[[Any], dict[str, float]]:
    """A function that evaluates during training: loss and primary metric on validation rows.

    Args:
        kind: the model that is trained.
        validation: the validation rows.
        tokenized: the same rows, tokenized.
    """
    encoded = [dict(row) for row in with_ids(tokenized, validation)]
    rows = [dict(row) for row in validation]

    def judged(trainer: JudgedTrainer) -> dict[str, float]:
        started = time.perf_counter()
        loss = trainer.mean_loss(encoded)
        outputs = distributed.shared(rows, lambda part: kind.predict(part, adapter=True))
        values = primary_values(kind.task, outputs, rows)
        best = kind.task.metric().greater_is_better
        value = (max if best else min)(values.values())
        return {
            "eval_loss": loss,
            f"eval_{kind.task.primary_metric}": value,
            "eval_seconds": round(time.perf_counter() - started, 3),
        }

    return judged


def fit(
    model: Any,
    build: Callable[[Monitor], Any],
    *,
    early_stopping: Mapping[str, Any] | None,
    lengths: np.ndarray,
    checkpoints: Path,
    watch: TrainingWatch,
) -> Trained:
    """Train from the newest valid checkpoint or from the start, and end with the best weights.

    Args:
        model: the model to train.
        build: makes the trainer, a :class:`JudgedTrainer`.
        early_stopping: a recipe's ``[early_stopping]``.
        lengths: tokens of each training row, shape (variants, rows).
        checkpoints: the folder of the checkpoints.
        watch: receives steps and logs.

    Raises:
        RunError: a checkpoint holds pickled objects.
    """
    trained, total = adapters.parameter_counts(model)
    with Monitor() as monitor:
        trainer = build(monitor)
        trainer.add_callback(Watcher(watch, trainer))
        if start := lora_start.of(model):
            trainer.add_callback(StartHolder(start))
        for callback in _stopping(early_stopping, trainer, watch):
            trainer.add_callback(callback)
        trial_step(trainer, lengths)
        started = time.perf_counter()
        limit = trainer.args.save_total_limit
        resumed = distributed.agreed(lambda: resumable(checkpoints, distributed.count(), limit))
        try:
            trainer.train(resume_from_checkpoint=str(resumed) if resumed else None)
        except pickle.UnpicklingError as error:
            raise RunError(
                f"{resumed} holds pickled objects that are no tensors, and these are refused; "
                "remove that folder, and toolkit resume trains from an earlier one"
            ) from error
        seconds = time.perf_counter() - started
    model.eval()
    state = trainer.state
    return Trained(
        history=history(state),
        info={
            "parameters_trained": trained,
            "parameters_total": total,
            "rows": lengths.shape[1],
            "tokens": round(float(lengths.sum(axis=1).mean()) * float(state.epoch or 0)),
            "seconds": round(seconds, 2),
            "tokens_per_second": _median_rate(state.log_history),
            "peak_memory_mb": round(monitor.peak_mb, 1),
            "memory_before_mb": round(monitor.start_mb, 1),
            **gpu_use(state.log_history),
            "steps": state.global_step,
            "max_steps": state.max_steps,
            "epochs": round(float(state.epoch or 0), 3),
            "best_step": (
                state.global_step if state.best_global_step is None else state.best_global_step
            ),
            "best_metric": _measured_best(trainer),
            **_end(trainer, state, seconds),
            "resumed_from_step": int(resumed.name.rpartition("-")[2]) if resumed else None,
        },
    )


def gpu_use(log: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """What a training's log says of the GPU: its most memory, its mean utilisation and power.

    Args:
        log: entries with the keys of :func:`toolkit.system.device.use`; without a GPU none has.
    """
    found = {}
    for key, name, summarise in (
        ("gpu_memory_mb", "gpu_peak_memory_mb", max),
        ("gpu_percent", "gpu_percent", np.mean),
        ("gpu_watts", "gpu_watts", np.mean),
    ):
        values = [entry[key] for entry in log if key in entry]
        if values:
            found[name] = round(float(summarise(values)), 1)
    return found


def _measured_best(trainer: Any) -> float | None:
    """The primary metric of the best checkpoint, as it was measured and logged."""
    state, name = trainer.state, trainer.args.metric_for_best_model
    for entry in reversed(state.log_history):
        if entry.get("step") == state.best_global_step and name in entry:
            return float(entry[name])
    return None if state.best_metric is None else float(state.best_metric)


def trial_step(trainer: Any, lengths: np.ndarray) -> None:
    """One forward and backward pass over the longest rows, whose results are discarded.

    Too little memory shows here and not after hours, because batches come in random order.

    Args:
        trainer: a :class:`JudgedTrainer`, ready to train.
        lengths: tokens of each training row, shape (variants, rows).

    Raises:
        PreflightError: it does not fit.
    """
    if distributed.sharded_by_accelerate():
        return  # the model is placed on its devices only within the training loop
    size = trainer.args.per_device_train_batch_size
    longest = np.argsort(-lengths.ravel(), kind="stable")[:size]
    rows = [trainer.train_dataset[int(i)] for i in longest]
    model = trainer.model
    if trainer.args.gradient_checkpointing:
        upstream.checkpoint_layers(model, trainer.args.gradient_checkpointing_kwargs)
    training = model.training
    try:
        with device.keep_random_state(), trainer.accelerator.autocast():
            model.train()
            inputs = trainer._prepare_inputs(trainer.data_collator(rows))
            trainer.summed_loss(model, inputs)[0].backward()
    except (RuntimeError, MemoryError) as error:
        if not _out_of_memory(error):
            raise
        raise PreflightError(
            f"a training step on the {len(rows)} longest rows ({int(lengths.max()):,} tokens) does "
            "not fit into memory; halve training.per_device_train_batch_size and double "
            "training.gradient_accumulation_steps, or --set training.gradient_checkpointing=true"
        ) from error
    finally:
        model.train(training)
        model.zero_grad(set_to_none=True)


def _out_of_memory(error: BaseException) -> bool:
    """Whether an error means that memory is full, for which torch has several messages."""
    text = str(error).lower()
    return isinstance(error, MemoryError) or "out of memory" in text or "allocate memory" in text


def _stopping(
    settings: Mapping[str, Any] | None, trainer: JudgedTrainer, watch: TrainingWatch
) -> list[TrainerCallback]:
    """Callbacks that may end training before its last epoch."""
    fields = dict(settings or {})
    minutes = fields.pop("minutes", None)
    found: list[TrainerCallback] = [EarlyStoppingCallback(**fields)] if fields else []
    if minutes is not None:
        budget = TimeBudget(60 * float(minutes))
        budget.trainer, budget.note = trainer, watch.on_note
        found.append(budget)
    return found


def _end(trainer: Any, state: Any, seconds: float) -> dict[str, Any]:
    """How training ended: its planned and done steps, what of the plan is missing, and why."""
    budget = next(
        (c for c in trainer.callback_handler.callbacks if isinstance(c, TimeBudget)), None
    )
    planned = state.max_steps if budget is None or budget.planned is None else budget.planned
    metric = trainer.args.metric_for_best_model
    by_time = budget is not None and bool(budget.fits or budget.over)
    missing = unfinished(
        spaced([(e["step"], e[metric]) for e in state.log_history if metric in e]),
        greater_is_better=bool(trainer.args.greater_is_better),
        steps=state.global_step, max_steps=state.max_steps, planned=planned,
        epoch=steps_of_epoch(trainer), by_time=by_time, seconds=seconds,
    )  # fmt: skip
    fitted = {"fitted_schedule": budget.fits} if budget is not None and budget.fits else {}
    limit = {"minutes": round(budget.seconds / 60, 4)} if budget is not None else {}
    return {
        **limit,
        "planned_steps": planned,
        "stopped_early": state.global_step < planned,
        **fitted,
        **({"unfinished": missing} if missing else {}),
    }


def _median_rate(logged: Sequence[Mapping[str, Any]]) -> float | None:
    rates = [entry["tokens_per_second"] for entry in logged if "tokens_per_second" in entry]
    return round(statistics.median(rates), 1) if rates else None


def canary_rows(kind: TaskModel, splits: DatasetDict) -> list[Mapping[str, Any]]:
    """The rows that are stored with the adapter; of private data, without their texts."""
    validation = splits["validation"]
    few = validation.select(range(min(CANARIES, len(validation))))
    return [kind.keepable(dict(row)) for row in few]
