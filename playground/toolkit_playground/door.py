"""The door of a class: whoever comes with the code or the teacher's secret gets a cookie for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.requests import HTTPConnection

from toolkit.system.doors import Receive, Scope, Send
from toolkit_playground.rendering.classroom import door_page
from toolkit_playground.state.classroom import CLASS, TEACHER, Classroom

STARTING = "/gradio_api/startup-events"
"""What gradio asks its own server for while it starts; it says nothing and does nothing twice."""
SECONDS = 12 * 3600
"""How long a browser that was closed is let in without the code."""
MOST = 100
"""Fields of an address; one with more has no code."""
Header = tuple[bytes, bytes]


class ClassDoor:
    """ASGI middleware before the whole page: its files, its queue and its streams.

    Args:
        app: the page.
        classroom: who may come in.
    """

    def __init__(self, app: Any, classroom: Classroom) -> None:
        self.app = app
        self.classroom = classroom

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        asked = _fields(scope["query_string"]) if scope["path"] == "/" else []
        keys = [(role, value) for role, value in asked if role in (CLASS, TEACHER)]
        fitting = [role for role, value in keys if self.classroom.fits(role, value)]
        if fitting and scope["type"] == "http":
            await _answer(send, 303, self._welcome(fitting, asked))
        elif scope["path"] == STARTING or self.classroom.is_in(HTTPConnection(scope).cookies):
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            page = door_page(wrong=bool(keys)).encode()
            await _answer(send, 401, [(b"content-type", b"text/html; charset=utf-8")], page)

    def _welcome(self, roles: Sequence[str], asked: Sequence[tuple[str, str]]) -> list[Header]:
        """The cookies, and the address without what they hold."""
        room = self.classroom
        rest = [(name, value) for name, value in asked if name not in (CLASS, TEACHER)]
        there = "?" + urlencode(rest) if rest else room.place()
        if TEACHER in roles and not rest:
            there = "?" + urlencode({"view": CLASS})
        # "Lax": a link in a mail or a learning platform is a page of another site.
        cookies = [
            f"{room.cookie(role)}={room.secret if role == TEACHER else room.code}; "
            f"Path=/; HttpOnly; SameSite=Lax; Max-Age={SECONDS}".encode()
            for role in roles
        ]
        return [
            (b"location", f"./{there}".encode("latin-1")), (b"cache-control", b"no-store"),
            *((b"set-cookie", cookie) for cookie in cookies),
        ]  # fmt: skip


def _fields(query: bytes) -> list[tuple[str, str]]:
    """The fields of an address; none where there are too many."""
    try:
        return parse_qsl(query.decode("latin-1"), max_num_fields=MOST)
    except ValueError:
        return []


async def _answer(send: Send, status: int, headers: list[Header], body: bytes = b"") -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})
