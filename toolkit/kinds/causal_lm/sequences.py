"""How rows of a causal LM are laid out for training: soft targets, groups as one sequence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from toolkit.errors import RecipeError
from toolkit.kinds.causal_lm import packing, shared_prefix
from toolkit.kinds.causal_lm.number_distribution import SmoothedTargets
from toolkit.kinds.causal_lm.task import CausalLMTask, NumericLMTask
from toolkit.kinds.causal_lm.trainer import Collator, labelled
from toolkit.kinds.language.prompt import Renderer

if TYPE_CHECKING:
    from datasets import Dataset

PROBED = 8
"""Rows that are looked at to see whether a model reads joined sequences aright."""
EXACT, COARSE = 1e-3, 0.03
"""By which share their logits may differ, in float32 and in weights of fewer digits."""


def collator(renderer: Renderer, task: CausalLMTask, train: Dataset) -> Collator:
    """What makes batches of tokenized rows.

    Args:
        renderer: tokenizes as training does.
        task: a numeric one may want soft targets.
        train: the training rows themselves.
    """
    return Collator(renderer.tokenizer.pad_token_id, _smoothed(renderer, task, train))


def _smoothed(renderer: Renderer, task: CausalLMTask, train: Dataset) -> SmoothedTargets | None:
    if not isinstance(task, NumericLMTask) or task.options["loss"] == "cross-entropy":
        return None
    if task.options["loss"] != "regression-aware":
        raise RecipeError(
            f"task.loss is {task.options['loss']!r}; it can be regression-aware or cross-entropy"
        )
    prompt = task.format_example(train[0])["prompt"]
    return SmoothedTargets(renderer, prompt, task, float(task.options["sigma"]))


def joined(
    model: Any, train: Dataset, lengths: np.ndarray, collate: Collator, max_length: int | None
) -> tuple[Dataset, np.ndarray]:
    """The rows of each group as one sequence, where the model is made for it.

    Args:
        model: as it will be trained.
        train: tokenized rows.
        lengths: tokens of each, shape (wordings, rows).
        collate: makes batches of them.
        max_length: tokens of a sequence; ``None``: no limit.

    Returns:
        sequences and their lengths, shape (1, sequences); or what was given.
    """
    if len(lengths) != 1 or collate.smoothed is not None:
        return train, lengths
    limit = max_length or shared_prefix.UNLIMITED
    together = shared_prefix.join(train, limit)
    if not _reads_aright(model, train, collate, limit):
        return train, lengths
    return together, np.array([[len(ids) for ids in together["input_ids"]]])


def packed(
    model: Any, train: Dataset, lengths: np.ndarray, max_length: int | None
) -> tuple[Dataset, np.ndarray]:
    """Rows in as few sequences as ``max_length`` allows: ``packing`` in a recipe.

    Args:
        model: as it will be trained.
        train: wordings after wordings of tokenized rows.
        lengths: tokens of each, shape (wordings, rows).
        max_length: tokens of a sequence; ``None``: those of the longest row.

    Returns:
        wordings after wordings of sequences, and their lengths, shape (wordings, sequences).
    """
    packing.check(model)
    return packing.packed(train, lengths, max_length or int(lengths.max()))


def _reads_aright(model: Any, train: Dataset, collate: Collator, limit: int) -> bool:
    first = [
        row for row in train.select(range(min(PROBED, len(train))))
        if row["group"] == train[0]["group"]
    ]  # fmt: skip
    one = list(shared_prefix.sequences([(row["input_ids"], row["labels"]) for row in first], limit))
    try:
        together, apart = (_logits(model, collate(rows)) for rows in (one, first))
    except (RuntimeError, TypeError, ValueError, IndexError):  # it takes no such mask, for one
        return False
    exact = model.get_input_embeddings().weight.dtype == torch.float32
    away = float((together - apart).norm() / apart.norm())
    return away <= (EXACT if exact else COARSE)


def _logits(model: Any, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Logits at the labels of a batch, shape (labels, vocabulary)."""
    model.eval()
    on = {name: value.to(model.device) for name, value in inputs.items()}
    with torch.inference_mode():
        logits: torch.Tensor = labelled(model, model, on).logits[0].float()
    return logits
