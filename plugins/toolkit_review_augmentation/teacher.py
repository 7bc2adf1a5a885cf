"""A teacher: any OpenAI-compatible endpoint that answers instead of the rules.

It is asked once a review, for all that a rating does not tell, and must answer by a JSON schema.
What can go wrong goes wrong quietly and is counted: too many requests and errors of the server are
tried again with growing pauses, an answer that is no such JSON is asked for once more, a refusal
leaves the review to the rules. Answers are kept in a small database, so that a second run asks
nothing twice. The cost is capped: before each question the most that it can cost is set aside,
and where that would go over the cap nothing is asked any more.

Nothing but the reviews' texts is sent, and only to the address that was named. A key is read from
the environment variable ``TOOLKIT_TEACHER_KEY``.
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
"""What an answer looks like."""

SYSTEM: Final = (
    "You read one product review and answer with JSON: features, a list of the product's features "
    "that the review judges, as short nouns; quality, one short sentence for each feature, such as "
    "'The battery is good.'; summary, one sentence on what the buyer likes and dislikes."
)
KEY: Final = "TOOLKIT_TEACHER_KEY"
TRIES: Final = 5
CHARACTERS_A_TOKEN: Final = 2.0
"""Few characters a token, so that what is set aside for a question is never too little."""


@dataclass(frozen=True)
class Settings:
    """How a teacher is asked.

    Args:
        url: address of the API, up to ``/v1``.
        model: the model's name there.
        budget: the most that may be spent, in the prices' currency; ``None``: no cap.
        price_in, price_out: of a million tokens read and written.
        max_tokens: of an answer.
        cache: file of the answers that are known.
        timeout: seconds for one answer.
        wait: seconds of the first pause before another try; they double.
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
            raise UsageError("a budget needs prices: give --price-in and --price-out (a million)")
        if not self.url.startswith(("http://", "https://")):
            raise UsageError(f"--teacher {self.url!r} is no address; it begins with http or https")


class ChatTeacher:
    """Asks an endpoint; see the module. ``counts`` says what became of the questions."""

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
        self._held = 0.0
        self._lock = threading.Lock()
        self._plain = False  # the server knows no JSON schema
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
        """Instruction → answer; ``None`` where the teacher gives none."""
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
            said = self._ask(messages)
            if said is None:
                return None
            found, problem = self._read(said)
            if found is not None:
                self._cache.put(key, json.dumps(found, ensure_ascii=False))
                self._count("answered")
                return _as_answers(found)
            self._count("no such JSON")
            messages = [
                *messages[:2],
                {"role": "assistant", "content": said},
                {"role": "user", "content": f"That is not what was asked for: {problem}. Answer "
                 f"with JSON by this schema alone: {json.dumps(SCHEMA)}"},
            ]  # fmt: skip
        return None

    def _key(self, review: str) -> str:
        asked = [self.settings.url, self.settings.model, SYSTEM, SCHEMA, review]
        return hashlib.sha256(json.dumps(asked, ensure_ascii=False).encode()).hexdigest()

    def _read(self, said: str) -> tuple[dict[str, Any] | None, str]:
        """The answer by the schema, or what is wrong with it."""
        text = said.strip().removeprefix("```json").removeprefix("```").removesuffix("```")
        try:
            found = json.loads(text)
        except ValueError as error:
            return None, f"no JSON ({error})"
        problem = next((str(e.message) for e in self._validator.iter_errors(found)), "")
        return (None, problem) if problem else (found, "")

    # -- the endpoint ----------------------------------------------------------------------------
    def _ask(self, messages: list[dict[str, str]]) -> str | None:
        """What the teacher says; ``None`` where it refuses, cannot be had, or money is short."""
        most = self._most(messages)
        if not self._set_aside(most):
            self._count("not asked: over the budget")
            return None
        cost = 0.0
        try:
            reply = self._post(messages)
            cost = self._cost(reply.get("usage"), most)
            message = (reply.get("choices") or [{}])[0].get("message") or {}
        except (self._httpx.HTTPError, ValueError, AttributeError, IndexError, TypeError) as error:
            # What the server has refused costs nothing; what was lost on the way may have.
            cost = 0.0 if isinstance(error, self._httpx.HTTPStatusError) else most
            self._fail(error)
            return None
        finally:
            with self._lock:
                self._held -= most
                self.spent += cost
        if message.get("refusal") or not message.get("content"):
            self._count("refused")
            return None
        return str(message["content"])

    def _fail(self, error: Exception) -> None:
        status = getattr(getattr(error, "response", None), "status_code", None)
        if status in (401, 403):
            raise DataError(
                f"the teacher at {self.settings.url} answers {status}: the key in {KEY} is missing "
                "or not the right one"
            ) from error
        if status == 404:
            raise DataError(
                f"the teacher at {self.settings.url} answers 404: is the address right up to /v1, "
                f"and the model {self.settings.model!r} there?"
            ) from error
        if isinstance(error, self._httpx.ConnectError):
            raise DataError(f"no teacher answers at {self.settings.url}: {error}") from error
        self._count("failed")

    def _post(self, messages: list[dict[str, str]]) -> dict[str, Any]:
        """The reply, after tries with growing pauses where the server asks for patience."""
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
        """Whether waiting may help, and the try has cost nothing."""
        if isinstance(error, self._httpx.HTTPStatusError):
            status: int = error.response.status_code
            return status == 429 or status >= 500
        return isinstance(error, self._httpx.ConnectTimeout | self._httpx.PoolTimeout)

    def _pause(self, state: Any) -> float:
        """What the server asks for, else a pause that doubles."""
        error = state.outcome.exception()
        asked = getattr(getattr(error, "response", None), "headers", {}).get("retry-after", "")
        try:
            return min(60.0, float(asked))
        except ValueError:
            return float(min(60.0, self.settings.wait * 2 ** (state.attempt_number - 1)))

    # -- money -----------------------------------------------------------------------------------
    def _most(self, messages: list[dict[str, str]]) -> float:
        """The most that a question can cost."""
        read = sum(len(m["content"].encode()) for m in messages) / CHARACTERS_A_TOKEN + 500
        s = self.settings
        return (read * s.price_in + s.max_tokens * s.price_out) / 1e6

    def _set_aside(self, most: float) -> bool:
        with self._lock:
            budget = self.settings.budget
            if budget is not None and self.spent + self._held + most > budget:
                return False
            self._held += most
            return True

    def _cost(self, usage: Any, most: float) -> float:
        """What a reply cost, by the server's own count; the most there is where it gives none."""
        if not isinstance(usage, dict):
            return most
        read, written = usage.get("prompt_tokens"), usage.get("completion_tokens")
        if not isinstance(read, int) or not isinstance(written, int):
            return most
        return (read * self.settings.price_in + written * self.settings.price_out) / 1e6

    def _count(self, what: str) -> None:
        with self._lock:
            self.counts[what] += 1


def _as_answers(found: Mapping[str, Any]) -> dict[str, str]:
    """Answers to the instructions that a teacher answers."""
    features = ", ".join(dict.fromkeys(f.strip() for f in found["features"])) or "none"
    return {"features": features, "quality": found["quality"], "summary": found["summary"]}


class _Cache:
    """Answers by key, in an SQLite file; in memory without a path."""

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
