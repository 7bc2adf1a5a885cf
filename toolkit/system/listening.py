"""Where a server listens: whether others can reach it, and on which port."""

from __future__ import annotations

import ipaddress
import socket

from toolkit.errors import UsageError

FIRST_PORT, PORTS = 7860, 100
VIRTUAL = ("br-", "docker", "lxc", "tun", "vbox", "veth", "virbr", "vmnet", "wg")
"""How interfaces begin behind which there are no other machines of a room."""


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def free_port(host: str, wanted: int | None) -> int:
    """The wanted port, or the first free one; raises :class:`UsageError` where there is none."""
    ports = [wanted] if wanted else range(FIRST_PORT, FIRST_PORT + PORTS)
    problem = ""
    for port in ports:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                problem = str(error.strerror or error)
            else:
                return port
    where = f"port {wanted}" if wanted else f"ports {FIRST_PORT} to {FIRST_PORT + PORTS - 1}"
    raise UsageError(
        f"cannot listen at {host}, {where}: {problem}; choose another --port or --host"
    )


def bracketed(host: str) -> str:
    """A host as URLs have it: an address of IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host


def unbracketed(host: str) -> str:
    """A host as sockets want it: an address of IPv6 may be given in brackets, as URLs have it."""
    return host.strip("[]")


def lan_address(*, six: bool = False) -> str | None:
    """The address of this machine in its network, by its interfaces: nothing is asked or sent.

    Args:
        six: an address of IPv6.

    Returns:
        of several a private one first, of an interface that is no virtual one; ``None``: there is
        none but loopback.
    """
    import psutil

    up = {name for name, state in psutil.net_if_stats().items() if state.isup}
    found = []
    for name, addresses in psutil.net_if_addrs().items():
        for one in addresses:
            if one.family != (socket.AF_INET6 if six else socket.AF_INET) or name not in up:
                continue
            address = ipaddress.ip_address(one.address.partition("%")[0])
            if not (address.is_loopback or address.is_link_local):
                rank = (name.startswith(VIRTUAL), not address.is_private)
                found.append((rank, str(address)))
    return min(found, key=lambda one: one[0])[1] if found else None
