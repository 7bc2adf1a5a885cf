"""Replies by their request, on disk, so that a second run asks nothing again."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from pathlib import Path
from typing import Any

from toolkit.errors import DataError

PATIENCE = 30.0
"""Seconds to wait for another process that writes into the same file."""


def key(*parts: Any) -> str:
    """The key of a request: a hash of JSON values."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


class Cache:
    """Replies by key, in an SQLite file, or in memory if the path is ``None``.

    Raises:
        DataError: the file cannot be made, or holds something else.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lock = threading.Lock()
        try:
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
            self._base = sqlite3.connect(
                str(path) if path else ":memory:", check_same_thread=False, timeout=PATIENCE
            )
            self._base.execute(
                "CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, answer TEXT NOT NULL)"
            )
        except (sqlite3.Error, OSError, ValueError) as error:
            raise DataError(f"{path} is no cache of answers; name another file") from error

    def get(self, key: str) -> dict[str, Any] | None:
        """What is kept under a key; ``None`` if nothing that can be read is."""
        try:
            with self._lock:
                row = self._base.execute(
                    "SELECT answer FROM answers WHERE key = ?", (key,)
                ).fetchone()
            found = json.loads(row[0]) if row else None
        except (sqlite3.Error, ValueError, TypeError):
            return None  # asking again costs less than ending
        return found if isinstance(found, dict) else None

    def put(self, key: str, value: dict[str, Any]) -> None:
        """Keep a reply.

        Raises:
            DataError: the file cannot be written.
        """
        try:
            with self._lock, self._base:
                self._base.execute(
                    "INSERT OR REPLACE INTO answers VALUES (?, ?)", (key, json.dumps(value))
                )
        except sqlite3.Error as error:
            raise DataError(f"{self._path} cannot be written: {error}") from error

    def close(self) -> None:
        self._base.close()
