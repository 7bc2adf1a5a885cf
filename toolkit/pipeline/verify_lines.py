"""The lines of a run's data and predictions, one by one: form, repeats, and rows that are missing.

Files are read here without :mod:`toolkit.runs.predictions`, which refuses a whole file for one bad
line, so that every difference is named with its line.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit.data.splits import HELD_OUT, present
from toolkit.evaluation.predict import has_intervals
from toolkit.preparation.row_digests import row_digest
from toolkit.runs import record
from toolkit.runs.earlier_names import upgraded_line
from toolkit.runs.predictions import NEEDED, PARTIAL_ROLES, malformed
from toolkit.runs.run import Run
from toolkit.runs.shared_rows import TABLE, Key, row_digests
from toolkit.task import Task

HELDOUT = "data/heldout.jsonl"
_MOST = 5


@dataclass(frozen=True)
class Line:
    """A line that can be read: its number in its file, from 1, and its content."""

    number: int
    row: Mapping[str, Any]

    @property
    def key(self) -> Key:
        return str(self.row["split"]), self.row["row_id"]

    @property
    def place(self) -> str:
        """The line for a message, behind the name of its file."""
        return f"line {self.number}, row {self.row['row_id']} ({self.row['split']})"


@dataclass
class Lines:
    """The data and the predictions of a run as far as they can be read, and what is wrong.

    Args:
        heldout: the held-out rows; empty where the run does not store them.
        systems: entries of ``systems.json`` with a file, each with its readable lines.
        problems: one sentence for each difference.
    """

    heldout: dict[Key, Line]
    systems: list[tuple[Mapping[str, Any], list[Line]]]
    problems: list[str]

    @property
    def rows(self) -> dict[Key, dict[str, Any]]:
        """The held-out rows as a task takes them."""
        return {
            key: {k: v for k, v in line.row.items() if k != "split"}
            for key, line in self.heldout.items()
        }


def read(run: Run, task: Task) -> Lines:
    """Read and compare the lines of a run's data and predictions."""
    found = Lines({}, [], [])
    found.heldout = _unique(HELDOUT, _read(run, HELDOUT, ("split", "row_id"), found), found)
    entries = _entries(run, found)
    for entry in entries:
        name = f"predictions/{entry['file']}"
        lines = _read(run, name, NEEDED, found)
        found.systems.append((entry, list(_unique(name, lines, found).values())))
    found.problems += [*_data(run, task, found), *_missing(run, task, found)]
    return found


def _entries(run: Run, found: Lines) -> list[Mapping[str, Any]]:
    """The entries of ``systems.json`` that name a file of predictions."""
    entries = record.entries(run)
    good: list[Mapping[str, Any]] = []
    if not entries:
        found.problems.append(f"{record.SYSTEMS} names no system")
    for number, entry in enumerate(entries, start=1):
        wrong = [key for key in ("name", "role") if not isinstance(entry.get(key), str)]
        if wrong or not isinstance(entry.get("file"), str | None):
            wrong = wrong or ["file"]
            found.problems.append(f"{record.SYSTEMS}: entry {number} has no usable {wrong[0]}")
        elif entry.get("file"):
            good.append(entry)
    return good


def _read(run: Run, name: str, needed: Sequence[str], found: Lines) -> list[Line]:
    """The lines of a file that can be read; for each of the others a problem is noted."""
    place: Path = run.path / name
    if name == HELDOUT and not place.is_file():
        if (run.info.get("data") or {}).get("stored", False):
            found.problems.append(f"{name} is missing")
        return []
    try:
        content = place.read_bytes()
    except OSError as error:
        found.problems.append(f"{name} cannot be read: {error.strerror}")
        return []
    lines = []
    for number, text in enumerate(content.split(b"\n"), start=1):
        if not text.strip():
            continue
        problem = ""
        try:
            row = upgraded_line(json.loads(text))
        except ValueError as error:
            problem = f"is not readable JSON ({error})"
        else:
            problem = malformed(row, needed)
        if problem:
            found.problems.append(f"{name} line {number} {problem}")
        else:
            lines.append(Line(number, row))
    return lines


def _unique(name: str, lines: Iterable[Line], found: Lines) -> dict[Key, Line]:
    """Lines by their row; a problem is noted for each line that repeats another's row."""
    seen: dict[Key, Line] = {}
    for line in lines:
        first = seen.setdefault(line.key, line)
        if first is not line:
            found.problems.append(f"{name} {line.place} repeats the row of line {first.number}")
    return seen


# -- which rows there should be --------------------------------------------------------------------
def _data(run: Run, task: Task, found: Lines) -> Iterator[str]:
    """Held-out rows against the sizes in ``run.json`` and the digests in ``splits.parquet``."""
    if not found.heldout:
        return
    sizes = (run.info.get("data") or {}).get("sizes") or {}
    for split in present(sizes, HELD_OUT):
        there = sum(key[0] == split for key in found.heldout)
        if split in sizes and sizes[split] != there:
            yield f"{HELDOUT} has {there:,} {split} rows, run.json counts {sizes[split]!r}"
    digests = row_digests(run)
    names = sorted(task.columns)
    for key, line in found.heldout.items() if digests else ():
        if key not in digests:
            yield f"{HELDOUT} {line.place} is not a row of {TABLE}"
        elif any(name not in line.row for name in names):
            yield f"{HELDOUT} {line.place} lacks a column of the task"
        elif digests[key] not in _possible(line.row, names):
            yield f"{HELDOUT} {line.place} is not the row that was read ({TABLE} has its SHA-256)"


def _possible(row: Mapping[str, Any], names: Sequence[str]) -> set[str]:
    """The digests of a row as it was read: a number that is not finite was stored as null."""
    nan = {name: float("nan") if row[name] is None else row[name] for name in names}
    return {row_digest(row, names).decode(), row_digest(nan, names).decode()}


def _missing(run: Run, task: Task, found: Lines) -> Iterator[str]:
    """Rows that a system has not answered, and answers to rows that are not held out."""
    sizes = (run.info.get("data") or {}).get("sizes") or {}
    splits = set(present(sizes, HELD_OUT))
    if not has_intervals(task):
        splits.discard("calibration")
    stored = {key: None for key in found.heldout if key[0] in splits}
    answered = {line.key: None for _, lines in found.systems for line in lines}
    wanted = stored or answered
    where = f" of {HELDOUT}" if stored else ", which another system has answered"
    for split in splits & sizes.keys() if not stored else ():
        count = sum(key[0] == split for key in answered)
        if count != sizes[split]:
            yield f"predictions/ answer {count:,} {split} rows, run.json counts {sizes[split]!r}"
    for entry, lines in found.systems:
        name = f"predictions/{entry['file']}"
        there = {line.key: line for line in lines}
        missing = [key for key in wanted if key not in there]
        if entry["role"] not in PARTIAL_ROLES:
            yield from _first(f"{name} has no line for row {i} ({s}){where}" for s, i in missing)
        if stored:
            yield from _first(
                f"{name} {line.place} is not a row of {HELDOUT}"
                for key, line in there.items() if key not in stored
            )  # fmt: skip


def _first(sentences: Iterable[str]) -> list[str]:
    """The first few of several sentences of one kind, and how many more there are."""
    every = list(sentences)
    more = len(every) - _MOST
    return every if more <= 0 else [*every[:_MOST], f"{every[_MOST]}; and {more - 1} more like it"]
