"""What causal language models and encoder–decoders share: a prompt in, written text out.

Light: the working parts are imported when a run needs them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Numbers:
    """A distribution over whole numbers at the place where the model writes its number.

    Args:
        values: the numbers, shape (n,), ascending.
        probabilities: the model's own probability of each, shape (n,); they sum to at most 1,
            the rest being text that is no number.
    """

    values: np.ndarray
    probabilities: np.ndarray

    @property
    def mass(self) -> float:
        """The probability that the model writes one of these numbers at all."""
        return float(self.probabilities.sum())


@dataclass(frozen=True)
class Generated:
    """What a language model gave for one row.

    Args:
        text: the continuation (of an encoder–decoder: the output) alone, greedy unless the recipe
            samples.
        tokens: how many tokens were generated.
        hit_limit: the text ended at ``max_new_tokens``, not at the end-of-sequence token.
        logprobs: log probability of each generated token, where they were kept.
        numbers: the number distribution, for tasks that answer with a number.
        seconds: the row's share of its batch's time.
    """

    text: str
    tokens: int = 0
    hit_limit: bool = False
    logprobs: tuple[float, ...] = field(default=())
    numbers: Numbers | None = None
    seconds: float = 0.0
