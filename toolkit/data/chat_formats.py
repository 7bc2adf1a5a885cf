"""The usual formats of rows for fine-tuning language models, recognised by their columns.

    prompt/completion   {"prompt": "…", "completion": "…"}, two texts or two lists of messages
    chat messages       {"messages": [{"role": "user", "content": "…"}, …], "tools": […]}
    Alpaca              {"instruction": "…", "input": "…", "output": "…", "history": [["…", "…"]]}
    ShareGPT            {"conversations": [{"from": "human", "value": "…"}, …]}

Each row becomes an :class:`Exchange`: everything before the last answer, and that answer. What a
message may hold besides its text is in :mod:`toolkit.data.chat_messages`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolkit.data import chat_messages, tool_calls
from toolkit.data.chat_messages import Message, message
from toolkit.data.columns import tidy
from toolkit.data.row_mapping import Unusable

if TYPE_CHECKING:
    from datasets import Dataset

TOOLS = ("tools", "functions")
"""Columns of the tools that a model may call."""


@dataclass(frozen=True)
class Exchange:
    """A prompt and the answer to it.

    Args:
        prompt: a text, or the messages before the answer.
        answer: the answer without the prompt, calls of tools as lines of JSON; empty where it is
            not known.
        reply: the answer as a message, where it is more than its text.
        tools: the tools that the model may call.
    """

    prompt: str | tuple[Message, ...]
    answer: str
    reply: Message | None = None
    tools: tuple[dict[str, Any], ...] = ()

    @property
    def text(self) -> str:
        """The prompt as one text; of several messages each follows the name of its role."""
        if isinstance(self.prompt, str):
            return self.prompt
        if len(self.prompt) == 1:
            return str(self.prompt[0]["content"])
        return "\n".join(f"{m['role']}: {_spoken(m)}" for m in self.prompt)

    @property
    def needs_tools(self) -> bool:
        """Whether tools are named, called or answered, which needs a template that knows them."""
        messages = [] if isinstance(self.prompt, str) else [*self.prompt, self.reply or {}]
        return bool(self.tools) or any(uses_tools(one) for one in messages)


def in_words(exchange: Exchange) -> Exchange:
    """The same exchange, for models without a chat template, which cannot say more than words.

    Raises:
        Unusable: it has tools, calls or results.
    """
    if exchange.needs_tools:
        raise Unusable("calls of tools, for which this kind of model has no chat template")
    return exchange


def uses_tools(one: Mapping[str, Any]) -> bool:
    """Whether a message calls a tool or is the result of a call."""
    return bool(one.get("tool_calls")) or one.get("role") == "tool"


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
    return _conversation([*prompt, *turns], row, answered)


def _messages(row: Mapping[str, Any], answered: bool) -> Exchange:
    return _conversation(_parsed(row["messages"]), row, answered)


def _share_gpt(row: Mapping[str, Any], answered: bool) -> Exchange:
    turns = _parsed(row["conversations"])
    if isinstance(turns, list) and (system := tidy(row.get("system"))):
        turns = [{"role": "system", "content": system}, *turns]
    return _conversation(turns, row, answered)


def _alpaca(row: Mapping[str, Any], answered: bool) -> Exchange:
    parts = (tidy(row["instruction"]), tidy(row.get("input")))
    instruction = "\n\n".join(part for part in parts if part)
    messages = [*_history(row.get("history")), {"role": "user", "content": instruction}]
    if system := tidy(row.get("system")):
        messages.insert(0, {"role": "system", "content": system})
    if not instruction:
        raise Unusable("no instruction")
    return _checked(Exchange(tuple(messages), tidy(row.get("output"))), answered)


def _history(value: Any) -> list[Message]:
    """The earlier turns of an Alpaca row: pairs of an instruction and its answer."""
    if isinstance(value, str) and value.strip():
        try:
            value = json.loads(value)
        except ValueError as error:
            raise Unusable("a history that is no list of pairs") from error
    found: list[Message] = []
    for pair in value or []:
        if not isinstance(pair, list | tuple) or len(pair) != 2 or not all(map(tidy, pair)):
            raise Unusable("a history that is no list of pairs")
        found += [
            {"role": "user", "content": tidy(pair[0])},
            {"role": "assistant", "content": tidy(pair[1])},
        ]
    return found


def _conversation(turns: Any, row: Mapping[str, Any], answered: bool) -> Exchange:
    if not isinstance(turns, list) or not turns:
        raise Unusable("no messages")
    messages = [message(turn) for turn in turns]
    tools = tuple(one for name in TOOLS for one in tool_calls.tools_of(row.get(name)))
    reply: Message | None = None
    if messages[-1]["role"] == "assistant":
        messages, reply = _last_answer(messages, answered)
    elif answered:
        raise Unusable("the last message is not an answer")
    if not any(one["role"] == "user" for one in messages):
        raise Unusable("no user message before the answer")
    answer = "" if reply is None else _spoken(reply)
    more = reply if reply is not None and set(reply) - {"role", "content"} else None
    return _checked(Exchange(tuple(messages), answer, more, tools), answered)


def _last_answer(
    messages: Sequence[Message], answered: bool
) -> tuple[list[Message], Message | None]:
    """The messages before the answer that is learned, and this answer.

    It is the last one from which something is to be learned; what follows it says nothing about
    it. Answers that follow each other without a question between them are one.
    """
    learned = [
        at for at, one in enumerate(messages)
        if one["role"] == "assistant" and one.get("weight") != 0
    ]  # fmt: skip
    if not learned:
        if answered:
            raise Unusable("every answer has weight 0")
        return list(messages[:-1]), None
    end = start = learned[-1]
    while start and _continues(messages[start - 1], messages[start]):
        start -= 1
    return list(messages[:start]), chat_messages.joined(messages[start : end + 1])


def _continues(before: Message, one: Message) -> bool:
    plain = {"role", "content"}
    return before["role"] == "assistant" and set(before) == plain and set(one) == plain


def _spoken(one: Message) -> str:
    return tool_calls.spoken(one["content"], one.get("tool_calls") or ())


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
        Format("chat messages", ("messages",), ("tools",), _messages),
        Format("ShareGPT", ("conversations",), ("system", "tools"), _share_gpt),
        Format("Alpaca", ("instruction", "output"), ("input", "system", "history"), _alpaca),
        Format("prompt/completion", ("prompt", "completion"), ("tools",), _prompt_completion),
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
