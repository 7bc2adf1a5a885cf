"""Texts followed token by token: what a model expected at each place, and along other words.

All of it goes through the one function that generates text: scores are read where they are made,
and a text is *led* along given tokens by leaving it no other choice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from toolkit.kinds.watching import Watch

if TYPE_CHECKING:
    from toolkit.kinds.language.text_model import TextModel

TOP = 10
"""The likeliest tokens that are noted at each place."""
GREEDY: Mapping[str, Any] = {"do_sample": False, "num_beams": 1, "min_new_tokens": None}


@dataclass(frozen=True)
class Place:
    """One place of a text: the token that stands there, and what the model expected.

    Args:
        token: the id of the token.
        probability: its probability, from 0 to 1.
        rank: how many tokens are at least as likely, itself included.
        top: ids and probabilities of the likeliest tokens, the likeliest first.
    """

    token: int
    probability: float
    rank: int
    top: tuple[tuple[int, float], ...]


@dataclass
class _Follower:
    """Notes the scores of each place, and leads each text along its given tokens.

    Args:
        given: for each prompt the tokens that its text begins with.
        goes_on: whether a text goes on by itself behind them.
        places: what is noted, a list for each prompt.
    """

    given: Sequence[Sequence[int]]
    goes_on: bool
    places: list[list[Place]]
    _next: dict[int, Any] = field(default_factory=dict)

    def scores(self, indices: Sequence[int], scores: Any) -> Any:
        """Note the scores of the next tokens, shape (prompts, vocabulary), and narrow them."""
        import torch

        for row, index in enumerate(indices):
            self._next[index] = torch.log_softmax(scores[row].float(), -1)
        led = scores.clone()
        for row, index in enumerate(indices):
            at = len(self.places[index])
            if at < len(self.given[index]):
                led[row] = float("-inf")
                led[row, self.given[index][at]] = 0.0
        return led

    def on_token(self, index: int, token: int) -> None:
        logs = self._next[index]
        values, ids = logs.topk(min(TOP, len(logs)))
        own = logs[token]
        self.places[index].append(
            Place(
                token, float(own.exp()), int((logs > own).sum()) + 1,
                tuple(zip(ids.tolist(), values.exp().tolist(), strict=True)),
            )
        )  # fmt: skip

    def ended(self, index: int) -> bool:
        return not self.goes_on and len(self.places[index]) >= len(self.given[index])


def follow(
    model: TextModel,
    prompts: Sequence[Sequence[int]],
    sides: Sequence[str],
    *,
    limit: int,
    given: Sequence[Sequence[int]] | None = None,
    goes_on: bool = True,
    stopped: Callable[[], bool] = lambda: False,
) -> list[list[Place]]:
    """Continue each prompt greedily, or along given tokens, and note what was expected.

    The probabilities are those that decide the next token: of the model, after the penalties of the
    recipe where it has some.

    Args:
        model: what writes.
        prompts: token ids, one list a prompt.
        sides: the side of each prompt, see :class:`~toolkit.kinds.language.text_model.TextModel`.
        limit: the most new tokens of a text.
        given: for each prompt the tokens that its text begins with; by default none.
        goes_on: whether texts go on by themselves behind what is given.
        stopped: called after each token; ``True`` ends all texts there.

    Returns:
        for each prompt the places of its text, the stop token that ends it included.
    """
    given = [[] for _ in prompts] if given is None else given
    follower = _Follower(given, goes_on, [[] for _ in prompts])
    most = limit if goes_on else max(map(len, given), default=0)
    if most > 0:
        model.write_texts(
            prompts, sides, generation={**GREEDY, "max_new_tokens": most},
            watch=Watch(follower.on_token, stopped, follower.ended, follower.scores),
        )  # fmt: skip
    return follower.places
