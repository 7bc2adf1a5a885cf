"""A model that knows what numbers may follow: the exact distribution, with a model's interface."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import torch
from transformers.cache_utils import DynamicLayer
from transformers.modeling_outputs import CausalLMOutputWithPast

from toolkit.system import upstream


def lognormal(median: float, sigma: float, largest: int) -> dict[int, float]:
    """The probabilities of 1 to the largest number of a rounded lognormal price; their sum is 1."""

    def below(x: float) -> float:
        return 0.5 * (1 + math.erf(math.log(x / median) / sigma / math.sqrt(2)))

    found = {n: below(n + 0.5) - below(n - 0.5) for n in range(1, largest + 1)}
    total = sum(found.values())
    return {n: share / total for n, share in found.items()}


class Cache:
    """The tokens that were read, in place of their keys and values."""

    def __init__(self, tokens: torch.Tensor) -> None:
        self.tokens = tokens
        self.layers = [DynamicLayer()]

    def batch_select_indices(self, rows: torch.Tensor) -> None:
        self.tokens = self.tokens[rows]

    def batch_repeat_interleave(self, times: int) -> None:
        self.tokens = self.tokens.repeat_interleave(times, 0)


class Known:
    """Behind each prompt it writes token sequences with known probabilities, and then its end.

    A token sees what the mask says that it attends to, in that order.

    Args:
        sequences: token ids, with the end → probability.
        vocabulary: tokens in all.
        prompt: tokens of each prompt.
    """

    def __init__(
        self,
        sequences: Mapping[Sequence[int], float],
        vocabulary: int,
        prompt: int,
        attention: str = "sdpa",
    ) -> None:
        self.prompt = prompt
        self.device, self.dtype = torch.device("cpu"), torch.float32
        self.config = SimpleNamespace(
            vocab_size=vocabulary, _attn_implementation=attention, is_encoder_decoder=False
        )
        self.config.get_text_config = lambda: self.config
        self.generation_config = None
        self.below: dict[tuple[int, ...], dict[int, float]] = defaultdict(dict)
        for ids, share in sequences.items():
            for at, token in enumerate(ids):
                after = self.below[tuple(ids[:at])]
                after[token] = after.get(token, 0.0) + share
        self.positions_read = 0

    def get_input_embeddings(self) -> Any:
        return SimpleNamespace(weight=torch.zeros(1))

    def __call__(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        logits_to_keep: int = 0,
        **others: Any,
    ) -> Any:
        cache = next((c for c in others.values() if isinstance(c, Cache)), None)
        before = input_ids[:, :0] if cache is None else cache.tokens
        tokens = torch.cat([before, input_ids], 1)
        rows, new = input_ids.shape
        seen = self._seen(attention_mask, rows, new, tokens.shape[1])
        self.positions_read += rows * new
        kept = range(new - logits_to_keep if logits_to_keep else 0, new)
        logits = torch.full((rows, len(kept), self.config.vocab_size), -60.0)
        for row in range(rows):
            for place, at in enumerate(kept):
                path = tokens[row][seen[row, at]].tolist()
                if position_ids is not None and len(path) > self.prompt:
                    assert int(position_ids[row, at]) == len(path) - 1
                after = self.below.get(tuple(path[self.prompt :]), {})
                total = sum(after.values())
                for token, share in after.items():
                    if share > 1e-12 * total:
                        logits[row, place, token] = math.log(share / total)
        made = Cache(tokens)
        return CausalLMOutputWithPast(logits=logits, **upstream.cached(made))

    @staticmethod
    def _seen(mask: torch.Tensor | None, rows: int, new: int, width: int) -> torch.Tensor:
        """Which token each new one attends to, shape (rows, new, width)."""
        if mask is not None and mask.ndim == 4:
            return mask[:, 0] if mask.dtype == torch.bool else mask[:, 0] == 0
        causal = torch.ones(width, width, dtype=torch.bool).tril()[width - new :]
        some = torch.ones(rows, width, dtype=torch.bool) if mask is None else mask.bool()
        return causal[None] & some[:, None]
