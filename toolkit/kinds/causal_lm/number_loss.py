"""What a numeric task trains the tokens of its number against.

:class:`SmoothedTargets` are soft targets that include the number's neighbours, for numbers of any
number of tokens; :class:`NumberScale` scores the whole distribution where a number is one token.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit.kinds.causal_lm.number_distribution import NumberReader
from toolkit.kinds.causal_lm.number_tree import Writing

if TYPE_CHECKING:
    import torch

    from toolkit.kinds.language.prompt import Renderer


class SmoothedTargets:
    """Soft targets for the tokens of a number, which include its neighbours.

    Cross-entropy treats 188 for 189 like 3 for 189. Here the target is a Gaussian of width
    ``sigma`` in the logarithm of the number, over all numbers near it; for a number of several
    tokens each token's target is the share of the neighbours that begin with the true tokens
    before it (see arXiv:2501.19383 and arXiv:2506.06657 for regression-aware training).

    Args:
        renderer: tokenizes as training does.
        prompt: any rendered prompt's text; numbers are tokenized as its continuation.
        task: gives the completions, and the numbers that they can contain.
        sigma: width in natural-log units; 0.15 is 15 %.
    """

    SUPPORT = 3.0
    MOST = 512

    def __init__(self, renderer: Renderer, prompt: Any, task: Any, sigma: float) -> None:
        self.writing = Writing.behind(renderer, prompt, task.completion)
        self.task = task
        self.sigma = sigma
        self._tokens: dict[int, tuple[int, ...]] = {}
        self._targets: dict[int, list[tuple[np.ndarray, np.ndarray]]] = {}

    def tokens(self, number: int) -> tuple[int, ...]:
        """Token ids of a number's completion, with EOS."""
        if number not in self._tokens:
            self._tokens[number] = tuple(self.writing.tokens(number))
        return self._tokens[number]

    def targets(self, number: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """For each token of the completion: token ids (k,) and their probabilities (k,)."""
        if number not in self._targets:
            self._targets[number] = self._build(number)
        return self._targets[number]

    def neighbours(self, number: int) -> list[int]:
        """The numbers within three sigma that completions can contain, at most a few hundred."""
        low = max(1, int(np.floor(number * np.exp(-self.SUPPORT * self.sigma))))
        high = int(np.ceil(number * np.exp(self.SUPPORT * self.sigma)))
        step = max(1, (high - low) // self.MOST)
        near = {self.task.writable(n) for n in range(low, high + 1, step)}
        return sorted(near | {number})

    def _build(self, number: int) -> list[tuple[np.ndarray, np.ndarray]]:
        near = self.neighbours(number)
        distance = np.log(np.array(near) / number) / self.sigma
        weights = np.exp(-(distance**2) / 2)
        own = self.tokens(number)
        result = []
        for at in range(len(own)):
            shares: dict[int, float] = {}
            for other, weight in zip(near, weights, strict=True):
                tokens = self.tokens(other)
                if len(tokens) > at and tokens[:at] == own[:at]:
                    shares[tokens[at]] = shares.get(tokens[at], 0.0) + float(weight)
            ids = np.array(sorted(shares), dtype=np.int64)
            values = np.array([shares[i] for i in ids.tolist()])
            result.append((ids, (values / values.sum()).astype(np.float32)))
        return result


@dataclass(frozen=True)
class NumberScale:
    """The numbers of a vocabulary in order, and a loss on the distribution over them.

    Cross-entropy rewards only what is near the true number: to an untrained model all that is far
    away is equal. The continuous ranked probability score also rewards what is less far away: the
    integral over the logarithm of the number of the squared difference between the distribution
    function and the step at the true number (T. Gneiting and A. E. Raftery, "Strictly Proper
    Scoring Rules, Prediction, and Estimation", JASA 102, 2007, section 4.2). Its unit is a
    difference of logarithms, so that 0.1 is about a tenth of the number.

    Args:
        ids: token ids in order of number, shape (n,).
        logs: the logarithms of their numbers, shape (n,).
        weight: the score's weight beside the cross-entropy, which is in nats.
    """

    ids: np.ndarray
    logs: np.ndarray
    weight: float

    @classmethod
    def of(cls, tokenizer: Any, largest: int, weight: float) -> NumberScale | None:
        """The scale of a vocabulary; ``None`` where a number up to ``largest`` has two tokens."""
        reader = NumberReader(tokenizer, largest)
        ids, numbers = reader.digits.numbers
        return cls(ids, np.log(numbers), weight) if reader.one_pass else None

    def columns(self, labels: np.ndarray) -> dict[str, np.ndarray]:
        """What :func:`ranked_score` needs in a batch.

        Args:
            labels: token ids at the labelled positions, shape (m,).
        """
        place = np.full(int(max(self.ids.max(), labels.max())) + 1, -1, dtype=np.int64)
        place[self.ids] = np.arange(len(self.ids))
        gaps = (np.diff(self.logs) * self.weight).astype(np.float32)
        return {"number_places": place[labels], "number_ids": self.ids, "number_gaps": gaps}


def ranked_score(logits: torch.Tensor, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """The sum of the weighted scores of a batch's numbers; see :class:`NumberScale`.

    Args:
        logits: at the labelled positions, shape (m, vocabulary).
        inputs: the columns of :meth:`NumberScale.columns`.
    """
    import torch

    places = inputs["number_places"]
    below = torch.softmax(logits[:, inputs["number_ids"]], -1).cumsum(-1)[:, :-1]
    order = torch.arange(below.shape[1], device=below.device)
    step = (order[None] >= places[:, None]).to(below.dtype)
    # The other labelled tokens, such as the end of the sequence, are no numbers.
    scores = ((below - step) ** 2 * inputs["number_gaps"]).sum(-1)
    return (scores * (places >= 0)).sum()
