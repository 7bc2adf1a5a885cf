"""What a kind runs on made-up rows, so that the memory of its training can be estimated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from toolkit.recipe import Recipe
from toolkit.task import Task


class DryRun(Protocol):
    """What a kind runs with its model on made-up rows, to estimate the memory that it takes."""

    def batch(self, rows: int, length: int, answer: int) -> Mapping[str, Any]:
        """A batch for training: rows of ``length`` tokens, ``answer`` of them with a loss."""
        ...

    def loss(self, model: Any, batch: Mapping[str, Any]) -> Any:
        """The loss of such a batch, by the code that training uses."""
        ...

    def score(self, model: Any, length: int, answer: int, tokens: int) -> None:
        """Predict the largest batch that scoring makes of rows of that length.

        Args:
            model: the model.
            length: tokens of a prompt.
            answer: tokens that are written.
            tokens: padded tokens of a batch, see :func:`toolkit.kinds.batching.batch_tokens`.
        """
        ...


@dataclass(frozen=True)
class DryRunRequest:
    """The training and scoring that a dry run imitates.

    Args:
        task: an instance with its state loaded, or the class.
        recipe: the resolved recipe.
        tokenizer: the model's; ``None`` where it has not been loaded.
        one_token_numbers: without a tokenizer, whether the model's has one token for each number.
    """

    task: Task | type[Task]
    recipe: Recipe
    tokenizer: Any = None
    one_token_numbers: bool = False
