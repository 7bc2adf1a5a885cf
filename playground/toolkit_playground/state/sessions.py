"""Which session is doing what, and how it is stopped."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Visitor(Protocol):
    """Who sends a request, as gradio's ``Request`` gives it."""

    @property
    def session_hash(self) -> str | None: ...


class Stop(threading.Event):
    """Set when the writing is to end; ``discarded`` where its answer is not to be shown either."""

    def __init__(self) -> None:
        super().__init__()
        self.discarded = False
        self.users = 0
        """Blocks of :meth:`Sessions.stoppable` that it is used in."""


class Sessions:
    """One stop event for each session and view in which something is going on."""

    def __init__(self) -> None:
        self._events: dict[tuple[str, str], Stop] = {}
        self._conversations: dict[tuple[str, str], str] = {}
        self._left: dict[tuple[str, str], str] = {}
        self._lock = threading.Lock()

    def begin(self, visitor: Visitor | None, view: str) -> Stop:
        """A new stop event for what is about to start; what went on before in that view stops."""
        key = _key(visitor, view)
        with self._lock:
            if key in self._events:
                self._events[key].set()
            self._events[key] = Stop()
            return self._events[key]

    def stop(self, visitor: Visitor | None, view: str) -> None:
        """Stop what that session is doing there, even if it still waits for its turn."""
        key = _key(visitor, view)
        with self._lock:
            if key in self._events:
                self._events[key].set()

    def discard(self, visitor: Visitor | None, view: str | None = None) -> None:
        """Stop it there, and let none of its answer appear any more; no view: in all views."""
        session = _key(visitor, "")[0]
        with self._lock:
            for (whose, where), event in self._events.items():
                if whose == session and view in (None, where):
                    event.discarded = True
                    event.set()
            for (whose, where), name in self._conversations.items():
                if whose == session and view in (None, where):
                    self._left[whose, where] = name

    def goes_on(self, visitor: Visitor | None, view: str, conversation: str) -> bool:
        """Whether a conversation is still that session's; from then on it is the one there.

        A browser sends each step of an answer by itself, so that a step can arrive after
        :meth:`discard`, with what was shown before it.
        """
        key = _key(visitor, view)
        with self._lock:
            if self._left.get(key) == conversation:
                return False
            self._conversations[key] = conversation
            return True

    def left(self, visitor: Visitor | None, view: str, conversation: str) -> bool:
        """Whether a conversation was left, and no other has begun there since."""
        key = _key(visitor, view)
        with self._lock:
            return self._left.get(key) == self._conversations.get(key) == conversation

    def is_last(self, visitor: Visitor | None, view: str, stop: Stop) -> bool:
        """Whether nothing has been asked in that view since a stop event began."""
        with self._lock:
            return self._events.get(_key(visitor, view)) is stop

    def going_on(self, visitor: Visitor | None, view: str) -> bool:
        """Whether something is being written in that view, or has been asked and is to be."""
        with self._lock:
            return _key(visitor, view) in self._events

    @contextmanager
    def stoppable(self, visitor: Visitor | None, view: str) -> Iterator[Stop]:
        """The stop event of :meth:`begin`, or a new one; dropped after the outermost block."""
        key = _key(visitor, view)
        with self._lock:
            mine = self._events.setdefault(key, Stop())
            mine.users += 1
        try:
            yield mine
        finally:
            with self._lock:
                mine.users -= 1
                if not mine.users and self._events.get(key) is mine:
                    del self._events[key]

    def leave(self, visitor: Visitor) -> None:
        """The tab was closed: stop everything of that session."""
        with self._lock:
            mine = [key for key in self._events if key[0] == str(visitor.session_hash)]
            for key in mine:
                self._events.pop(key).set()
            for found in (self._conversations, self._left):
                for key in [key for key in found if key[0] == str(visitor.session_hash)]:
                    del found[key]


def _key(visitor: Visitor | None, view: str) -> tuple[str, str]:
    return (str(visitor.session_hash) if visitor else "", view)
