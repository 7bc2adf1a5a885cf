"""View "Chat": a conversation with the base, the adapter, or both at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import gradio as gr

from toolkit.errors import UsageError
from toolkit.task import Row
from toolkit_playground.rendering import html
from toolkit_playground.state.engine import BASE_LABEL, MOST_CHARACTERS, Engine
from toolkit_playground.state.library import inputs_of
from toolkit_playground.views.inputs import generation, sampling_controls
from toolkit_playground.views.page import (
    MODEL_QUEUE,
    NO_RUN,
    NO_RUN_HINT,
    QUIET,
    Page,
    block,
    download,
)

VIEW = "chat"
ADAPTER = "adapter"
WHO = {"Adapter": [ADAPTER], "Base": [BASE_LABEL], "Both": [BASE_LABEL, ADAPTER]}
Turn = dict[str, str]
"""``user`` and, for each side that answered, its label → what it said."""


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
            for label in (BASE_LABEL, ADAPTER)
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
    turns = gr.State([])
    outputs = [turns, *boxes.values(), status, export]
    asked = [page.chosen, who, system, turns, *controls]

    def values(key: str | None) -> list[Any]:
        return [*_shown([]), "", "", introduction(page, key)]

    page.follow([*outputs, about], values)

    def talk(
        request: gr.Request, key: str | None, who: str, system: str, turns: list[Turn],
        *settings: Any,
    ) -> Iterator[list[Any]]:  # fmt: skip
        if not turns or _complete(turns[-1], WHO[who]):
            yield [*_shown(turns), gr.skip(), gr.skip()]
            return
        try:
            engine = page.engine(key)
            # The turns are filled in place. Given back, they would take away what was asked since.
            for line in reply(page, engine, WHO[who], system, turns, settings, request):
                yield [gr.skip(), *_boxes(turns), line, gr.skip()]
            yield [gr.skip(), *_boxes(turns), line, exported(turns, system)]
        except Exception as error:  # one session's trouble is shown there and nowhere else
            kept = turns if _complete(turns[-1], WHO[who]) else turns[:-1]
            yield [*_shown(kept), html.failure(error, "answering"), gr.skip()]

    def ask(message: str, turns: list[Turn]) -> list[Any]:
        if not message.strip():
            return ["", *_shown(turns)]
        return ["", *_shown([*turns, {"user": message.strip()}])]

    def again(label: str) -> Callable[..., list[Any]]:
        def retry(turns: list[Turn], event: gr.RetryData) -> list[Any]:
            return _shown(until(turns, event.index, label))

        return retry

    def changed(label: str) -> Callable[..., list[Any]]:
        def edit(turns: list[Turn], event: gr.EditData) -> list[Any]:
            kept = until(turns, event.index, label)
            kept[-1]["user"] = str(event.value)
            return _shown(kept)

        return edit

    first = {"queue": False, **QUIET}
    answer = {"api_name": "chat", "show_progress": "hidden", **MODEL_QUEUE}
    shown = [turns, *boxes.values()]
    starts = [
        gr.on([send.click, message.submit], ask, [message, turns], [message, *shown], **first),
        *(box.retry(again(label), turns, shown, **first) for label, box in boxes.items()),
        *(box.edit(changed(label), turns, shown, **first) for label, box in boxes.items()),
    ]
    for place, start in enumerate(starts):
        if place:  # only the first is for programs
            answer |= {"api_name": None, "api_visibility": "private"}
        start.then(page.begin(VIEW), None, None, **first).then(talk, asked, outputs, **answer)
    stop.click(page.stop(VIEW), None, None, **first)
    gr.on(
        [clear.click, *(box.clear for box in boxes.values())],
        lambda: [*_shown([]), "", ""], None, outputs, **first,
    )  # fmt: skip
    who.change(
        lambda name: [gr.Chatbot(visible=label in WHO[name]) for label in boxes],
        who, list(boxes.values()), **first,
    )  # fmt: skip


def introduction(page: Page, key: str | None) -> str:
    """What kind of conversation this model can have."""
    if key is None:
        return html.empty(NO_RUN, NO_RUN_HINT)
    try:
        engine = page.engine(key)
    except Exception as error:
        return html.failure(error, "loading the model")
    if not engine.writes:
        return html.notice("This run's model writes no text, so there is nobody to talk to here.")
    if _template(engine):
        return html.notice("The model's own chat template; earlier messages are sent along.")
    label = next(iter(inputs_of(engine.task).values()), "input")
    return html.notice(
        "This model has no chat template: each message goes into the task's own prompt as "
        f"“{label}”. Earlier messages stay on the page but are not sent."
    )


def _template(engine: Engine) -> bool:
    tokenizer: Any = engine.kind.tokenizer  # type: ignore[attr-defined]
    return bool(getattr(tokenizer, "chat_template", None))


def conversation(turns: Sequence[Turn], label: str, system: str) -> list[dict[str, str]]:
    """The messages of one side: what it said itself, and nothing that the other said."""
    messages = [{"role": "system", "content": system.strip()}] if system.strip() else []
    for turn in turns[:-1]:
        if label in turn:
            messages += [
                {"role": "user", "content": turn["user"]},
                {"role": "assistant", "content": turn[label]},
            ]
    return [*messages, {"role": "user", "content": turns[-1]["user"]}]


def prompt_ids(engine: Engine, turns: Sequence[Turn], label: str, system: str) -> list[int]:
    """Token ids of what a side is asked: by the chat template, else by the task's prompt."""
    kind: Any = engine.kind
    if _template(engine):
        try:
            return list(kind.chat_prompt(conversation(turns, label, system)))
        except Exception as error:  # a template raises what it likes, such as for a system role
            reason = " ".join(str(error).split())[:200]
            raise UsageError(f"the chat template refuses this conversation: {reason}") from error
    row: Row = {"row_id": 0, **dict.fromkeys(inputs_of(engine.task), "")}
    row = {**row, next(iter(inputs_of(engine.task))): turns[-1]["user"]}
    if not system.strip():
        return engine.prompt(row)
    example = dict(engine.task.format_example(row))
    column = "prompt" if "prompt" in example else "text"  # what the kind reads
    if not isinstance(example[column], str):
        raise UsageError("a system prompt needs a model with a chat template for this task")
    example[column] = f"{system.strip()}\n\n{example[column]}"
    return list(kind.renderer.prompt(example))


def reply(
    page: Page,
    engine: Engine,
    labels: Sequence[str],
    system: str,
    turns: list[Turn],
    settings: Sequence[Any],
    request: gr.Request,
) -> Iterator[str]:
    """Fill the last turn with what the sides say, while they say it; gives the line below."""
    if not engine.writes:
        raise UsageError("this run's model writes no text")
    *controls, seed = settings
    wanted = generation(*controls)
    prompts = [prompt_ids(engine, turns, label, system or "") for label in labels]
    for prompt in prompts:
        engine.check_length(prompt, engine.positions, wanted["max_new_tokens"])
    with page.sessions.sign(request, VIEW) as stop:
        for texts in engine.write(
            prompts, labels, generation=wanted, seed=int(seed or 0), stop=stop
        ):
            for label, text in zip(labels, texts, strict=True):
                turns[-1][label] = text.text
            lines = [f"{lab}: {html.timing(t)}" for lab, t in zip(labels, texts, strict=True)]
            yield f'<p class="tk-foot">{"<br>".join(lines)}</p>'


def exported(turns: Sequence[Turn], system: str) -> str:
    """A link that saves the conversation as JSON."""
    content = {"system": system, "turns": list(turns)}
    return download(
        "chat.json", json.dumps(content, indent=1, ensure_ascii=False), "application/json",
        "Export as JSON",
    )  # fmt: skip


def _complete(turn: Turn, labels: Sequence[str]) -> bool:
    return all(label in turn for label in labels)


def until(turns: Sequence[Turn], index: Any, label: str) -> list[Turn]:
    """The turns up to the one that holds message ``index`` of a side, whose answers are dropped."""
    place = int(index[0] if isinstance(index, list | tuple) else index)
    holders = [at for at, turn in enumerate(turns) for _ in range(1 + (label in turn))]
    if not holders:
        return []
    at = holders[min(place, len(holders) - 1)]
    return [*turns[:at], {"user": turns[at]["user"]}]


def _shown(turns: Sequence[Turn]) -> list[Any]:
    """The state and the two chat boxes."""
    return [list(turns), *_boxes(turns)]


def _boxes(turns: Sequence[Turn]) -> list[list[dict[str, str]]]:
    """The messages of the two chat boxes."""
    boxes = []
    for label in (BASE_LABEL, ADAPTER):
        messages = []
        for turn in turns:
            messages.append({"role": "user", "content": turn["user"]})
            if label in turn:
                messages.append({"role": "assistant", "content": turn[label] or "…"})
        boxes.append(messages)
    return boxes
