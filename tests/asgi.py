"""Calls what answers requests, whether or not an event loop runs in this thread."""

from __future__ import annotations

from typing import Any

from anyio.from_thread import start_blocking_portal


def call(app: Any, *arguments: Any) -> None:
    """``await app(scope, receive, send)`` in a thread of its own.

    Playwright leaves a running loop in the thread of the tests, in which ``asyncio.run`` refuses.
    """
    with start_blocking_portal() as portal:
        portal.call(app, *arguments)
