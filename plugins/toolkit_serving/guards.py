"""ASGI middleware before all routes: keys, the size of bodies, and a line in the log."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from toolkit_serving.errors import ApiError
from toolkit_serving.keys import Keys
from toolkit_serving.service import Limits
from toolkit_serving.telemetry import Telemetry, figures

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
OPEN = frozenset({"/health", "/ready"})
"""What answers without a key: a load balancer asks it, and it tells nothing."""


class Recorder:
    """The outermost layer: an ID for each request, its metrics, and its line in the log."""

    def __init__(self, app: Any, telemetry: Telemetry) -> None:
        self.app = app
        self.telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        number, started, status = uuid.uuid4().hex, time.perf_counter(), 500
        state = scope.setdefault("state", {})

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message.get("headers", ()), (b"x-request-id", number.encode()),
                ]  # fmt: skip
            await send(message)

        try:
            await self.app(scope, receive, sending)
        finally:
            seconds = time.perf_counter() - started
            route = getattr(scope.get("route"), "path", "other")
            self.telemetry.request(state.get("model"), route, status, seconds)
            if route not in OPEN:
                self.telemetry.log(
                    "request", id=number, method=scope["method"], route=route, status=status,
                    seconds=round(seconds, 4), **figures(state),
                )  # fmt: skip


class Gate:
    """Refuses requests without a key, and bodies that are too large or too slow."""

    def __init__(self, app: Any, keys: Keys, limits: Limits, telemetry: Telemetry) -> None:
        self.app = app
        self.keys = keys
        self.limits = limits
        self.telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            headers = dict(scope["headers"])
            if self.keys and scope["path"] not in OPEN:
                self._check_key(headers.get(b"authorization", b""))
            body = await self._body(headers, receive)
        except ApiError as error:
            await respond(error, send)
            return
        except ConnectionError:
            return
        sent = False

        async def replay() -> Message:
            nonlocal sent
            if sent:
                return await receive()
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self.app(scope, replay, send)

    def _check_key(self, header: bytes) -> None:
        scheme, _, key = header.decode("latin-1").partition(" ")
        if scheme.lower() != "bearer" or not self.keys.knows(key.strip()):
            self.telemetry.refused("key")
            raise ApiError(
                401,
                "this server needs a key: send it as the header Authorization: Bearer KEY",
                code="invalid_api_key",
            )

    async def _body(self, headers: dict[bytes, bytes], receive: Receive) -> bytes:
        """The whole body; raises :class:`ApiError`, and ConnectionError where the client goes."""
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and int(length) > self.limits.body:
            raise self._too_large()
        try:
            async with asyncio.timeout(self.limits.receiving):
                return await self._received(receive)
        except TimeoutError as error:
            self.telemetry.refused("slow body")
            raise ApiError(408, "the body of the request did not come in time") from error

    async def _received(self, receive: Receive) -> bytes:
        parts, size = [], 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ConnectionError
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self.limits.body:
                raise self._too_large()
            if not message.get("more_body"):
                return b"".join(parts)

    def _too_large(self) -> ApiError:
        self.telemetry.refused("body")
        return ApiError(413, f"the body of a request may have {self.limits.body:,} bytes")


async def respond(error: ApiError, send: Send) -> None:
    """Send an error without the framework."""
    import json

    headers = {"content-type": "application/json", **error.headers()}
    await send(
        {
            "type": "http.response.start",
            "status": error.status,
            "headers": [(k.lower().encode(), v.encode()) for k, v in headers.items()],
        }
    )
    await send({"type": "http.response.body", "body": json.dumps(error.body()).encode()})
