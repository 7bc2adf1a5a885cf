"""Following a generation while it runs: transformers' streamer and stopping criterion for a batch.

transformers' own streamers refuse batches; this one follows each row of a batch.
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
from transformers.generation.streamers import BaseStreamer

from toolkit.kinds.watching import Watch


def watched(watch: Watch, indices: Sequence[int], stops: Collection[int]) -> dict[str, Any]:
    """Arguments of ``generate`` with which a watch follows a batch.

    Args:
        watch: follows the tokens, and may stop them.
        indices: the index of each row's prompt among all prompts.
        stops: ids of the tokens that end a text.
    """
    follower = Follower(watch, indices, stops)
    arguments: dict[str, Any] = {
        "streamer": follower,
        "stopping_criteria": StoppingCriteriaList([_Stopped(follower)]),
    }
    if watch.scores is not None:
        arguments["logits_processor"] = LogitsProcessorList([_Scores(watch.scores, indices)])
    return arguments


class Follower(BaseStreamer):  # type: ignore[misc]
    """Passes each row's tokens to the watch until that row has ended, and no padding."""

    def __init__(self, watch: Watch, indices: Sequence[int], stops: Collection[int]) -> None:
        self.watch = watch
        self.indices = indices
        self.stops = stops
        self.prompt_seen = False
        self.ended = [False] * len(indices)
        self.tokens = [0] * len(indices)
        """How many tokens each row has got, the one that ends it included."""

    def put(self, value: torch.Tensor) -> None:
        if not self.prompt_seen:  # the prompts come first, of shape (batch, tokens)
            self.prompt_seen = True
            return
        for row, token in enumerate(value.reshape(-1).tolist()):
            if not self.ended[row]:
                index = self.indices[row]
                self.tokens[row] += 1
                self.watch.on_token(index, token)
                self.ended[row] = token in self.stops or self.watch.ended(index)

    def end(self) -> None:
        pass


class _Stopped(StoppingCriteria):  # type: ignore[misc]
    """Ends the rows that have ended, and all of them once the watch stops them."""

    def __init__(self, follower: Follower) -> None:
        self.follower = follower

    def __call__(self, input_ids: torch.Tensor, scores: Any, **keywords: Any) -> torch.Tensor:
        ended = self.follower.ended
        if self.follower.watch.stopped():
            ended = [True] * len(ended)
        return torch.tensor(ended, device=input_ids.device, dtype=torch.bool)


class _Scores(LogitsProcessor):  # type: ignore[misc]
    """Lets the watch change the scores of the next tokens."""

    def __init__(self, change: Callable[[Sequence[int], Any], Any], indices: Sequence[int]) -> None:
        self.change = change
        self.indices = indices

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        changed: torch.Tensor = self.change(self.indices, scores)
        return changed
