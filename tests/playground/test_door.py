"""The door of a class: codes become cookies, and nothing is served without one."""

from __future__ import annotations

from typing import Any

import pytest

import asgi
from toolkit_playground.door import STARTING, ClassDoor
from toolkit_playground.state.classroom import Classroom

ROOM = Classroom("http://10.0.0.2:7860", 7860, run="the-run")


def ask(
    path: str = "/", query: str = "", cookie: str = "", room: Classroom = ROOM, kind: str = "http"
) -> tuple[int, dict[str, list[str]], str]:
    """Status, headers and body; 200 is the page's own answer."""
    sent: list[dict[str, Any]] = []

    async def page(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"the page"})

    async def receive() -> dict[str, Any]:
        return {}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"cookie", cookie.encode())] if cookie else []
    scope = {"type": kind, "path": path, "query_string": query.encode(), "headers": headers}
    asgi.call(ClassDoor(page, room), scope, receive, send)
    if kind == "websocket" and sent[0]["type"] == "websocket.close":
        return sent[0]["code"], {}, ""
    found: dict[str, list[str]] = {}
    for name, value in sent[0]["headers"]:
        found.setdefault(name.decode(), []).append(value.decode())
    return sent[0]["status"], found, sent[1]["body"].decode()


def test_without_the_code_nothing_is_served_but_a_form() -> None:
    for path in ("/", "/config", "/gradio_api/queue/join", "/gradio_api/info", "/theme.css"):
        status, _, body = ask(path)
        assert status == 401 and "the page" not in body and 'name="class"' in body
    assert ask(path="/config", query=f"class={ROOM.code}")[0] == 401  # it is taken at "/" alone
    assert ask(kind="websocket")[0] == 1008
    assert ask(STARTING)[0] == 200
    status, _, body = ask(query="class=nope1234%3Cscript%3E")
    assert status == 401 and "does not fit" in body and "nope" not in body


def test_a_code_becomes_a_cookie_and_leaves_the_address() -> None:
    status, headers, _ = ask(query=f"run=a&view=vote&class={ROOM.code}")
    assert status == 303 and headers["location"] == ["./?run=a&view=vote"]
    (cookie,) = headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and ROOM.secret not in cookie
    assert ask("/config", cookie=cookie.partition(";")[0])[0] == 200
    status, headers, _ = ask(query=f"class={ROOM.code.upper()}")  # typed into the form
    assert status == 303 and headers["location"] == ["./?run=the-run&view=guess"]


def test_the_teachers_secret_becomes_a_cookie_too() -> None:
    status, headers, _ = ask(query=f"teacher={ROOM.secret}")
    assert status == 303 and headers["location"] == ["./?view=class"]
    (cookie,) = headers["set-cookie"]
    assert cookie.startswith(f"toolkit-teacher-7860={ROOM.secret};") and "HttpOnly" in cookie
    assert ask("/config", cookie=cookie.partition(";")[0])[0] == 200
    assert ask(query=f"teacher={ROOM.code}")[0] == 401


def test_with_logins_the_page_asks_for_them_itself() -> None:
    room = Classroom("http://10.0.0.2:7860", 7860, logins=True)
    assert ask("/config", room=room)[0] == 200
    assert ask(query=f"teacher={room.secret}", room=room)[0] == 303


@pytest.mark.parametrize("query", ["&".join(["a=1"] * 200), "%ff%fe", "class", "class=&teacher="])
def test_odd_addresses_are_refused_like_others(query: str) -> None:
    assert ask(query=query)[0] == 401


@pytest.mark.parametrize("cookie", ["a=1; b=x=y; c; {}", "{}; a", ";; {} ;", 'a="1;2"; {}'])
def test_the_cookie_is_found_among_others(cookie: str) -> None:
    assert ask("/config", cookie=cookie.format(f"toolkit-class-7860={ROOM.code}"))[0] == 200
    assert ask("/config", cookie=cookie.format(f"toolkit-class-7861={ROOM.code}"))[0] == 401
