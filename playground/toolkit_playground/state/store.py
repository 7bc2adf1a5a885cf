"""Votes, guesses and what is kept, in SQLite: on the disk before the page says thanks."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit_playground.state.database import Database
from toolkit_playground.state.roster import Roster, key_of

CHOICES = ("left", "right", "tie", "both-bad")

SCHEMA = """
CREATE TABLE IF NOT EXISTS votes (
    id INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    voter TEXT NOT NULL,
    sheet INTEGER NOT NULL,
    row_id INTEGER,
    input TEXT NOT NULL,
    prompt TEXT NOT NULL,
    left_side TEXT NOT NULL,
    right_side TEXT NOT NULL,
    left_text TEXT NOT NULL,
    right_text TEXT NOT NULL,
    choice TEXT NOT NULL CHECK (choice IN ('left', 'right', 'tie', 'both-bad'))
);
CREATE TABLE IF NOT EXISTS guesses (
    id INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    voter TEXT NOT NULL,
    row_id INTEGER NOT NULL,
    guess REAL NOT NULL,
    seconds REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS kept (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    changed REAL NOT NULL,
    shared INTEGER NOT NULL DEFAULT 0,
    content TEXT NOT NULL
);
"""
ADDED = {
    "split": "TEXT NOT NULL DEFAULT ''",
    "example": "TEXT NOT NULL DEFAULT ''",
    "written": "INTEGER NOT NULL DEFAULT 0",
    "left_cut": "INTEGER NOT NULL DEFAULT 0",
    "right_cut": "INTEGER NOT NULL DEFAULT 0",
    "owner": "TEXT NOT NULL DEFAULT ''",
}
"""Columns of the votes that files of earlier versions have not."""


@dataclass(frozen=True)
class Vote:
    """One blind comparison.

    Args:
        voter: whoever voted, by their login or the name they gave.
        sheet: whether it belongs to the evaluation sheet.
        row_id: the held-out row; ``None`` for an input of the voter's own.
        input: what was shown.
        prompt: what the model got.
        left_side, right_side: who stood where.
        left_text, right_text: their answers.
        choice: ``left``, ``right``, ``tie`` or ``both-bad``.
        split: the split of the row, or ``own`` for an input of the voter's own that is none of the
            held-out rows; empty: an earlier version has not noted it.
        example: the prompt without special tokens as JSON: a text, or messages.
        written: whether the answers are texts that the model wrote, and not predictions.
        left_cut, right_cut: whether an answer ended at the limit of new tokens.
        owner: whose the texts are, see :func:`~toolkit_playground.state.kept.owner_of`; empty: it
            is not known, as of earlier versions.
    """

    voter: str
    sheet: bool
    row_id: int | None
    input: str
    prompt: str
    left_side: str
    right_side: str
    left_text: str
    right_text: str
    choice: str
    split: str = ""
    example: str = ""
    written: bool = False
    left_cut: bool = False
    right_cut: bool = False
    owner: str = ""

    def may_see(self, owner: str | None) -> bool:
        """Whether somebody may see its texts: an own input is its owner's alone."""
        return self.split != "own" or bool(self.owner and self.owner == owner)

    @property
    def winner(self) -> str | None:
        """The side that was preferred; ``None`` for a tie and for both bad."""
        return {"left": self.left_side, "right": self.right_side}.get(self.choice)


FIELDS = tuple(Vote.__dataclass_fields__)
YES_NO = ("sheet", "written", "left_cut", "right_cut")


@dataclass(frozen=True)
class Guess:
    """A person's first guess on a row, and the seconds that it took."""

    voter: str
    row_id: int
    guess: float
    seconds: float


class Store(Database):
    """What people leave about one run.

    Args:
        path: its file.
        roster: whose votes and guesses do not count; ``None``: everybody's do.
    """

    schema = SCHEMA

    def __init__(self, path: Path, roster: Roster | None = None) -> None:
        super().__init__(path)
        self.roster = roster

    def extend(self, connection: sqlite3.Connection) -> None:
        """Add the columns that a file of an earlier version has not."""
        known = {row["name"] for row in connection.execute("PRAGMA table_info(votes)")}
        for name, kind in ADDED.items():
            if name not in known:
                connection.execute(f"ALTER TABLE votes ADD COLUMN {name} {kind}")

    def _counts(self, row: sqlite3.Row, removed: frozenset[str]) -> bool:
        return not removed or key_of(row["voter"]) not in removed

    def _removed(self) -> frozenset[str]:
        return self.roster.removed() if self.roster else frozenset()

    def given(self) -> dict[str, tuple[int, int]]:
        """Each name, removed or not → how many votes and guesses were left under it."""
        query = (
            "SELECT voter, SUM(guess = 0) AS votes, SUM(guess) AS guesses FROM "
            "(SELECT voter, 0 AS guess FROM votes UNION ALL SELECT voter, 1 FROM guesses) "
            "GROUP BY voter"
        )
        return {row["voter"]: (row["votes"], row["guesses"]) for row in self.rows(query)}

    def stamp(self) -> tuple[Any, ...]:
        """Something else whenever another vote or guess counts."""
        query = (
            "SELECT (SELECT COUNT(*) FROM votes), (SELECT MAX(id) FROM votes), "
            "(SELECT COUNT(*) FROM guesses), (SELECT MAX(id) FROM guesses)"
        )
        return (*(tuple(row) for row in self.rows(query)), self._removed())

    # -- votes -------------------------------------------------------------------------------------
    def vote(self, vote: Vote) -> None:
        """Keep a vote."""
        names = ", ".join(FIELDS)
        places = ", ".join(f":{name}" for name in FIELDS)
        values = {name: getattr(vote, name) for name in FIELDS} | {"at": time.time()}
        with self.transaction() as connection:
            connection.execute(f"INSERT INTO votes (at, {names}) VALUES (:at, {places})", values)

    def votes(self) -> list[Vote]:
        """All votes that count, the oldest first."""
        rows, removed = self.rows("SELECT * FROM votes ORDER BY id"), self._removed()
        return [_vote(row) for row in rows if self._counts(row, removed)]

    def undo_vote(self, voter: str, owner: str | None) -> Vote | None:
        """Remove the last vote of a person; ``None`` where this owner has none under that name."""
        with self.transaction() as connection:
            row = connection.execute(
                "SELECT * FROM votes WHERE voter = ? AND owner = ? AND owner != '' "
                "ORDER BY id DESC LIMIT 1",
                (voter, owner or ""),
            ).fetchone()
            if row is None:
                return None
            connection.execute("DELETE FROM votes WHERE id = ?", (row["id"],))
            return _vote(row)

    # -- guesses -----------------------------------------------------------------------------------
    def guess(self, voter: str, row_id: int, guess: float, seconds: float) -> None:
        """Keep a guess."""
        with self.transaction() as connection:
            connection.execute(
                "INSERT INTO guesses (at, voter, row_id, guess, seconds) VALUES (?, ?, ?, ?, ?)",
                (time.time(), voter, row_id, guess, seconds),
            )

    def guesses(self) -> list[Guess]:
        """Each person's first guess of each row, the oldest first; of those who count."""
        removed = self._removed()
        rows = self.rows("SELECT voter, row_id, guess, seconds FROM guesses ORDER BY id")
        first: dict[tuple[str, int], Guess] = {}
        for row in rows:
            if self._counts(row, removed):
                first.setdefault((row["voter"], row["row_id"]), Guess(**dict(row)))
        return list(first.values())


def _vote(row: sqlite3.Row) -> Vote:
    values: dict[str, Any] = {name: row[name] for name in FIELDS}
    return Vote(**values | {name: bool(row[name]) for name in YES_NO})
