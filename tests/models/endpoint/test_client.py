"""The client of OpenAI-compatible APIs, with a local server: tries, limits, money, secrets."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("httpx")
pytest.importorskip("tenacity")

from openai_server import Server, chat, odd
from toolkit.errors import DataError, UsageError
from toolkit.models.endpoint import Budget, Endpoint, OverBudget, Settings, Unanswered
from toolkit.models.endpoint.client import GIVE_UP, retry_after
from toolkit.system import secrets

KEY = "a-key-that-nobody-may-read-7"


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., tuple[Server, Endpoint]]]:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    opened: list[Any] = []

    def start(script: Any, **settings: Any) -> tuple[Server, Endpoint]:
        server = Server(script)
        endpoint = Endpoint(Settings(**{"url": server.url, "model": "m", "wait": 0.01, **settings}))
        opened.extend((endpoint, server))
        return server, endpoint

    yield start
    for thing in opened:
        thing.close()


def ask(endpoint: Endpoint, text: str = "How much?") -> Any:
    return endpoint.ask("chat/completions", {"messages": [{"role": "user", "content": text}]})


@pytest.mark.parametrize("name", odd(""))
def test_an_odd_reply_is_asked_for_again(serve: Any, name: str) -> None:
    server, endpoint = serve(lambda n, body: odd("$5")[name] if n == 1 else chat("$5"))
    assert ask(endpoint).text == "$5"
    assert len(server.bodies) == 2 and endpoint.counts == {"tried again": 1}


@pytest.mark.parametrize("name", odd(""))
def test_a_server_that_is_odd_for_good_gives_no_answer(serve: Any, name: str) -> None:
    _, endpoint = serve(lambda n, body: odd("$5")[name])
    with pytest.raises(Unanswered):
        ask(endpoint)
    assert endpoint.counts["failed"] == 1


def test_a_stalling_server_is_left_after_the_timeout(serve: Any) -> None:
    server, endpoint = serve(lambda n, body: (200, {"stall": 20, **chat("$5")[1]}), timeout=0.3)
    started = time.monotonic()
    with pytest.raises(Unanswered, match="Timeout"):
        ask(endpoint)
    assert len(server.bodies) == 2 and time.monotonic() - started < 15


def test_a_reply_without_end_is_left_after_the_timeout(
    serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("toolkit.models.endpoint.client.LARGEST", 10_000)
    _, endpoint = serve(lambda n, body: (200, b" " * 20_000))
    with pytest.raises(Unanswered, match="more than 10,000 bytes"):
        ask(endpoint)


def test_nothing_is_asked_any_more_where_nothing_answers(serve: Any) -> None:
    server, endpoint = serve(lambda n, body: (400, {"error": {"message": "no"}}))
    for number in range(GIVE_UP - 1):
        with pytest.raises(Unanswered):
            ask(endpoint, f"{number}")
    with pytest.raises(DataError, match=f"has not answered {GIVE_UP} questions in a row.*400 no"):
        ask(endpoint, "last")
    assert len(server.bodies) == GIVE_UP  # what is rejected is not asked again


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (401, {}, "OPENAI_API_KEY"),
        (403, {}, "OPENAI_API_KEY"),
        (404, {"error": {"message": "no such model"}}, "no such model"),
        (307, {}, "leads to"),
        (402, {}, "payment"),
        (429, {"error": {"code": "insufficient_quota", "message": "pay"}}, "payment"),
    ],
)
def test_what_the_user_has_to_correct_is_said_at_once(
    serve: Any, status: int, body: Any, message: str
) -> None:
    server, endpoint = serve(lambda n, asked: (status, dict(body)))
    with pytest.raises(DataError, match=message):
        ask(endpoint)
    assert len(server.bodies) == 1


def test_fields_that_a_server_does_not_take_are_changed(serve: Any) -> None:
    def script(number: int, body: dict[str, Any]) -> Any:
        if "max_tokens" in body:
            text = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
            return 400, {"error": {"message": text, "param": "max_tokens"}}
        if "temperature" in body:
            return 400, {"error": {"message": "0 is unsupported", "param": "temperature"}}
        return chat("$5")

    server, endpoint = serve(script)
    assert ask(endpoint, "one").text == ask(endpoint, "two").text == "$5"
    assert len(server.bodies) == 4 and server.bodies[-1]["max_completion_tokens"] == 400


def test_the_longest_context_is_no_reason_for_another_field(serve: Any) -> None:
    server, endpoint = serve(
        lambda n, body: (400, {"error": {"message": "too long: max_tokens can be 9 at most"}})
    )
    with pytest.raises(Unanswered, match="too long"):
        ask(endpoint)
    assert len(server.bodies) == 1


def test_after_a_limit_of_rates_all_wait(serve: Any) -> None:
    server, endpoint = serve(
        lambda n, body: (429, {"after": "0.5"}) if n == 1 else chat("$5"), timeout=20
    )
    ask_late = threading.Timer(0.2, lambda: ask(endpoint, "another"))
    ask_late.start()
    ask(endpoint)
    ask_late.join()
    assert min(server.times[1:]) - server.times[0] >= 0.45


def test_refusals_and_limits_are_told_apart(serve: Any) -> None:
    replies = [
        chat(None, refusal="no"), chat("", ended="content_filter"), chat("a long", ended="length"),
        chat([{"type": "text", "text": "$"}, {"type": "text", "text": "5"}]),
    ]  # fmt: skip
    _, endpoint = serve(lambda n, body: replies[n - 1])
    found = [ask(endpoint, f"{i}") for i in range(4)]
    assert [reply.refused for reply in found] == [True, True, False, False]
    assert [reply.hit_limit for reply in found] == [False, False, True, False]
    assert found[3].text == "$5"


def test_a_budget_is_shared_and_never_exceeded(serve: Any) -> None:
    server, first = serve(lambda n, body: chat("$5"), price_in=1.0, price_out=10.0)
    budget = Budget(0.05)
    prices = Settings(url=server.url, model="n", price_in=1.0, price_out=10.0)
    both = [Endpoint(first.settings, budget), Endpoint(prices, budget)]
    refused = 0

    def one(number: int) -> int:
        try:
            ask(both[number % 2], f"{number}")
        except OverBudget:
            return 1
        return 0

    with ThreadPoolExecutor(6) as pool:
        refused = sum(pool.map(one, range(60)))
    assert budget.spent <= 0.05 and len(server.bodies) == 60 - refused
    # 0.002 a question, of which 0.0047 are reserved: what others reserved is waited for.
    assert len(server.bodies) >= 22
    for endpoint in both:
        endpoint.close()


def test_a_server_that_counts_more_tokens_than_were_sent_does_not_pass_the_cap(serve: Any) -> None:
    slow = {"prompt_tokens": 9000, "completion_tokens": 100}

    def script(number: int, body: Any) -> Any:
        time.sleep(0.02)  # so that six requests are on their way at once
        return chat("$5", usage=slow)

    server, endpoint = serve(script, price_in=1.0, price_out=0.0, budget=0.2)

    def one(number: int) -> bool:
        try:
            ask(endpoint, f"{number}")
        except OverBudget:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        answered = sum(pool.map(one, range(60)))
    assert endpoint.spent <= 0.2 and answered == len(server.bodies) == 22  # 0.009 each


def test_what_was_answered_is_not_asked_again_and_a_spoilt_cache_is(
    serve: Any, tmp_path: Path
) -> None:
    place = tmp_path / "new" / "answers.sqlite"
    server, endpoint = serve(lambda n, body: chat("\ud83d $5"), cache=place)
    assert ask(endpoint).text == "\ufffd $5"
    again = Endpoint(endpoint.settings)
    reply = ask(again)
    assert reply.text == "\ufffd $5" and reply.cached and reply.read == 1000
    assert len(server.bodies) == 1 and again.spent == 0
    again._cache._base.execute("UPDATE answers SET answer = '[1'")
    assert not ask(again).cached
    again.close()
    (tmp_path / "text").write_text("no database " * 100)
    with pytest.raises(DataError, match="no cache of answers"):
        Endpoint(Settings(url=server.url, model="m", cache=tmp_path / "text"))


def test_the_key_is_in_no_file_message_or_log(
    serve: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    place = tmp_path / "answers.sqlite"
    server, endpoint = serve(
        lambda n, body: chat("$5") if n == 1 else (400, {"error": {"message": f"bad key {KEY}"}}),
        cache=place,
    )
    ask(endpoint)
    assert server.keys == [f"Bearer {KEY}"]
    with pytest.raises(Unanswered) as raised:
        ask(endpoint, "another")
    assert KEY not in str(raised.value) and secrets.HIDDEN in str(raised.value)
    assert KEY not in caplog.text
    assert KEY.encode() not in place.read_bytes()


def test_settings_that_cannot_work_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in ({"budget": 1.0}, {"url": "localhost"}, {"price_in": -1.0},
                  {"budget": float("nan"), "price_in": 1.0}):  # fmt: skip
        with pytest.raises(UsageError):
            Settings(**{"url": "http://x/v1", "model": "m", **wrong})
    monkeypatch.setenv("OPENAI_API_KEY", "schlüssel-12345678")
    with pytest.raises(UsageError) as raised:
        Endpoint(Settings(url="http://x/v1", model="m"))
    assert "schl" not in str(raised.value)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("3", 3.0), ("-5", 0.0), ("nan", None), ("", None), ("soon", None), ("1e999", float("inf")),
     ("Sun, 06 Nov 1994 08:49:37 GMT", 0.0)],
)  # fmt: skip
def test_a_pause_is_never_below_none(value: str, seconds: float | None) -> None:
    assert retry_after(value) == seconds
