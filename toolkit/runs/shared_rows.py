"""Rows that two runs share: known by what they hold, whatever their numbers are."""

from __future__ import annotations

import hashlib
from collections import defaultdict

from toolkit.runs.earlier_names import SPLITS
from toolkit.runs.run import Run

TABLE = "data/splits.parquet"
Key = tuple[str, int]
"""Split and number of a row."""


def row_digests(run: Run) -> dict[Key, str]:
    """The SHA-256 of each row of a run; none where it has no table of them."""
    import pyarrow.parquet as pq

    place = run.path / TABLE
    if not place.is_file():
        return {}
    table = pq.read_table(place).to_pydict()
    columns = (table["split"], table["row_id"], table["sha"])
    return {(SPLITS.get(s, s), number): sha for s, number, sha in zip(*columns, strict=True)}


def of_split(run: Run, split: str) -> list[str]:
    """The SHA-256 of each row of a split, in the order of the rows' numbers."""
    return [sha for (name, _), sha in sorted(row_digests(run).items()) if name == split]


def test_digest(run: Run) -> str | None:
    """One digest for all test rows and their numbers; ``None`` where the run has no table."""
    rows = [(number, sha) for (name, number), sha in row_digests(run).items() if name == "test"]
    return hashlib.sha256(repr(sorted(rows)).encode()).hexdigest() if rows else None


def shared_test_rows(a: Run, b: Run) -> list[tuple[int, int]]:
    """The numbers of the test rows that two runs share, of each pair first that in ``a``.

    A row that stands in one run several times has a partner for each time that it stands in the
    other.
    """
    waiting: dict[str, list[int]] = defaultdict(list)
    for (split, number), sha in sorted(row_digests(b).items()):
        if split == "test":
            waiting[sha].append(number)
    return [
        (number, waiting[sha].pop(0))
        for (split, number), sha in sorted(row_digests(a).items())
        if split == "test" and waiting[sha]
    ]
