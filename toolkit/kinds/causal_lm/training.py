"""Fine-tuning a causal LM: from tokenized rows to a saved adapter."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit import backends
from toolkit.errors import RecipeError
from toolkit.kinds import training
from toolkit.kinds.base import Trained, TrainingWatch
from toolkit.kinds.causal_lm import NumericLMTask
from toolkit.kinds.causal_lm.numbers import SmoothedTargets
from toolkit.kinds.causal_lm.trainer import Collator, LabelTrainer
from toolkit.monitor import Monitor

if TYPE_CHECKING:
    from datasets import DatasetDict

    from toolkit.kinds.causal_lm.kind import CausalLM


def fine_tune(
    kind: CausalLM, splits: DatasetDict, *, checkpoints: Path, adapter: Path, watch: TrainingWatch
) -> Trained:
    """Train LoRA weights on ``train``, choose the checkpoint on ``select``, save the adapter."""
    if kind.recipe.lora is None:
        raise RecipeError(
            "this recipe has no [lora]: causal language models are trained with an adapter only; "
            "give [lora] fields, such as --set lora.r=16"
        )
    kind.load()
    kind.drop_adapter()
    train, lengths = training.fitting(kind.tokenized(splits["train"]), kind.max_length)
    select = kind.tokenized(splits["select"])
    kind.model = backends.add_lora(
        kind.model, kind.recipe.lora, seed=kind.seed, task_type="CAUSAL_LM"
    )
    kind.has_adapter = True

    def build(monitor: Monitor) -> LabelTrainer:
        return LabelTrainer(
            model=kind.model,
            # Rows are prepared already.
            args=training.arguments(
                kind, checkpoints, dataset_kwargs={"skip_prepare_dataset": True}
            ),
            train_dataset=train,
            eval_dataset=select,
            processing_class=kind.tokenizer,
            data_collator=Collator(kind.tokenizer.pad_token_id, _smoothed(kind, splits)),
            lengths=lengths,
            judge=training.judge(kind, splits["select"], select),
            monitor=monitor,
        )

    trained = training.fit(
        kind, kind.model, build, lengths=lengths, checkpoints=checkpoints, watch=watch
    )
    _save(kind, splits, adapter)
    return trained


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


def _save(kind: CausalLM, splits: DatasetDict, adapter: Path) -> None:
    canaries = training.canary_rows(kind, splits)
    kind.check_effect(canaries)
    prompts = [kind.renderer.prompt(kind.example(row)) for row in canaries]
    extra: Mapping[str, Any] = {
        "task": kind.task.name,
        "model": kind.recipe.model,
        "prompt_sha": kind.renderer.digest(prompts),
        "chat_template": getattr(kind.tokenizer, "chat_template", None),
        "facts": kind.task.facts,
        "settings": kind.task.settings,
        "canaries": canaries,
    }
    backends.save_adapter(kind.model, kind.tokenizer, adapter, extra)
