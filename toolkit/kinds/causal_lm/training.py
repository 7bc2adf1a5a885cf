"""Fine-tuning a causal LM: from tokenized rows to a saved adapter."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from toolkit import backends
from toolkit.errors import RecipeError
from toolkit.kinds import training
from toolkit.kinds.base import Trained, TrainingWatch
from toolkit.kinds.causal_lm import NumericLMTask, joining
from toolkit.kinds.causal_lm.numbers import SmoothedTargets
from toolkit.kinds.causal_lm.trainer import Collator, LabelTrainer, labelled
from toolkit.monitor import Monitor

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

    from toolkit.kinds.causal_lm.kind import CausalLM

PROBED = 8
"""Rows that are looked at to see whether a model reads joined sequences aright."""
EXACT, COARSE = 1e-3, 0.03
"""By which share their logits may differ, in float32 and in weights of fewer digits."""


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
    train, lengths = training.tokenized_train(kind, kind.tokenized, splits["train"])
    rows = lengths.shape[1]
    select = kind.tokenized(splits["select"])
    kind.model = backends.add_lora(
        kind.model, kind.recipe.lora, seed=kind.seed, task_type="CAUSAL_LM"
    )
    kind.has_adapter = True
    collator = Collator(kind.tokenizer.pad_token_id, _smoothed(kind, splits))
    if kind.task.joined and len(lengths) == 1 and collator.smoothed is None:
        train = _joined(kind, train, collator)
        lengths = np.array([[len(ids) for ids in train["input_ids"]]])

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
            data_collator=collator,
            lengths=lengths,
            judge=training.judge(kind, splits["select"], select),
            monitor=monitor,
        )

    trained = training.fit(
        kind, kind.model, build, lengths=lengths, checkpoints=checkpoints, watch=watch
    )
    _save(kind, splits, adapter)
    trained.info["rows"] = rows
    return trained


def _joined(kind: CausalLM, train: Dataset, collator: Collator) -> Dataset:
    """The rows of each group as one sequence, where the model reads such sequences aright."""
    limit = kind.max_length or joining.UNLIMITED
    joined = joining.join(train, limit)
    first = [row for row in train.select(range(min(PROBED, len(train))))
             if row["group"] == train[0]["group"]]  # fmt: skip
    one = list(joining.sequences([(row["input_ids"], row["labels"]) for row in first], limit))
    try:
        together, apart = (_logits(kind.model, collator(rows)) for rows in (one, first))
    except (RuntimeError, TypeError, ValueError, IndexError):  # it takes no such mask, for one
        return train
    exact = kind.model.get_input_embeddings().weight.dtype == torch.float32
    away = float((together - apart).norm() / apart.norm())
    return joined if away <= (EXACT if exact else COARSE) else train


def _logits(model: Any, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Logits at the labels of a batch, shape (labels, vocabulary)."""
    model.eval()
    on = {name: value.to(model.device) for name, value in inputs.items()}
    with torch.inference_mode():
        return labelled(model, model, on).logits[0].float()


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
