"""Fields of a request that some servers do not take: left out once a server has said so."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from toolkit.models.endpoint import replies

RENAMED = ("max_tokens", "max_completion_tokens")
"""The older name of the most tokens of an answer, and the one that newer models ask for."""
OPTIONAL = ("temperature", "response_format")
"""Fields without which a request means nearly the same."""


class Parameters:
    """What a server was found not to take; shared by the threads that ask it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left_out: set[str] = set()
        self._renamed = False

    def applied(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """A request in the form that the server takes, as far as it is known."""
        with self._lock:
            body = {k: v for k, v in request.items() if k not in self._left_out}
            if self._renamed and RENAMED[0] in body:
                body[RENAMED[1]] = body.pop(RENAMED[0])
        return body

    def learn(self, content: Any, body: Mapping[str, Any]) -> bool:
        """Look at an error's body; whether a request in another form may be taken.

        Args:
            content: the body of a response of status 400 or 422.
            body: the request that it answers.
        """
        message = replies.said(content)
        error = content.get("error") if isinstance(content, dict) else None
        named = error.get("param") if isinstance(error, dict) else None
        with self._lock:
            if RENAMED[0] in body and RENAMED[1] in message:
                self._renamed = True
                return True
            for field in OPTIONAL:
                if field in body and (named == field or field in message):
                    self._left_out.add(field)
                    return True
            # Servers that know no schema seldom say so.
            if "response_format" in body and not named:
                self._left_out.add("response_format")
                return True
        return False
