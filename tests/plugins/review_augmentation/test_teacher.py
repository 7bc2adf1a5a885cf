"""The teacher with a local server of the OpenAI protocol: answers, errors, costs, cache."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("httpx")
pytest.importorskip("tenacity")
pytest.importorskip("jsonschema")

from openai_server import Server, chat, odd
from toolkit import DataError, UsageError
from toolkit_review_augmentation.teacher import ChatTeacher, Settings

GOOD = {"features": ["battery"], "quality": "The battery is good.", "summary": "Happy."}


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., tuple[Server, ChatTeacher]]]:
    monkeypatch.setenv("TOOLKIT_TEACHER_KEY", "secret")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    opened: list[Any] = []

    def start(script: Any, **settings: Any) -> tuple[Server, ChatTeacher]:
        server = Server(script)
        teacher = ChatTeacher(Settings(url=server.url, model="m", wait=0.01, **settings))
        opened.extend((teacher, server))
        return server, teacher

    yield start
    for thing in opened:
        thing.close()


def test_the_request_has_a_schema_and_a_good_answer_is_parsed(serve: Any) -> None:
    server, teacher = serve(lambda n, body: chat(json.dumps(GOOD)))
    assert teacher.answers("Great battery.") == {
        "features": "battery", "quality": "The battery is good.", "summary": "Happy.",
    }  # fmt: skip
    body = server.bodies[0]
    assert body["response_format"]["json_schema"]["schema"]["required"] == [
        "features", "quality", "summary",
    ]  # fmt: skip
    assert body["messages"][-1]["content"] == "Great battery."
    assert server.keys == ["Bearer secret"]


def test_after_bad_json_the_request_is_sent_once_more(serve: Any) -> None:
    replies = ["Sure! The battery", json.dumps(GOOD)]
    server, teacher = serve(lambda n, body: chat(replies[n - 1]))
    assert teacher.answers("r") is not None
    assert "no JSON" in server.bodies[1]["messages"][-1]["content"]
    assert teacher.counts == {"no such JSON": 1, "answered": 1}


def test_json_of_another_shape_is_no_answer(serve: Any) -> None:
    server, teacher = serve(lambda n, body: chat(json.dumps({"features": "battery"})))
    assert teacher.answers("r") is None
    assert len(server.bodies) == 2
    assert teacher.counts["no such JSON"] == 2


def test_a_refusal_leaves_the_review_to_the_rules(serve: Any) -> None:
    _, teacher = serve(lambda n, body: chat(None, refusal="I cannot do that"))
    assert teacher.answers("r") is None
    assert teacher.counts == {"refused": 1}


def test_requests_are_repeated_after_rate_limits_and_server_errors(serve: Any) -> None:
    script = [(429, {}), (503, {}), chat(json.dumps(GOOD))]
    server, teacher = serve(lambda n, body: script[n - 1])
    assert teacher.answers("r") is not None
    assert len(server.bodies) == 3
    assert teacher.counts["tried again"] == 2


def test_a_request_is_repeated_five_times_at_most(serve: Any) -> None:
    server, teacher = serve(lambda n, body: (500, {}))
    assert teacher.answers("r") is None
    assert len(server.bodies) == 5 and teacher.counts["failed"] == 1
    assert teacher.spent == 0


def test_a_server_without_schemas_gets_requests_without(serve: Any) -> None:
    server, teacher = serve(
        lambda n, body: (400, {}) if "response_format" in body else chat(json.dumps(GOOD))
    )
    assert teacher.answers("one") is not None and teacher.answers("two") is not None
    assert ["response_format" in body for body in server.bodies] == [True, False, False]


def test_replies_that_are_no_chat_count_as_failed(serve: Any) -> None:
    for reply in (b"<html>", [], {"choices": []}, {"choices": ["x"]}):
        _, teacher = serve(lambda n, body, reply=reply: (200, reply))
        assert teacher.answers("r") is None


def test_the_budget_is_never_exceeded(serve: Any) -> None:
    # 1,000 tokens read and 100 written, at 1 and 10 a million: 0.002 a question.
    server, teacher = serve(
        lambda n, body: chat(json.dumps(GOOD)), budget=0.02, price_in=1.0, price_out=10.0
    )
    answers = [teacher.answers(f"review {i}") for i in range(20)]
    assert teacher.spent <= 0.02
    assert len(server.bodies) == sum(answer is not None for answer in answers) < 10
    assert teacher.counts["not asked: over the budget"] == 20 - len(server.bodies)


def test_the_budget_holds_with_parallel_requests_and_without_counts_of_tokens(serve: Any) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def script(n: int, body: Any) -> Any:
        status, reply = chat(json.dumps(GOOD))
        return status, {"choices": reply["choices"]}

    server, teacher = serve(script, budget=0.02, price_in=1.0, price_out=10.0)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(teacher.answers, [f"review {i}" for i in range(40)]))
    assert 0.01 < teacher.spent <= 0.02
    assert len(server.bodies) < 5


def test_the_cache_spares_requests_in_a_second_run(serve: Any, tmp_path: Path) -> None:
    place = tmp_path / "known.sqlite"
    server, teacher = serve(lambda n, body: chat(json.dumps(GOOD)), cache=place)
    first = [teacher.answers(f"review {i}") for i in range(3)]
    again = ChatTeacher(Settings(url=server.url, model="m", cache=place))
    assert [again.answers(f"review {i}") for i in range(3)] == first
    assert len(server.bodies) == 3 and again.counts == {"from the cache": 3}
    again.close()
    other = ChatTeacher(Settings(url=server.url, model="another", cache=place))
    other.answers("review 0")
    other.close()
    assert len(server.bodies) == 4


@pytest.mark.parametrize("name", odd(""))
def test_after_an_odd_reply_the_question_is_asked_again(serve: Any, name: str) -> None:
    def script(number: int, body: Any) -> Any:
        return odd(json.dumps(GOOD))[name] if number == 1 else chat(json.dumps(GOOD))

    server, teacher = serve(script)
    assert teacher.answers("r") is not None
    assert len(server.bodies) == 2
    assert teacher.counts == {"tried again": 1, "answered": 1}


def test_halves_of_characters_go_neither_out_nor_in(serve: Any) -> None:
    answer = json.dumps({**GOOD, "summary": "Happy \ud83d."})
    server, teacher = serve(lambda n, body: chat(answer))
    given = teacher.answers("so \ud83d good")
    assert given is not None and given["summary"] == "Happy \ufffd."
    assert server.bodies[0]["messages"][-1]["content"] == "so \ufffd good"


def test_a_count_of_tokens_that_is_none_costs_the_most(serve: Any) -> None:
    for usage in (
        {"prompt_tokens": -9, "completion_tokens": -9},
        {"prompt_tokens": True},
        "x",
        [1],
    ):
        _, teacher = serve(
            lambda n, body, usage=usage: chat(json.dumps(GOOD), usage=usage),
            price_in=1.0, price_out=10.0,
        )  # fmt: skip
        teacher.answers("r")
        assert teacher.spent > 0.004  # the 400 tokens that an answer may have


@pytest.mark.parametrize(("status", "message"), [(401, "TOOLKIT_TEACHER_KEY"), (404, "/v1")])
def test_errors_that_the_user_has_to_correct_are_raised(
    serve: Any, status: int, message: str
) -> None:
    _, teacher = serve(lambda n, body: (status, {}))
    with pytest.raises(DataError, match=message):
        teacher.answers("r")


def test_settings_that_cannot_work_are_refused(serve: Any) -> None:
    with pytest.raises(UsageError, match="needs prices"):
        Settings(url="http://x/v1", model="m", budget=1.0)
    with pytest.raises(UsageError, match="no address"):
        Settings(url="localhost", model="m")
    server, teacher = serve(lambda n, body: chat(""))
    server.close()
    with pytest.raises(DataError, match="no teacher answers"):
        teacher.answers("r")
