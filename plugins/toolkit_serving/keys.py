"""API keys: from the environment or a file, kept as SHA-256, compared in constant time.

A key is a long random text, so a plain hash of it cannot be searched for; a password would need a
slow one. That is why short keys are refused.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from collections.abc import Iterable
from pathlib import Path

from toolkit.errors import UsageError
from toolkit.system import hide

VARIABLE = "TOOLKIT_SERVE_KEYS"
"""The environment variable with keys, between commas or blanks."""
SHORTEST = 20
HASHED = re.compile(r"sha256:([0-9a-f]{64})")
HOW = 'printf %s "$KEY" | sha256sum'


class Keys:
    """The keys that are let in.

    Args:
        digests: the SHA-256 of each.
    """

    def __init__(self, digests: Iterable[bytes] = ()) -> None:
        self._digests = tuple(digests)

    def __bool__(self) -> bool:
        return bool(self._digests)

    def knows(self, key: str) -> bool:
        """Whether a key is one of them; takes as long whichever it is, and where it is none."""
        digest = hashed(key)
        # All are compared: "any" on a generator would end at the first that fits.
        return any([hmac.compare_digest(digest, one) for one in self._digests])  # noqa: C419


def hashed(key: str) -> bytes:
    """The SHA-256 of a key."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


def read(file: Path | None) -> Keys:
    """The keys of the environment variable and of a file.

    Args:
        file: a line ``sha256:HEX`` for each key; empty lines and those with ``#`` are passed over.

    Raises:
        UsageError: a key is short, or a line of the file is none.
    """
    plain = [key for key in re.split(r"[,\s]+", os.environ.get(VARIABLE, "")) if key]
    for key in plain:
        hide(key)
        if len(key) < SHORTEST:
            raise UsageError(
                f"a key in {VARIABLE} has {len(key)} characters: take {SHORTEST} random ones or "
                "more, as from: openssl rand -hex 24"
            )
    return Keys([*map(hashed, plain), *(_of_file(file) if file else ())])


def _of_file(file: Path) -> list[bytes]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise UsageError(f"cannot read {file}: {reason}") from error
    found = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = HASHED.fullmatch(line.strip())
        if match is None:
            raise UsageError(
                f"{file}, line {number}: keys are stored hashed, as sha256:HEX with 64 digits; "
                f"make them with: {HOW}"
            )
        found.append(bytes.fromhex(match[1]))
    if not found:
        raise UsageError(f"{file} holds no key; make one with: {HOW}")
    return found
