"""Log probabilities in OpenAI's forms. A token that ends a text is no part of it, nor of these."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from toolkit_serving.messages import text_model
from toolkit_serving.sampling import Scored
from toolkit_serving.schema import (
    ChatLogprobs,
    CompletionLogprobs,
    TokenLogprob,
    TopLogprob,
)
from toolkit_serving.served import Served
from toolkit_serving.texts import UNFINISHED

LOWEST = -9999.0
"""What stands for minus infinity, which JSON has no number for; OpenAI's API does the same."""


def of_chat(served: Served, scored: Sequence[Scored]) -> ChatLogprobs:
    """The log probabilities of a conversation's answer."""
    return ChatLogprobs(
        content=[
            TokenLogprob(
                **_named(served, one.token, one.logprob).model_dump(),
                top_logprobs=[_named(served, token, value) for token, value in one.top],
            )
            for one in _of_text(served, scored)
        ]
    )


def of_completion(served: Served, scored: Sequence[Scored]) -> CompletionLogprobs:
    """The log probabilities of a completion, each with the place of its token in the text."""
    kept = list(_of_text(served, scored))
    names = [_text(served, one.token) for one in kept]
    lengths = [len(name) for name in names]
    return CompletionLogprobs(
        tokens=names,
        token_logprobs=[_finite(one.logprob) for one in kept],
        top_logprobs=[
            {_text(served, token): _finite(value) for token, value in reversed(one.top)}
            for one in kept
        ],
        text_offset=[sum(lengths[:place]) for place in range(len(lengths))],
    )


def _of_text(served: Served, scored: Sequence[Scored]) -> Iterator[Scored]:
    stops = text_model(served).renderer.stops
    return (one for one in scored if one.token not in stops)


def _named(served: Served, token: int, value: float) -> TopLogprob:
    text = _text(served, token)
    part = UNFINISHED in text  # of a character: which bytes of it, the tokenizer does not say
    known = None if part else list(text.encode("utf-8"))
    return TopLogprob(token=text, logprob=_finite(value), bytes=known)


def _text(served: Served, token: int) -> str:
    return str(text_model(served).tokenizer.decode([token], skip_special_tokens=False))


def _finite(value: float) -> float:
    return value if math.isfinite(value) else LOWEST
