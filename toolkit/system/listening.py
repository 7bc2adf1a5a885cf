"""Where a server listens: whether others can reach it, and on which port."""

from __future__ import annotations

import ipaddress
import socket

from toolkit.errors import UsageError

FIRST_PORT, PORTS = 7860, 100


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
