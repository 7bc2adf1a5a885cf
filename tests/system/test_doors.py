"""Who may ask the served page: its own names and its own pages, no other site's."""

from __future__ import annotations

import socket
from typing import Any

import pytest

import asgi
from toolkit.system.doors import Doorkeeper, Names

HERE = Names("127.0.0.1")
PORT = "127.0.0.1:7860"


@pytest.mark.parametrize(
    "host",
    [PORT, "127.0.0.1", "localhost:7860", "localhost:9999", "[::1]:7860", "LOCALHOST:1"],
)
def test_names_of_this_machine(host: str) -> None:
    assert HERE.refusal(host, None) is None
    assert HERE.refusal(host, f"http://{host}") is None


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:7860", "127.0.0.1.evil.example", "localhost.evil.example:7860",
     "192.0.2.7:7860", "", "127.0.0.1:x", "evil@127.0.0.1:7860", "127.0.0.1, evil.example", "[::1",
     "0.0.0.0:7860", "2130706433"],
)  # fmt: skip
def test_other_names(host: str) -> None:
    refusal = HERE.refusal(host, None)
    assert refusal is not None and "--allow-host" in refusal
    assert HERE.refusal(None, None) is not None


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "http://localhost:3000", "file://", "http://127.0.0.1",
     "https://evil.example:7860", "chrome-extension://abc", f"ftp://{PORT}", ""],
)  # fmt: skip
def test_pages_of_other_sites(origin: str) -> None:
    assert "does not answer" in (HERE.refusal(PORT, origin) or "")


def test_a_name_that_is_allowed() -> None:
    names = Names("127.0.0.1", ["play.example", "other.example:8443"])
    assert names.refusal("play.example", "https://play.example") is None
    assert names.refusal("other.example:8443", None) is None
    assert names.refusal(PORT, "https://play.example") is None  # its proxy gives another Host
    assert names.refusal("sub.play.example", None) is not None
    names.allow("abc.gradio.live")
    assert names.refusal("abc.gradio.live", "https://abc.gradio.live") is None


def test_where_others_are_let_in_addresses_will_do() -> None:
    open_ = Names("0.0.0.0")
    for host in ("192.0.2.7:7860", "[2001:db8::1]:7860", "localhost:7860", socket.gethostname()):
        assert open_.refusal(host, None) is None
    assert open_.refusal("evil.example:7860", None) is not None
    one = Names("192.0.2.7")
    assert one.refusal("192.0.2.7:7860", None) is None
    assert one.refusal("192.0.2.8:7860", None) is not None


def ask(scope: dict[str, Any], headers: list[tuple[bytes, bytes]]) -> tuple[bool, list[Any]]:
    """Whether the page was asked, and what came back before it."""
    reached, sent = [], []

    async def page(scope: Any, receive: Any, send: Any) -> None:
        reached.append(scope)

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    asgi.call(Doorkeeper(page, HERE), {**scope, "headers": headers}, receive, send)
    return bool(reached), sent


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_what_stands_before_the_page(kind: str) -> None:
    good = [(b"host", PORT.encode())]
    assert ask({"type": kind}, good) == (True, [])
    for bad in ([], [(b"host", b"evil.example")], [*good, (b"host", b"evil.example")],
                [*good, (b"origin", b"http://evil.example")]):  # fmt: skip
        reached, sent = ask({"type": kind}, bad)
        assert not reached
        if kind == "http":
            assert sent[0]["status"] == 403
        else:
            assert sent == [{"type": "websocket.close", "code": 1008}]
    assert ask({"type": "lifespan"}, []) == (True, [])


def test_every_answer_keeps_the_browser_from_asking_other_servers() -> None:
    async def page(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-own", b"1")]})

    def headers(host: bytes) -> dict[bytes, bytes]:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "http", "headers": [(b"host", host)]}
        asgi.call(Doorkeeper(page, HERE), scope, page, send)
        return dict(sent[0]["headers"])

    assert headers(PORT.encode())[b"x-own"] == b"1"
    for host in (PORT.encode(), b"evil.example"):
        rules = dict(
            rule.split(" ", 1)
            for rule in headers(host)[b"content-security-policy"].decode().split("; ")
        )
        assert rules["default-src"] == "'self'" and "connect-src" not in rules
        assert rules["object-src"] == "'none'"
        assert not [rule for rule in rules.values() if "http" in rule or "*" in rule]
