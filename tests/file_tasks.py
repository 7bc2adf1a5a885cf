"""Tasks of files are registered for a process, and all tests of a worker share one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from toolkit.plugins import discovery


@contextlib.contextmanager
def forgotten() -> Iterator[None]:
    """What is registered within the block ends with it, as it ends with a process.

    A file may give its task the name of an installed one: what asks for that name later would get
    the file's, whose folder may be gone by then.
    """
    found = discovery.load()
    states = (found.tasks, found.origins, found.hidden, found.hidden_origins)
    before = [dict(state) for state in states]
    try:
        yield
    finally:
        if discovery.load() is found:
            for state, kept in zip(states, before, strict=True):
                state.clear()
                state.update(kept)
        elif any(origin.file for origin in discovery.load().origins.values()):
            discovery.load.cache_clear()
