"""A teacher: any OpenAI-compatible endpoint that answers instead of the rules.

One request per review asks for all that the rating does not give; the answer must follow a JSON
schema. Failures of single requests do not end the command, they are counted: on rate limits and
server errors the request is repeated with growing pauses, after an answer that does not follow the
schema it is sent once more, and after a refusal the rules answer for this review. Answers are kept
in a small database, so that a second run repeats no request. The cost is capped: before each
request its maximal cost is reserved, and if that would exceed the budget it is not sent.

Only the texts of reviews are sent, and only to the given address. A key is read from the
environment variable ``TOOLKIT_TEACHER_KEY``.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from toolkit import DataError, MissingExtra, UsageError
from toolkit.system import redacted

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
TRIES: Final = 5
CHARACTERS_A_TOKEN: Final = 2.0
"""A low number of characters per token, so that the reserved cost is never too low."""


@dataclass(frozen=True)
class Settings:
    """How a teacher is reached, and what it may cost.

    Args:
        url: address of the API, up to and including ``/v1``.
        model: name of the model at this API.
        budget: the most that may be spent, in the currency of the prices; ``None``: no cap.
        price_in, price_out: price of a million input and output tokens.
        max_tokens: maximal length of an answer.
        cache: file in which answers are kept; in memory if ``None``.
        timeout: seconds to wait for an answer.
        wait: seconds of the first pause before a request is repeated; each pause doubles.

    Raises:
        UsageError: a budget without prices, or the address is not one of http or https.
    """

    url: str
    model: str
    budget: float | None = None
    price_in: float = 0.0
    price_out: float = 0.0
    max_tokens: int = 400
    cache: Path | None = None
    timeout: float = 60.0
    wait: float = 1.0

    def __post_init__(self) -> None:
        if self.budget is not None and not (self.price_in or self.price_out):
            raise UsageError(
                "a budget needs prices: give --price-in and --price-out per million tokens"
            )
        if not self.url.startswith(("http://", "https://")):
            raise UsageError(
                f"--teacher {redacted(self.url)!r} is no address that begins with http:// or https://"
            )


class ChatTeacher:
    """Sends reviews to an endpoint (see the module).

    ``counts`` has the outcomes of requests, ``spent`` their cost in the currency of the prices.

    Raises:
        MissingExtra: the extra ``teacher`` is not installed.
    """

    def __init__(self, settings: Settings) -> None:
        try:
            import httpx
            import jsonschema
            import tenacity
        except ImportError as error:
            raise MissingExtra("A teacher", "teacher") from error
        self.settings = settings
        self.counts: Counter[str] = Counter()
        self.spent = 0.0
        self._reserved = 0.0
        self._lock = threading.Lock()
        self._plain = False  # whether the server does not support JSON schemas
        self._httpx, self._tenacity = httpx, tenacity
        self._validator = jsonschema.Draft202012Validator(SCHEMA)
        key = os.environ.get(KEY)
        self._client = httpx.Client(
            timeout=settings.timeout, headers={"Authorization": f"Bearer {key}"} if key else {}
        )
        self._cache = _Cache(settings.cache)

    def close(self) -> None:
        """Close the connection and the cache."""
        self._client.close()
        self._cache.close()

    # -- one review ------------------------------------------------------------------------------
    def answers(self, review: str) -> Mapping[str, str] | None:
        """Instruction → answer; ``None`` if the teacher gives none.

        Raises:
            DataError: the address, the model or the key is wrong.
        """
        key = self._key(review)
        known = self._cache.get(key)
        if known is not None:
            self._count("from the cache")
            return _as_answers(json.loads(known))
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
                self._cache.put(key, json.dumps(answer, ensure_ascii=False))
                self._count("answered")
                return _as_answers(answer)
            self._count("no such JSON")
            messages = [
                *messages[:2],
                {"role": "assistant", "content": reply},
                {"role": "user", "content": f"That is not what was asked for: {problem}. Answer "
                 f"with JSON by this schema alone: {json.dumps(SCHEMA)}"},
            ]  # fmt: skip
        return None

    def _key(self, review: str) -> str:
        request = [self.settings.url, self.settings.model, SYSTEM, SCHEMA, review]
        return hashlib.sha256(json.dumps(request, ensure_ascii=False).encode()).hexdigest()

    def _read(self, reply: str) -> tuple[dict[str, Any] | None, str]:
        """Parse a reply by the schema: the answer and "", or ``None`` and what is wrong."""
        text = reply.strip().removeprefix("```json").removeprefix("```").removesuffix("```")
        try:
            answer = json.loads(text)
        except ValueError as error:
            return None, f"no JSON ({error})"
        problem = next((str(e.message) for e in self._validator.iter_errors(answer)), "")
        return (None, problem) if problem else (answer, "")

    # -- the endpoint ----------------------------------------------------------------------------
    def _ask(self, messages: list[dict[str, str]]) -> str | None:
        """The teacher's reply; ``None`` if it refuses, fails, or would exceed the budget."""
        most = self._most(messages)
        if not self._reserve(most):
            self._count("not asked: over the budget")
            return None
        cost = 0.0
        try:
            reply = self._post(messages)
            cost = self._cost(reply.get("usage"), most)
            message = (reply.get("choices") or [{}])[0].get("message") or {}
        except (self._httpx.HTTPError, ValueError, AttributeError, IndexError, TypeError) as error:
            # A request that the server rejected costs nothing; after other errors it may have cost.
            cost = 0.0 if isinstance(error, self._httpx.HTTPStatusError) else most
            self._fail(error)
            return None
        finally:
            with self._lock:
                self._reserved -= most
                self.spent += cost
        if message.get("refusal") or not message.get("content"):
            self._count("refused")
            return None
        return str(message["content"])

    def _fail(self, error: Exception) -> None:
        """Raise an error that the user has to correct; count any other."""
        status = getattr(getattr(error, "response", None), "status_code", None)
        place = redacted(self.settings.url)
        if status in (401, 403):
            raise DataError(
                f"the teacher at {place} answers {status}: the key in {KEY} is missing or wrong"
            ) from error
        if status == 404:
            raise DataError(
                f"the teacher at {place} answers 404: check the address (up to "
                f"/v1) and the model {self.settings.model!r}"
            ) from error
        if isinstance(error, self._httpx.ConnectError):
            raise DataError(f"no teacher answers at {place}: {redacted(str(error))}") from error
        self._count("failed")

    def _post(self, messages: list[dict[str, str]]) -> dict[str, Any]:
        """Send a request; repeat it with growing pauses if waiting may help."""
        tenacity = self._tenacity
        for attempt in tenacity.Retrying(
            retry=tenacity.retry_if_exception(self._may_pass),
            stop=tenacity.stop_after_attempt(TRIES),
            wait=self._pause,
            reraise=True,
        ):
            with attempt:
                if attempt.retry_state.attempt_number > 1:
                    self._count("tried again")
                return self._once(messages)
        raise AssertionError("tenacity raises or returns")

    def _once(self, messages: list[dict[str, str]]) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self.settings.model,
            "messages": messages,
            "max_tokens": self.settings.max_tokens,
            "temperature": 0,
        }
        if not self._plain:
            named = {"name": "review", "strict": True, "schema": SCHEMA}
            body["response_format"] = {"type": "json_schema", "json_schema": named}
        response = self._client.post(f"{self.settings.url.rstrip('/')}/chat/completions", json=body)
        if response.status_code in (400, 422) and not self._plain:
            self._plain = True
            return self._once(messages)
        response.raise_for_status()
        reply = response.json()
        if not isinstance(reply, dict):
            raise ValueError("the reply is no JSON object")
        return reply

    def _may_pass(self, error: BaseException) -> bool:
        """Whether waiting may help, and the failed request has cost nothing."""
        if isinstance(error, self._httpx.HTTPStatusError):
            status: int = error.response.status_code
            return status == 429 or status >= 500
        return isinstance(error, self._httpx.ConnectTimeout | self._httpx.PoolTimeout)

    def _pause(self, state: Any) -> float:
        """Seconds to wait: what the server's header ``retry-after`` says, else a doubling pause."""
        error = state.outcome.exception()
        after = getattr(getattr(error, "response", None), "headers", {}).get("retry-after", "")
        try:
            return min(60.0, float(after))
        except ValueError:
            return float(min(60.0, self.settings.wait * 2 ** (state.attempt_number - 1)))

    # -- money -----------------------------------------------------------------------------------
    def _most(self, messages: list[dict[str, str]]) -> float:
        """The most that a request can cost."""
        read = sum(len(m["content"].encode()) for m in messages) / CHARACTERS_A_TOKEN + 500
        s = self.settings
        return (read * s.price_in + s.max_tokens * s.price_out) / 1e6

    def _reserve(self, most: float) -> bool:
        """Reserve the cost of a request; ``False`` if it would exceed the budget."""
        with self._lock:
            budget = self.settings.budget
            if budget is not None and self.spent + self._reserved + most > budget:
                return False
            self._reserved += most
            return True

    def _cost(self, usage: Any, most: float) -> float:
        """What a reply cost by the server's count of tokens; ``most`` if it gives none."""
        if not isinstance(usage, dict):
            return most
        read, written = usage.get("prompt_tokens"), usage.get("completion_tokens")
        if not isinstance(read, int) or not isinstance(written, int):
            return most
        return (read * self.settings.price_in + written * self.settings.price_out) / 1e6

    def _count(self, what: str) -> None:
        with self._lock:
            self.counts[what] += 1


def _as_answers(answer: Mapping[str, Any]) -> dict[str, str]:
    """A teacher's answer by the schema as answers by instruction."""
    features = ", ".join(dict.fromkeys(f.strip() for f in answer["features"])) or "none"
    return {"features": features, "quality": answer["quality"], "summary": answer["summary"]}


class _Cache:
    """Answers by key, in an SQLite file, or in memory if the path is ``None``."""

    def __init__(self, path: Path | None) -> None:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._base = sqlite3.connect(str(path) if path else ":memory:", check_same_thread=False)
        try:
            self._base.execute(
                "CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, answer TEXT NOT NULL)"
            )
        except sqlite3.DatabaseError as error:
            raise DataError(f"{path} is no cache of answers; name another file") from error

    def get(self, key: str) -> str | None:
        with self._lock:
            row = self._base.execute("SELECT answer FROM answers WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def put(self, key: str, answer: str) -> None:
        with self._lock, self._base:
            self._base.execute("INSERT OR REPLACE INTO answers VALUES (?, ?)", (key, answer))

    def close(self) -> None:
        self._base.close()
