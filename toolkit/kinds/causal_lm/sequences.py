"""The training sequences of a causal LM: soft targets, groups as one sequence, packing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from toolkit.errors import RecipeError
from toolkit.kinds.causal_lm import packing, shared_prefix
from toolkit.kinds.causal_lm.number_loss import NumberScale, SmoothedTargets
from toolkit.kinds.causal_lm.task import CausalLMTask, NumericLMTask
from toolkit.kinds.causal_lm.trainer import Collator, labelled
from toolkit.kinds.language.prompt import Renderer
from toolkit.models.agreement import in_float32

if TYPE_CHECKING:
    from datasets import Dataset

PROBED = 8
"""Rows on which it is checked that a model computes joined sequences correctly."""
EXACT, COARSE = 1e-3, 0.03
"""The relative difference that their logits may have, in float32 and in lower precision."""


def collator(renderer: Renderer, task: CausalLMTask, train: Dataset) -> Collator:
    """The collator, which makes batches of tokenized rows.

    Args:
        renderer: tokenizes as training does.
        task: a numeric task may use soft targets, and a loss on the distribution.
        train: the training rows, not tokenized.
    """
    smoothed, scale = _smoothed(renderer, task, train), number_scale(renderer.tokenizer, task)
    return Collator(renderer.tokenizer.pad_token_id, smoothed, scale)


def number_scale(tokenizer: Any, task: CausalLMTask) -> NumberScale | None:
    """The loss on the distribution of numbers, where the task wants it and the tokens allow it."""
    if not isinstance(task, NumericLMTask):
        return None
    weight = task.options["rank_weight"]
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight < np.inf:
        raise RecipeError(f"task.rank_weight is {weight!r}; it can be 0 (off) or above")
    if not weight:
        return None
    return NumberScale.of(tokenizer, task.largest_number, float(weight))


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
    """The rows of each group as one sequence, where the model computes such sequences correctly.

    Args:
        model: the model, as it will be trained.
        train: tokenized rows.
        lengths: tokens of each, shape (variants, rows).
        collate: makes batches of them.
        max_length: tokens of a sequence; ``None``: no limit.

    Returns:
        the sequences and their lengths, shape (1, sequences); or ``train`` and ``lengths`` as they
        are.
    """
    if len(lengths) != 1 or collate.smoothed is not None:
        return train, lengths
    limit = max_length or shared_prefix.UNLIMITED
    together = shared_prefix.join(train, limit)
    if not _reads_joined(model, train, collate, limit):
        return train, lengths
    return together, np.array([[len(ids) for ids in together["input_ids"]]])


def packed(
    model: Any, train: Dataset, lengths: np.ndarray, max_length: int | None
) -> tuple[Dataset, np.ndarray]:
    """Rows in as few sequences as ``max_length`` allows: ``packing`` in a recipe.

    Args:
        model: the model, as it will be trained.
        train: tokenized rows, one variant of all of them after the other.
        lengths: tokens of each, shape (variants, rows).
        max_length: tokens of a sequence; ``None``: those of the longest row.

    Returns:
        the sequences in the same order, and their lengths, shape (variants, sequences).
    """
    packing.check(model)
    return packing.packed(train, lengths, max_length or int(lengths.max()))


def _reads_joined(model: Any, train: Dataset, collate: Collator, limit: int) -> bool:
    """Whether the logits of a joined sequence are those of its rows one by one."""
    first = [
        row for row in train.select(range(min(PROBED, len(train))))
        if row["group"] == train[0]["group"]
    ]  # fmt: skip
    one = list(shared_prefix.sequences([(row["input_ids"], row["labels"]) for row in first], limit))
    try:
        together, apart = (_logits(model, collate(rows)) for rows in (one, first))
    except (RuntimeError, TypeError, ValueError, IndexError):  # such as: it accepts no custom mask
        return False
    away = float((together - apart).norm() / apart.norm())
    return away <= (EXACT if in_float32(model) else COARSE)


def _logits(model: Any, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Logits at the labels of a batch, shape (labels, vocabulary)."""
    model.eval()
    on = {name: value.to(model.device) for name, value in inputs.items()}
    with torch.inference_mode():
        logits: torch.Tensor = labelled(model, model, on).logits[0].float()
    return logits
