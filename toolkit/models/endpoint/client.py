"""The client: one request after the other or several at once, repeated, kept and paid for."""

from __future__ import annotations

import email.utils
import json
import math
import random
import threading
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from toolkit.data.readers.readable import whole_value
from toolkit.errors import DataError, MissingExtra
from toolkit.models.endpoint import cache, replies
from toolkit.models.endpoint.budget import Budget
from toolkit.models.endpoint.parameters import Parameters
from toolkit.models.endpoint.replies import Malformed, Reply
from toolkit.models.endpoint.settings import Settings
from toolkit.system.secrets import redacted

TRIES: Final = 5
TRIES_AT_LIMIT: Final = 10
"""How often a request is sent where a limit of rates refuses it: that passes by itself."""
STALLS: Final = 2
"""How often a request is sent that gets no answer in time: each takes the whole timeout."""
LONGEST_PAUSE: Final = 60.0
LARGEST: Final = 16 * 2**20
"""Bytes of a reply; a longer one is no answer."""
CHARACTERS_A_TOKEN: Final = 2.0
"""A low number of characters per token, so that the reserved cost is never too low."""
GIVE_UP: Final = 12
"""Questions in a row without an answer, after which no further one is asked."""


class Unanswered(Exception):
    """A question that got no answer; the text says why."""


class OverBudget(Unanswered):
    """A question that was not sent, because it might have cost more than there is left."""


class Rejected(Exception):
    """A response of another status than 200.

    Args:
        status: its status.
        message: what its body says, in one line.
        after: its header ``retry-after``.
        code: the body's ``error.code``.
    """

    def __init__(self, status: int, message: str = "", after: str = "", code: str = "") -> None:
        super().__init__(f"{status} {message}".strip())
        self.status, self.message, self.after, self.code = status, message, after, code


class Endpoint:
    """Asks one model of an API.

    ``counts`` has the outcomes of questions and requests, by these names: ``answered``,
    ``from the cache``, ``tried again``, ``refused``, ``rejected``, ``failed``,
    ``not asked: over the budget``.

    Args:
        settings: how it is reached.
        budget: what may be spent, where several endpoints share it; by default its own.

    Raises:
        MissingExtra: the extra ``api`` is not installed.
    """

    def __init__(self, settings: Settings, budget: Budget | None = None) -> None:
        try:
            import httpx
            import tenacity
        except ImportError as error:
            raise MissingExtra(f"Asking {settings.called}", "api") from error
        self.settings = settings
        self.budget = budget or Budget(settings.budget)
        self.counts: Counter[str] = Counter()
        self._httpx, self._tenacity = httpx, tenacity
        self._client = httpx.Client(timeout=settings.timeout, headers=settings.headers())
        self._cache = cache.Cache(settings.cache)
        self._parameters = Parameters()
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._works = False  # whether a question was answered
        self._unanswered = 0  # questions in a row
        self._not_before = 0.0
        self._surplus = 1.0  # the largest cost of a request over what was reserved for it

    @property
    def spent(self) -> float:
        """What was spent, in the currency of the prices."""
        return self.budget.spent

    def close(self) -> None:
        """Wake what waits, and close the connection and the cache."""
        self._closing.set()
        self._client.close()
        self._cache.close()

    # -- one question ------------------------------------------------------------------------------
    def ask(self, path: str, body: Mapping[str, Any]) -> Reply:
        """The reply to a request, from the cache where it was answered before.

        Args:
            path: behind the address, such as ``chat/completions``.
            body: the request; the model, the most tokens and the temperature of 0 are added.

        Raises:
            OverBudget: it might cost more than there is left.
            Unanswered: there is no answer, after all tries.
            DataError: the address, the model or the key is wrong, or nothing answers any more.
        """
        request = {
            "model": self.settings.model,
            "max_tokens": self.settings.max_tokens,
            "temperature": 0,
            **whole_value(dict(body)),
        }
        key = cache.key(self.settings.url, path, request)
        known = Reply.kept(self._cache.get(key))
        if known is not None:
            self.count("from the cache")
            return known
        try:
            reply = self._repeated(path, request)
        except OverBudget:
            self.count("not asked: over the budget")
            raise
        except (Rejected, Malformed, self._httpx.HTTPError) as error:
            raise self._unanswered_by(error) from error
        self._works, self._unanswered = True, 0
        self._cache.put(key, reply.as_dict())
        return reply

    def count(self, what: str) -> None:
        """Count an outcome."""
        with self._lock:
            self.counts[what] += 1

    def _unanswered_by(self, error: Exception) -> Exception:
        """What a question's last error means: something to correct, or one answer less."""
        place, called = self.settings.place, self.settings.called
        status = error.status if isinstance(error, Rejected) else None
        if (not self._works or status == 401) and (wrong := self._wrong(error, status)):
            return DataError(wrong)
        with self._lock:
            self._unanswered += 1
            over = self._unanswered >= GIVE_UP
        rejected = status is not None and 400 <= status < 500 and status not in (408, 409, 425, 429)
        self.count("rejected" if rejected else "failed")
        why = redacted(_in_words(error))
        if over:
            return DataError(
                f"{called} at {place} has not answered {GIVE_UP} questions in a row, the last "
                f"with: {why}"
            )
        return Unanswered(why)

    def _wrong(self, error: Exception, status: int | None) -> str:
        """What the user has to correct; empty where it is nothing that is known."""
        place, called, key = self.settings.place, self.settings.called, self.settings.key
        more = f" ({redacted(error.message)})" if isinstance(error, Rejected) else ""
        more = "" if more == " ()" else more
        if status in (401, 403):
            return f"{called} at {place} answers {status}: the key in {key} is missing or wrong"
        if status == 404:
            return (
                f"{called} at {place} answers 404: check the address (up to /v1) and the model "
                f"{self.settings.model!r}{more}"
            )
        if status is not None and 300 <= status < 400:
            return f"{called} at {place} answers {status}: give the address that it leads to"
        if status == 402 or (isinstance(error, Rejected) and error.code == "insufficient_quota"):
            return f"{called} at {place} asks for payment{more}"
        if isinstance(error, self._httpx.ConnectError | self._httpx.UnsupportedProtocol):
            name = called.removeprefix("the ")
            return f"no {name} answers at {place}: {redacted(str(error))}"
        return ""

    # -- tries -------------------------------------------------------------------------------------
    def _repeated(self, path: str, request: Mapping[str, Any]) -> Reply:
        """Send a request; repeat it with growing pauses if waiting may help."""
        tenacity = self._tenacity
        for attempt in tenacity.Retrying(
            retry=tenacity.retry_if_exception(self._may_pass),
            stop=self._enough,
            wait=self._pause,
            sleep=self._closing.wait,
            reraise=True,
        ):
            with attempt:
                if attempt.retry_state.attempt_number > 1:
                    self.count("tried again")
                return self._paid(path, request)
        raise AssertionError("tenacity raises or returns")

    def _paid(self, path: str, request: Mapping[str, Any]) -> Reply:
        """Send a request once, within the budget."""
        estimated = self._most(request)
        most = estimated * self._surplus
        if not self.budget.reserve(most):
            raise OverBudget("the cost cap is reached")
        cost = most  # of a request that ends otherwise, nobody knows the cost
        try:
            reply = self._once(path, request)
            if reply.read is not None and reply.written is not None:
                cost = self.settings.cost(reply.read, reply.written)
                self._note_surplus(cost, estimated)
            return reply
        except (Rejected, self._httpx.ConnectError, self._httpx.ConnectTimeout):
            cost = 0.0
            raise
        finally:
            self.budget.settle(most, cost)

    def _note_surplus(self, cost: float, estimated: float) -> None:
        """Reserve more from now on, where a server counts more tokens than were estimated.

        Some count a hidden system prompt or thoughts; several such requests at once would pass the
        cap together.
        """
        if estimated > 0:
            with self._lock:
                self._surplus = max(self._surplus, cost / estimated)

    def _once(self, path: str, request: Mapping[str, Any]) -> Reply:
        """Send a request; again at once where the server names a field that it does not take."""
        while True:
            body = self._parameters.applied(request)
            self._closing.wait(max(0.0, self._not_before - time.monotonic()))
            started = time.monotonic()
            status, headers, data = self._post(path, body)
            if status == 200:
                return replies.read(data, time.monotonic() - started)
            try:
                content = replies.loaded(data)
            except Malformed:
                content = None
            if status in (400, 422) and self._parameters.learn(content, body):
                continue
            error = content.get("error") if isinstance(content, dict) else None
            code = str(error.get("code") or "") if isinstance(error, dict) else ""
            raise Rejected(status, replies.said(content), headers.get("retry-after", ""), code)

    def _post(self, path: str, body: Mapping[str, Any]) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and body of a response, which may take the timeout in all."""
        until = time.monotonic() + self.settings.timeout
        data = bytearray()
        with self._client.stream(
            "POST",
            f"{self.settings.url.rstrip('/')}/{path}",
            content=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        ) as response:
            for part in response.iter_bytes():
                data += part
                if len(data) > LARGEST:
                    raise Malformed(f"a reply of more than {LARGEST:,} bytes")
                if time.monotonic() > until:
                    raise self._httpx.ReadTimeout("the reply is not complete in time")
            return response.status_code, response.headers, bytes(data)

    def _may_pass(self, error: BaseException) -> bool:
        """Whether another try may help."""
        if self._closing.is_set():
            return False
        if isinstance(error, Rejected):
            if error.code == "insufficient_quota":
                return False
            return error.status in (408, 409, 425, 429) or error.status >= 500
        if isinstance(error, self._httpx.ConnectError):
            return self._works
        return isinstance(error, Malformed | self._httpx.TransportError) and not isinstance(
            error, self._httpx.UnsupportedProtocol
        )

    def _enough(self, state: Any) -> bool:
        """Whether a request was sent often enough."""
        error, tried = state.outcome.exception(), state.attempt_number
        if isinstance(error, self._httpx.ReadTimeout | self._httpx.WriteTimeout):
            return bool(tried >= STALLS)
        limited = isinstance(error, Rejected) and error.status == 429
        return bool(tried >= (TRIES_AT_LIMIT if limited else TRIES))

    def _pause(self, state: Any) -> float:
        """Seconds to wait: what the server's header ``retry-after`` says, else a doubling pause.

        After a limit of rates all requests wait, not this one alone.
        """
        error = state.outcome.exception()
        asked = retry_after(error.after) if isinstance(error, Rejected) else None
        doubling = self.settings.wait * 2 ** (state.attempt_number - 1)
        # Requests that failed together do not come again together.
        pause = random.uniform(0.5, 1.0) * doubling if asked is None else asked
        pause = min(LONGEST_PAUSE, pause)
        if isinstance(error, Rejected) and error.status == 429:
            self._not_before = max(self._not_before, time.monotonic() + pause)
        return pause

    def _most(self, request: Mapping[str, Any]) -> float:
        """The most that a request can cost."""
        read = len(json.dumps(request, ensure_ascii=False).encode()) / CHARACTERS_A_TOKEN + 500
        return self.settings.cost(math.ceil(read), int(request["max_tokens"]))


def retry_after(value: str) -> float | None:
    """Seconds of a header ``retry-after``, a number or a date, never below 0; ``None``: none."""
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(value).timestamp() - time.time()
        except (ValueError, TypeError, OverflowError):
            return None
    return None if math.isnan(seconds) else max(0.0, seconds)


def _in_words(error: Exception) -> str:
    """What a question's last error was, in a few words."""
    if isinstance(error, Rejected):
        return f"status {error}"
    if isinstance(error, Malformed):
        return f"a reply that is no answer: {error}"
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
