"""Following a generation while it runs: transformers' streamer and stopping criterion for a batch.

transformers' own streamers refuse batches; this one follows each row of a batch.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import torch
from transformers import StoppingCriteria, StoppingCriteriaList
from transformers.generation.streamers import BaseStreamer

from toolkit.kinds.base import Watch


def watched(watch: Watch, indices: Sequence[int], stops: Collection[int]) -> dict[str, Any]:
    """Arguments of ``generate`` with which a watch follows a batch.

    Args:
        watch: follows the tokens, and may stop them.
        indices: the index of each row's prompt among all prompts.
        stops: ids of the tokens that end a text.
    """
    return {
        "streamer": _Streamer(watch, indices, stops),
        "stopping_criteria": StoppingCriteriaList([_Stopped(watch)]),
    }


class _Streamer(BaseStreamer):  # type: ignore[misc]
    """Passes each row's tokens to the watch until that row has ended, and no padding."""

    def __init__(self, watch: Watch, indices: Sequence[int], stops: Collection[int]) -> None:
        self.watch = watch
        self.indices = indices
        self.stops = stops
        self.prompt_seen = False
        self.ended = [False] * len(indices)

    def put(self, value: torch.Tensor) -> None:
        if not self.prompt_seen:  # the prompts come first, of shape (batch, tokens)
            self.prompt_seen = True
            return
        for row, token in enumerate(value.reshape(-1).tolist()):
            if not self.ended[row]:
                self.ended[row] = token in self.stops
                self.watch.on_token(self.indices[row], token)

    def end(self) -> None:
        pass


class _Stopped(StoppingCriteria):  # type: ignore[misc]
    """Ends all rows once the watch stops them."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch

    def __call__(self, input_ids: torch.Tensor, scores: Any, **keywords: Any) -> torch.Tensor:
        stop = self.watch.stopped()
        return torch.full((input_ids.shape[0],), stop, device=input_ids.device, dtype=torch.bool)
