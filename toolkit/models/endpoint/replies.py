"""What a server's reply says, whatever it sends."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from toolkit.data.readers.readable import whole, whole_value

MOST_TOKENS = 10**9
"""No reply has more tokens; a count above is none."""


class Malformed(Exception):
    """A reply that is no chat completion."""


@dataclass(frozen=True)
class Reply:
    """One answer of an endpoint.

    Args:
        text: what the model wrote; empty where it refused.
        refused: whether it refused, or its filter did.
        hit_limit: whether the text ended at the most tokens.
        read, written: tokens by the server's count; ``None`` where it gives none.
        seconds: how long the request took.
        cached: whether it was asked in an earlier run.
    """

    text: str
    refused: bool = False
    hit_limit: bool = False
    read: int | None = None
    written: int | None = None
    seconds: float = 0.0
    cached: bool = False

    def as_dict(self) -> dict[str, Any]:
        """As JSON values, for the cache."""
        return {k: v for k, v in dataclasses.asdict(self).items() if k != "cached"}

    def json(self) -> Any:
        """The JSON value that the text is, in a Markdown fence or without one.

        Raises:
            ValueError: it is none.
        """
        text = self.text.strip().removeprefix("```json").removeprefix("```").removesuffix("```")
        try:
            return whole_value(json.loads(text))
        except RecursionError as error:
            raise ValueError("nested too deeply") from error

    @classmethod
    def kept(cls, values: Mapping[str, Any] | None) -> Reply | None:
        """A reply of the cache; ``None`` where its values are not a reply's."""
        if values is None or not isinstance(values.get("text"), str):
            return None
        try:
            return cls(**values, cached=True)
        except TypeError:
            return None


def loaded(data: bytes) -> Any:
    """A JSON value; raises :class:`Malformed` where the bytes are none."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"no JSON ({type(error).__name__})") from error


def read(data: bytes, seconds: float = 0.0) -> Reply:
    """The reply of chat or text completions.

    Args:
        data: the body of a response.
        seconds: how long it took.

    Raises:
        Malformed: it has no message of the form that the API defines.
    """
    reply = loaded(data)
    if not isinstance(reply, dict):
        raise Malformed("no JSON object")
    choices = reply.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(choice, dict):
        raise Malformed(said(reply) or "no choices")
    tokens_in, tokens_out = _usage(reply.get("usage"))
    ended = choice.get("finish_reason")
    text, refused = _message(choice)
    return Reply(
        text=whole(text),
        refused=refused or ended == "content_filter",
        hit_limit=ended == "length",
        read=tokens_in,
        written=tokens_out,
        seconds=round(seconds, 4),
    )


def _message(choice: Mapping[str, Any]) -> tuple[str, bool]:
    """The text of a choice, and whether it is a refusal."""
    if isinstance(choice.get("text"), str) and "message" not in choice:
        return choice["text"], False
    message = choice.get("message")
    if not isinstance(message, dict):
        raise Malformed("a message that is no object")
    content = message.get("content")
    if isinstance(content, list):  # parts, as some servers send them
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        content = "".join(part for part in parts if isinstance(part, str))
    if content is not None and not isinstance(content, str):
        raise Malformed("a content that is no text")
    return content or "", bool(message.get("refusal")) or not content


def _usage(usage: Any) -> tuple[int | None, int | None]:
    """Tokens read and written by the server's count; ``None`` for what is no count."""
    if not isinstance(usage, dict):
        return None, None
    counts = [usage.get("prompt_tokens"), usage.get("completion_tokens")]
    return tuple(  # type: ignore[return-value]
        n if isinstance(n, int) and not isinstance(n, bool) and 0 <= n <= MOST_TOKENS else None
        for n in counts
    )


def said(reply: Any) -> str:
    """The message of an error's body, in one short line; empty where there is none."""
    error = reply.get("error") if isinstance(reply, dict) else None
    text = error.get("message") if isinstance(error, dict) else error
    if text is None and isinstance(reply, dict):
        text = reply.get("message") or reply.get("detail")
    return " ".join(whole(text).split())[:200] if isinstance(text, str) else ""
