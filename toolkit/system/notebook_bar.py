"""Progress in a notebook's cell: one line of text that is drawn anew in its place.

It is an output of the cell like others, so that it needs no widgets and stays readable where the
notebook is stored, shown elsewhere or run without a browser.
"""

from __future__ import annotations

import importlib
import time
from typing import Any

EVERY = 0.25
"""Seconds between two drawings; each is a message to the browser."""
WIDTH = 28
"""Characters of the bar."""


class NotebookBar:
    """A line of progress below the cell that is running."""

    def __init__(self) -> None:
        # The notebook's kernel brings it; the toolkit itself does not need it.
        display: Any = importlib.import_module("IPython.display").display
        self._handle: Any = display({"text/plain": ""}, raw=True, display_id=True)
        self._drawn = 0.0

    def show(self, what: str, done: int, total: int, detail: str) -> None:
        """Draw the progress, unless it was drawn just now and more is to come.

        Args:
            what: what is being done.
            done: how much of ``total``.
            total: the whole.
            detail: further words, such as the time left.
        """
        now = time.perf_counter()
        if now - self._drawn < EVERY and done < total:
            return
        self._drawn = now
        full = round(WIDTH * min(1.0, done / total)) if total else 0
        bar = "█" * full + "░" * (WIDTH - full)
        self._draw(f"  {what} {bar} {done:,.0f}/{total:,.0f}{detail}")

    def end(self) -> None:
        """Leave nothing of the line."""
        self._draw("")

    def _draw(self, text: str) -> None:
        if self._handle is not None:  # None: a shell that shows nothing
            self._handle.update({"text/plain": text}, raw=True)
