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
from toolkit.flow import load_task
from toolkit.run import Run
from toolkit.task import Row, Task
from toolkit_playground.engine import (
    BASE_LABEL,
    MOST_CHARACTERS,
    MOST_NEW_TOKENS,
    Engine,
    trained_label,
)
from toolkit_playground.html import figure
from toolkit_playground.library import Library, inputs_of

MODEL_QUEUE: Mapping[str, Any] = {"concurrency_id": "model", "concurrency_limit": 1}
"""Events that use the model wait for each other; everything else does not wait for them."""
QUIET: Mapping[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
BOXES = 4
"""Input boxes that a view has; a task with more inputs is played with its held-out rows."""
EXAMPLES = 24
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


# -- sampling --------------------------------------------------------------------------------------
def sampling_controls() -> list[Any]:
    """Sliders whose values :func:`generation` takes, folded away; greedy unless asked."""
    with gr.Accordion("Sampling", open=False, elem_classes="tk-sampling"):
        with gr.Row():
            new = gr.Slider(1, MOST_NEW_TOKENS, 64, step=1, label="Most new tokens")
            temperature = gr.Slider(
                0, 2, 0, step=0.05, label="Temperature", info="0 is greedy: the same every time"
            )
        with gr.Row():
            top_p = gr.Slider(0.05, 1, 1, step=0.05, label="Top p")
            top_k = gr.Slider(0, 200, 0, step=1, label="Top k", info="0: all tokens")
        with gr.Row():
            penalty = gr.Slider(1, 2, 1, step=0.05, label="Repetition penalty")
            seed = gr.Number(0, precision=0, label="Seed", minimum=0)
    return [new, temperature, top_p, top_k, penalty, seed]


def generation(
    new: float, temperature: float, top_p: float, top_k: float, penalty: float
) -> dict[str, Any]:
    """Fields of ``GenerationConfig`` from the controls; what cannot be is refused in words."""
    if not (1 <= new <= MOST_NEW_TOKENS and 0 <= temperature <= 5 and 0 < top_p <= 1):
        raise UsageError(
            f"new tokens go from 1 to {MOST_NEW_TOKENS}, temperature from 0 to 5, top p to 1"
        )
    settings: dict[str, Any] = {"max_new_tokens": int(new), "num_beams": 1, "do_sample": False}
    if temperature > 0:
        settings |= {
            "do_sample": True, "temperature": float(temperature), "top_p": float(top_p),
            "top_k": int(top_k),
        }  # fmt: skip
    if penalty > 1:
        settings["repetition_penalty"] = float(penalty)
    return settings


# -- rows ------------------------------------------------------------------------------------------
class RowInput:
    """Boxes for a task's inputs, and held-out examples to click.

    The examples come from the select split: what stands in the test split is kept for guessing.
    """

    def __init__(self, page: Page, name: str) -> None:
        self.page = page
        self.name = name
        self.boxes = [
            gr.Textbox(
                label="Input", lines=4 if i == 0 else 2, max_lines=12, visible=i == 0,
                elem_id=f"{name}-input-{i}", max_length=MOST_CHARACTERS,
            )
            for i in range(BOXES)
        ]  # fmt: skip
        self.row = gr.State(None)

    def show_examples(self) -> None:
        """The examples to click, where they stand on the page."""
        page, name = self.page, self.name
        self.examples = gr.Dataset(
            components=["textbox", "textbox"], headers=["Held-out example", "True"],
            samples=[["", ""]], type="index", label="Examples", samples_per_page=6,
            elem_id=f"{name}-examples", layout="table",
        )  # fmt: skip
        page.follow([*self.boxes, self.row, self.examples], self._values)
        self.examples.select(
            self._click, [page.chosen, self.examples], [*self.boxes, self.row], **QUIET
        )

    def _values(self, key: str | None) -> list[Any]:
        found = task_of(self.page.library, key)
        if found is None:
            hidden = [gr.Textbox(visible=i == 0, value="") for i in range(BOXES)]
            return [*hidden, None, gr.Dataset(samples=[], visible=False)]
        run, task = found
        inputs = list(inputs_of(task).items())[:BOXES]
        rows = example_rows(self.page.library, run, task)
        first = self._fill(task, rows[0]) if rows else [gr.skip()] * BOXES
        boxes = [
            gr.Textbox(
                visible=i < len(inputs), label=inputs[i][1] if i < len(inputs) else "",
                value=first[i] if rows else "",
            )
            for i in range(BOXES)
        ]  # fmt: skip
        samples = [[_summary(task, row), _gold(task, row)] for row in rows]
        return [
            *boxes,
            rows[0] if rows else None,
            gr.Dataset(samples=samples, visible=bool(samples)),
        ]

    def _fill(self, task: Task, row: Row) -> list[str]:
        texts = [_shown(row.get(name, "")) for name in list(inputs_of(task))[:BOXES]]
        return texts + [""] * (BOXES - len(texts))

    def _click(self, key: str | None, index: int) -> list[Any]:
        found = task_of(self.page.library, key)
        if found is None:
            return [gr.skip()] * (BOXES + 1)
        rows = example_rows(self.page.library, *found)
        row = rows[int(index) % len(rows)]
        return [*self._fill(found[1], row), row]

    def read(self, task: Task, row: Row | None, texts: Sequence[str]) -> tuple[Row, bool]:
        """The row to answer, and whether it is a held-out one whose answer is known."""
        names = list(inputs_of(task))[:BOXES]
        given = dict(zip(names, (text or "" for text in texts), strict=False))
        if row and all(_shown(row.get(name, "")) == text for name, text in given.items()):
            return row, known(task, row)
        if not any(text.strip() for text in given.values()):
            raise UsageError("there is nothing in the input yet; type a text, or click an example")
        if len(inputs_of(task)) > BOXES:
            raise UsageError(f"{task.name} has more inputs than boxes; click an example instead")
        return {"row_id": 0, **given}, False


def example_rows(library: Library, run: Run, task: Task) -> list[Row]:
    """Rows to click: of the select split, or the panel's own examples where none were kept."""
    rows = library.held_out(run, "select")[:EXAMPLES]
    own = task.panel.examples if task.panel else ()
    return rows or [{"row_id": 0, **example} for example in own]


def known(task: Task, row: Row) -> bool:
    """Whether a row holds its answer."""
    return all(name in row for name in task.columns)


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _summary(task: Task, row: Row) -> str:
    text = " | ".join(_shown(row.get(name, "")) for name in inputs_of(task))
    return " ".join(text.split())[:140]


def _gold(task: Task, row: Row) -> str:
    return "" if not known(task, row) else figure(task.reference(row), task.metric().unit)[:60]


def download(name: str, content: str, kind: str, label: str) -> str:
    """A link that saves a text; the text is in the link, so no file is left on the server."""
    packed = base64.b64encode(content.encode()).decode()
    return (
        f'<a class="tk-download" download="{escape(name)}" '
        f'href="data:{kind};base64,{packed}">{escape(label)}</a>'
    )
