"""What is waiting for the model: texts to be written, and rows to be predicted."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from toolkit import Row
from toolkit_serving.sampling import Sampling, TokenScores
from toolkit_serving.served import Served
from toolkit_serving.texts import Following


class Job:
    """One piece of work, which is waited for in an event loop and done in the model's thread."""

    model: str
    """The name of the served model, for logs and metrics."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.done: asyncio.Future[None] = self.loop.create_future()
        self.cancelled = threading.Event()
        self.queued = time.perf_counter()
        self.waited = 0.0
        """Seconds until its batch began."""
        self.batch = 0
        """How many jobs its batch had."""

    def cancel(self) -> None:
        """Nobody waits for the result any more."""
        self.cancelled.set()

    def finish(self, error: BaseException | None = None) -> None:
        """Wake whoever waits; called in the model's thread."""
        self.loop.call_soon_threadsafe(self._finish, error)

    def _finish(self, error: BaseException | None) -> None:
        if self.done.done():
            return
        if error is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(error)
            self.done.exception()  # where nobody waits any more, it is nobody's to report


@dataclass(frozen=True)
class Prompt:
    """What is to be continued, and how.

    Args:
        model: the name of the served model.
        side: PEFT's name of its adapter.
        ids: token ids of the prompt.
        most: the most new tokens.
        sampling: how tokens are chosen.
        stop: texts before which the answer ends.
    """

    model: str
    side: str
    ids: Sequence[int]
    most: int
    sampling: Sampling = field(default_factory=Sampling)
    stop: Sequence[str] = ()


class Writing(Job):
    """A prompt that is being continued.

    Args:
        prompt: the prompt.
        text: follows the answer's tokens as text; :class:`toolkit_serving.texts.Following`.
    """

    def __init__(self, prompt: Prompt, text: Following) -> None:
        super().__init__()
        self.prompt = prompt
        self.model = prompt.model
        self.text = text
        self.tokens: list[int] = []
        self.scores = TokenScores(prompt.sampling)
        self.first: float | None = None
        """Seconds from the request to the first token."""
        self.receive: Callable[[str], None] | None = None
        """Called in the event loop with each new piece of text, where the answer is streamed."""
        self.ended = False

    def on_token(self, token: int, stops: frozenset[int]) -> None:
        """Take a new token, in the model's thread."""
        if self.first is None:
            self.first = time.perf_counter() - self.queued
        self.tokens.append(token)
        self.scores.chosen(token)
        piece = "" if token in stops else self.text.add(token)
        self.ended = token in stops or self.text.stopped or len(self.tokens) >= self.prompt.most
        self._send(piece)

    def finish_text(self) -> None:
        """Show what is left of the text, once no token follows."""
        self._send(self.text.finish())

    def _send(self, piece: str) -> None:
        if self.receive is not None and piece:
            self.loop.call_soon_threadsafe(self.receive, piece)

    @property
    def stop_reason(self) -> Literal["stop", "length"]:
        """OpenAI's ``finish_reason``: whether the text ended by itself, or at a stop text."""
        own = bool(self.tokens) and self.tokens[-1] in self.text.stops
        return "stop" if own or self.text.stopped else "length"


class Predicting(Job):
    """Rows of a task that are being predicted.

    Args:
        served: the run.
        rows: the task's rows.
        base: predict with the untouched base.
    """

    def __init__(self, served: Served, rows: Sequence[Row], *, base: bool) -> None:
        super().__init__()
        self.served = served
        self.model = served.name
        self.rows = rows
        self.base = base
        self.answers: list[dict[str, Any]] = []
