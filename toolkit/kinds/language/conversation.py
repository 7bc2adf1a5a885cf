"""Conversations in the form that a model's chat template can write, with nothing left out unsaid.

:func:`fitted` changes what a template cannot write as it is: a system message begins the first user
message, neighbours of one role become one message. :func:`changes` says so.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

from toolkit.data.chat_messages import joined
from toolkit.kinds.language.chat import (
    ChatTemplate,
    Message,
    TemplateRefusal,
    Tools,
    call_ids,
    of_shape,
)

OPEN, CLOSED = "<think>", "</think>"
"""What models write around thoughts."""

SYSTEM = "no system role: a system message begins the user message after it"
DEVELOPER = "no role for developers: their message is the system message"
NEIGHBOURS = "strict turns: neighbouring messages of one role become one, with a blank line between"
THOUGHTS = "no place for thoughts (reasoning_content): they are left out and not learned"
WORDS = "no place for words beside the call of a tool: they are left out and not learned"
INDENTED = "no blanks around a message: what indents the first line of an answer is left out"


def fitted(template: ChatTemplate, messages: Sequence[Message]) -> list[Message]:
    """Messages as the template can write them.

    Args:
        template: the model's.
        messages: the messages, in the form of :mod:`toolkit.data.chat_messages`.
    """
    found = [_known(template, message) for message in messages]
    if any(m["role"] == "system" for m in found):
        found = _with_system(template, found)
    if any(m["role"] == "tool" or m.get("tool_calls") for m in found):
        found = [_calling(template, m) if m.get("tool_calls") else m for m in call_ids(found)]
    if any(map(_mergeable, found, found[1:])) and template.alternates:
        found = _merged(found)
    return found


def _calling(template: ChatTemplate, message: Message) -> Message:
    """A message with calls as the template writes them; it may write either calls or words."""
    form = template.call_form
    if form is None:
        return message
    return form(message if template.call_words else {**message, "content": ""})


def _known(template: ChatTemplate, message: Message) -> Message:
    """A message with a role and thoughts as the template knows them."""
    role = message["role"]
    if role == "developer" and not template.developer:
        return {**message, "role": "system"}
    if role != "assistant":
        return message
    thought, content = message.get("reasoning_content"), message.get("content")
    knows = template.reasoning or template.opens_thought
    if thought is not None and not knows:
        return {key: value for key, value in message.items() if key != "reasoning_content"}
    if knows and thought is None and isinstance(content, str) and _begins_with_thought(content):
        inner, _, rest = content.partition(OPEN)[2].partition(CLOSED)
        thought, rest = inner.strip("\n"), rest.lstrip("\n")
        return {**message, "content": rest, "reasoning_content": thought}
    return message


def _begins_with_thought(text: str) -> bool:
    return text.lstrip().startswith(OPEN) and CLOSED in text


def _with_system(template: ChatTemplate, messages: Sequence[Message]) -> list[Message]:
    """Messages whose system messages stand where the template writes them."""
    leading = list(itertools.takewhile(lambda m: m["role"] == "system", messages))
    rest = list(messages[len(leading) :])
    if len(leading) > 1:
        leading = [joined([dict(m) for m in leading])]
    if leading and not template.system:
        rest, leading = _folded([*leading, *rest]), []
    if any(m["role"] == "system" for m in rest) and not template.system_between:
        rest = _folded(rest)
    return [*leading, *rest]


def _folded(messages: Sequence[Message]) -> list[Message]:
    """Messages whose system messages begin the user message that follows them."""
    found: list[Message] = []
    held: list[str] = []
    for message in messages:
        if message["role"] == "system":
            held.append(str(message["content"]))
        elif message["role"] == "user":
            text = "\n\n".join(t for t in (*held, str(message["content"])) if t)
            found.append({**message, "content": text})
            held = []
        else:
            if held:
                found.append({"role": "user", "content": "\n\n".join(held)})
                held = []
            found.append(message)
    return [*found, {"role": "user", "content": "\n\n".join(held)}] if held else found


def _mergeable(one: Message, other: Message) -> bool:
    return one["role"] == other["role"] != "tool" and not (
        one.get("tool_calls") or other.get("tool_calls")
    )


def _merged(messages: Sequence[Message]) -> list[Message]:
    """Messages of which no two neighbours have one role; calls and results stay as they are."""
    found: list[Message] = []
    for message in messages:
        if found and _mergeable(found[-1], message):
            found[-1] = joined([dict(found[-1]), dict(message)])
        else:
            found.append(message)
    return found


# -- what is said of it ----------------------------------------------------------------------------
def changes(template: ChatTemplate, messages: Sequence[Message]) -> set[str]:
    """What the template cannot write of a conversation as it is, as in :func:`sentences`."""
    found = set()
    roles = [m["role"] for m in messages]
    system = [role in ("system", "developer") for role in roles]
    if "developer" in roles and not template.developer:
        found.add(DEVELOPER)
    if (any(system) and not template.system) or (
        any(system[len(list(itertools.takewhile(bool, system))) :]) and not template.system_between
    ):
        found.add(SYSTEM)
    if any(map(_mergeable, messages, messages[1:])) and template.alternates:
        found.add(NEIGHBOURS)
    if any(m.get("reasoning_content") for m in messages) and not (
        template.reasoning or template.opens_thought
    ):
        found.add(THOUGHTS)
    if any(m.get("tool_calls") and m.get("content") for m in messages) and not template.call_words:
        found.add(WORDS)
    answers = [str(m.get("content") or "") for m in messages if m["role"] == "assistant"]
    if any(text[:1].isspace() for text in answers) and template.trims:
        found.add(INDENTED)
    return found


def sentences(template: ChatTemplate, conversations: Iterable[Sequence[Message]]) -> list[str]:
    """What the template cannot write of conversations as they are, with the number of these."""
    counts: dict[str, int] = {}
    total = 0
    for messages in conversations:
        total += 1
        for change in changes(template, messages):
            counts[change] = counts.get(change, 0) + 1
    return [
        f"the model's chat template has {change} ({count:,} of {total:,} rows that were looked at)"
        for change, count in counts.items()
    ]


# -- what cannot be written ------------------------------------------------------------------------
def refusal(template: ChatTemplate, messages: Sequence[Message], tools: Tools = ()) -> str | None:
    """Why the template cannot write a conversation of this shape; ``None``: it can.

    Only the roles, calls and tools count, so that each shape is tried once.
    """
    shape = (tuple((m["role"], len(m.get("tool_calls") or ())) for m in messages), bool(tools))
    if shape not in template.refusals:
        template.refusals[shape] = _refusal(template, shape[0], tools)
    return template.refusals[shape]


def _refusal(template: ChatTemplate, shape: Sequence[tuple[str, int]], tools: Tools) -> str | None:
    if tools and not template.tools:
        return "tools, which the model's chat template does not write"
    if any(calls for _, calls in shape) and template.call_form is None:
        return "calls of tools, which the model's chat template does not write"
    if any(role == "tool" for role, _ in shape) and not template.results:
        return "results of tools, which the model's chat template does not write"
    messages = [of_shape(role, calls) for role, calls in shape]
    try:
        template.write(fitted(template, messages), tools)
    except TemplateRefusal as reason:
        if not template.works:
            raise template.refused(reason) from reason
        return f"a conversation that the model's chat template refuses ({reason})"
    return None
