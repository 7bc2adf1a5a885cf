"""What a person puts in: sampling controls, the boxes of a task's inputs, examples to click."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from toolkit.errors import UsageError
from toolkit.runs.run import Run
from toolkit.task import Row, Task
from toolkit_playground.rendering.html import figure
from toolkit_playground.state.engine import MOST_CHARACTERS, MOST_NEW_TOKENS
from toolkit_playground.state.library import Library, inputs_of
from toolkit_playground.views.page import QUIET, Page, task_of

BOXES = 4
"""Input boxes that a view has; a task with more inputs is played with its held-out rows."""
EXAMPLES = 24


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
