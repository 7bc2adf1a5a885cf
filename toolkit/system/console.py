"""What a person sees of a command: a live display where there is one, else plain lines."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from toolkit.formatting import duration
from toolkit.system.notebook_bar import NotebookBar
from toolkit.system.secrets import printable, redacted_values

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

PLAIN_EVERY = 10.0
"""Seconds between plain progress lines."""


_SILENT: ContextVar[bool] = ContextVar("silent", default=False)


@contextlib.contextmanager
def silent(wanted: bool = True) -> Iterator[None]:
    """Within the context no :class:`Console` prints anything, if that is wanted."""
    token = _SILENT.set(wanted or _SILENT.get())
    try:
        yield
    finally:
        _SILENT.reset(token)


class Console:
    """Prints messages for the person who runs a command, all of them to standard error.

    In a notebook they are lines below the cell, where standard error would look like a fault.

    Args:
        live: draw a moving display; by default where standard error is a terminal.
        quiet: print nothing (``--json``); within :func:`silent` nothing is printed either.
    """

    def __init__(self, *, live: bool | None = None, quiet: bool = False) -> None:
        from rich.console import Console as RichConsole

        quiet = quiet or _SILENT.get()
        self.rich = RichConsole(stderr=True, highlight=False, quiet=quiet)
        self.notebook = self.rich.is_jupyter and not quiet
        if self.notebook:
            # The stream of this moment: trainings take away what trackers print. A kernel's says
            # that it is a terminal, and cannot move a cursor.
            self.rich = RichConsole(
                file=sys.stdout, highlight=False, force_jupyter=False, force_terminal=False
            )
        self.quiet = quiet
        self.live = (self.rich.is_terminal if live is None else live) and not quiet

    def say(self, message: str) -> None:
        """Print one line of plain information."""
        self.rich.print(printable(message), markup=False, soft_wrap=True)

    def note(self, message: str) -> None:
        """Print something the user should know, indented under its stage."""
        self.rich.print(f"  {printable(message)}", markup=False, soft_wrap=True)

    def heading(self, message: str) -> None:
        """Print the heading of a stage."""
        self.rich.print(f"• {printable(message)}", style="bold", markup=False, soft_wrap=True)

    def warn(self, message: str) -> None:
        """Print a warning of something that may spoil the result."""
        self.rich.print(f"  ! {printable(message)}", style="yellow", markup=False, soft_wrap=True)

    @contextlib.contextmanager
    def track(self, what: str) -> Iterator[Tracker]:
        """Show the progress of one long computation, called ``what``."""
        if self.notebook:
            bar = NotebookBar()
            try:
                yield Tracker(self, what, notebook=bar)
            finally:
                bar.end()
            return
        if not self.live:
            yield Tracker(self, what)
            return
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        with Progress(
            TextColumn("  {task.description}"), BarColumn(bar_width=28),
            TextColumn("{task.completed:.0f}/{task.total:.0f}"), TimeRemainingColumn(),
            TextColumn("{task.fields[detail]}"),
            console=self.rich, transient=True,
        ) as progress:  # fmt: skip
            yield Tracker(self, what, progress)


class Tracker:
    """One progress bar; without a live display, a plain line every :data:`PLAIN_EVERY` seconds."""

    def __init__(
        self,
        console: Console,
        what: str,
        progress: RichProgress | None = None,
        notebook: NotebookBar | None = None,
    ) -> None:
        self.console = console
        self.what = what
        self.progress = progress
        self.notebook = notebook
        self.bar = progress.add_task(what, total=1, detail="") if progress else None
        self.detail = ""
        self._printed = time.perf_counter()
        self._first: tuple[float, int] | None = None

    def __call__(self, done: int, total: int) -> None:
        if self.progress is not None and self.bar is not None:
            self.progress.update(self.bar, completed=done, total=total, detail=self.detail)
            return
        now = time.perf_counter()
        if self._first is None:
            self._first = now, done
        detail = f", {self.detail}" if self.detail else ""
        detail += self._left(now, done, total)
        if self.notebook is not None:
            self.notebook.show(self.what, done, total, detail)
        elif now - self._printed >= PLAIN_EVERY:
            self._printed = now
            self.console.note(f"{self.what}: {done}/{total}{detail}")

    def _left(self, now: float, done: int, total: int) -> str:
        """The time left at the speed since the first call, once there is one.

        What comes before it, such as loading and the first step of a training, is slower; and a
        resumed computation begins with what was done by then.
        """
        assert self._first is not None
        began, at = self._first
        if done <= at:
            return ""
        return f", {duration((now - began) / (done - at) * (total - done))} left"


def emit(value: Any) -> None:
    """JSON on standard output."""
    text = json.dumps(redacted_values(value), indent=1, ensure_ascii=False)
    sys.stdout.write(printable(text) + "\n")
