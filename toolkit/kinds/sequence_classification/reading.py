"""How long texts are read: which part of them, and how much.

Source of head and tail: C. Sun et al., "How to Fine-Tune BERT for Text Classification?", 2019,
arXiv:1905.05583, section 5.3.1: the first 128 and the last 382 of 510 tokens are better than the
first or the last 510 on long reviews.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolkit.errors import RecipeError

if TYPE_CHECKING:
    from toolkit.recipe import Recipe

WAYS = ("head", "head-tail")
TRAINING_COST = 3.0
"""A training step in forward passes: one forward, and a backward pass of about twice its cost."""
LEAST_SHARE = 0.5
"""The share of the planned training below which shorter texts are better than fewer steps."""
SHORTEST = 128
"""Tokens below which texts are not shortened for the sake of time."""
TIMED_ROWS = 8
COMPARED_TRAIN, COMPARED_VALIDATION = 600, 300
"""Rows by which the ways to read are compared: each long one takes two passes of the encoder."""


@dataclass(frozen=True)
class Reading:
    """How texts are read, as it is stored with the base and with the adapter.

    Args:
        truncation: ``head`` or ``head-tail``.
        limit: tokens of a text, special tokens included; ``None``: as the recipe says.
        note: why it is so, for people; empty where there was nothing to choose.
    """

    truncation: str = "head"
    limit: int | None = None
    note: str = ""

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return dataclasses.asdict(self)


def wanted(recipe: Recipe) -> str:
    """The recipe's ``training.truncation``.

    Raises:
        RecipeError: it is unknown.
    """
    value = str(recipe.training.get("truncation", "head"))
    if value not in (*WAYS, "auto"):
        raise RecipeError(
            f"training.truncation is {value!r}; it can be {', '.join((*WAYS, 'auto'))}"
        )
    return value


def cut(ids: list[int], limit: int | None, truncation: str) -> list[int]:
    """A text's tokens, special ones included, shortened to a limit.

    Args:
        ids: all tokens; the special ones stand at the ends, which both ways keep.
        limit: the most tokens; ``None``: all.
        truncation: ``head-tail``; ``head`` is done by the tokenizer itself.
    """
    if limit is None or len(ids) <= limit or truncation != "head-tail":
        return ids
    first = limit // 4
    return ids[:first] + ids[len(ids) - (limit - first) :]


def affordable(
    lengths: Sequence[int],
    limit: int,
    *,
    passes: float,
    seconds: float,
    rate: Callable[[int], float],
) -> tuple[int, float]:
    """The most tokens of a text at which the time allows enough of the planned training.

    Args:
        lengths: tokens of the rows, before anything is cut.
        limit: the most tokens that the recipe and the model allow.
        passes: how often each of these rows is trained on.
        seconds: the time for training.
        rate: seconds for a token of a forward pass over texts of so many tokens.

    Returns:
        The tokens: the limit, or it halved once or twice; and the share of the training that the
        time allows at the full limit.
    """
    share, full = 1.0, 1.0
    choices = [limit // part for part in (1, 2, 4)]
    for at, choice in enumerate(choices):
        if at and choice < SHORTEST:
            return choices[at - 1], full
        tokens = sum(min(length, choice) for length in lengths) * passes
        share = seconds / max(1e-9, tokens * TRAINING_COST * rate(choice))
        full = share if at == 0 else full
        if share >= LEAST_SHARE:
            return choice, full
    return choices[-1], full


def timed(forward: Callable[[int], int]) -> Callable[[int], float]:
    """A function for the seconds that a token takes, see ``rate`` of :func:`affordable`.

    Args:
        forward: runs a forward pass over texts of so many tokens; returns the tokens of all.
    """

    def rate(length: int) -> float:
        forward(length)  # the first pass sets up buffers and kernels
        started = time.perf_counter()
        tokens = forward(length)
        return (time.perf_counter() - started) / tokens

    return rate
