"""Choosing the next token, for each text of a batch by its own settings and random numbers.

A batch holds requests of several clients, some of which sample. Sampling from softmax(s / T) is
taking the largest of s / T + g with Gumbel noise g (Gumbel, 1954; Maddison et al., "A* Sampling",
2014, arXiv:1411.0030), so that one greedy ``generate`` serves all of them, and a text depends on
its own seed alone, whatever else is in the batch.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Sampling:
    """How the tokens of one text are chosen.

    Args:
        temperature: 0 takes the most probable token.
        top_p: only the most probable tokens that together reach this probability are taken.
        seed: of the random numbers; ``None`` takes another one each time.
        top: how many alternatives of each token are kept with their log probabilities; ``None``:
            not even the token's own.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None
    top: int | None = None


@dataclass(frozen=True)
class Scored:
    """A token and the most probable ones in its place.

    Args:
        token: its id.
        logprob: its log probability, before temperature and top p.
        top: ids and log probabilities of the most probable tokens, the most probable first.
    """

    token: int
    logprob: float
    top: tuple[tuple[int, float], ...] = ()


class TokenScores:
    """The state of one text: its random numbers, and the log probabilities that were asked for."""

    def __init__(self, sampling: Sampling) -> None:
        self.sampling = sampling
        self.scored: list[Scored] = []
        self._random: Any = None
        self._last: Any = None

    @property
    def plain(self) -> bool:
        """Whether the scores are neither changed nor kept."""
        return self.sampling.temperature == 0 and self.sampling.top is None

    def __call__(self, scores: Any) -> Any:
        """Scores of the next token, shape (vocabulary,), of which the largest is to be taken."""
        import torch

        if self.sampling.top is not None:
            self._last = torch.log_softmax(scores.float(), -1)
        if self.sampling.temperature == 0:
            return scores
        if self._random is None:
            seed = self.sampling.seed
            self._random = torch.Generator()
            self._random.manual_seed(secrets.randbits(63) if seed is None else seed % 2**63)
        scaled = torch.log_softmax(scores.float() / self.sampling.temperature, -1)
        if self.sampling.top_p < 1:
            scaled = _within(scaled, self.sampling.top_p)
        uniform = torch.rand(scores.shape, generator=self._random, dtype=torch.float64)
        noise = -torch.log(-torch.log(uniform.clamp(1e-300, 1 - 1e-16)))
        return (scaled.double() + noise.to(scaled.device)).to(scores.dtype)

    def chosen(self, token: int) -> None:
        """Keep the log probability of the token that was taken, where it was asked for."""
        import torch

        if self._last is None or self.sampling.top is None:
            return
        count = min(self.sampling.top, self._last.shape[-1])
        values, ids = torch.topk(self._last, count)
        top = tuple(zip(ids.tolist(), values.tolist(), strict=True))
        self.scored.append(Scored(token, float(self._last[token]), top))
        self._last = None


def _within(logprobs: Any, top_p: float) -> Any:
    """Log probabilities with those outside the nucleus at minus infinity; the first one stays."""
    import torch

    values, order = torch.sort(logprobs, descending=True)
    before = values.exp().cumsum(-1) - values.exp()
    kept = logprobs.new_full(logprobs.shape, -torch.inf)
    inside = before < top_p
    kept[order[inside]] = values[inside]
    return kept
