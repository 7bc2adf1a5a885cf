"""The outputs of language models: written text, and distributions over numbers.

Importing this loads no model library.
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
        probabilities: the model's probability of each, shape (n,); they sum to at most 1, the rest
            is that of other texts, and of numbers that were not looked for.
    """

    values: np.ndarray
    probabilities: np.ndarray

    @property
    def mass(self) -> float:
        """The probability that the model writes one of these numbers at all."""
        return float(self.probabilities.sum())

    @property
    def covered(self) -> float:
        """The mass as a share of all that the model may write, from 0 to 1."""
        return min(1.0, max(0.0, self.mass))


@dataclass(frozen=True)
class Generated:
    """A language model's output for one row.

    Args:
        text: the text without the prompt, greedy unless the recipe samples.
        tokens: how many tokens were generated.
        hit_limit: whether the text ended at ``max_new_tokens``, not at a stop token.
        logprobs: log probability of each generated token, where they were stored.
        numbers: the number distribution, for tasks that answer with a number.
        seconds: the row's share of its batch's time.
    """

    text: str
    tokens: int = 0
    hit_limit: bool = False
    logprobs: tuple[float, ...] = field(default=())
    numbers: Numbers | None = None
    seconds: float = 0.0
