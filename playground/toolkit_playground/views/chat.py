"""View "Chat": a conversation with the base, what was trained, or both at once."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import gradio as gr
from markupsafe import Markup

from toolkit.errors import UsageError
from toolkit_playground.rendering import html
from toolkit_playground.rendering.transcript import SCRIPT, transcript
from toolkit_playground.state.conversation import (
    Conversation,
    box_messages,
    complete,
    has_template,
    prompt_ids,
)
from toolkit_playground.state.conversation import (
    until as up_to,
)
from toolkit_playground.state.engine import MOST_CHARACTERS, Engine
from toolkit_playground.state.inputs import inputs_of
from toolkit_playground.state.kept import Kept
from toolkit_playground.state.sessions import Visitor
from toolkit_playground.state.sides import (
    ADAPTER_LABEL,
    own_labels,
    resolve_sides,
    side_labels,
)
from toolkit_playground.state.texts import ending
from toolkit_playground.state.writing import (
    LONGEST_STOP,
    MOST_STOPS,
    Sampling,
    sampling,
    stop_strings,
    write,
)
from toolkit_playground.views.address import noted
from toolkit_playground.views.inputs import sampling_controls
from toolkit_playground.views.kept import KeptList
from toolkit_playground.views.page import QUIET, Page, block, no_run, waits

VIEW = "chat"
PLACES = ("base", "trained", "third", "fourth")
"""The boxes; whose the first two are depends on the run: :func:`~toolkit_playground.state.sides
.own_labels`. The others are those of further adapters on the same base."""
FURTHER = len(PLACES) - 2
WHO = {"trained": [1], "base": [0], "both": [0, 1]}


def build(page: Page) -> None:
    """The view's components and what they do."""
    about = block("chat-about")
    with gr.Row(elem_classes="tk-chats"):
        boxes = [
            block(f"chat-{place}", transcript([], place), js_on_load=SCRIPT, visible=number < 2)
            for number, place in enumerate(PLACES)
        ]
    status = block("chat-status")
    prompts = block("chat-prompts")
    with gr.Row(elem_classes=["tk-ask", "tk-say"]):
        message = gr.Textbox(
            label="Message", placeholder="Type a message and press Enter", lines=1, max_lines=6,
            scale=6, elem_id="chat-message", max_length=MOST_CHARACTERS,
        )  # fmt: skip
        send = gr.Button("Send", variant="primary", scale=1, min_width=90, elem_id="chat-send")
        stop = gr.Button("Stop", scale=1, min_width=80, elem_id="chat-stop", interactive=False)
        page.stop(stop, VIEW)
    with gr.Row(elem_classes="tk-below"):
        who = gr.Radio(
            _who(ADAPTER_LABEL), value="both", label="Talk to", elem_id="chat-who", min_width=380
        )
        markdown = gr.Checkbox(
            False, label="Markdown", elem_id="chat-markdown", scale=0, min_width=150
        )
        clear = gr.Button(
            "New conversation", size="sm", elem_id="chat-clear", scale=0, min_width=170
        )
        export = block("chat-export")
    others = gr.Dropdown(
        [], multiselect=True, max_choices=FURTHER, label="Further adapters", visible=False,
        elem_id="chat-others", info=f"On the same base, up to {FURTHER}; they answer beside it.",
    )  # fmt: skip
    with gr.Accordion("System prompt and stop strings", open=False):
        system = gr.Textbox(
            label="System prompt", lines=2, max_length=MOST_CHARACTERS, elem_id="chat-system",
            info="Sent before everything else; empty: none.",
        )  # fmt: skip
        until = gr.Textbox(
            label="Stop strings", lines=2, max_length=MOST_STOPS * LONGEST_STOP,
            elem_id="chat-until",
            info="One a line, \\n for a new line: a text ends before the first of them.",
        )  # fmt: skip
    controls = sampling_controls(page, VIEW)
    turns = gr.State(Conversation())
    kept = KeptList(page, VIEW, "conversation")
    page.address.keep(VIEW, who=who, markdown=markdown)
    outputs = [turns, *boxes, status, export, message, prompts]
    # A browser works at each output of each piece, changed or not: so the pieces have few.
    written = [*boxes, status]

    def drawn(turns: Conversation, markdown: bool = False) -> list[Any]:
        """The boxes, of which those without a side are empty."""
        labels = [*labels_of(page, turns.run), *turns.further]
        found = [transcript(box_messages(turns, one), one, markdown=markdown) for one in labels]
        return [*found, *[html.NOTHING] * (len(boxes) - len(found))]

    def shown(turns: Conversation, markdown: bool) -> list[Any]:
        """The state and the boxes."""
        return [Conversation(turns, of=turns), *drawn(turns, markdown)]

    def blank(key: str | None = None, before: Conversation | None = None) -> list[Any]:
        return [*shown(new(key, before), False), "", "", gr.skip(), ""]

    def values(key: str | None) -> list[Any]:
        labels = labels_of(page, key)
        first = [*blank(key), introduction(page, key)]
        seen = [gr.HTML(value, visible=number < len(labels))
                for number, value in enumerate(first[1 : 1 + len(boxes)])]  # fmt: skip
        first[1 : 1 + len(boxes)] = seen
        if len(labels) < 2:  # a model alone
            return [*first, gr.Radio(choices=_who(ADAPTER_LABEL), value="both", visible=False),
                    gr.Dropdown(visible=False)]  # fmt: skip
        more = further_of(page, key)
        return [*first, gr.Radio(choices=_who(labels[1]), value="both", visible=True),
                gr.Dropdown(choices=more, value=[], visible=bool(more))]  # fmt: skip

    page.follow([*outputs, about, who, others], values)

    def beside(
        request: gr.Request, key: str | None, markdown: bool, turns: Conversation, named: list[str]
    ) -> list[Any]:
        """Further adapters answer from now on."""
        turns = Conversation(present(request, key, turns), of=present(request, key, turns))
        turns.further = [label for label in further_of(page, key) if label in named][:FURTHER]
        first = len(labels_of(page, key))
        pages = drawn(turns, markdown)
        return [turns, *(
            gr.HTML(value, visible=number < first + len(turns.further))
            for number, value in enumerate(pages) if number >= first
        )]  # fmt: skip

    def talk(
        request: gr.Request, key: str | None, who: str, markdown: bool, system: str, until: str,
        turns: Conversation, *controls: Any,
    ) -> Iterator[list[Any]]:  # fmt: skip
        if turns.run != key or not page.sessions.goes_on(request, VIEW, turns.name):
            yield [*drawn(Conversation(run=key)), ""]
            return
        both = labels_of(page, key)
        labels = [both[place] for place in WHO[who] if place < len(both)] + turns.further
        if not turns or complete(turns[-1], labels):
            return
        try:
            engine = page.engine(key)
            # The turns are filled in place. Given back, they would drop messages sent since then.
            resolve_sides(page.library, engine, labels)  # further adapters come on the base
            settings = dataclasses.replace(sampling(*controls), until=stop_strings(until or ""))
            for line in reply(page, engine, labels, system, turns, settings, request):
                yield [*drawn(turns, markdown), line]
        except Exception as error:  # one session's trouble is shown there and nowhere else
            if not complete(turns[-1], labels):
                turns.refused = turns.pop()["user"]  # back to where it was typed
            yield [*drawn(turns, markdown), html.failure(error, "answering")]

    def present(request: gr.Request, key: str | None, turns: Conversation) -> Conversation:
        """The conversation, or a new one where it was left in the meantime."""
        goes_on = turns.run == key and page.sessions.goes_on(request, VIEW, turns.name)
        return turns if goes_on else new(key, turns)

    def finish(
        request: gr.Request, key: str | None, markdown: bool, turns: Conversation
    ) -> Iterator[list[Any]]:
        """What stands there after an answer, whatever its last piece was.

        As after each piece of an answer, it is looked whether the conversation was left meanwhile:
        what was drawn for another run may have come to the browser before this.
        """
        now = present(request, key, turns)
        refused, now.refused = now.refused, ""
        saved = exported(now) if now else ""
        if page.sessions.going_on(request, VIEW):  # it has a message that is not answered yet
            saved = gr.skip()
        yield [
            gr.skip() if now is turns else now,
            *drawn(now, markdown),
            saved,
            refused or gr.skip(),
            sent(now),
        ]
        nothing = [gr.skip()] * (len(boxes) + 4)
        empty = Conversation(run=key)
        for last in (False, True):
            if page.sessions.left(request, VIEW, now.name):
                yield [gr.skip(), *drawn(empty), "", gr.skip(), sent(empty)]
            if not last:
                yield nothing  # the last piece is sent once more

    def ask(
        request: gr.Request, key: str | None, markdown: bool, turns: Conversation, message: str
    ) -> list[Any]:
        turns = present(request, key, turns)
        if not message.strip():
            return [*shown(turns, markdown), ""]
        grown = Conversation([*turns, {"user": message.strip()}], of=turns)
        return [*shown(grown, markdown), ""]

    def put(key: str | None, owner: str | None, turns: Conversation) -> list[Any]:
        """Keep the conversation as it is by now."""
        if turns.run != key or not turns or "asked" not in turns[-1]:
            return [gr.skip()] * len(kept.outputs)
        return kept.put(key, owner, turns.name, turns[0]["user"][:60], turns.document())

    def again_from(key: str | None, found: Kept, own: bool) -> list[Any]:
        """A conversation that was kept; somebody else's goes on as a copy of one's own."""
        turns = Conversation(found.content["turns"], run=key)
        if own:
            turns.name = found.id
        answered = {label for turn in turns for label in turn}
        turns.further = [one for one in further_of(page, key) if one in answered][:FURTHER]
        there = len(labels_of(page, key)) + len(turns.further)
        pages = [gr.HTML(one, visible=at < there) for at, one in enumerate(drawn(turns))]
        return [turns, *pages, exported(turns), "", sent(turns), turns.further]

    def again(place: int) -> Callable[..., list[Any]]:
        def retry(
            request: gr.Request, key: str | None, markdown: bool, turns: Conversation,
            event: gr.EventData,
        ) -> list[Any]:  # fmt: skip
            turns = present(request, key, turns)
            labels = [*labels_of(page, key), *turns.further]
            kept = up_to(turns, event.index, labels[place])
            return shown(Conversation(kept, of=turns), markdown)

        return retry

    def changed(place: int) -> Callable[..., list[Any]]:
        def edit(
            request: gr.Request, key: str | None, markdown: bool, turns: Conversation,
            event: gr.EventData,
        ) -> list[Any]:  # fmt: skip
            turns = present(request, key, turns)
            label, text = [*labels_of(page, key), *turns.further][place], str(event.value).strip()
            kept = Conversation(up_to(turns, event.index, label), of=turns)
            if not text:
                return shown(turns, markdown)
            if kept:
                kept[-1]["user"] = text
            return shown(kept, markdown)

        return edit

    first = {"queue": False, **QUIET}
    said = {"js": waits(VIEW), **first}
    now, out = [page.chosen, markdown, turns], [turns, *boxes]
    standing = [turns, *boxes, export, message, prompts]
    starts = [
        gr.on([send.click, message.submit], ask, [*now, message], [*out, message], **said),
        *(box.retry(again(place), now, out, **said) for place, box in enumerate(boxes)),
        *(box.edit(changed(place), now, out, **said) for place, box in enumerate(boxes)),
    ]
    for start in starts:
        page.answer(
            start.then, VIEW, talk,
            [page.chosen, who, markdown, system, until, turns, *controls], written,
            left=lambda: [*drawn(Conversation()), ""], show_progress="hidden",
            api_visibility="private",
        ).then(finish, now, standing, **QUIET).then(
            put, [page.chosen, page.owner, turns], kept.outputs, **QUIET
        ).then(None, kept.now, None, js=noted(VIEW, kept.kind))  # fmt: skip
    # Not queued, so that what they draw may come late; what stands there then is drawn after it.
    others.input(beside, [*now, others], [turns, *boxes[2:]], **first).then(
        finish, now, standing, **QUIET
    )
    markdown.change(drawn, [turns, markdown], boxes, **first).then(finish, now, standing, **QUIET)
    kept.opened(again_from, [turns, *boxes, export, status, prompts, others])

    def forget(request: gr.Request, key: str | None, turns: Conversation) -> list[Any]:
        page.sessions.discard(request, VIEW)
        return [*blank(key, turns), ""]

    # Queued, so that it comes after the pieces that are on their way to the browser; and it waits
    # as messages do, of which one that was sent before must not come after it.
    clear.click(
        forget, [page.chosen, turns], [*outputs, kept.now], js=waits(VIEW),
        trigger_mode="always_last", **QUIET,
    ).then(None, kept.now, None, js=noted(VIEW, kept.kind))  # fmt: skip
    who.change(
        lambda name: [gr.HTML(visible=place in WHO[name]) for place in range(2)],
        who, boxes[:2], **first,
    )  # fmt: skip


def new(key: str | None, before: Conversation | None) -> Conversation:
    """A new conversation, with the sides of the one before where it is of the same run."""
    found = Conversation(run=key)
    if before is not None and before.run == key:
        found.further = list(before.further)
    return found


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
    settings: Sampling,
    visitor: Visitor,
) -> Iterator[str]:
    """Fill the last turn with the sides' answers while they are written; gives the line below."""
    if not engine.writes:
        raise UsageError("this run's model writes no text")
    prompts = [prompt_ids(engine, turns, label, system or "") for label in labels]
    for prompt in prompts:
        engine.check_length(prompt, engine.positions, settings.new_tokens)
    asked = {
        "run": engine.run.id, "model": engine.run.info["recipe"]["model"],
        "system": system or "", "generation": dict(settings.generation), "seed": settings.seed,
        "until": list(settings.until),
        "prompts": {
            label: engine.shown(prompt) for label, prompt in zip(labels, prompts, strict=True)
        },
        "tokens": {label: len(prompt) for label, prompt in zip(labels, prompts, strict=True)},
    }  # fmt: skip
    with page.sessions.stoppable(visitor, VIEW) as stop:
        for texts in write(engine, prompts, labels, settings, stop):
            ended = {label: ending(text) for label, text in zip(labels, texts, strict=True)}
            turns[-1] |= {label: text.text for label, text in zip(labels, texts, strict=True)}
            turns[-1]["asked"] = {**asked, "ended": ended}
            lines = [f"{lab}: {html.timing(t)}" for lab, t in zip(labels, texts, strict=True)]
            parts = html.joined((html.fill("{}", line) for line in lines), "<br>")
            yield html.fill('<p class="tk-foot">{}</p>', parts)


def further_of(page: Page, key: str | None) -> list[str]:
    """The labels of further adapters on the base of a run."""
    if key is None:
        return []
    run = page.library.find(key)
    return [label for label in side_labels(page.library, run) if label not in own_labels(run)]


def sent(turns: Conversation) -> Markup:
    """The exact prompt of the last answer, for each side whose own it is."""
    asked = turns[-1].get("asked", {}) if turns else {}
    prompts, tokens = asked.get("prompts", {}), asked.get("tokens", {})
    groups: dict[str, list[str]] = {}
    for label, prompt in prompts.items():
        groups.setdefault(prompt, []).append(label)
    alone = len(groups) == 1
    return html.joined(
        html.prompt(prompt, tokens.get(labels[0], 0), of="" if alone else ", ".join(labels))
        for prompt, labels in groups.items()
    )


def exported(turns: Conversation) -> str:
    """A link that saves the conversation as JSON."""
    content = json.dumps(turns.document(), indent=1, ensure_ascii=False)
    return html.download("chat.json", content, "application/json", "Export as JSON")
