"""Who is served what: nobody's files, a bounded queue, sessions that do not touch each other."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from playground_site import SOCKETS, Site
from playground_steps import introduce, most_tokens, session, texts, view

pytestmark = pytest.mark.slow

MARKER = "NOBODY-MAY-READ-THIS"


def test_only_this_machine_is_spoken_to_and_served(site: Site) -> None:
    seen = [json.loads(line) for line in (site.runs.parent / SOCKETS).read_text().splitlines()]
    port = urlsplit(site.url).port
    log = (site.runs.parent / "server.log").read_text()
    assert f"playground: http://127.0.0.1:{port}" in log and f"ssh -N -L {port}:127.0.0.1" in log
    bound = {host for event, host, at in seen if event == "socket.bind" and at == port}
    assert bound == {"127.0.0.1"}
    asked = {host for event, host, _ in seen if event != "socket.bind"}
    assert asked <= {"127.0.0.1", "localhost", "::1", "", None}, asked


def test_the_page_is_not_to_be_had_at_another_address(site: Site) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing; asks which address is the outer one
        except OSError:
            pytest.skip("this machine has no address but loopback")
        outer = probe.getsockname()[0]
    if outer.startswith("127."):
        pytest.skip("this machine has no address but loopback")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((outer, urlsplit(site.url).port or 0), timeout=5).close()


def get(site: Site, path: str) -> tuple[int, bytes]:
    """Status and body of a path that is sent as it stands; no client tidies it up."""
    connection = http.client.HTTPConnection(urlsplit(site.url).netloc, timeout=20)
    try:
        connection.putrequest("GET", path, skip_host=False)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.read(4096)
    finally:
        connection.close()


def test_no_path_outside_the_run_folders_can_be_read(page: Any, site: Site) -> None:
    introduce(page, "ann")
    view(page, "Vote")
    page.click("#vote-next")
    page.wait_for_selector("#vote-tie:not([disabled])")
    page.click("#vote-tie")
    page.wait_for_selector("#vote-told .tk-notice")
    store = site.runs / ".playground" / f"{site.names['main']}.sqlite"
    hidden = site.runs.parent / "hidden.txt"
    hidden.write_text(MARKER)
    main = site.folder("main")
    places = [
        "/etc/hostname", str(store), str(hidden), str(site.runs.parent / "server.log"),
        str(Path(__file__)), f"{main}/../../../hidden.txt", f"{main}/run.json", "hidden.txt",
        "runs/../hidden.txt",
    ]  # fmt: skip
    up = "../" * 12
    climbs = [f"{up}etc/hostname", quote(f"{up}etc/hostname", safe=""), f"..{up}etc/hostname"]
    doors = [
        "/gradio_api/file=", "/gradio_api/file/", "/file=", "/static/", "/assets/", "/svelte/",
        "/gradio_api/custom_component/1/server/component/", "/gradio_api/proxy=file://", "/",
        "/gradio_api/proxy=http://127.0.0.1:9/", "/gradio_api/runs/",
    ]  # fmt: skip
    for door in doors:
        for place in [*places, *map(quote, places), *climbs]:
            status, body = get(site, door + place)
            assert status >= 400, (door, place, status)
            assert MARKER.encode() not in body and b"SQLite format" not in body


def test_a_file_named_in_place_of_a_text_is_not_opened(site: Site) -> None:
    hidden = site.runs.parent / "hidden.txt"
    hidden.write_text(MARKER)
    text = {"path": str(hidden), "meta": {"_type": "gradio.FileData"}}
    messages = ask(site, "thief", compare_data(site, text, 4))
    assert messages and MARKER not in json.dumps(messages)


def compare_data(site: Site, text: Any, tokens: int) -> list[Any]:
    """What a program asks for raw text: input, run, sides, inputs, row, raw, sampling."""
    return [text, site.names["main"], ["adapter"], {}, 0, True, tokens, 0, 1, 0, 1, 0]


def join(site: Site, name: str, data: list[Any], what: str = "compare") -> dict[str, Any]:
    """Queue a comparison as the page does; raises ``HTTPError`` where it is turned away."""
    with urllib.request.urlopen(f"{site.url}/config", timeout=20) as answer:
        functions = json.load(answer)["dependencies"]
    (found,) = (f for f in functions if f.get("api_name") == what)
    place = found["id"]
    return post(site, name, place, data)


def post(site: Site, name: str, place: int, data: list[Any]) -> dict[str, Any]:
    body = {"fn_index": place, "data": data, "session_hash": name, "event_data": None}
    request = urllib.request.Request(
        f"{site.url}/gradio_api/queue/join", json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )  # fmt: skip
    with urllib.request.urlopen(request, timeout=20) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def ask(site: Site, name: str, data: list[Any], what: str = "compare") -> list[dict[str, Any]]:
    """All that the server says to a session until its comparison is done."""
    join(site, name, data, what)
    messages = []
    url = f"{site.url}/gradio_api/queue/data?session_hash={name}"
    with urllib.request.urlopen(url, timeout=60) as stream:
        for line in stream:
            if line.startswith(b"data:"):
                messages.append(json.loads(line[5:]))
                if messages[-1]["msg"] in ("process_completed", "close_stream"):
                    break
    return messages


def test_programs_ask_by_names_and_get_plain_data(site: Site) -> None:
    with urllib.request.urlopen(f"{site.url}/gradio_api/info", timeout=20) as answer:
        known = json.load(answer)["named_endpoints"]
    assert set(known) == {"/chat", "/compare", "/prediction"}
    named = {name: [p["parameter_name"] for p in known[name]["parameters"]] for name in known}
    assert named["/chat"][0] == "message" and {"run", "system", "history"} < {*named["/chat"]}
    assert named["/compare"][0] == named["/prediction"][0] == "input"
    said = ["red oak thing", site.names["main"], [], "", [], 4, 0, 1, 0, 1, 0]
    found = {
        name: ask(site, f"program-{name}", values, name)[-1]
        for name, values in (
            ("chat", said),
            (
                "compare",
                [
                    "",
                    *compare_data(site, "", 64)[1:3],
                    {"text": "red oak thing"},
                    0,
                    False,
                    64,
                    0,
                    1,
                    0,
                    1,
                    0,
                ],
            ),
            ("prediction", ["red oak thing", site.names["main"], ["adapter"], {}, 0]),
        )
    }
    assert all("data" in message["output"] for message in found.values()), found
    data = {name: message["output"]["data"][0] for name, message in found.items()}
    assert [one["side"] for one in data["chat"]["answers"]] == ["base", "adapter"]
    assert data["chat"]["answers"][0]["ended"] == "limit"
    assert data["chat"]["generation"]["max_new_tokens"] == 4
    assert all(isinstance(one["prediction"], float) for one in data["compare"]["answers"])
    (shown,) = data["prediction"]["answers"]
    assert data["prediction"]["view"] == "number-distribution" and shown["data"]["probabilities"]
    assert "<" not in json.dumps(data)
    refused = ask(site, "program-long", ["oak " * 3000, *said[1:]], "chat")[-1]
    assert not refused["success"] and "too long" in refused["output"]["error"]


def test_who_finds_the_queue_full_is_turned_away_in_words(site: Site) -> None:
    with urllib.request.urlopen(f"{site.url}/config", timeout=20) as answer:
        functions = json.load(answer)["dependencies"]
    place = next(f["id"] for f in functions if f.get("api_name") == "compare")
    short = compare_data(site, "red oak thing", 1)  # gone soon once the long one is done
    refused = None
    with site.held():
        post(site, "long", place, compare_data(site, "red oak thing", 50))
        for i in range(60):
            try:
                post(site, f"short-{i}", place, short)
            except urllib.error.HTTPError as error:
                refused = error
                break
    assert refused is not None and refused.code == 503
    assert "Queue is full" in refused.read().decode()
    refused.close()
    for _ in range(120):  # and once there is room again, everybody is served
        try:
            messages = ask(site, "later", compare_data(site, "red oak thing", 1))
            break
        except urllib.error.HTTPError as still:
            still.close()
            time.sleep(0.5)
    assert messages[-1]["success"]


def test_an_over_long_input_is_refused_in_words_and_nobody_else_notices(
    page: Any, browser: Any, site: Site
) -> None:
    with session(browser, site.url) as other:
        most_tokens(other, "compare", 100)
        other.click("#compare-go")
        page.locator("#compare-input-0 textarea").fill("oak " * 3000)
        page.click("#compare-go")
        message = page.locator("#compare-out [role=alert]")
        message.wait_for()
        assert "too long" in message.inner_text() and "shorten it by about" in message.inner_text()
        other.wait_for_selector("#compare-out .tk-cards[aria-busy=false]")
        # One side of the tiny model may end at once, with nothing said.
        assert len(texts(other)) == 2 and any(texts(other))
        assert other.locator("[role=alert]").count() == 0


def test_a_closed_tab_stops_what_it_had_asked_for(browser: Any, site: Site) -> None:
    wanted = compare_data(site, "red oak thing", 256)
    wanted[7] = 1.5  # sampled, so that it does not end early
    started = time.monotonic()
    ask(site, "patient", wanted)
    whole = time.monotonic() - started
    quitters = 8
    for i in range(quitters):
        join(site, f"quitter-{i}", wanted)
        connection = http.client.HTTPConnection(urlsplit(site.url).netloc, timeout=20)
        connection.request("GET", f"/gradio_api/queue/data?session_hash=quitter-{i}")
        stream = connection.getresponse()
        stream.readline()
        stream.close()
        connection.close()
    started = time.monotonic()
    assert ask(site, "next", compare_data(site, "red oak thing", 1))[-1]["success"]
    assert time.monotonic() - started < max(1.0, whole * quitters / 2)


def test_two_sessions_at_once_each_get_their_own_answer(site: Site) -> None:
    inputs = [row["text"] for row in site.rows("validation")[:4]]
    alone = [ask(site, f"one-{i}", compare_data(site, t, 12)) for i, t in enumerate(inputs)]
    together: dict[int, list[dict[str, Any]]] = {}

    def one(number: int) -> None:
        together[number] = ask(site, f"at-once-{number}", compare_data(site, inputs[number], 12))

    threads = [threading.Thread(target=one, args=(i,)) for i in range(len(inputs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, messages in enumerate(alone):
        assert said(messages) == said(together[number])


def said(messages: list[dict[str, Any]]) -> list[str]:
    return [answer["text"] for answer in messages[-1]["output"]["data"][0]["answers"]]
