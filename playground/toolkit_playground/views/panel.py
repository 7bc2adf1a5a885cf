"""View "Panel": a task's own panel, drawn from its plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr

from toolkit.errors import PluginError, ToolkitError
from toolkit.task import Row
from toolkit_playground.rendering import html, panels
from toolkit_playground.state.engine import Engine, Reading
from toolkit_playground.views.inputs import RowInput
from toolkit_playground.views.page import (
    MODEL_QUEUE,
    NO_RUN,
    NO_RUN_HINT,
    Page,
    block,
    resolve_sides,
    side_labels,
)

VIEW = "panel"
HINT = {
    "number-distribution": "Press Show: the whole distribution over numbers, from both sides.",
    "labels": "Press Show: the probability of each label, from base and adapter.",
    "spans": "Press Show: the answers marked in the context, with the top five.",
    "text": "Press Show: what base and adapter write, with the task's own marks.",
}
OURS = ("base", "adapter", "full")


def build(page: Page) -> None:
    """The view's components and what they do."""
    sides_there = page.first_sides()
    with gr.Row(elem_classes="tk-split"):
        with gr.Column(elem_classes="tk-one"):
            inputs = RowInput(page, VIEW)
            go = gr.Button("Show", variant="primary", elem_id="panel-go")
        with gr.Column(elem_classes="tk-two"):
            out = block("panel-out")
        with gr.Column(elem_classes="tk-three"):
            sides = gr.CheckboxGroup(
                sides_there, value=sides_there[:2], label="Sides", elem_id="panel-sides"
            )
            inputs.show_examples()

    def values(key: str | None) -> list[Any]:
        if key is None:
            return [gr.CheckboxGroup(), html.empty(NO_RUN, NO_RUN_HINT)]
        from toolkit.pipeline.restore import load_task

        run = page.library.find(key)
        task = load_task(run)
        view = task.panel.view if task.panel else "text"
        hint = HINT.get(view, f"The panel's view {view!r} is none that can be drawn.")
        labels = side_labels(page.library, run)
        chosen = gr.CheckboxGroup(choices=labels, value=labels[:2])
        return [chosen, html.empty("Nothing shown yet", hint)]

    page.follow([sides, out], values)

    def show(key: str | None, labels: list[str], row: Row | None, *texts: str) -> str:
        try:
            engine = page.engine(key)
            chosen = resolve_sides(page, engine, labels)
            asked, gold = inputs.read(engine.task, row, texts)
            return panel(page, engine, chosen, asked, gold)
        except Exception as error:  # one session's trouble is shown there and nowhere else
            return html.failure(error, "the panel")

    gr.on(
        [go.click, *(box.submit for box in inputs.boxes)],
        show, [page.chosen, sides, inputs.row, *inputs.boxes], out,
        api_name="panel", show_progress="minimal", **MODEL_QUEUE,
    )  # fmt: skip


def panel(page: Page, engine: Engine, labels: Sequence[str], row: Row, gold: bool) -> str:
    """The panel's HTML for a row; raises in words where the plugin's part of it fails."""
    task = engine.task
    view = task.panel.view if task.panel else "text"
    readings = engine.predict(row, labels)
    others = _others(page, engine, row) if gold else {}
    truth = task.reference(row) if gold else None
    try:
        return panels.draw(
            view, [_shown(reading, row) for reading in readings],
            truth=truth, others=others, unit=task.metric().unit,
        )  # fmt: skip
    except (TypeError, KeyError, ValueError, IndexError, AttributeError) as error:
        raise _blame(engine, error) from error


def _shown(reading: Reading, row: Row) -> panels.Shown:
    answer, task = reading.answer, reading.side.task
    try:
        data = task.panel_data(reading.output, row)
    except ToolkitError:
        raise
    except Exception as error:  # a plugin may raise anything
        raise _blame_task(task, error) from error
    return panels.Shown(
        reading.side.label, answer["prediction"], answer["low"], answer["high"], data,
        bool(answer["parsed"]),
    )  # fmt: skip


def _blame(engine: Engine, error: Exception) -> PluginError:
    return _blame_task(engine.task, error)


def _blame_task(task: Any, error: Exception) -> PluginError:
    from toolkit.plugins import discovery

    origin = discovery.load().origins.get(task.name)
    where = f"{origin.distribution} {origin.version}" if origin else "its plugin"
    reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    return PluginError(
        f"the panel of {task.name} ({where}) failed with {reason}; the other views still work"
    )


def _others(page: Page, engine: Engine, row: Row) -> Mapping[str, Any]:
    """What the ladder's other systems said about a held-out row."""
    found = {}
    for name, lines in page.library.ladder(engine.run).items():
        line = lines.get(int(row["row_id"]))
        if line is not None and name not in OURS and line["split"] == row.get("split"):
            found[name] = line["prediction"]
    return found
