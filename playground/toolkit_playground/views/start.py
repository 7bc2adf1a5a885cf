"""The form "Start from here": a run's settings, and the line that starts a run like it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr
from markupsafe import Markup

from toolkit.errors import UsageError
from toolkit_playground.rendering import html, start_form
from toolkit_playground.state import start
from toolkit_playground.views.page import QUIET, Page, block

COPY = """
element.addEventListener("click", event => {
  const button = event.target.closest("button");
  if (!button) return;
  navigator.clipboard?.writeText(element.querySelector("pre").textContent);
  button.textContent = "Copied";
});
"""


def build(page: Page) -> None:
    """The form's components and what they do."""
    with gr.Accordion("Start from here", open=False, elem_id="run-start"):
        out = block("run-start-line", js_on_load=COPY)
        form = block("run-start-form", js_on_load=start_form.SCRIPT)

    def line(key: str | None, values: Mapping[str, Any]) -> Markup:
        try:
            return start_form.line(start.line(page.library.find(key), values))
        except Exception as error:  # one session's trouble is shown there and nowhere else
            return html.failure(error, "making the line")

    def follow(key: str | None) -> list[Any]:
        if key is None:
            return ["", ""]
        return [line(key, {}), start_form.form(start.fields(page.library.find(key)))]

    def changed(key: str | None, event: gr.EventData) -> Markup:
        values = event.value
        if not isinstance(values, Mapping):
            return html.failure(UsageError("the form holds no values"))
        return line(key, values)

    page.follow([out, form], follow)
    # Each in its turn: of several, "always_last" would give gradio 6.31's first event once more.
    form.input(changed, page.chosen, out, trigger_mode="multiple", concurrency_limit=1, **QUIET)
