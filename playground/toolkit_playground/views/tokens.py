"""View "Tokens": an answer token by token, with what else base and adapter could have written."""

from __future__ import annotations

import contextlib
from typing import Any

import gradio as gr
from markupsafe import Markup

from toolkit import Row
from toolkit.errors import ToolkitError, UsageError
from toolkit_playground.rendering import html
from toolkit_playground.rendering import tokens as rendering
from toolkit_playground.state import tokens
from toolkit_playground.state.engine import Engine
from toolkit_playground.state.inputs import asked, read_row
from toolkit_playground.views.inputs import RowInput
from toolkit_playground.views.page import QUIET, Page, block, no_run

VIEW = "tokens"
HINT = "Press Look: base and adapter answer greedily; then choose a token of an answer."
CHOOSE = "Choose a token of an answer: click it, or go there by the arrow keys and press Enter."


def build(page: Page) -> None:
    """The view's components and what they do."""
    with gr.Row(elem_classes="tk-split"):
        with gr.Column(elem_classes="tk-one"):
            block("tokens-about", about())
            inputs = RowInput(page, VIEW)
            with gr.Row(elem_classes="tk-go"):
                go = gr.Button("Look", variant="primary", elem_id="tokens-go", scale=2)
                stop = gr.Button("Stop", elem_id="tokens-stop", scale=1, min_width=90)
        with gr.Column(elem_classes="tk-two"):
            out = block("tokens-out", js_on_load=rendering.SCRIPT)
            detail = block("tokens-detail", js_on_load=rendering.SCRIPT)
            ahead = block("tokens-ahead")
        with gr.Column(elem_classes="tk-three"):
            inputs.show_examples(out, blank)
    found, way = gr.State(None), gr.State(None)

    def values(key: str | None) -> list[Any]:
        return [no_run() if key is None else blank(), html.NOTHING, html.NOTHING, None]

    page.follow([out, detail, ahead, found], values)

    def look(request: gr.Request, key: str | None, row: Row | None, *texts: str) -> list[Any]:
        try:
            engine = page.engine(key)
            shown, known = read_row(engine.task, row, texts)
            with page.sessions.stoppable(request, VIEW) as stop:
                seen = tokens.look(engine, shown, known, stop)
            return [written(engine, seen), html.notice(CHOOSE), html.NOTHING, seen]
        except Exception as error:  # one session's trouble is shown there and nowhere else
            return [html.failure(error, "looking"), html.NOTHING, html.NOTHING, None]

    page.answer(
        inputs.starts(go), VIEW, look, [page.chosen, inputs.row, *inputs.boxes],
        [out, detail, ahead, found],
        left=lambda: [blank(), html.NOTHING, html.NOTHING, None],
        show_progress="minimal", api_visibility="private",
    )  # fmt: skip
    page.stop(stop, VIEW)

    def pick(key: str | None, seen: tokens.Look | None, event: gr.EventData) -> list[Any]:
        """What was expected at the token that was chosen."""
        try:
            seen = present(key, seen)
            answer = seen.answer(str(event.side))
            at = int(event.at)
            if not 0 <= at < len(answer.pieces):
                raise UsageError(f"the answer of {answer.label} has no token {at}")
            engine = page.engine(key)
            expected = {
                side: tokens.alternatives(engine, answer, side, at) for side in answer.expected
            }
            return [rendering.place(answer, at, expected), html.NOTHING]
        except Exception as error:
            return [html.failure(error, "looking at the token"), html.NOTHING]

    out.pick(pick, [page.chosen, found], [detail, ahead], trigger_mode="always_last", **QUIET)

    def choose(event: gr.EventData) -> tuple[str, int, str, int]:
        return str(event.writer), int(event.at), str(event.side), int(event.token)

    def go_on(
        request: gr.Request, key: str | None, seen: tokens.Look | None,
        way: tuple[str, int, str, int],
    ) -> Markup:  # fmt: skip
        try:
            seen = present(key, seen)
            writer, at, side, token = way
            with page.sessions.stoppable(request, VIEW) as stop:
                ahead = tokens.branch(page.engine(key), seen, writer, at, side, token, stop)
            return rendering.branch(ahead)
        except Exception as error:
            return html.failure(error, "going on")

    page.answer(
        detail.go_on(choose, None, way, queue=False, **QUIET).then, VIEW, go_on,
        [page.chosen, found, way], ahead, left=lambda: html.NOTHING,
        show_progress="minimal", api_visibility="private",
    )  # fmt: skip


def about() -> Markup:
    """What the view is for."""
    return html.fill(
        '<h2 class="tk-heading">Look into a token</h2><p class="tk-quiet">{}</p>',
        "How sure base and adapter were of each token, what else they could have written, and "
        "where that would have led.",
    )


def blank() -> Markup:
    """What stands where nothing has been looked at."""
    return html.empty("Nothing looked at yet", HINT)


def present(key: str | None, seen: tokens.Look | None) -> tokens.Look:
    """The answers, where they are those of the chosen run."""
    if seen is None or seen.run != key:
        raise UsageError("there is no answer to look into; press Look")
    return seen


def written(engine: Engine, seen: tokens.Look) -> Markup:
    """The answers with what was asked above them, and the exact prompt below."""
    head = html.asked(f"{asked(engine, seen.row, seen.known, None)}, greedy")
    foot = html.prompt(engine.shown(seen.prompt), len(seen.prompt))
    if seen.known:
        with contextlib.suppress(ToolkitError):  # a held-out row need not fit as training rows must
            foot += rendering.masked(engine.kind.passages(seen.row))
    return head + rendering.answers(seen) + foot
