"""Texts while they are written: the token lists that a model fills, and what is seen of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


@dataclass
class Text:
    """What one side has written so far.

    Args:
        text: the continuation.
        tokens: new tokens, the end-of-sequence token included.
        first: seconds until the first token; ``None`` before it.
        seconds: since the start; stands still once it has ended.
        ended: it will not grow any more.
        limit: it ended at the limit of new tokens.
        stopped: somebody stopped it.
        cut: it ended at one of the strings that end it, which is no part of it.
    """

    text: str = ""
    tokens: int = 0
    first: float | None = None
    seconds: float = 0.0
    ended: bool = False
    limit: bool = False
    stopped: bool = False
    cut: bool = False

    @property
    def rate(self) -> float | None:
        """Tokens per second; ``None`` where there is nothing to measure."""
        return self.tokens / self.seconds if self.tokens and self.seconds > 0 else None


@dataclass
class Writing:
    """The token lists that the worker fills and the page reads.

    Args:
        count: how many texts are written at once.
        stops: tokens that end a text.
        until: strings that end it.
        decoded: token ids → text.
    """

    count: int
    stops: frozenset[int]
    until: tuple[str, ...]
    decoded: Callable[[Sequence[int]], str]
    started: float = 0.0
    ids: list[list[int]] = field(default_factory=list)
    first: list[float | None] = field(default_factory=list)
    last: list[float] = field(default_factory=list)
    ended: list[bool] = field(default_factory=list)
    cut: list[bool] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ids = [[] for _ in range(self.count)]
        self.first = [None] * self.count
        self.last = [0.0] * self.count
        self.ended = [False] * self.count
        self.cut = [False] * self.count

    def on_token(self, index: int, token: int) -> None:
        now = time.perf_counter() - self.started
        if self.first[index] is None:
            self.first[index] = now
        self.last[index] = now
        self.ids[index].append(token)
        self.ended[index] = token in self.stops

    def holds_end(self, index: int) -> bool:
        """Whether a text holds one of the strings that end it."""
        text = self.decoded(self.ids[index]) if self.until else ""
        self.cut[index] = any(one in text for one in self.until)
        return self.cut[index]

    def texts(self, limit: int, *, ended: bool, stopped: bool) -> list[Text]:
        """What there is of each text.

        Args:
            limit: new tokens that a text may have.
            ended: none of them will grow any more.
            stopped: because somebody has stopped them.
        """
        now = time.perf_counter() - self.started if self.started else 0.0
        texts = []
        for index in range(self.count):
            cut, stop_token = self.cut[index], self.ended[index]
            ids, own_end = list(self.ids[index]), stop_token or cut
            text = self.decoded(ids[:-1] if stop_token else ids)
            texts.append(
                Text(
                    text=_before(text, self.until),
                    tokens=len(ids),
                    first=self.first[index],
                    seconds=self.last[index] if ended or own_end else now,
                    ended=ended or own_end,
                    limit=ended and not own_end and len(ids) >= limit,
                    stopped=stopped and not own_end and len(ids) < limit,
                    cut=cut,
                )
            )
        return texts


def ending(text: Text) -> str:
    """How a text ended: ``stop token``, ``stop string``, ``limit``, ``stopped``; ``writing``."""
    if not text.ended:
        return "writing"
    if text.cut:
        return "stop string"
    return "limit" if text.limit else "stopped" if text.stopped else "stop token"


def _before(text: str, until: Sequence[str]) -> str:
    """A text up to the first of some strings."""
    return text[: min((text.index(one) for one in until if one in text), default=len(text))]
