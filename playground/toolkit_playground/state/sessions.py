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


class Sessions:
    """One stop event for each session and view in which something is going on."""

    def __init__(self) -> None:
        self._events: dict[tuple[str, str], threading.Event] = {}
        self._lock = threading.Lock()

    def begin(self, visitor: Visitor | None, view: str) -> threading.Event:
        """A new stop event for what is about to start; what went on before in that view stops."""
        key = _key(visitor, view)
        with self._lock:
            if key in self._events:
                self._events[key].set()
            self._events[key] = threading.Event()
            return self._events[key]

    def stop(self, visitor: Visitor | None, view: str) -> None:
        """Stop what that session is doing there, even if it still waits for its turn."""
        key = _key(visitor, view)
        with self._lock:
            if key in self._events:
                self._events[key].set()

    @contextmanager
    def stoppable(self, visitor: Visitor | None, view: str) -> Iterator[threading.Event]:
        """The stop event that :meth:`begin` made, or a new one; it is dropped after the block."""
        key = _key(visitor, view)
        with self._lock:
            mine = self._events.setdefault(key, threading.Event())
        try:
            yield mine
        finally:
            with self._lock:
                if self._events.get(key) is mine:
                    del self._events[key]

    def leave(self, visitor: Visitor) -> None:
        """The tab was closed: stop everything of that session."""
        with self._lock:
            mine = [key for key in self._events if key[0] == str(visitor.session_hash)]
            for key in mine:
                self._events.pop(key).set()


def _key(visitor: Visitor | None, view: str) -> tuple[str, str]:
    return (str(visitor.session_hash) if visitor else "", view)
