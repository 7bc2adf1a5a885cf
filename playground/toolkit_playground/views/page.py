"""What the views share: runs, stop signs of the sessions, and how a view follows the chosen run."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from typing import Any

import gradio as gr

from toolkit.errors import UsageError
from toolkit.pipeline.restore import load_task
from toolkit.runs.run import Run
from toolkit.task import Task
from toolkit_playground.state.engine import BASE_LABEL, Engine, trained_label
from toolkit_playground.state.library import Library

MODEL_QUEUE: Mapping[str, Any] = {
    "concurrency_id": "model", "concurrency_limit": 1, "trigger_mode": "always_last",
}  # fmt: skip
"""Events that use the model wait for each other; everything else does not wait for them.

Who asks anew while an answer is written has stopped it (:meth:`Page.begin`) and gets the new one:
gradio would drop what is asked before the old answer has ended.
"""
QUIET: Mapping[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
DRAWING = threading.Lock()
"""Charts are drawn one at a time: matplotlib's settings belong to the whole process."""
NO_RUN = "No finished run yet"
NO_RUN_HINT = "Make one with: toolkit run price-regression – then load this page again."


def block(name: str, value: str = "") -> Any:
    """A place for HTML of our own, without gradio's styles."""
    return gr.HTML(value, elem_id=name, apply_default_css=False, padding=False)


class Sessions:
    """The stop sign of what each session is doing in each view."""

    def __init__(self) -> None:
        self._signs: dict[tuple[str, str], threading.Event] = {}
        self._lock = threading.Lock()

    def begin(self, request: gr.Request | None, view: str) -> threading.Event:
        """A new sign for what is about to start; what went on before in that view stops."""
        key = (str(request.session_hash) if request else "", view)
        with self._lock:
            if key in self._signs:
                self._signs[key].set()
            self._signs[key] = threading.Event()
            return self._signs[key]

    def stop(self, request: gr.Request | None, view: str) -> None:
        """Stop what that session is doing there, also if it still waits for its turn."""
        key = (str(request.session_hash) if request else "", view)
        with self._lock:
            if key in self._signs:
                self._signs[key].set()

    @contextmanager
    def sign(self, request: gr.Request | None, view: str) -> Iterator[threading.Event]:
        """The sign that was put up when the button was pressed, or a new one; taken down after."""
        key = (str(request.session_hash) if request else "", view)
        with self._lock:
            mine = self._signs.setdefault(key, threading.Event())
        try:
            yield mine
        finally:
            with self._lock:
                if self._signs.get(key) is mine:
                    del self._signs[key]

    def leave(self, request: gr.Request) -> None:
        """The tab was closed: stop everything of that session."""
        with self._lock:
            mine = [key for key in self._signs if key[0] == str(request.session_hash)]
            for key in mine:
                self._signs.pop(key).set()


@dataclass
class Follower:
    """The part of a view that changes with the chosen run.

    Args:
        outputs: its components.
        values: the run's ID → one value or update for each of them.
    """

    outputs: Sequence[Any]
    values: Callable[[str | None], list[Any]]


@dataclass
class Page:
    """Handed to every view while the page is built."""

    library: Library
    chosen: Any
    sessions: Sessions = field(default_factory=Sessions)
    followers: list[Follower] = field(default_factory=list)

    def follow(self, outputs: Sequence[Any], values: Callable[[str | None], list[Any]]) -> None:
        """Let components follow the chosen run."""
        self.followers.append(Follower(outputs, values))

    def first_sides(self) -> list[str]:
        """The sides of the run that the page opens on; they are there before a session is."""
        key = self.library.first()
        if key is None:
            return [BASE_LABEL, "adapter"]
        return side_labels(self.library, self.library.find(key))

    def engine(self, key: str | None) -> Engine:
        """The chosen run's model; raises in words."""
        if key is None:
            raise UsageError(f"{NO_RUN}: toolkit run TASK")
        return self.library.engine(key)

    def begin(self, view: str) -> Callable[..., None]:
        """The first, unqueued step of something long: puts up its stop sign."""

        def prepare(request: gr.Request) -> None:
            self.sessions.begin(request, view)

        return prepare

    def stop(self, view: str) -> Callable[..., None]:
        """What the stop button does."""

        def halt(request: gr.Request) -> None:
            self.sessions.stop(request, view)

        return halt


def task_of(library: Library, key: str | None) -> tuple[Run, Task] | None:
    """The chosen run and its task; ``None`` without a run."""
    if key is None:
        return None
    run = library.find(key)
    return run, load_task(run)


def side_labels(library: Library, run: Run) -> list[str]:
    """All sides that can be chosen: base, the run's adapters, other runs' adapters."""
    seeds = sorted(folder.name for folder in run.path.glob("adapter-seed-*"))
    return [
        BASE_LABEL, trained_label(run), *seeds, *(f"adapter of {r.id}" for r in library.beside(run))
    ]  # fmt: skip


def resolve_sides(page: Page, engine: Engine, labels: Sequence[str]) -> list[str]:
    """The labels, with other runs' adapters put on the base; raises in words."""
    known = side_labels(page.library, engine.run)
    chosen = [label for label in known if label in set(labels)]
    if not chosen:
        raise UsageError("choose at least one side")
    for label in chosen:
        if label in engine.problems:
            raise UsageError(f"{label}: {engine.problems[label]}")
        if label.startswith("adapter of "):
            engine.add_run(page.library.find(label.removeprefix("adapter of ")))
    return chosen


def download(name: str, content: str, kind: str, label: str) -> str:
    """A link that saves a text; the text is in the link, so no file is left on the server."""
    packed = base64.b64encode(content.encode()).decode()
    return (
        f'<a class="tk-download" download="{escape(name)}" '
        f'href="data:{kind};base64,{packed}">{escape(label)}</a>'
    )
