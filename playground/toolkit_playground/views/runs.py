"""View "Run": reports, learning curves, settings and files; several runs; one in progress, live."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from toolkit.errors import ToolkitError
from toolkit.runs import Run
from toolkit_playground.rendering import html
from toolkit_playground.rendering import runs as rendering
from toolkit_playground.state.place import Place
from toolkit_playground.state.run_files import copied, present
from toolkit_playground.views import start
from toolkit_playground.views.address import noted
from toolkit_playground.views.page import QUIET, Page, block, no_run

LIVE_SECONDS = 2


def build(page: Page, folder: Path, opened: Any) -> None:
    """The view's components and what they do.

    Args:
        page: what the views share.
        opened: the view's tab.
        folder: a temporary folder of the server, into which a file is copied to be downloaded.
    """
    which = gr.Dropdown(
        [], multiselect=True, label="Runs", elem_id="run-which",
        info="One: its report. Several: side by side.",
    )  # fmt: skip
    about = block("run-about")
    with gr.Row(elem_classes="tk-ask"):
        file = gr.Dropdown([], label="Files of the run", elem_id="run-file", scale=3)
        save = gr.DownloadButton("Download", elem_id="run-download", scale=1, min_width=120)
    live = gr.Timer(LIVE_SECONDS, active=False)
    outputs = [about, file, save, live]

    def look(keys: list[str] | None) -> list[Any]:
        try:
            found = [page.library.find(key) for key in keys or []]
            files = present(found[0]) if len(found) == 1 else []
            return [
                _shown(found),
                gr.Dropdown(choices=files, value=files[0] if files else None, visible=bool(files)),
                gr.DownloadButton(visible=bool(files)),
                gr.Timer(active=any(not run.finished for run in found)),
            ]
        except Exception as error:  # one session's trouble is shown there and nowhere else
            return [html.failure(error, "looking at the run"), gr.skip(), gr.skip(), gr.skip()]

    def values(key: str | None) -> list[Any]:
        choices = _listed(page)
        chosen = [key] if key else [choices[0][1]] if choices else []
        return [gr.Dropdown(choices=choices, value=chosen), *look(chosen)]

    def prepare(keys: list[str] | None, name: str | None) -> Any:
        if not keys or len(keys) != 1 or not name:
            return gr.DownloadButton(interactive=False)
        try:
            return gr.DownloadButton(value=copied(page.library.find(keys[0]), name, folder),
                                     interactive=True)  # fmt: skip
        except ToolkitError:
            return gr.DownloadButton(interactive=False)

    def again(keys: list[str] | None) -> list[Any]:
        """What a run in progress looks like by now; once it is done its files can be had."""
        shown = look(keys)
        try:
            finished = all(page.library.find(key).finished for key in keys or [])
        except ToolkitError:
            return shown
        return shown if finished else [shown[0], gr.skip(), gr.skip(), gr.skip()]

    start.build(page)
    page.follow([which, *outputs], values)
    which.input(None, which, None, js=noted("run", "runs"))

    def restore(place: Place, key: str | None, owner: str | None) -> list[Any]:
        known = {run_id for _, run_id in _listed(page)}
        named = [run_id for run_id in place.of("run", "runs") if run_id in known]
        return [named, *look(named)] if named else [gr.skip()] * (1 + len(outputs))

    page.address.restore(restore, [which, *outputs])
    # What is chosen while another run is still being drawn counts too.
    which.input(look, which, outputs, trigger_mode="always_last", **QUIET)
    # A run may have begun since the page was loaded.
    opened.select(lambda: gr.Dropdown(choices=_listed(page)), None, which, queue=False, **QUIET)
    file.change(prepare, [which, file], save, **QUIET)
    live.tick(again, which, outputs, **QUIET)


def _shown(runs: Sequence[Run]) -> str:
    if len(runs) > 1:
        return rendering.several(runs)
    return rendering.one(runs[0]) if runs else no_run()


def _listed(page: Page) -> list[tuple[str, str]]:
    odd = page.library.unreadable()
    return [
        *((rendering.described(run), run.id) for run in page.library.runs()),
        *((f"{one.path.parent.name} · {one.path.name} · unreadable", one.path.name) for one in odd),
    ]
