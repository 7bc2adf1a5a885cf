"""View "Chat": a conversation with the base, the adapter, or both at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import gradio as gr

from toolkit.errors import UsageError
from toolkit_playground.rendering import html
from toolkit_playground.state.conversation import (
    Conversation,
    Turn,
    box_messages,
    complete,
    has_template,
    prompt_ids,
    until,
)
from toolkit_playground.state.engine import BASE_LABEL, MOST_CHARACTERS, Engine
from toolkit_playground.state.inputs import inputs_of
from toolkit_playground.state.sessions import Visitor
from toolkit_playground.state.sides import ADAPTER_LABEL
from toolkit_playground.state.writing import Controls, sampling, write
from toolkit_playground.views.inputs import sampling_controls
from toolkit_playground.views.page import QUIET, Page, block, no_run

VIEW = "chat"
LABELS = (BASE_LABEL, ADAPTER_LABEL)
WHO = {"Adapter": [ADAPTER_LABEL], "Base": [BASE_LABEL], "Both": list(LABELS)}


def build(page: Page) -> None:
    """The view's components and what they do."""
    about = block("chat-about")
    with gr.Row(elem_classes="tk-chats"):
        boxes = {
            label: gr.Chatbot(
                label=label, elem_id=f"chat-{label}", height=420, editable="user",
                buttons=["copy", "copy_all"], layout="bubble", feedback_options=None,
                placeholder="No messages yet", allow_tags=False, sanitize_html=True,
                render_markdown=False,
            )
            for label in LABELS
        }  # fmt: skip
    status = block("chat-status")
    with gr.Row(elem_classes="tk-ask"):
        message = gr.Textbox(
            label="Message", placeholder="Type a message and press Enter", lines=1, max_lines=6,
            scale=6, elem_id="chat-message", max_length=MOST_CHARACTERS,
        )  # fmt: skip
        send = gr.Button("Send", variant="primary", scale=1, min_width=90, elem_id="chat-send")
        stop = gr.Button("Stop", scale=1, min_width=80, elem_id="chat-stop")
    with gr.Row(elem_classes="tk-below"):
        who = gr.Radio(list(WHO), value="Both", label="Talk to", elem_id="chat-who")
        clear = gr.Button(
            "New conversation", size="sm", elem_id="chat-clear", scale=0, min_width=170
        )
        export = block("chat-export")
    with gr.Accordion("System prompt", open=False):
        system = gr.Textbox(
            label="System prompt", lines=2, max_length=MOST_CHARACTERS, elem_id="chat-system",
            info="Sent before everything else; empty: none.",
        )  # fmt: skip
    controls = sampling_controls()
    turns = gr.State(Conversation())
    outputs = [turns, *boxes.values(), status, export]

    def blank() -> list[Any]:
        return [*_shown(Conversation()), "", ""]

    def values(key: str | None) -> list[Any]:
        return [*blank(), introduction(page, key)]

    page.follow([*outputs, about], values)

    def talk(
        request: gr.Request, key: str | None, who: str, system: str, turns: Conversation,
        *controls: Any,
    ) -> Iterator[list[Any]]:  # fmt: skip
        if not page.sessions.goes_on(request, VIEW, turns.name):
            yield blank()
            return
        if not turns or complete(turns[-1], WHO[who]):
            yield [*_shown(turns), gr.skip(), gr.skip()]
            return
        try:
            engine = page.engine(key)
            # The turns are filled in place. Given back, they would drop messages sent since then.
            for line in reply(page, engine, WHO[who], system, turns, controls, request):
                yield [gr.skip(), *_boxes(turns), line, gr.skip()]
            yield [gr.skip(), *_boxes(turns), line, exported(turns, system)]
        except Exception as error:  # one session's trouble is shown there and nowhere else
            kept = turns if complete(turns[-1], WHO[who]) else turns[:-1]
            yield [
                *_shown(Conversation(kept, of=turns)),
                html.failure(error, "answering"),
                gr.skip(),
            ]

    def present(request: gr.Request, turns: Conversation) -> Conversation:
        """The conversation, or a new one where it was left in the meantime."""
        return turns if page.sessions.goes_on(request, VIEW, turns.name) else Conversation()

    def ask(request: gr.Request, message: str, turns: Conversation) -> list[Any]:
        turns = present(request, turns)
        if not message.strip():
            return ["", *_shown(turns)]
        return ["", *_shown(Conversation([*turns, {"user": message.strip()}], of=turns))]

    def again(label: str) -> Callable[..., list[Any]]:
        def retry(request: gr.Request, turns: Conversation, event: gr.RetryData) -> list[Any]:
            turns = present(request, turns)
            return _shown(Conversation(until(turns, event.index, label), of=turns))

        return retry

    def changed(label: str) -> Callable[..., list[Any]]:
        def edit(request: gr.Request, turns: Conversation, event: gr.EditData) -> list[Any]:
            turns = present(request, turns)
            kept = Conversation(until(turns, event.index, label), of=turns)
            if kept:
                kept[-1]["user"] = str(event.value)
            return _shown(kept)

        return edit

    first = {"queue": False, **QUIET}
    answer: dict[str, Any] = {"api_name": "chat", "show_progress": "hidden"}
    shown = [turns, *boxes.values()]
    starts = [
        gr.on([send.click, message.submit], ask, [message, turns], [message, *shown], **first),
        *(box.retry(again(label), turns, shown, **first) for label, box in boxes.items()),
        *(box.edit(changed(label), turns, shown, **first) for label, box in boxes.items()),
    ]
    for place, start in enumerate(starts):
        if place:  # only the first is for programs
            answer |= {"api_name": None, "api_visibility": "private"}
        page.answer(
            start.then, VIEW, talk, [page.chosen, who, system, turns, *controls], outputs,
            left=blank, **answer,
        )  # fmt: skip
    page.stop(stop, VIEW)

    def forget(request: gr.Request) -> list[Any]:
        page.sessions.discard(request, VIEW)
        return blank()

    # Queued, so that it comes after the pieces that are on their way to the browser.
    gr.on([clear.click, *(box.clear for box in boxes.values())], forget, None, outputs, **QUIET)
    who.change(
        lambda name: [gr.Chatbot(visible=label in WHO[name]) for label in boxes],
        who, list(boxes.values()), **first,
    )  # fmt: skip


def introduction(page: Page, key: str | None) -> str:
    """What kind of conversation this model can have."""
    if key is None:
        return no_run()
    try:
        engine = page.engine(key)
    except Exception as error:
        return html.failure(error, "loading the model")
    if not engine.writes:
        return html.notice("This run's model writes no text, so there is nobody to talk to here.")
    if has_template(engine):
        return html.notice("The model's own chat template; earlier messages are sent along.")
    label = next(iter(inputs_of(engine.task).values()), "input")
    return html.notice(
        "This model has no chat template: each message goes into the task's own prompt as "
        f"“{label}”. Earlier messages stay on the page but are not sent."
    )


def reply(
    page: Page,
    engine: Engine,
    labels: Sequence[str],
    system: str,
    turns: list[Turn],
    controls: Controls,
    visitor: Visitor,
) -> Iterator[str]:
    """Fill the last turn with the sides' answers while they are written; gives the line below."""
    if not engine.writes:
        raise UsageError("this run's model writes no text")
    settings = sampling(*controls)
    prompts = [prompt_ids(engine, turns, label, system or "") for label in labels]
    for prompt in prompts:
        engine.check_length(prompt, engine.positions, settings.new_tokens)
    with page.sessions.stoppable(visitor, VIEW) as stop:
        for texts in write(engine, prompts, labels, settings, stop):
            for label, text in zip(labels, texts, strict=True):
                turns[-1][label] = text.text
            lines = [f"{lab}: {html.timing(t)}" for lab, t in zip(labels, texts, strict=True)]
            parts = html.joined((html.fill("{}", line) for line in lines), "<br>")
            yield html.fill('<p class="tk-foot">{}</p>', parts)


def exported(turns: Sequence[Turn], system: str) -> str:
    """A link that saves the conversation as JSON."""
    content = {"system": system, "turns": list(turns)}
    return html.download(
        "chat.json", json.dumps(content, indent=1, ensure_ascii=False), "application/json",
        "Export as JSON",
    )  # fmt: skip


def _shown(turns: Conversation) -> list[Any]:
    """The state and the two chat boxes."""
    return [Conversation(turns, of=turns), *_boxes(turns)]


def _boxes(turns: Sequence[Turn]) -> list[list[dict[str, str]]]:
    """The messages of the two chat boxes."""
    return [box_messages(turns, label) for label in LABELS]
