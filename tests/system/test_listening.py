"""Where a server listens: who can reach it, its port, and its address in a URL."""

from __future__ import annotations

import socket
from types import SimpleNamespace

import pytest

from toolkit.errors import UsageError
from toolkit.system.listening import (
    bracketed,
    free_port,
    is_loopback,
    lan_address,
    unbracketed,
)


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


def test_the_address_in_the_network_is_that_of_a_real_interface(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def addresses(*given: str) -> list[SimpleNamespace]:
        six = socket.AF_INET6
        return [
            SimpleNamespace(family=six if ":" in one else socket.AF_INET, address=one)
            for one in given
        ]

    cards = {
        "lo": addresses("127.0.0.1", "::1"), "docker0": addresses("172.17.0.1"),
        "eth1": addresses("11.22.33.44"), "eth0": addresses("169.254.3.3"),
        "wlan0": addresses("192.168.1.20", "fe80::1%wlan0", "fd00::20"),
        "eth2": addresses("10.0.0.9"),
    }  # fmt: skip
    down = {"eth2"}
    monkeypatch.setattr("psutil.net_if_addrs", lambda: cards)
    monkeypatch.setattr(
        "psutil.net_if_stats", lambda: {n: SimpleNamespace(isup=n not in down) for n in cards}
    )
    assert lan_address() == "192.168.1.20" and lan_address(six=True) == "fd00::20"
    down |= {"wlan0", "eth1"}
    assert lan_address() == "172.17.0.1" and lan_address(six=True) is None
    down |= {"docker0"}
    assert lan_address() is None
