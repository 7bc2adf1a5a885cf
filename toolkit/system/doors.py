"""Who may ask: requests that name another host, or come from another site's page, are refused.

A browser lets a page of any site send requests to this machine. By DNS rebinding a site can even
read the answers: its name is made to mean 127.0.0.1, and the browser takes the page for its own. So
the name that a request is for is compared with those that this page is served under, and the page
that it comes from with that name. (OWASP, "DNS rebinding"; C. Jackson et al., "Protecting Browsers
from DNS Rebinding Attacks", CCS 2007.)
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
LOOPBACK = ("localhost", "127.0.0.1", "::1")
WILDCARDS = ("0.0.0.0", "::", "")


class Names:
    """The hosts that a page is served under.

    Args:
        host: where the server listens; on loopback that is what a tunnel leads to as well.
        allowed: further names, such as that of a proxy before it (``--allow-host``).
    """

    def __init__(self, host: str, allowed: Iterable[str] = ()) -> None:
        self.any_address = host in WILDCARDS
        """Whether any address will do: an address cannot be made to mean another machine."""
        self.names = {*LOOPBACK, host.lower().strip("[]")}
        if host not in LOOPBACK:
            self.names |= {socket.gethostname().lower(), socket.getfqdn().lower()}
        self.allowed: set[str] = set()
        for name in allowed:
            self.allow(name)

    def allow(self, name: str) -> None:
        """Serve the page under a further name."""
        self.allowed.add((_host(name) or name).lower())

    def knows(self, host: str) -> bool:
        """Whether the page is served under a host, which may have a port."""
        name = _host(host)
        if name is None:
            return False
        if name in self.names or name in self.allowed:
            return True
        return self.any_address and _is_address(name)

    def refusal(self, host: str | None, origin: str | None) -> str | None:
        """Why a request is refused; ``None``: it is not.

        Args:
            host: its header ``Host``.
            origin: its header ``Origin``, which browsers send with everything but plain visits.
        """
        if host is None or not self.knows(host):
            shown = "without a host" if host is None else f"under the name {host[:100]!r}"
            return f"This page is not served {shown}; its owner can allow it: --allow-host NAME"
        if origin is None:
            return None
        parts = urlsplit(origin)
        if parts.scheme in ("http", "https") and (
            parts.netloc.lower() == host.lower() or _host(parts.netloc) in self.allowed
        ):
            return None
        return f"This page does not answer pages of {origin[:100]!r}"


def _host(netloc: str) -> str | None:
    """The host of ``HOST:PORT``, in small letters; ``None`` where it is none."""
    try:
        found = urlsplit(f"//{netloc}")
        found.port  # noqa: B018 – raises where it is no number
        return found.hostname if found.username is None else None
    except ValueError:
        return None


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


POLICY = "; ".join(
    (
        # What is not named here comes from this server alone. Gradio's page has its settings in a
        # script of its own, and makes functions of its templates.
        "default-src 'self'", "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'", "img-src 'self' data: blob:",
        "media-src 'self' data: blob:", "font-src 'self' data:", "worker-src 'self' blob:",
        "object-src 'none'", "base-uri 'self'", "form-action 'self'", "frame-ancestors 'self'",
    )
)  # fmt: skip
"""Nothing of a text, a report or a panel makes a browser ask another server, whatever is in it."""
HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)
"""Headers of every answer."""


class Doorkeeper:
    """ASGI middleware before the whole page: its files, its queue and its streams."""

    def __init__(self, app: Any, names: Names) -> None:
        self.app = app
        self.names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = scope["headers"]
        refusal = self.names.refusal(_header(headers, b"host"), _header(headers, b"origin"))
        if refusal is None:
            await self.app(scope, receive, _with_headers(send))
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            plain = [*HEADERS, (b"content-type", b"text/plain; charset=utf-8")]
            await send({"type": "http.response.start", "status": 403, "headers": plain})
            await send({"type": "http.response.body", "body": refusal.encode()})


def _with_headers(send: Send) -> Send:
    async def sent(message: Any) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *HEADERS]}
        await send(message)

    return sent


def _header(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> str | None:
    """The value of a header; one that is there twice fits nothing."""
    found = [value for key, value in headers if key == name]
    return b", ".join(found).decode("latin-1") if found else None
