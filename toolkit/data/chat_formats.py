"""The usual formats of rows for fine-tuning language models, recognised by their columns.

    prompt/completion   {"prompt": "…", "completion": "…"}, two texts or two lists of messages
    chat messages       {"messages": [{"role": "user", "content": "…"}, …]}
    Alpaca              {"instruction": "…", "input": "…", "output": "…"}
    ShareGPT            {"conversations": [{"from": "human", "value": "…"}, …]}

Each row becomes an :class:`Exchange`: everything before the last answer, and that answer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolkit.data.columns import tidy
from toolkit.data.row_mapping import Unusable

if TYPE_CHECKING:
    from datasets import Dataset

Message = dict[str, str]
"""A message of a chat: ``role`` (system, user, assistant) and ``content``."""

ROLES = {
    "system": "system", "user": "user", "assistant": "assistant",
    "human": "user", "gpt": "assistant", "chatgpt": "assistant", "bot": "assistant",
    "model": "assistant",
}  # fmt: skip
"""Names of speakers in such rows → the roles of chat templates."""


@dataclass(frozen=True)
class Exchange:
    """A prompt and the answer to it.

    Args:
        prompt: a text, or the messages before the answer.
        answer: the answer without the prompt; empty where it is not known.
    """

    prompt: str | tuple[Message, ...]
    answer: str

    @property
    def text(self) -> str:
        """The prompt as one text; of several messages each follows the name of its role."""
        if isinstance(self.prompt, str):
            return self.prompt
        if len(self.prompt) == 1:
            return self.prompt[0]["content"]
        return "\n".join(f"{m['role']}: {m['content']}" for m in self.prompt)


@dataclass(frozen=True)
class Format:
    """One format of rows.

    Args:
        name: its usual name.
        needs: columns that it must have.
        takes: optional columns, which are read where the rows have them.
        read: a row and whether its answer is needed → an :class:`Exchange`; raises
            :class:`Unusable`.
    """

    name: str
    needs: tuple[str, ...]
    takes: tuple[str, ...]
    read: Callable[[Mapping[str, Any], bool], Exchange]

    @property
    def sentence(self) -> str:
        """The note to the user where rows of this format are read."""
        columns = ", ".join((*self.needs, *self.takes))
        return f"the rows are in the form of {self.name} ({columns}) and are read that way"

    def prompt_columns(self, available: Sequence[str]) -> bool:
        """Whether rows with these columns can be read to be predicted, without their answers."""
        return self.needs[0] in available


def _prompt_completion(row: Mapping[str, Any], answered: bool) -> Exchange:
    prompt, completion = _parsed(row["prompt"]), _parsed(row.get("completion"))
    if isinstance(prompt, str):
        # Not stripped: "Price: " and " 12" are two halves of one text.
        answer = completion if isinstance(completion, str) else ""
        return _checked(Exchange(prompt, answer), answered)
    turns = completion if isinstance(completion, list) else []
    if isinstance(completion, str) and completion:
        turns = [{"role": "assistant", "content": completion}]
    return _conversation([*prompt, *turns], "role", "content", answered)


def _messages(row: Mapping[str, Any], answered: bool) -> Exchange:
    return _conversation(_parsed(row["messages"]), "role", "content", answered)


def _share_gpt(row: Mapping[str, Any], answered: bool) -> Exchange:
    turns = _parsed(row["conversations"])
    first = turns[0] if isinstance(turns, list) and turns else {}
    names = ("from", "value") if isinstance(first, Mapping) and "from" in first else None
    role, content = names or ("role", "content")
    if isinstance(turns, list) and (system := tidy(row.get("system"))):
        turns = [{role: "system", content: system}, *turns]
    return _conversation(turns, role, content, answered)


def _alpaca(row: Mapping[str, Any], answered: bool) -> Exchange:
    parts = (tidy(row["instruction"]), tidy(row.get("input")))
    instruction = "\n\n".join(part for part in parts if part)
    messages = [{"role": "user", "content": instruction}]
    if system := tidy(row.get("system")):
        messages.insert(0, {"role": "system", "content": system})
    if not instruction:
        raise Unusable("no instruction")
    return _checked(Exchange(tuple(messages), tidy(row.get("output"))), answered)


def _conversation(turns: Any, role: str, content: str, answered: bool) -> Exchange:
    if not isinstance(turns, list) or not turns:
        raise Unusable("no messages")
    messages = [_message(turn, role, content) for turn in turns]
    answer = ""
    if messages[-1]["role"] == "assistant":
        answer = messages.pop()["content"]
    elif answered:
        raise Unusable("the last message is not an answer")
    if not any(message["role"] == "user" for message in messages):
        raise Unusable("no user message before the answer")
    return _checked(Exchange(tuple(messages), answer), answered)


def _message(turn: Any, role: str, content: str) -> Message:
    if not isinstance(turn, Mapping):
        raise Unusable("a message that is not an object")
    speaker = ROLES.get(str(turn.get(role)).casefold())
    if speaker is None:
        raise Unusable(f"a message of the unknown role {turn.get(role)!r}")
    return {"role": speaker, "content": _text_of(turn.get(content)).strip()}


def _text_of(content: Any) -> str:
    """A message's text; of a list of parts, as APIs of vision models have them, their texts."""
    if isinstance(content, list) and content:
        return "\n".join(map(_text_of_part, content))
    if not isinstance(content, str):
        raise Unusable("a message without text")
    return content


def _text_of_part(part: Any) -> str:
    """The text of ``{"type": "text", "text": "…"}``; a table's other fields are null there."""
    text = part.get("text") if isinstance(part, Mapping) else part
    if not isinstance(text, str):
        raise Unusable("a message with a part that is no text, such as a picture")
    return text


def _checked(exchange: Exchange, answered: bool) -> Exchange:
    if not exchange.text.strip():
        raise Unusable("no prompt")
    if answered and not exchange.answer.strip():
        raise Unusable("no answer")
    return exchange


def _parsed(value: Any) -> Any:
    """A text or a list of messages, which CSV files and columns of mixed types hold as JSON."""
    if isinstance(value, str) and value.lstrip().startswith(("[{", "[ {")):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return "" if value is None else value


FORMATS: Mapping[str, Format] = {
    form.name: form
    for form in (
        Format("chat messages", ("messages",), (), _messages),
        Format("ShareGPT", ("conversations",), ("system",), _share_gpt),
        Format("Alpaca", ("instruction", "output"), ("input", "system"), _alpaca),
        Format("prompt/completion", ("prompt", "completion"), (), _prompt_completion),
    )
}
"""The formats by name, in the order in which they are tried."""


SAMPLE = 200
"""Rows, spread over the file, by which a format is recognised."""


def recognise(dataset: Dataset) -> Format | None:
    """The format of rows, recognised by columns and a sample of rows; ``None``: none of these.

    Of the rows of the sample that have a value, most must be of the format. The rows that are not
    are left out and counted when all are read.
    """
    for form in FORMATS.values():
        if not set(form.needs) <= set(dataset.column_names):
            continue
        # A column of that name may hold anything; only a list can be a list of messages.
        if form.name not in ("chat messages", "ShareGPT") or _are_lists(dataset, form.needs[0]):
            return form
    return None


def _are_lists(dataset: Dataset, column: str) -> bool:
    """Whether most values of a column are lists, among those of a sample that are there."""
    few = dataset.select(range(0, len(dataset), len(dataset) // SAMPLE + 1))
    values = [_parsed(value) for value in few[column][:]]
    filled = [value for value in values if value not in ("", [])]
    return bool(filled) and 2 * sum(isinstance(value, list) for value in filled) > len(filled)
