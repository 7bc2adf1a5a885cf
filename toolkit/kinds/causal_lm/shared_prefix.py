"""Examples with a common beginning as one training sequence, which is read once for all of them.

    beginning | question 1, answer 1 | question 2, answer 2 | …
    segment 0 | segment 1            | segment 2            | …

A token attends to the beginning and to the tokens before it in its own segment, and in every
segment positions go on from the end of the beginning. So each example is computed as if it were
alone, from fewer tokens: five questions on one review take 2.4 times fewer. The mask is that of
"tree attention" (X. Miao et al., "SpecInfer", ASPLOS 2024). Models that attend otherwise (recurrent
ones, or those that compute positions themselves) are detected before training.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from toolkit.kinds.language.generate import shared_length
from toolkit.kinds.language.prompt import IGNORED

if TYPE_CHECKING:
    from datasets import Dataset

Example = tuple[Sequence[int], Sequence[int]]
"""Token ids, and a label for each of them."""

UNLIMITED = 1_024
"""Tokens of a sequence where the recipe sets no ``max_length``."""


def join(rows: Dataset, limit: int) -> Dataset:
    """Sequences of all examples that share ``group`` and a beginning.

    Args:
        rows: ``input_ids``, ``labels`` and ``group``.
        limit: the most tokens of a sequence; a larger group becomes several sequences.

    Returns:
        ``input_ids``, ``labels``, ``position_ids`` and ``segments``, one row a sequence.
    """
    import datasets

    groups: dict[Any, list[Example]] = {}
    for group, ids, labels in zip(
        rows["group"][:], rows["input_ids"][:], rows["labels"][:], strict=True
    ):
        groups.setdefault(group, []).append((ids, labels))
    return datasets.Dataset.from_list([s for g in groups.values() for s in sequences(g, limit)])


def sequences(examples: Sequence[Example], limit: int) -> Iterator[dict[str, list[int]]]:
    """Examples of one group as sequences, see :func:`join`; a new one begins at the limit."""
    shared = _beginning(examples)
    chosen: list[Example] = []
    length = shared
    for example in examples:
        own = len(example[0]) - shared
        if chosen and length + own > limit:
            yield _sequence(chosen, shared)
            chosen, length = [], shared
        chosen.append(example)
        length += own
    yield _sequence(chosen, shared)


def _beginning(examples: Sequence[Example]) -> int:
    """How many tokens all examples begin with; each keeps a token of its own before its labels."""
    first = min(
        next((i for i, label in enumerate(labels) if label != IGNORED), len(labels))
        for _, labels in examples
    )
    return max(0, min(shared_length([ids for ids, _ in examples]), first - 1))


def _sequence(examples: Sequence[Example], shared: int) -> dict[str, list[int]]:
    ids, labels = list(examples[0][0][:shared]), list(examples[0][1][:shared])
    positions, segments = list(range(shared)), [0] * shared
    for number, (own, own_labels) in enumerate(examples, start=1):
        ids += own[shared:]
        labels += own_labels[shared:]
        positions += range(shared, len(own))
        segments += [number] * (len(own) - shared)
    return {"input_ids": ids, "labels": labels, "position_ids": positions, "segments": segments}


def visible(segments: np.ndarray) -> np.ndarray:
    """Which token attends to which, shape (batch, 1, length, length).

    Args:
        segments: of each token, shape (batch, length); of padding -1.
    """
    length = segments.shape[1]
    sees, seen = segments[:, :, None], segments[:, None, :]
    allowed = (seen == sees) | ((seen == 0) & (sees > 0))
    allowed &= np.tril(np.ones((length, length), dtype=bool))
    return np.asarray(allowed[:, None], dtype=bool)  # padding attends to padding: no row is empty


def additive(allowed: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """The mask in the form that is added to attention scores: 0 where attending is allowed."""
    hidden = torch.finfo(dtype).min
    return torch.zeros_like(allowed, dtype=dtype).masked_fill_(~allowed, hidden)
