"""Conversations and comparisons that are kept, each for the browser or the login that made it."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from toolkit.errors import UsageError
from toolkit_playground.state.sessions import Visitor
from toolkit_playground.state.store import Store

MOST = 200
"""What one owner may keep of one kind about one run; the oldest go."""
LONGEST_NAME = 120
LARGEST = 4_000_000
"""Characters of one kept conversation; a longer one is no longer kept."""
_BROWSER = re.compile(r"[0-9a-f]{32}")


def owner_of(visitor: Visitor | None, browser: str | None) -> str | None:
    """Whose the texts of a session are: those of its login, or of its browser.

    A name that was typed is no owner, since anybody may type it. A browser is known by a secret
    that it has drawn itself; of that only a digest is stored.

    Args:
        visitor: who asks.
        browser: the browser's secret, 32 hexadecimal digits.

    Returns:
        the owner; ``None``: there is none, so that nothing is kept.
    """
    login = getattr(visitor, "username", None)
    if login:
        return f"login {login}"
    if not _BROWSER.fullmatch(browser or ""):
        return None
    return f"browser {hashlib.sha256(str(browser).encode()).hexdigest()}"


@dataclass(frozen=True)
class Kept:
    """Something kept.

    Args:
        id: the secret part of its address: whoever knows it sees it, once it is shared.
        owner: whose it is.
        name: what its owner calls it.
        changed: when it was last changed, in seconds since 1970.
        shared: whether others may see it by its address.
        content: what it holds.
    """

    id: str
    owner: str
    name: str
    changed: float
    shared: bool
    content: Mapping[str, Any]


class Shelf:
    """What is kept of one kind about one run.

    Args:
        store: the run's store.
        kind: ``conversation`` or ``comparison``.
    """

    def __init__(self, store: Store, kind: str) -> None:
        self.store = store
        self.kind = kind

    def keep(self, kept_id: str, owner: str, name: str, content: Mapping[str, Any]) -> bool:
        """Keep it, or its further course; the name that its owner gave stays.

        Returns:
            whether it is kept: not where it is too long, or somebody else's.
        """
        text = json.dumps(content, ensure_ascii=False)
        if len(text) > LARGEST:
            return False
        with self.store.transaction() as connection:
            done = connection.execute(
                "INSERT INTO kept (id, owner, kind, name, changed, content) "
                "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
                "content = excluded.content, changed = excluded.changed "
                "WHERE owner = excluded.owner AND kind = excluded.kind",
                (kept_id, owner, self.kind, _named(name), time.time(), text),
            )
            connection.execute(
                "DELETE FROM kept WHERE owner = ? AND kind = ? AND id NOT IN (SELECT id FROM kept "
                "WHERE owner = ? AND kind = ? ORDER BY changed DESC LIMIT ?)",
                (owner, self.kind, owner, self.kind, MOST),
            )
            return done.rowcount > 0

    def mine(self, owner: str | None) -> list[Kept]:
        """What somebody keeps, the newest first."""
        if owner is None:
            return []
        query = "SELECT * FROM kept WHERE owner = ? AND kind = ? ORDER BY changed DESC"
        return [_read(row) for row in self.store.rows(query, owner, self.kind)]

    def open(self, kept_id: str, owner: str | None) -> Kept:
        """One of them; raises :class:`UsageError` where it is not there, or not this owner's.

        The same words for both: nobody learns what others keep.
        """
        query = "SELECT * FROM kept WHERE id = ? AND kind = ?"
        found = [_read(row) for row in self.store.rows(query, kept_id, self.kind)]
        if not found or not (found[0].shared or (owner is not None and found[0].owner == owner)):
            raise UsageError(f"there is no {self.kind} at this address, or it was not shared")
        return found[0]

    def rename(self, kept_id: str, owner: str | None, name: str) -> None:
        """Give it another name."""
        self._change("UPDATE kept SET name = ?", kept_id, owner, _named(name))

    def share(self, kept_id: str, owner: str | None, shared: bool) -> None:
        """Let others see it by its address, or no longer."""
        self._change("UPDATE kept SET shared = ?", kept_id, owner, int(shared))

    def delete(self, kept_id: str, owner: str | None) -> None:
        """Remove it for good."""
        self._change("DELETE FROM kept", kept_id, owner)

    def _change(self, change: str, kept_id: str, owner: str | None, *values: Any) -> None:
        with self.store.transaction() as connection:
            done = connection.execute(
                f"{change} WHERE id = ? AND kind = ? AND owner = ?",
                (*values, kept_id, self.kind, owner or ""),
            )
        if not done.rowcount:
            raise UsageError(f"this {self.kind} is not yours to change")


def _named(name: str) -> str:
    return " ".join(name.split())[:LONGEST_NAME] or "without a name"


def _read(row: sqlite3.Row) -> Kept:
    return Kept(
        row["id"], row["owner"], row["name"], row["changed"], bool(row["shared"]),
        json.loads(row["content"]),
    )  # fmt: skip
