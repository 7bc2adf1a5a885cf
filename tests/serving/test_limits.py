"""What one client may take, so that the others are still answered."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import openai
import pytest

from serving_fixtures import Site, running
from toolkit_serving.served import Fleet

pytestmark = pytest.mark.slow


@pytest.fixture
def held(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """The model writes nothing until the event is set."""
    assert fleet.first is not None
    kind: Any = fleet.first.kind
    event, write = threading.Event(), kind.write_texts

    def waiting(*arguments: Any, **keywords: Any) -> Any:
        assert event.wait(60)
        return write(*arguments, **keywords)

    monkeypatch.setattr(kind, "write_texts", waiting)
    yield event
    event.set()


def complete(site: Site, **options: Any) -> httpx.Response:
    body = {"model": "base", "prompt": "red", "max_tokens": 4, **options}
    return httpx.post(f"{site.url}/v1/completions", json=body, timeout=60)


def until(true: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def metric(site: Site, name: str) -> float:
    """The sum of a metric's series."""
    text = httpx.get(f"{site.url}/metrics").text
    pattern = rf"^toolkit_{name}(?:{{[^}}]*}})? (\S+)$"
    return sum(map(float, re.findall(pattern, text, re.MULTILINE)))


def test_a_full_queue_refuses_and_says_when_to_come_again(
    fleet: Fleet, held: threading.Event
) -> None:
    with running(fleet, window=0, batch=1, queue=2) as site, ThreadPoolExecutor(3) as pool:
        first = pool.submit(complete, site)
        until(lambda: metric(site, "queue_jobs") == 0 and not site.service.engine.waiting)
        time.sleep(0.2)
        others = [pool.submit(complete, site) for _ in range(2)]
        until(lambda: site.service.engine.waiting == 2)
        assert metric(site, "queue_jobs") == 2
        with site.client() as client, pytest.raises(openai.RateLimitError) as caught:
            client.completions.create(model="base", prompt="red")
        assert int(caught.value.response.headers["retry-after"]) >= 1
        streamed = complete(site, stream=True)
        assert streamed.status_code == 429  # its own status, not an event of a stream
        assert metric(site, "refused_total") == 2
        held.set()
        assert {one.result().status_code for one in (first, *others)} == {200}


def test_large_bodies_are_refused(fleet: Fleet) -> None:
    with running(fleet, body=1000) as site:
        assert complete(site).status_code == 200
        answer = complete(site, prompt="red " * 400)
        assert answer.status_code == 413 and "1,000 bytes" in answer.json()["error"]["message"]
        parts = (b" " * 300 for _ in range(6))  # sent in chunks, without a length
        answer = httpx.post(f"{site.url}/v1/completions", content=parts)
        assert answer.status_code == 413
    with running(fleet, rows=3) as site:
        for rows, status in ((["red"] * 3, 200), (["red"] * 4, 413)):
            answer = httpx.post(f"{site.url}/tasks/kinds/predict", json={"rows": rows}, timeout=60)
            assert answer.status_code == status


def test_a_body_that_does_not_come_is_not_waited_for(fleet: Fleet) -> None:
    with running(fleet, receiving=0.3) as site:
        host, port = site.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as slow:
            slow.sendall(
                b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n"
                b"Content-Type: application/json\r\n\r\n{"
            )
            slow.settimeout(20)
            assert slow.recv(1000).startswith(b"HTTP/1.1 408")
        assert complete(site).status_code == 200


def test_a_request_that_takes_too_long_is_given_up(fleet: Fleet, held: threading.Event) -> None:
    with running(fleet, seconds=0.3) as site:
        answer = complete(site, max_tokens=300)
        assert answer.status_code == 504 and "0.3 s" in answer.json()["error"]["message"]
        held.set()
        until(lambda: not site.service.engine.busy)
    with running(fleet) as site:
        assert complete(site).status_code == 200


@pytest.mark.parametrize("stream", [True, False])
def test_the_model_stops_writing_for_a_client_that_has_gone(
    fleet: Fleet, held: threading.Event, stream: bool
) -> None:
    with running(fleet, window=0) as site, httpx.Client(timeout=60) as client:
        body = {"model": "base", "prompt": "red", "max_tokens": 450, "stream": stream}
        request = client.build_request("POST", f"{site.url}/v1/completions", json=body)
        if stream:
            held.set()
            answer = client.send(request, stream=True)
            next(answer.iter_lines())
            answer.close()
        else:
            request.extensions["timeout"]["read"] = 0.3
            with pytest.raises(httpx.ReadTimeout):
                client.send(request)
            held.set()
        until(lambda: metric(site, "cancelled_total") == 1)
        until(lambda: not site.service.engine.busy)
        # 450 tokens would have taken longer than this; nobody has read them, so they do not count.
        assert metric(site, "tokens_total") == 0
        assert complete(site).status_code == 200


def test_a_failure_of_the_model_is_a_500_without_its_words(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert fleet.first is not None

    def broken(*arguments: Any, **keywords: Any) -> Any:
        raise RuntimeError("the text of somebody's request")

    with running(fleet) as site:
        with monkeypatch.context() as patch:
            patch.setattr(fleet.first.kind, "write_texts", broken)
            answer = complete(site)
            assert answer.status_code == 500 and "somebody" not in answer.text
            assert answer.json()["error"]["type"] == "server_error"
        assert metric(site, "failures_total") == 1
        assert "somebody" not in site.log.getvalue() and "RuntimeError" in site.log.getvalue()
        assert complete(site).status_code == 200


def test_metrics_count_what_was_asked(fleet: Fleet) -> None:
    with running(fleet) as site:
        used = complete(site, model="prices").json()["usage"]
        httpx.post(f"{site.url}/tasks/classes/predict", json={"rows": ["a", "b"]}, timeout=60)
        text = httpx.get(f"{site.url}/metrics").text
    labels = 'model="prices",route="/v1/completions",status="200"'
    assert f"toolkit_requests_total{{{labels}}} 1.0" in text
    for kind in ("prompt", "completion"):
        line = f'toolkit_tokens_total{{kind="{kind}",model="prices"}} {used[f"{kind}_tokens"]:.1f}'
        assert line in text
    assert 'toolkit_rows_total{model="classes"} 2.0' in text


@pytest.mark.parametrize("texts", [False, True])
def test_the_log_has_texts_only_where_they_are_asked_for(fleet: Fleet, texts: bool) -> None:
    with running(fleet, log_texts=texts) as site:
        complete(site, prompt="a planted prompt")
        httpx.post(f"{site.url}/tasks/kinds/predict", json={"rows": ["a planted row"]}, timeout=60)
        httpx.post(f"{site.url}/v1/completions", content=b"planted")
        lines = [json.loads(line) for line in site.log.getvalue().splitlines()]
    assert [line["status"] for line in lines] == [200, 200, 400]
    assert lines[0]["model"] == "base" and lines[0]["completion_tokens"] == 4
    assert lines[1]["rows"] == 1 and lines[1]["route"] == "/tasks/kinds/predict"
    assert [("planted" in json.dumps(line)) for line in lines] == [texts, texts, False]


def test_other_hosts_and_other_sites_are_refused(site: Site) -> None:
    for headers in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}):
        assert httpx.get(f"{site.url}/v1/models", headers=headers).status_code == 403
