"""Estimates that are stored beside the code, so that ``toolkit recipes`` answers at once.

    python -m toolkit.cli.store_estimates

writes ``kept.json`` anew, for the installed tasks' recipes for real models. An estimate is stored
under a digest of all that it depends on, so that a recipe that has changed since has none.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from toolkit.kinds.causal_lm.task import NumericLMTask
from toolkit.kinds.language.task import LanguageTask
from toolkit.kinds.registry import kind_name
from toolkit.recipe import Recipe
from toolkit.task import Task

PLACE = Path(__file__).with_name("kept.json")
ANSWER = 64
"""Tokens of an answer in estimates without data, but at most half a row."""
COUNTS = (
    "per_device_train_batch_size", "max_length", "gradient_checkpointing", "optim", "bf16",
    "fp16", "packing", "model_init_kwargs",
)  # fmt: skip
"""The fields of ``[training]`` that memory depends on."""


def length(recipe: Recipe) -> int:
    """Tokens of the longest row that a recipe allows."""
    return int(recipe.training.get("max_length") or 512)


def key(task: type[Task], recipe: Recipe, *, gpu: bool) -> str:
    """A digest of all that an estimate depends on."""
    accumulates = int(recipe.training.get("gradient_accumulation_steps", 1)) > 1
    basis = {
        "kind": kind_name(task),
        "answers_with_number": issubclass(task, NumericLMTask),  # its scoring walks digits
        "model": recipe.model,
        "training": {n: v for n, v in recipe.training.items() if n in COUNTS},
        "accumulates": accumulates,
        "lora": recipe.lora,
        "quantization": recipe.quantization,
        "written": recipe.generation.get("max_new_tokens"),
        "gpu": gpu,
    }
    return hashlib.sha256(json.dumps(basis, sort_keys=True, default=str).encode()).hexdigest()[:16]


def lookup(task: type[Task], recipe: Recipe, *, gpu: bool) -> Mapping[str, Any] | None:
    """The stored estimate, as :meth:`Estimate.document` returns it; ``None``: there is none."""
    estimates: dict[str, Any] = json.loads(PLACE.read_text(encoding="utf-8"))
    estimate = estimates.get(key(task, recipe, gpu=gpu))
    return None if estimate is None else dict(estimate)


def compute(task: type[Task], recipe: Recipe, *, gpu: bool) -> dict[str, Any]:
    """The estimate for the longest rows that a recipe allows, with the installed versions."""
    from toolkit.preparation.memory.estimation import Shape, estimate

    longest = length(recipe)
    written = int(recipe.generation.get("max_new_tokens", 8 if not task_writes(task) else ANSWER))
    shape = Shape(longest, min(ANSWER, longest // 2), None, written)
    return estimate(task, recipe, shape, gpu=gpu, gpu_memory=16 * 2**30).document()


def task_writes(task: type[Task]) -> bool:
    """Whether answers are texts of any length, unlike numbers and classes."""
    return issubclass(task, LanguageTask) and not issubclass(task, NumericLMTask)
