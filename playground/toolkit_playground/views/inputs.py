"""Components that several views have: sides, sampling controls, the task's inputs with examples."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import gradio as gr

from toolkit import Row, Task
from toolkit.runs import Run
from toolkit_playground.state import inputs
from toolkit_playground.state.engine import MOST_CHARACTERS, MOST_NEW_TOKENS
from toolkit_playground.state.inputs import BOXES
from toolkit_playground.state.library import task_of
from toolkit_playground.state.place import Place
from toolkit_playground.state.sides import OTHER_RUN, first_sides, side_labels
from toolkit_playground.views.address import noted
from toolkit_playground.views.page import Opening, Page
from toolkit_playground.views.presets import SETTINGS, with_presets


def raw_controls(page: Page, view: str) -> tuple[gr.Checkbox, list[Any]]:
    """A switch from the run's own decoder and limits to raw text, and the settings of that."""
    with gr.Accordion("Raw text", open=False, elem_classes="tk-sampling"):
        raw = gr.Checkbox(
            False, label="Raw text by these settings", elem_id=f"{view}-raw",
            info="Off: the run's own decoder, settings and limits, by which it was scored.",
        )  # fmt: skip
        page.address.keep(view, raw=raw)
        return raw, _sliders(page, view)


def sampling_controls(page: Page, view: str) -> list[Any]:
    """Sliders whose values :func:`sampling` takes, folded away; greedy at first."""
    with gr.Accordion("Sampling", open=False, elem_classes="tk-sampling"):
        return with_presets(page, view, partial(_sliders, page, view))


def _sliders(page: Page, view: str) -> list[Any]:
    with gr.Row():
        new = gr.Slider(1, MOST_NEW_TOKENS, 64, step=1, label="Most new tokens")
        page.follow([new], lambda key: [gr.Slider(maximum=_most(page, key))])
        temperature = gr.Slider(
            0, 2, 0, step=0.05, label="Temperature", info="0 is greedy: the same every time"
        )
    with gr.Row():
        top_p = gr.Slider(0.05, 1, 1, step=0.05, label="Top p")
        top_k = gr.Slider(0, 200, 0, step=1, label="Top k", info="0: all tokens")
    with gr.Row():
        penalty = gr.Slider(1, 2, 1, step=0.05, label="Repetition penalty")
        seed = gr.Number(0, precision=0, label="Seed")
    sliders = [new, temperature, top_p, top_k, penalty, seed]
    page.address.keep(view, **dict(zip(SETTINGS, sliders, strict=True)))
    return sliders


def _most(page: Page, key: str | None) -> int:
    """New tokens that the chosen run's model has room for."""
    try:
        return MOST_NEW_TOKENS if key is None else page.engine(key).most_new_tokens
    except Exception:  # what is amiss with the model stands in the page's head
        return MOST_NEW_TOKENS


def side_choice(page: Page, view: str) -> list[Any]:
    """The run's own sides, of which the first two are chosen, and a list of other runs' adapters.

    There may be hundreds of other runs: their list is searched by typing.
    """
    own, others = _sides(first_sides(page.library))
    found = [
        gr.CheckboxGroup(**own, elem_id=f"{view}-sides", label="Sides"),
        gr.Dropdown(
            **others, multiselect=True, elem_id=f"{view}-others", label="Adapters of other runs",
            info="Of the same task, on the same base.",
        ),
    ]  # fmt: skip
    listened: list[tuple[Any, str]] = list(zip(found, ("sides", "others"), strict=True))
    for component, name in listened:
        component.input(None, component, None, js=noted(view, name))

    def restore(place: Place, key: str | None, owner: str | None) -> list[Any]:
        known = [] if key is None else side_labels(page.library, page.library.find(key))
        named = {*place.of(view, "sides"), *place.of(view, "others")}
        chosen = [label for label in known if label in named]
        if not chosen:
            return [gr.skip(), gr.skip()]
        own = [label for label in chosen if not label.startswith(OTHER_RUN)]
        return [own, [label for label in chosen if label not in own]]

    page.address.restore(restore, found)
    return found


def sides_of(page: Page, run: Run | None) -> list[Any]:
    """The updates of :func:`side_choice` for a run."""
    if run is None:
        return [gr.CheckboxGroup(), gr.Dropdown()]
    own, others = _sides(side_labels(page.library, run))
    return [gr.CheckboxGroup(**own), gr.Dropdown(**others)]


def _sides(labels: Sequence[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    own = [label for label in labels if not label.startswith(OTHER_RUN)]
    others = [(lab.removeprefix(OTHER_RUN), lab) for lab in labels if lab.startswith(OTHER_RUN)]
    return (
        {"choices": own, "value": own[:2]},
        {"choices": others, "value": [], "visible": bool(others)},
    )


class RowInput:
    """Boxes for a task's inputs, and held-out examples to click.

    The examples come from the validation split: the test split is kept for guessing.

    Args:
        page: what the views share.
        name: the view's, for the components' IDs.
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
        self.row_id = gr.Textbox(visible="hidden", elem_id=f"{name}-row")
        self.outputs = [*self.boxes, self.row, self.row_id]
        """What shows a row: see :meth:`shown`."""
        away = f"() => toolkitAddress.set({json.dumps(name)}, 'row', '')"
        gr.on([box.input for box in self.boxes], None, None, None, js=away)
        page.address.restore(self._asked_for, self.outputs)
        self.opened = gr.State(0.0)
        page.openings[name] = Opening([*self.outputs, self.opened], self._opens)

    def shown(self, task: Task, row: Row) -> list[Any]:
        """Values of :attr:`outputs` for a row."""
        return [*inputs.box_texts(task, row), row, str(row["row_id"])]

    def _asked_for(self, place: Place, key: str | None, owner: str | None) -> list[Any]:
        """The row that the address names."""
        found = task_of(self.page.library, key)
        if found is None:
            return [gr.skip()] * len(self.outputs)
        number = next(iter(place.of(self.name, "row")), "")
        row = inputs.held_out_row(self.page.library, found[0], number)
        return [gr.skip()] * len(self.outputs) if row is None else self.shown(found[1], row)

    def starts(self, button: gr.Button) -> Callable[..., Any]:
        """The event of a button, of Enter in one of the boxes, or of a row that is opened here."""
        return partial(
            gr.on, [button.click, *(box.submit for box in self.boxes), self.opened.change]
        )

    def _opens(self, task: Task, row: Row) -> list[Any]:
        return [*self.shown(task, row), time.monotonic()]

    def show_examples(self, out: gr.HTML, left: Callable[[], Any]) -> None:
        """Put the examples at this place of the page.

        Args:
            out: the view's answer, which is to the row before: a click takes it away.
            left: what then stands there.
        """
        page, name = self.page, self.name
        self.examples = gr.Dataset(
            components=["textbox", "textbox"], headers=["Held-out example", "True"],
            samples=[["", ""]], type="index", label="Examples", samples_per_page=6,
            elem_id=f"{name}-examples", layout="table",
        )  # fmt: skip
        page.follow([*self.outputs, self.examples], self._values)

        def click(request: gr.Request, key: str | None, index: int) -> list[Any]:
            return [*self._click(key, index), left()]

        page.turn(
            self.examples.select,
            name,
            click,
            [page.chosen, self.examples],
            [*self.outputs, out],
        ).then(None, self.row_id, None, js=noted(name, "row", push=True))

    def _values(self, key: str | None) -> list[Any]:
        found = task_of(self.page.library, key)
        if found is None:
            hidden = [gr.Textbox(visible=i == 0, value="") for i in range(BOXES)]
            return [*hidden, None, "", gr.Dataset(samples=[], visible=False)]
        run, task = found
        labels = list(inputs.inputs_of(task).values())[:BOXES]
        rows = inputs.example_rows(self.page.library, run, task)
        first = inputs.box_texts(task, rows[0]) if rows else [""] * BOXES
        boxes = [
            gr.Textbox(
                visible=i < len(labels), label=labels[i] if i < len(labels) else "", value=first[i]
            )
            for i in range(BOXES)
        ]
        samples = [[inputs.summary(task, row), inputs.reference_text(task, row)] for row in rows]
        return [
            *boxes,
            rows[0] if rows else None,
            "",
            gr.Dataset(samples=samples, visible=bool(samples)),
        ]

    def _click(self, key: str | None, index: int) -> list[Any]:
        found = task_of(self.page.library, key)
        if found is None:
            return [gr.skip()] * len(self.outputs)
        run, task = found
        rows = inputs.example_rows(self.page.library, run, task)
        return self.shown(task, rows[int(index) % len(rows)])
