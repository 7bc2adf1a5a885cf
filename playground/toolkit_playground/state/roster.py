"""The names of those who vote and guess about the runs of a folder, and which a teacher removed.

What a removed name has left stays in its file and counts nowhere, so that it can be brought back.
"""

from __future__ import annotations

import time
import unicodedata
from dataclasses import dataclass

from toolkit.errors import UsageError
from toolkit_playground.state.database import Database
from toolkit_playground.state.people import person
from toolkit_playground.state.sessions import Visitor

MOST_NAMES = 1_000
"""Names that are not removed; a program that types names must not fill the disk or the list."""
MOST_EVER = 5_000

SCHEMA = """
CREATE TABLE IF NOT EXISTS people (
    key TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    joined REAL NOT NULL,
    verified INTEGER NOT NULL,
    removed REAL
);
"""


@dataclass(frozen=True)
class Person:
    """Somebody who votes or guesses.

    Args:
        name: as it was first typed, or the login.
        verified: whether it was always a login; anybody can type a name.
        removed: whether a teacher has removed it.
    """

    name: str
    verified: bool
    removed: bool


def key_of(name: str) -> str:
    """What two spellings of a name share: a removed one does not come back in capitals."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


class Roster(Database):
    """The names, in a file that the runs of a folder share."""

    schema = SCHEMA

    def join(self, visitor: Visitor | None, name: str | None) -> str:
        """Who somebody is, noted as present.

        Raises:
            UsageError: they have not said who they are, their name was removed, or there are too
                many names.
        """
        found, login = person(visitor, name), bool(getattr(visitor, "username", None))
        key = key_of(found)
        known = self.rows("SELECT verified, removed FROM people WHERE key = ?", key)
        if known and known[0]["removed"] is not None:
            raise UsageError(
                f"the teacher has removed the name “{found}”; type another one at the top of the "
                "page"
            )
        if not known:
            self._add(key, found, login)
        elif known[0]["verified"] and not login:
            with self.transaction() as connection:
                connection.execute("UPDATE people SET verified = 0 WHERE key = ?", (key,))
        return found

    def _add(self, key: str, name: str, verified: bool) -> None:
        with self.transaction() as connection:
            ever, removed = connection.execute(
                "SELECT COUNT(*), COUNT(removed) FROM people"
            ).fetchone()
            if ever - removed >= MOST_NAMES or ever >= MOST_EVER:
                raise UsageError(
                    "there are too many names already; take one that you have had before"
                )
            connection.execute(
                "INSERT OR IGNORE INTO people (key, name, joined, verified) VALUES (?, ?, ?, ?)",
                (key, name, time.time(), int(verified)),
            )

    def remove(self, name: str) -> None:
        """Let nothing count that was left under a name; it may be one that has never joined."""
        with self.transaction() as connection:
            connection.execute(
                "INSERT INTO people (key, name, joined, verified, removed) VALUES (?, ?, ?, 0, ?) "
                "ON CONFLICT (key) DO UPDATE SET removed = excluded.removed",
                (key_of(name), name, time.time(), time.time()),
            )

    def bring_back(self, name: str) -> None:
        """Let a name count again."""
        with self.transaction() as connection:
            connection.execute("UPDATE people SET removed = NULL WHERE key = ?", (key_of(name),))

    def people(self) -> list[Person]:
        """All names, the newest first."""
        query = "SELECT name, verified, removed FROM people ORDER BY joined DESC, key"
        return [
            Person(row["name"], bool(row["verified"]), row["removed"] is not None)
            for row in self.rows(query)
        ]

    def removed(self) -> frozenset[str]:
        """The keys of the names that do not count."""
        rows = self.rows("SELECT key FROM people WHERE removed IS NOT NULL")
        return frozenset(row["key"] for row in rows)
