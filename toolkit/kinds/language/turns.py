"""Where answers stand in a conversation as its template writes it: prompts, answers, earlier turns.

The prompt is everything before the answer's text. Most templates end it with the header of an
answer where they are asked to (``add_generation_prompt``); some write more before an answer than
they do there, such as an empty thought, and some cannot be asked. So the template writes a short
conversation both ways once, and the difference belongs to every prompt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from toolkit.data.chat_formats import uses_tools
from toolkit.errors import DataError, ModelError
from toolkit.kinds.language.chat import (
    MARK,
    ChatTemplate,
    Message,
    TemplateRefusal,
    Tools,
    calling,
    of_shape,
    plain,
    said,
    tool_named,
    user,
)
from toolkit.kinds.language.conversation import CLOSED, OPEN, fitted, refusal
from toolkit.models.limits import special_ids


@dataclass(frozen=True)
class Conversation:
    """An example's conversation in the form of a template.

    Args:
        before: the messages of the prompt.
        answer: the answer, which follows them.
        tools: the tools that may be called.
        options: further variables of the template.
    """

    before: Sequence[Message]
    answer: Sequence[Message]
    tools: Tools = ()
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def thinks(self) -> bool:
        """Whether answers may begin with a thought."""
        return bool(self.options.get("enable_thinking"))


def conversation(template: ChatTemplate, example: Mapping[str, Any]) -> Conversation:
    """The conversation of an example, in TRL's columns, as the template can write it.

    Args:
        template: the model's.
        example: ``prompt`` and ``completion``, lists of messages, and where it has them ``tools``
            and ``chat_template_kwargs``.

    Raises:
        DataError: it has tools, calls or results that the template does not write.
    """
    before, answer = example["prompt"], example.get("completion") or []
    tools = example.get("tools") or ()
    options = dict(example.get("chat_template_kwargs") or {})
    with_tools = bool(tools) or any(map(uses_tools, (*before, *answer)))
    if with_tools and (reason := refusal(template, [*before, *answer], tools)):
        raise DataError(reason)
    if options.get("enable_thinking") and not (template.reasoning or template.opens_thought):
        options.pop("enable_thinking")
    own = fitted(template, before)
    whole = fitted(template, [*before, *answer])
    # Where the answer would be joined to the message before it, it stays by itself.
    rest = whole[len(own) :] if whole[: len(own)] == own else fitted(template, answer)
    return Conversation(own, rest, tools, options)


# -- the prompt ------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Opening:
    """How a prompt that the template writes is changed to end where an answer's text begins.

    Args:
        without: characters at its end that no answer follows, such as an opened thought.
        added: what the template writes before an answer and not at the end of a prompt.
        before: characters at its end that the template does not write before an answer.
    """

    without: int = 0
    added: str = ""
    before: int = 0


def prompt(template: ChatTemplate, talk: Conversation) -> str:
    """The text of a prompt, which ends where the answer's text begins.

    Raises:
        DataError: the template refuses the conversation.
        ModelError: it refuses every conversation.
    """
    try:
        return _prompt(template, talk, talk.before)
    except TemplateRefusal as refusal:
        raise template.refused(refusal) from refusal


def _prompt(template: ChatTemplate, talk: Conversation, before: Sequence[Message]) -> str:
    written = template.write(before, talk.tools, prompt=True, **talk.options)
    opening = _opening(template, talk, before)
    return written[: len(written) - opening.without] + opening.added


def _opening(template: ChatTemplate, talk: Conversation, before: Sequence[Message]) -> Opening:
    if template.former:
        return Opening()
    result = before[-1]["role"] == "tool" if before else False
    options = repr(sorted(talk.options.items()))
    key = (result, bool(talk.tools), options)
    if key not in template.openings:
        template.openings[key] = _compared(template, talk, result)
    found: Opening = template.openings[key]
    return found


def _compared(template: ChatTemplate, talk: Conversation, result: bool) -> Opening:
    """The opening, from a short conversation that the template writes with and without an answer.

    Args:
        result: whether the prompt ends with the result of a tool.
    """
    asked = [user("hi"), calling("say", {}), of_shape("tool", 0)] if result else [user("hi")]
    tools = [tool_named("say")] if talk.tools else []
    answer = {**said("assistant", MARK)}
    if talk.thinks and template.reasoning:
        answer = {**said("assistant", "ho"), "reasoning_content": MARK}
    try:
        short = fitted(template, asked)
        ended = template.write(short, tools, prompt=True, **talk.options)
        answered = template.write([*short, answer], tools, **talk.options)
    except TemplateRefusal:
        return Opening()
    if MARK not in answered:
        return Opening()
    start = answered[: answered.index(MARK)]
    if talk.thinks:
        start = start.partition(OPEN)[0] if start.rstrip().endswith(OPEN) else start
    return _difference(ended, start, thinks=talk.thinks)


def _difference(ended: str, start: str, *, thinks: bool) -> Opening:
    """The opening, from the text at the end of a prompt and the text before an answer."""
    same = shared(ended, start)
    over, missing = ended[same:], start[same:]
    if not over and missing.strip():
        return Opening(added=missing.rstrip(" "))
    if missing.strip() or (OPEN in over and CLOSED not in over and not thinks):
        return Opening(without=len(over), added=missing.rstrip(" "))
    # What only a prompt ends with is part of it; a blank before an answer is part of the answer.
    return Opening(before=len(over))


# -- the answer ------------------------------------------------------------------------------------
def answer(template: ChatTemplate, talk: Conversation, asked: str) -> str:
    """What the template writes after a prompt for the answer and behind it.

    Args:
        template: the model's.
        talk: the conversation.
        asked: what :func:`prompt` gave for it.

    Raises:
        DataError: the template refuses the conversation.
        ModelError: the answer cannot be told from what is before it.
    """
    whole = [*talk.before, *talk.answer]
    try:
        written = template.write(whole, talk.tools, **talk.options)
        for start in _starts(template, talk, asked):
            if written.startswith(start):
                return _thought(template, talk) + written[len(start) :]
    except TemplateRefusal as refusal:
        raise template.refused(refusal) from refusal
    raise ModelError(
        "the model's chat template writes a conversation otherwise once it is answered, so that "
        "the answer cannot be found in it; mend its chat_template, or take another model"
    )


def _thought(template: ChatTemplate, talk: Conversation) -> str:
    """The thought that ends a thought which the prompt has opened.

    It is written here where the template opens thoughts and leaves them out of answers.
    """
    if not talk.thinks or template.reasoning:
        return ""
    thought = str(talk.answer[-1].get("reasoning_content") or "").strip()
    return f"{thought}\n{CLOSED}\n\n"


def _starts(template: ChatTemplate, talk: Conversation, asked: str) -> Iterator[str]:
    """The texts that the answer may follow where the template writes the whole conversation."""
    yield asked
    if before := _opening(template, talk, talk.before).before:
        yield asked[:-before]
    marked = template.write([*talk.before, said("assistant", MARK)], talk.tools, **talk.options)
    start = marked.partition(MARK)[0]
    yield start.rstrip(" ")  # a blank before an answer is part of the answer
    yield start


# -- earlier answers -------------------------------------------------------------------------------
def earlier(template: ChatTemplate, talk: Conversation, asked: str) -> list[tuple[int, int]]:
    """Where the earlier answers that are learned stand in a prompt: begin and end in characters.

    They are those of the prompt with a ``weight`` above 0. They are found by what the template
    writes of the beginning of the conversation, because it may write an earlier answer otherwise
    than the last one, without its thoughts; and by the template's own marks where it has them. An
    answer that cannot be found is left out.

    Args:
        template: the model's.
        talk: the conversation.
        asked: what :func:`prompt` gave for it.
    """
    learned = [
        at for at, one in enumerate(talk.before)
        if one["role"] == "assistant" and one.get("weight")
    ]  # fmt: skip
    if not learned:
        return []
    found = [(at, _span(template, talk, asked, at)) for at in learned]
    if template.generation:
        marked = _marked(template, talk)
        answers = [at for at, one in enumerate(talk.before) if one["role"] == "assistant"]
        if len(marked) == len(answers):
            own = dict(zip(answers, marked, strict=True))
            found = [(at, _common(own[at], span)) for at, span in found]
    return [span for _, span in found if span is not None]


def _common(marked: tuple[int, int], span: tuple[int, int] | None) -> tuple[int, int] | None:
    """What a template marks of an answer: some mark the header too, or leave out the end."""
    if span is None:
        return marked
    start, end = max(marked[0], span[0]), min(marked[1], span[1])
    return (start, end) if start < end else None


def _marked(template: ChatTemplate, talk: Conversation) -> list[tuple[int, int]]:
    """The spans that the template marks as written by the assistant, in a prompt."""
    from transformers.utils import chat_template_utils

    render: Any = chat_template_utils.render_jinja_template
    tokenizer = template.tokenizer
    try:
        _, spans = render(
            conversations=[[plain(message) for message in talk.before]],
            tools=list(talk.tools) or None,
            chat_template=template.text(talk.tools),
            return_assistant_tokens_mask=True,
            add_generation_prompt=True,
            **{**tokenizer.special_tokens_map, **template.variables(talk.options)},
        )
    except Exception:  # the prompt was written, so the marks are what fails
        return []
    return [(start, end) for start, end in spans[0] if end > start]


def _span(
    template: ChatTemplate, talk: Conversation, asked: str, at: int
) -> tuple[int, int] | None:
    """Begin and end of one earlier answer with what ends its turn; ``None``: it is not found."""
    start = next((len(s) for s in _before(template, talk, at) if s and asked.startswith(s)), None)
    if start is None:
        return None
    if end := _ending(template):
        place = asked.find(end, start)
        return None if place < 0 else (start, place + len(end))
    # Nothing ends a turn, so that it ends where the next one begins.
    text = str(talk.before[at].get("content") or "").strip()
    place = asked.find(text, start)
    return None if place < 0 or not text else (start, place + len(text))


def _before(template: ChatTemplate, talk: Conversation, at: int) -> Iterator[str]:
    """Texts that may stand before an earlier answer, the likeliest first."""
    before = talk.before[:at]
    replaced = [*before, said("assistant", MARK), *talk.before[at + 1 :]]
    thinking = {**talk.options, "enable_thinking": True}

    def marked() -> str:
        written = template.write(replaced, talk.tools, prompt=True, **talk.options)
        return written.partition(MARK)[0].rstrip(" ")

    writers: list[Callable[[], str]] = [
        lambda: _prompt(template, talk, before),
        lambda: template.write(before, talk.tools, prompt=True, **thinking),
        marked,
    ]
    for write in writers:
        try:
            yield write()
        except TemplateRefusal:
            continue


def _ending(template: ChatTemplate) -> str:
    """The control token that ends a turn; empty: there is none."""
    if "ending" not in template.openings:
        template.openings["ending"] = _found_ending(template)
    found: str = template.openings["ending"]
    return found


def _found_ending(template: ChatTemplate) -> str:
    asked = [user("hi"), said("assistant", MARK), user("hi")]
    try:
        rest = template.write(asked, prompt=True).partition(MARK)[2]
    except TemplateRefusal:
        return ""
    tokenizer = template.tokenizer
    control = special_ids(tokenizer)
    ids = tokenizer(rest, add_special_tokens=False)["input_ids"]
    first = next((i for i in ids if i in control), None)
    end = "" if first is None else str(tokenizer.convert_ids_to_tokens(first))
    lead, found, _ = rest.partition(end) if end else ("", "", "")
    return end if found and not lead.strip() else ""


# -- what was written ------------------------------------------------------------------------------
def written(talk: Conversation, text: str) -> bool:
    """Whether a text holds an answer that is more than its content: its calls and its thoughts."""
    last = talk.answer[-1]
    names = [call["function"]["name"] for call in last.get("tool_calls") or ()]
    thought = last.get("reasoning_content")
    if not names and not thought and not talk.thinks:
        return False
    # A template may have no place for words beside a call.
    parts = [*names] if names else [last.get("content"), thought]
    return all(str(part).strip() in text for part in parts if part)


def shared(one: Sequence[Any], other: Sequence[Any]) -> int:
    """How many tokens, or characters, two texts begin with together."""
    return next(
        (at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
        min(len(one), len(other)),
    )
