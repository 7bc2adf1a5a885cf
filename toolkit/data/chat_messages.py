"""One message of a chat as people's data has it → the form that chat templates expect.

``content`` becomes a text, also where it is a list of parts; the many names of speakers become the
roles of templates; calls of tools, thoughts and ``weight`` are kept where a message has them. What
cannot be learned as it is meant raises :class:`~toolkit.data.row_mapping.Unusable` with a reason.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from toolkit.data import tool_calls
from toolkit.data.row_mapping import Unusable

Message = dict[str, Any]
"""``role`` (system, developer, user, assistant, tool) and ``content``, a text.

An assistant's message may have ``tool_calls``, ``reasoning_content`` (its thoughts before the
answer) and ``weight`` 0: nothing is learned from it. A tool's may have ``name`` and
``tool_call_id``."""

ROLES = {
    "system": "system", "developer": "developer", "user": "user", "assistant": "assistant",
    "human": "user", "gpt": "assistant", "chatgpt": "assistant", "bot": "assistant",
    "model": "assistant",
    "tool": "tool", "function": "tool", "ipython": "tool", "observation": "tool",
    "tool_response": "tool", "function_response": "tool",
    "function_call": "call", "tool_call": "call",
}  # fmt: skip
"""Names of speakers in such rows → the roles of chat templates; ``call``: an answer that is one."""
THOUGHTS = ("reasoning_content", "reasoning", "thinking")
"""Fields of an assistant's thoughts."""
_INDENTED = re.compile(r"[ \t]{2,}|\t")


def message(turn: Any) -> Message:
    """A message in the form of templates.

    Args:
        turn: an object with ``role`` and ``content``, or ``from`` and ``value``.

    Raises:
        Unusable: it has an unknown role, no text, or parts that are no text.
    """
    if not isinstance(turn, Mapping):
        raise Unusable("a message that is not an object")
    named = turn.get("role") or turn.get("from")
    role = ROLES.get(str(named).casefold())
    content = turn.get("content")
    content = turn.get("value") if content is None else content
    if role is None:
        raise Unusable(f"a message of the unknown role {named!r}")
    if role == "call":
        return {
            "role": "assistant", "content": "", "tool_calls": tool_calls.calls_of(content),
            **_weight(turn),
        }  # fmt: skip
    if role == "assistant":
        return _answer(turn, content)
    made: Message = {"role": role, "content": trimmed(_text_of(content))}
    if role == "tool":
        made |= {k: turn[k] for k in ("name", "tool_call_id") if isinstance(turn.get(k), str)}
    return made


def _answer(turn: Mapping[str, Any], content: Any) -> Message:
    """An assistant's message, with its calls, its thoughts and its weight."""
    calls = tool_calls.calls_of(turn.get("tool_calls") or turn.get("function_call"))
    thought, content = _thought(turn, content)
    text = "" if calls and content is None else trimmed(_text_of(content))
    made: Message = {"role": "assistant", "content": text}
    if calls:
        made["tool_calls"] = calls
    if thought:
        made["reasoning_content"] = thought
    return made | _weight(turn)


def _thought(turn: Mapping[str, Any], content: Any) -> tuple[str, Any]:
    """The thoughts of a message, and its content without them."""
    found = [str(turn[name]) for name in THOUGHTS if isinstance(turn.get(name), str)]
    if isinstance(content, list):
        parts = [part for part in content if isinstance(part, Mapping)]
        found += [p["thinking"] for p in parts if isinstance(p.get("thinking"), str)]
        content = [
            p for p in content if not (isinstance(p, Mapping) and p.get("thinking") is not None)
        ]
        content = content or None
    return "\n".join(text.strip() for text in found if text.strip()), content


def _weight(turn: Mapping[str, Any]) -> dict[str, int]:
    """``{"weight": 0}`` where nothing is to be learned from a message."""
    weight = turn.get("weight")
    if weight is None or weight == 1:
        return {}
    if isinstance(weight, int | float) and weight == 0:
        return {"weight": 0}
    raise Unusable(f"a message of weight {weight!r}, which can be 0 or 1")


def _text_of(content: Any) -> str:
    """A message's text; of a list of parts, as APIs of vision models have them, their texts."""
    if isinstance(content, list) and content:
        return "\n".join(map(_text_of_part, content))
    if not isinstance(content, str):
        raise Unusable("a message without text")
    return content


def _text_of_part(part: Any) -> str:
    """The text of ``{"type": "text", "text": "…"}``; a table's other fields are null there."""
    if isinstance(part, str):
        return part
    text = part.get("text") if isinstance(part, Mapping) else None
    if isinstance(text, str):
        return text
    kind = part.get("type") if isinstance(part, Mapping) else None
    what = re.sub(r"^(input_|output_)|_url$", "", kind) if isinstance(kind, str) else ""
    shown = f"a part that is no text ({what})" if what and what != "text" else "an empty part"
    raise Unusable(f"a message with {shown}")


def trimmed(text: str) -> str:
    """A text without blanks around it; what indents its first line stays, as code needs it."""
    lines = text.rstrip().lstrip("\r\n")
    first = lines.lstrip(" \t\r\n")
    blank = lines[: len(lines) - len(first)].rpartition("\n")[2]
    return blank + first if _INDENTED.fullmatch(blank) else first


def joined(messages: Sequence[Message]) -> Message:
    """Neighbouring messages of one role as one: their texts with a blank line between them."""
    texts = [str(m["content"]) for m in messages]
    made = {**messages[0], "content": "\n\n".join(text for text in texts if text)}
    weights = [m["weight"] for m in messages if "weight" in m]
    return {**made, "weight": min(weights)} if weights else made
