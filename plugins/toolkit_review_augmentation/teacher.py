"""A teacher: any OpenAI-compatible endpoint that answers instead of the rules.

One request per review asks for all that the rating does not give; the answer must follow a JSON
schema. After an answer that does not follow it the request is sent once more, and after a refusal
or a failure the rules answer for this review. The client (:mod:`toolkit.models.endpoint`) repeats
requests, keeps answers in a small database, so that a second run repeats none, and caps the cost.

Only the texts of reviews are sent, and only to the given address. A key is read from the
environment variable ``TOOLKIT_TEACHER_KEY``.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from toolkit import MissingExtra
from toolkit.models import endpoint
from toolkit.models.endpoint import Endpoint, Reply, Unanswered

SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "properties": {
        "features": {"type": "array", "items": {"type": "string", "minLength": 1}},
        "quality": {"type": "string", "minLength": 1},
        "summary": {"type": "string", "minLength": 1},
    },
    "required": ["features", "quality", "summary"],
    "additionalProperties": False,
}
"""The JSON schema of an answer."""

SYSTEM: Final = (
    "You read one product review and answer with JSON: features, a list of the product's features "
    "that the review judges, as short nouns; quality, one short sentence for each feature, such as "
    "'The battery is good.'; summary, one sentence on what the buyer likes and dislikes."
)
KEY: Final = "TOOLKIT_TEACHER_KEY"


@dataclass(frozen=True)
class Settings(endpoint.Settings):
    """How a teacher is reached, and what it may cost: :class:`toolkit.models.endpoint.Settings`."""

    key: str = KEY
    called: str = "the teacher"
    named: str = "--teacher"


class ChatTeacher:
    """Sends reviews to an endpoint (see the module).

    ``counts`` has the outcomes of requests, ``spent`` their cost in the currency of the prices.

    Raises:
        MissingExtra: the extra ``teacher`` is not installed.
    """

    def __init__(self, settings: Settings) -> None:
        try:
            import jsonschema
        except ImportError as error:
            raise MissingExtra("A teacher", "teacher") from error
        self._endpoint = Endpoint(settings)
        self._validator = jsonschema.Draft202012Validator(SCHEMA)

    @property
    def counts(self) -> Counter[str]:
        """The outcomes of requests."""
        return self._endpoint.counts

    @property
    def spent(self) -> float:
        """What the requests have cost."""
        return self._endpoint.spent

    def close(self) -> None:
        """Close the connection and the cache."""
        self._endpoint.close()

    def answers(self, review: str) -> Mapping[str, str] | None:
        """Instruction → answer; ``None`` if the teacher gives none.

        Raises:
            DataError: the address, the model or the key is wrong.
        """
        messages = [
            {"role": "system", "content": SYSTEM},
            {"role": "user", "content": review},
        ]
        for _ in range(2):
            reply = self._ask(messages)
            if reply is None:
                return None
            answer, problem = self._read(reply)
            if answer is not None:
                if not reply.cached:
                    self._endpoint.count("answered")
                return _as_answers(answer)
            self._endpoint.count("no such JSON")
            messages = [
                *messages[:2],
                {"role": "assistant", "content": reply.text},
                {"role": "user", "content": f"That is not what was asked for: {problem}. Answer "
                 f"with JSON by this schema alone: {json.dumps(SCHEMA)}"},
            ]  # fmt: skip
        return None

    def _ask(self, messages: list[dict[str, str]]) -> Reply | None:
        """The teacher's reply; ``None`` if it refuses, fails, or would exceed the budget."""
        named = {"name": "review", "strict": True, "schema": SCHEMA}
        form = {"type": "json_schema", "json_schema": named}
        try:
            reply = self._endpoint.ask(
                "chat/completions", {"messages": messages, "response_format": form}
            )
        except Unanswered:
            return None
        if reply.refused:
            self._endpoint.count("refused")
            return None
        return reply

    def _read(self, reply: Reply) -> tuple[dict[str, Any] | None, str]:
        """Parse a reply by the schema: the answer and "", or ``None`` and what is wrong."""
        try:
            answer = reply.json()
        except ValueError as error:
            return None, f"no JSON ({error})"
        problem = next((str(e.message) for e in self._validator.iter_errors(answer)), "")
        return (None, problem) if problem else (answer, "")


def _as_answers(answer: Mapping[str, Any]) -> dict[str, str]:
    """A teacher's answer by the schema as answers by instruction."""
    features = ", ".join(dict.fromkeys(f.strip() for f in answer["features"])) or "none"
    return {"features": features, "quality": answer["quality"], "summary": answer["summary"]}
