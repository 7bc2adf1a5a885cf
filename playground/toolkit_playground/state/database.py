"""One SQLite file beside the runs, which several processes may write to."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from toolkit.errors import RunError


class Database:
    """A file with the tables of :attr:`schema`, made when something is first stored."""

    schema = ""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A connection for one transaction: committed and on the disk when the block ends."""
        self._check_place()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self.path, timeout=30, isolation_level=None)
        try:
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA trusted_schema=OFF")
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.executescript(self.schema)
            connection.execute("BEGIN IMMEDIATE")
            self.extend(connection)
            yield connection
            connection.execute("COMMIT")
        finally:
            connection.close()

    def extend(self, connection: sqlite3.Connection) -> None:
        """Add what a file of an earlier version has not."""

    def _check_place(self) -> None:
        """Refuse links: the folder beside the runs may have come with somebody else's runs."""
        for place in (self.path.parent, self.path):
            if place.is_symlink():
                raise RunError(
                    f"{place} is a link; votes and guesses are kept in a file of its own"
                )

    def rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        """What a query finds; nothing where nothing has been stored yet."""
        if not self.path.is_file():
            return []
        with self.transaction() as connection:
            return connection.execute(query, values).fetchall()
