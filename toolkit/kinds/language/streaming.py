"""Following a generation while it runs: a stopping criterion for a batch, told of each token.

transformers' streamers refuse batches, and get a token only after the criteria were asked about it:
a text would go on for a token behind the one that ends it, and a watch would be asked whether to
stop before it has seen what was written. A criterion sees all of it, and each token first.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import torch
from transformers import (
    LogitsProcessor,
    LogitsProcessorList,
    StoppingCriteria,
    StoppingCriteriaList,
)

from toolkit.kinds.watching import Watch


class Follower(StoppingCriteria):  # type: ignore[misc]
    """Passes each row's tokens to the watch until that row has ended, and ends what it stops.

    Args:
        watch: follows the tokens, and may stop them.
        indices: the index of each row's prompt among all prompts.
        stops: ids of the tokens that end a text.
        read: how many tokens stand before what is written.

    Attributes:
        tokens: how many tokens each row has got, the one that ends it included.
    """

    def __init__(
        self, watch: Watch, indices: Sequence[int], stops: Collection[int], read: int
    ) -> None:
        self.watch = watch
        self.indices = indices
        self.stops = stops
        self.read = read
        self.ended = [False] * len(indices)
        self.tokens = [0] * len(indices)

    def arguments(self) -> dict[str, Any]:
        """Arguments of ``generate`` with which the watch follows the batch."""
        arguments: dict[str, Any] = {"stopping_criteria": StoppingCriteriaList([self])}
        if self.watch.scores is not None:
            scores = _Scores(self.watch.scores, self.indices)
            arguments["logits_processor"] = LogitsProcessorList([scores])
        return arguments

    def __call__(self, input_ids: torch.Tensor, scores: Any, **keywords: Any) -> torch.Tensor:
        for row, tokens in enumerate(input_ids[:, self.read :].tolist()):
            for token in tokens:
                self._put(row, token)
        self.read = input_ids.shape[1]
        # On a GPU transformers writes one token more before it looks, and takes it back.
        if self.watch.stopped():
            self.ended = [True] * len(self.ended)
        return torch.tensor(self.ended, device=input_ids.device, dtype=torch.bool)

    def _put(self, row: int, token: int) -> None:
        if not self.ended[row]:
            index = self.indices[row]
            self.tokens[row] += 1
            self.watch.on_token(index, token)
            self.ended[row] = token in self.stops or self.watch.ended(index)


class _Scores(LogitsProcessor):  # type: ignore[misc]
    """Lets the watch change the scores of the next tokens."""

    def __init__(self, change: Callable[[Sequence[int], Any], Any], indices: Sequence[int]) -> None:
        self.change = change
        self.indices = indices

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        changed: torch.Tensor = self.change(self.indices, scores)
        return changed
