"""View "Chat": a conversation with the base, what was trained, or both at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import gradio as gr

from toolkit.errors import UsageError
from toolkit_playground.rendering import html
from toolkit_playground.rendering.transcript import SCRIPT, transcript
from toolkit_playground.state.conversation import (
    Conversation,
    box_messages,
    complete,
    has_template,
    prompt_ids,
    until,
)
from toolkit_playground.state.engine import MOST_CHARACTERS, Engine, ending
from toolkit_playground.state.inputs import inputs_of
from toolkit_playground.state.sessions import Visitor
from toolkit_playground.state.sides import ADAPTER_LABEL, own_labels
from toolkit_playground.state.writing import Controls, sampling, write
from toolkit_playground.views.inputs import sampling_controls
from toolkit_playground.views.page import QUIET, Page, block, no_run

VIEW = "chat"
PLACES = ("base", "trained")
"""The two boxes; whose they are depends on the run: :func:`~toolkit_playground.state.sides
.own_labels`."""
WHO = {"trained": [1], "base": [0], "both": [0, 1]}


def build(page: Page) -> None:
    """The view's components and what they do."""
    about = block("chat-about")
    with gr.Row(elem_classes="tk-chats"):
        boxes = [
            block(f"chat-{place}", transcript([], place), js_on_load=SCRIPT) for place in PLACES
        ]
    status = block("chat-status")
    with gr.Row(elem_classes="tk-ask"):
        message = gr.Textbox(
            label="Message", placeholder="Type a message and press Enter", lines=1, max_lines=6,
            scale=6, elem_id="chat-message", max_length=MOST_CHARACTERS,
        )  # fmt: skip
        send = gr.Button("Send", variant="primary", scale=1, min_width=90, elem_id="chat-send")
        stop = gr.Button("Stop", scale=1, min_width=80, elem_id="chat-stop")
    with gr.Row(elem_classes="tk-below"):
        who = gr.Radio(_who(ADAPTER_LABEL), value="both", label="Talk to", elem_id="chat-who")
        markdown = gr.Checkbox(
            False, label="Markdown", elem_id="chat-markdown", scale=0, min_width=150
        )
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
    outputs = [turns, *boxes, status, export, message]
    # A browser works at each output of each piece, changed or not: so the pieces have few.
    written = [*boxes, status]

    def drawn(turns: Conversation, markdown: bool = False) -> list[Any]:
        """The two boxes."""
        labels = labels_of(page, turns.run)
        return [transcript(box_messages(turns, one), one, markdown=markdown) for one in labels]

    def shown(turns: Conversation, markdown: bool) -> list[Any]:
        """The state and the two boxes."""
        return [Conversation(turns, of=turns), *drawn(turns, markdown)]

    def blank(key: str | None = None) -> list[Any]:
        return [*shown(Conversation(run=key), False), "", "", gr.skip()]

    def values(key: str | None) -> list[Any]:
        choices = _who(labels_of(page, key)[1])
        return [*blank(key), introduction(page, key), gr.Radio(choices=choices)]

    page.follow([*outputs, about, who], values)

    def talk(
        request: gr.Request, key: str | None, who: str, markdown: bool, system: str,
        turns: Conversation, *controls: Any,
    ) -> Iterator[list[Any]]:  # fmt: skip
        if turns.run != key or not page.sessions.goes_on(request, VIEW, turns.name):
            yield [*drawn(Conversation(run=key)), ""]
            return
        both = labels_of(page, key)
        labels = [both[place] for place in WHO[who]]
        if not turns or complete(turns[-1], labels):
            return
        try:
            engine = page.engine(key)
            # The turns are filled in place. Given back, they would drop messages sent since then.
            for line in reply(page, engine, labels, system, turns, controls, request):
                yield [*drawn(turns, markdown), line]
        except Exception as error:  # one session's trouble is shown there and nowhere else
            if not complete(turns[-1], labels):
                turns.refused = turns.pop()["user"]  # back to where it was typed
            yield [*drawn(turns, markdown), html.failure(error, "answering")]

    def present(request: gr.Request, key: str | None, turns: Conversation) -> Conversation:
        """The conversation, or a new one where it was left in the meantime."""
        goes_on = turns.run == key and page.sessions.goes_on(request, VIEW, turns.name)
        return turns if goes_on else Conversation(run=key)

    def finish(
        request: gr.Request, key: str | None, markdown: bool, turns: Conversation
    ) -> list[Any]:
        """What stands there after an answer, whatever its last piece was."""
        now = present(request, key, turns)
        refused, now.refused = now.refused, ""
        saved = exported(now) if now else ""
        if page.sessions.going_on(request, VIEW):  # it has a message that is not answered yet
            saved = gr.skip()
        return [
            gr.skip() if now is turns else now,
            *drawn(now, markdown),
            saved,
            refused or gr.skip(),
        ]

    def ask(
        request: gr.Request, key: str | None, markdown: bool, turns: Conversation, message: str
    ) -> list[Any]:
        turns = present(request, key, turns)
        if not message.strip():
            return [*shown(turns, markdown), ""]
        grown = Conversation([*turns, {"user": message.strip()}], of=turns)
        return [*shown(grown, markdown), ""]

    def again(place: int) -> Callable[..., list[Any]]:
        def retry(
            request: gr.Request, key: str | None, markdown: bool, turns: Conversation,
            event: gr.EventData,
        ) -> list[Any]:  # fmt: skip
            turns = present(request, key, turns)
            kept = until(turns, event.index, labels_of(page, key)[place])
            return shown(Conversation(kept, of=turns), markdown)

        return retry

    def changed(place: int) -> Callable[..., list[Any]]:
        def edit(
            request: gr.Request, key: str | None, markdown: bool, turns: Conversation,
            event: gr.EventData,
        ) -> list[Any]:  # fmt: skip
            turns = present(request, key, turns)
            label, text = labels_of(page, key)[place], str(event.value).strip()
            kept = Conversation(until(turns, event.index, label), of=turns)
            if not text:
                return shown(turns, markdown)
            if kept:
                kept[-1]["user"] = text
            return shown(kept, markdown)

        return edit

    first = {"queue": False, **QUIET}
    now, out = [page.chosen, markdown, turns], [turns, *boxes]
    starts = [
        gr.on([send.click, message.submit], ask, [*now, message], [*out, message], **first),
        *(box.retry(again(place), now, out, **first) for place, box in enumerate(boxes)),
        *(box.edit(changed(place), now, out, **first) for place, box in enumerate(boxes)),
    ]
    for start in starts:
        page.answer(
            start.then, VIEW, talk, [page.chosen, who, markdown, system, turns, *controls],
            written, left=lambda: [*drawn(Conversation()), ""], show_progress="hidden",
            api_visibility="private",
        ).then(finish, now, [turns, *boxes, export, message], **QUIET)  # fmt: skip
    markdown.change(drawn, [turns, markdown], boxes, **first)
    page.stop(stop, VIEW)

    def forget(request: gr.Request, key: str | None) -> list[Any]:
        page.sessions.discard(request, VIEW)
        return blank(key)

    # Queued, so that it comes after the pieces that are on their way to the browser.
    clear.click(forget, page.chosen, outputs, **QUIET)
    who.change(
        lambda name: [gr.HTML(visible=place in WHO[name]) for place in range(len(boxes))],
        who, boxes, **first,
    )  # fmt: skip


def _who(trained: str) -> list[tuple[str, str]]:
    name = "Adapter" if trained == ADAPTER_LABEL else "Full model"
    return [(name, "trained"), ("Base", "base"), ("Both", "both")]


def labels_of(page: Page, key: str | None) -> list[str]:
    """The labels of the base and of what the run has trained."""
    return own_labels(None if key is None else page.library.find(key))


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
    turns: Conversation,
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
    asked = {
        "run": engine.run.id, "model": engine.run.info["recipe"]["model"],
        "system": system or "", "generation": dict(settings.generation), "seed": settings.seed,
    }  # fmt: skip
    with page.sessions.stoppable(visitor, VIEW) as stop:
        for texts in write(engine, prompts, labels, settings, stop):
            ended = {label: ending(text) for label, text in zip(labels, texts, strict=True)}
            turns[-1] |= {label: text.text for label, text in zip(labels, texts, strict=True)}
            turns[-1]["asked"] = {**asked, "ended": ended}
            lines = [f"{lab}: {html.timing(t)}" for lab, t in zip(labels, texts, strict=True)]
            parts = html.joined((html.fill("{}", line) for line in lines), "<br>")
            yield html.fill('<p class="tk-foot">{}</p>', parts)


def exported(turns: Conversation) -> str:
    """A link that saves the conversation as JSON."""
    content = json.dumps(turns.document(), indent=1, ensure_ascii=False)
    return html.download("chat.json", content, "application/json", "Export as JSON")
