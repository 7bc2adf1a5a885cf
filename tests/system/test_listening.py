"""Where a server listens: who can reach it, its port, and its address in a URL."""

from __future__ import annotations

import socket

import pytest

from toolkit.errors import UsageError
from toolkit.system.listening import bracketed, free_port, is_loopback, unbracketed


def test_loopback() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "127.3.2.1", "localhost", "::1")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "192.168.1.4", "example.org")))


def test_a_port_in_use_is_passed_over_or_refused() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=str(port)):
            free_port("127.0.0.1", port)
        assert free_port("127.0.0.1", None) != port


def test_an_address_of_ipv6_is_named_in_brackets() -> None:
    assert bracketed("::1") == "[::1]" and bracketed("127.0.0.1") == "127.0.0.1"
    assert unbracketed("[::1]") == unbracketed("::1") == "::1"
