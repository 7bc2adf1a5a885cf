"""View "Prediction": all of what each side predicts, drawn by the task's own panel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr
from markupsafe import Markup

from toolkit import Row, Task
from toolkit.errors import PluginError, ToolkitError
from toolkit.plugins import discovery
from toolkit_playground.rendering import html, panels
from toolkit_playground.state.any_model import task_for
from toolkit_playground.state.engine import Engine, Reading
from toolkit_playground.state.inputs import asked, read_row
from toolkit_playground.state.sides import resolve_sides
from toolkit_playground.views.inputs import RowInput, side_choice, sides_of
from toolkit_playground.views.page import Page, block, no_run

VIEW = "prediction"
HINT = {
    "number-distribution": "Press Show: the whole distribution over numbers, from both sides.",
    "labels": "Press Show: the probability of each label, from base and adapter.",
    "numbers": "Press Show: the numbers, from base and adapter.",
    "spans": "Press Show: the answers marked in the context, with the top five.",
    "text": "Press Show: what base and adapter write, with the task's own marks.",
}
NOTHING_YET, PRESS = "Nothing shown yet", "Press Show."


def build(page: Page) -> None:
    """The view's components and what they do."""
    with gr.Row(elem_classes="tk-split"):
        with gr.Column(elem_classes="tk-one"):
            inputs = RowInput(page, VIEW)
            go = gr.Button("Show", variant="primary", elem_id="prediction-go")
        with gr.Column(elem_classes="tk-two"):
            out = block("prediction-out")
        with gr.Column(elem_classes="tk-three"):
            sides = side_choice(page, VIEW)
            inputs.show_examples(out, blank)

    def values(key: str | None) -> list[Any]:
        if key is None:
            return [*sides_of(page, None), no_run()]
        run = page.library.find(key)
        task = task_for(run)
        view = task.panel.view if task.panel else "text"
        hint = HINT.get(view, f"The panel's view {view!r} is none that can be drawn.")
        return [*sides_of(page, run), html.empty(NOTHING_YET, hint)]

    page.follow([*sides, out], values)

    def show(
        request: gr.Request, key: str | None, own: list[str], others: list[str],
        row: Row | None, *texts: str,
    ) -> Markup:  # fmt: skip
        try:
            engine = page.engine(key)
            chosen = resolve_sides(page.library, engine, [*own, *others])
            shown, known = read_row(engine.task, row, texts)
            head = html.asked(asked(engine, shown, known, None))
            return head + panel(page, engine, chosen, shown, known)
        except Exception as error:  # one session's trouble is shown there and nowhere else
            return html.failure(error, "showing the prediction")

    page.answer(
        inputs.starts(go), VIEW, show, [page.chosen, *sides, inputs.row, *inputs.boxes], out,
        left=blank, show_progress="minimal",
        api_visibility="private",
    )  # fmt: skip


def blank() -> Markup:
    """What stands where nothing has been drawn."""
    return html.empty(NOTHING_YET, PRESS)


def panel(page: Page, engine: Engine, labels: Sequence[str], row: Row, known: bool) -> Markup:
    """The panel's HTML for a row; raises :class:`PluginError` where the plugin's part fails.

    Args:
        known: whether the row has its reference.
    """
    task = engine.task
    view = task.panel.view if task.panel else "text"
    readings = engine.predict(row, labels)
    others = page.library.other_answers(engine.run, row) if known else {}
    truth = task.reference(row) if known else None
    try:
        return panels.draw(
            view, [_shown(reading, row) for reading in readings],
            truth=truth, others=others, unit=task.metric().unit,
        )  # fmt: skip
    except (TypeError, KeyError, ValueError, IndexError, AttributeError) as error:
        raise _failure(task, error) from error


def _shown(reading: Reading, row: Row) -> panels.Shown:
    answer, task = reading.answer, reading.side.task
    try:
        data = task.panel_data(reading.output, row)
    except ToolkitError:
        raise
    except Exception as error:  # a plugin may raise anything
        raise _failure(task, error) from error
    return panels.Shown(
        reading.side.label, answer["prediction"], answer["low"], answer["high"], data,
        bool(answer["parsed"]),
    )  # fmt: skip


def _failure(task: Task, error: Exception) -> PluginError:
    origin = discovery.load().origins.get(task.name)
    where = f"{origin.distribution} {origin.version}" if origin else "its plugin"
    reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    return PluginError(
        f"the panel of {task.name} ({where}) failed with {reason}; the other views still work"
    )
