"""Fine-tuning a causal LM: from tokenized rows to a saved adapter."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers import EarlyStoppingCallback

from toolkit import backends
from toolkit.checkpoints import newest_valid
from toolkit.decode import primary_values
from toolkit.errors import PreflightError, RecipeError
from toolkit.kinds.base import Trained, TrainingWatch
from toolkit.kinds.causal_lm import NumericLMTask
from toolkit.kinds.causal_lm.numbers import SmoothedTargets
from toolkit.kinds.causal_lm.trainer import (
    Collator,
    LabelTrainer,
    Watcher,
    history,
    sft_config,
)
from toolkit.monitor import Monitor

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

    from toolkit.kinds.causal_lm.kind import CausalLM

CHECKPOINTS_KEPT = 2


def fine_tune(
    kind: CausalLM, splits: DatasetDict, *, checkpoints: Path, adapter: Path, watch: TrainingWatch
) -> Trained:
    """Train LoRA weights on ``train``, choose the checkpoint on ``select``, save the adapter."""
    kind.load()
    kind.drop_adapter()
    train, select = kind.tokenized(splits["train"]), kind.tokenized(splits["select"])
    lengths = [len(ids) for ids in train["input_ids"]]
    keep = _fitting(kind, lengths)
    train, lengths = train.select(keep), [lengths[i] for i in keep]
    kind.model = backends.add_lora(kind.model, kind.recipe.lora or {}, seed=kind.seed)
    kind.has_adapter = True
    trained, total = backends.parameter_counts(kind.model)
    with Monitor() as monitor:
        trainer = LabelTrainer(
            model=kind.model,
            args=_arguments(kind, checkpoints),
            train_dataset=train,
            eval_dataset=select,
            processing_class=kind.tokenizer,
            data_collator=Collator(kind.tokenizer.pad_token_id, _smoothed(kind, splits)),
            lengths=lengths,
            judge=_judge(kind, splits["select"], select),
            monitor=monitor,
        )
        trainer.add_callback(Watcher(watch, trainer))
        if kind.recipe.early_stopping is not None:
            trainer.add_callback(EarlyStoppingCallback(**kind.recipe.early_stopping))
        started = time.perf_counter()
        resumed = newest_valid(checkpoints)
        trainer.train(resume_from_checkpoint=str(resumed) if resumed else None)
        seconds = time.perf_counter() - started
    kind.model.eval()
    _save(kind, splits, adapter)
    state = trainer.state
    return Trained(
        history=history(state),
        info={
            "parameters_trained": trained,
            "parameters_total": total,
            "rows": len(train),
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


def _median_rate(history: list[dict[str, Any]]) -> float | None:
    import statistics

    rates = [entry["tokens_per_second"] for entry in history if "tokens_per_second" in entry]
    return round(statistics.median(rates), 1) if rates else None


def _fitting(kind: CausalLM, lengths: list[int]) -> list[int]:
    """Rows that fit; preflight has refused or counted the others."""
    limit = kind.max_length
    keep = [i for i, length in enumerate(lengths) if limit is None or length <= limit]
    if not keep:
        raise PreflightError(f"no training row fits into max_length {limit}")
    return keep


def _smoothed(kind: CausalLM, splits: DatasetDict) -> SmoothedTargets | None:
    task = kind.task
    if not isinstance(task, NumericLMTask) or task.settings["loss"] == "cross-entropy":
        return None
    if task.settings["loss"] != "regression-aware":
        raise RecipeError(
            f"task.loss is {task.settings['loss']!r}; it can be regression-aware or cross-entropy"
        )
    prompt = task.format_example(splits["train"][0])["prompt"]
    return SmoothedTargets(kind.renderer, prompt, task, float(task.settings["sigma"]))


def _arguments(kind: CausalLM, checkpoints: Path) -> Any:
    import torch

    metric = kind.task.metric()
    fixed: dict[str, Any] = {
        "output_dir": str(checkpoints),
        "seed": kind.seed,
        "data_seed": kind.seed,
        "use_cpu": not torch.cuda.is_available(),
        "disable_tqdm": True,
        "load_best_model_at_end": True,
        "metric_for_best_model": f"eval_{metric.name}",
        "greater_is_better": metric.greater_is_better,
    }
    defaults: dict[str, Any] = {
        "save_total_limit": CHECKPOINTS_KEPT,
        "eval_strategy": "epoch",
        "logging_steps": 10,
        "report_to": "none",
        "gradient_checkpointing": False,
    }
    fields = {**defaults, **kind.recipe.training, **fixed}
    fields.pop("model_init_kwargs", None)  # the model is loaded already
    # A checkpoint is saved where it is judged, so that the best one is always there.
    fields.setdefault("save_strategy", fields["eval_strategy"])
    if "eval_steps" in fields:
        fields.setdefault("save_steps", fields["eval_steps"])
    try:
        return sft_config(fields)
    except (TypeError, ValueError) as error:
        raise RecipeError(
            f"SFTConfig refuses [training]: {' '.join(str(error).split())}"
        ) from error


def _judge(kind: CausalLM, select: Dataset, tokenized: Dataset) -> Any:
    """The evaluation during training: loss and primary metric on the select split."""
    encoded = [dict(row) for row in tokenized]
    rows = [dict(row) for row in select]

    def judge(trainer: LabelTrainer) -> dict[str, float]:
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

    return judge


def _save(kind: CausalLM, splits: DatasetDict, adapter: Path) -> None:
    from toolkit.kinds.causal_lm.kind import CANARIES

    canaries: list[Mapping[str, Any]] = [
        kind.keepable(dict(row))
        for row in splits["select"].select(range(min(CANARIES, len(splits["select"]))))
    ]
    kind.check_effect(canaries)
    prompts = [kind.renderer.prompt(kind.example(row)) for row in canaries]
    backends.save_adapter(
        kind.model,
        kind.tokenizer,
        adapter,
        {
            "task": kind.task.name,
            "model": kind.recipe.model,
            "prompt_sha": kind.renderer.digest(prompts),
            "chat_template": getattr(kind.tokenizer, "chat_template", None),
            "facts": kind.task.facts,
            "settings": kind.task.settings,
            "canaries": canaries,
        },
    )
