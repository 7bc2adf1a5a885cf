"""Buttons with named sampling settings, above the controls that they fill."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import gradio as gr

from toolkit_playground.rendering import html
from toolkit_playground.state.presets import MEASURED, PRESETS, Preset, measured, told
from toolkit_playground.views.page import QUIET, Page, block

SETTINGS = ("tokens", "temperature", "top-p", "top-k", "penalty", "seed")
"""Names of the sampling settings in the page's address."""


def with_presets(page: Page, view: str, controls: Callable[[], list[Any]]) -> list[Any]:
    """Controls, and above them a button for each preset.

    Args:
        page: what the views share.
        view: the tab's ID.
        controls: makes the controls, in the order of :data:`SETTINGS`.
    """
    with gr.Row(elem_classes="tk-presets"):
        buttons = {
            name: gr.Button(name, size="sm", min_width=100, elem_id=f"{view}-preset-{place}")
            for place, name in enumerate((MEASURED, *PRESETS))
        }
    said = block(f"{view}-preset-told")
    sliders = controls()
    page.follow([said], lambda key: [""])
    names = json.dumps(SETTINGS)
    noted = (
        f"(...values) => {{ {names}.forEach((name, at) => "
        f"toolkitAddress.set({json.dumps(view)}, name, values[at])); }}"
    )
    for name, button in buttons.items():
        # What a person has not typed by hand is put into the address here.
        button.click(_filled(page, name), page.chosen, [*sliders, said], **QUIET).then(
            None, sliders, None, js=noted
        )
    return sliders


def _filled(page: Page, name: str) -> Callable[[str | None], list[Any]]:
    def filled(key: str | None) -> list[Any]:
        if name != MEASURED:
            return [
                gr.skip(),
                *_values(PRESETS[name]),
                gr.skip(),
                html.notice(told(name, PRESETS[name])),
            ]
        try:
            found = measured(page.engine(key))
        except Exception as error:  # one session's trouble is shown there and nowhere else
            return [gr.skip()] * len(SETTINGS) + [html.failure(error, "reading the settings")]
        text = told(name, found.preset)
        if found.further:
            text += f" Not among these controls: {', '.join(found.further)}."
        return [found.new_tokens, *_values(found.preset), found.seed, html.notice(text)]

    return filled


def _values(preset: Preset) -> list[float]:
    return [preset.temperature, preset.top_p, preset.top_k, preset.penalty]
