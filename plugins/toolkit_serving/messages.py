"""Prompts of requests: conversations by the model's chat template, texts, and token ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from toolkit.errors import UsageError
from toolkit.kinds import TextModel
from toolkit_serving.served import BASE_NAME, Served


def of_conversation(served: Served, name: str, messages: Sequence[Mapping[str, str]]) -> list[int]:
    """Token ids of a conversation's prompt.

    A model without a chat template has no form for conversations: there a single message of the
    user is the input of the task, as in the playground.

    Raises:
        UsageError: the template cannot write these messages, or there is none.
    """
    model = text_model(served)
    if model.tokenizer.chat_template:
        return list(model.chat_prompt(messages) or ())
    columns = served.columns
    single = len(messages) == 1 and messages[0]["role"] == "user" and len(columns) == 1
    if name == BASE_NAME or not single:
        raise UsageError(
            "this model has no chat template: it takes one message of the user, as the input of a "
            "task with one input; see /v1/completions and /tasks/NAME/predict"
        )
    row = {"row_id": 0, columns[0]: messages[0]["content"]}
    return list(model.prompt(row))


def of_text(served: Served, text: str) -> list[int]:
    """Token ids of a text as it is, in which control tokens are read as such."""
    return [int(token) for token in text_model(served).tokenizer(text)["input_ids"]]


def room(served: Served, ids: Sequence[int], wanted: int | None) -> int:
    """The most new tokens behind a prompt.

    Args:
        served: the run.
        ids: token ids of the prompt.
        wanted: how many the request allows; by default the room of an answer in the run.

    Raises:
        UsageError: the prompt is empty, not of this vocabulary, or too long.
    """
    model = text_model(served)
    if not ids:
        raise UsageError("the prompt is empty")
    size = len(model.tokenizer)
    if min(ids) < 0 or max(ids) >= size:
        raise UsageError(f"the prompt has token ids outside the vocabulary of {size:,} tokens")
    most = model.answer_room if wanted is None else wanted
    positions = model.positions
    if positions is None:
        return most
    left = positions if model.own_limits else positions - len(ids)
    if left < 1 or len(ids) > positions:
        raise UsageError(
            f"this model's maximum context length is {positions:,} tokens, and the prompt has "
            f"{len(ids):,}: shorten it"
        )
    if wanted is not None and wanted > left:
        raise UsageError(
            f"this model's maximum context length is {positions:,} tokens, and the prompt has "
            f"{len(ids):,}: max_tokens can be {left:,} at most"
        )
    return min(most, left)


def text_model(served: Served) -> TextModel:
    """The model of a run that writes text."""
    assert isinstance(served.kind, TextModel), served.name
    return served.kind


def content(value: Any) -> str:
    """The text of a message's content, which may be in parts.

    Raises:
        UsageError: a part is no text.
    """
    if isinstance(value, str):
        return value
    parts = []
    for part in value or ():
        if part.get("type") != "text" or not isinstance(part.get("text"), str):
            raise UsageError(f"content of type {part.get('type')!r} is not read, only text is")
        parts.append(part["text"])
    return "".join(parts)
