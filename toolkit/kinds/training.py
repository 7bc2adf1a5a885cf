"""Fine-tuning, as far as it is the same for every kind: arguments, judging, resuming, figures."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers import EarlyStoppingCallback

from toolkit import backends
from toolkit.checkpoints import newest_valid
from toolkit.decode import primary_values
from toolkit.errors import PreflightError, RecipeError
from toolkit.kinds.base import Kind, Trained, TrainingWatch
from toolkit.kinds.trainer import JudgedTrainer, Watcher, history
from toolkit.monitor import Monitor

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

CHECKPOINTS_KEPT = 2
CANARIES = 4
"""Rows stored with an adapter; on them it must answer otherwise than the base."""

DEFAULTS: Mapping[str, Any] = {
    "save_total_limit": CHECKPOINTS_KEPT,
    "eval_strategy": "epoch",
    "logging_steps": 10,
    "report_to": "none",
    "gradient_checkpointing": False,
}
"""What a recipe may leave out."""


def arguments(kind: Kind, checkpoints: Path, **fixed: Any) -> Any:
    """The kind's training arguments, from the recipe's ``[training]``.

    Args:
        kind: its recipe, seed and task count.
        checkpoints: the trainer's output folder.
        fixed: further fields that no recipe decides.
    """
    import torch

    metric, cls = kind.task.metric(), kind.training_arguments()
    fields: dict[str, Any] = {
        **DEFAULTS,
        **kind.recipe.training,
        "output_dir": str(checkpoints),
        "seed": kind.seed,
        "data_seed": kind.seed,
        "use_cpu": not torch.cuda.is_available(),
        "disable_tqdm": True,
        "load_best_model_at_end": True,
        "metric_for_best_model": f"eval_{metric.name}",
        "greater_is_better": metric.greater_is_better,
        **fixed,
    }
    fields.pop("model_init_kwargs", None)  # the model is loaded already
    # A checkpoint is saved where it is judged, so that the best one is always there.
    fields.setdefault("save_strategy", fields["eval_strategy"])
    if "eval_steps" in fields:
        fields.setdefault("save_steps", fields["eval_steps"])
    try:
        return cls(**fields)
    except (TypeError, ValueError) as error:
        raise RecipeError(
            f"{cls.__name__} refuses [training]: {' '.join(str(error).split())}"
        ) from error


def fitting(train: Dataset, limit: int | None) -> tuple[Dataset, list[int]]:
    """The tokenized rows that fit, and their lengths; preflight has refused or counted others."""
    lengths = [len(ids) for ids in train["input_ids"]]
    keep = [i for i, length in enumerate(lengths) if limit is None or length <= limit]
    if not keep:
        raise PreflightError(f"no training row fits into max_length {limit}")
    return train.select(keep), [lengths[i] for i in keep]


def judge(kind: Kind, select: Dataset, tokenized: Dataset) -> Callable[[Any], dict[str, float]]:
    """The evaluation during training: loss and primary metric on the select split."""
    encoded = [dict(row) for row in tokenized]
    rows = [dict(row) for row in select]

    def judged(trainer: JudgedTrainer) -> dict[str, float]:
        started = time.perf_counter()
        outputs = kind.predict(rows, adapter=True)
        values = primary_values(kind.task, outputs, rows)
        best = kind.task.metric().greater_is_better
        value = (max if best else min)(values.values())
        return {
            "eval_loss": trainer.mean_loss(encoded),
            f"eval_{kind.task.primary_metric}": value,
            "eval_seconds": round(time.perf_counter() - started, 3),
        }

    return judged


def fit(
    kind: Kind,
    model: Any,
    build: Callable[[Monitor], Any],
    *,
    lengths: Sequence[int],
    checkpoints: Path,
    watch: TrainingWatch,
) -> Trained:
    """Train from the newest valid checkpoint or from the start, and end with the best weights.

    Args:
        kind: whose recipe says when to stop early.
        model: what is trained, in training's place already.
        build: makes the trainer, a :class:`JudgedTrainer`.
        lengths: tokens of each training row.
        checkpoints: where checkpoints lie.
        watch: who is told about steps and logs.
    """
    trained, total = backends.parameter_counts(model)
    with Monitor() as monitor:
        trainer = build(monitor)
        trainer.add_callback(Watcher(watch, trainer))
        if kind.recipe.early_stopping is not None:
            trainer.add_callback(EarlyStoppingCallback(**kind.recipe.early_stopping))
        started = time.perf_counter()
        resumed = newest_valid(checkpoints)
        trainer.train(resume_from_checkpoint=str(resumed) if resumed else None)
        seconds = time.perf_counter() - started
    model.eval()
    state = trainer.state
    return Trained(
        history=history(state),
        info={
            "parameters_trained": trained,
            "parameters_total": total,
            "rows": len(lengths),
            "tokens": round(sum(lengths) * float(state.epoch or 0)),
            "seconds": round(seconds, 2),
            "tokens_per_second": _median_rate(state.log_history),
            "peak_memory_mb": round(monitor.peak_mb, 1),
            "memory_before_mb": round(monitor.start_mb, 1),
            "steps": state.global_step,
            "max_steps": state.max_steps,
            "epochs": round(float(state.epoch or 0), 3),
            "best_step": state.best_global_step or state.global_step,
            "best_metric": state.best_metric,
            "stopped_early": state.global_step < state.max_steps,
            "resumed_from_step": int(resumed.name.rpartition("-")[2]) if resumed else None,
        },
    )


def _median_rate(logged: Sequence[Mapping[str, Any]]) -> float | None:
    rates = [entry["tokens_per_second"] for entry in logged if "tokens_per_second" in entry]
    return round(statistics.median(rates), 1) if rates else None


def canary_rows(kind: Kind, splits: DatasetDict) -> list[Mapping[str, Any]]:
    """The rows that are stored with the adapter, as they may be kept."""
    select = splits["select"]
    few = select.select(range(min(CANARIES, len(select))))
    return [kind.keepable(dict(row)) for row in few]
