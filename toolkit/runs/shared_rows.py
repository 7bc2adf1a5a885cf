"""Rows that two runs share: known by what they hold, whatever their numbers are."""

from __future__ import annotations

import hashlib
from collections import defaultdict

from toolkit.errors import RunError
from toolkit.runs.earlier_names import SPLITS
from toolkit.runs.run import Run

TABLE = "data/splits.parquet"
Key = tuple[str, int]
"""Split and number of a row."""


def row_digests(run: Run) -> dict[Key, str]:
    """The SHA-256 of each row of a run; none where it has no table of them.

    Raises:
        RunError: the table is damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    place = run.path / TABLE
    if not place.is_file():
        return {}
    try:
        table = pq.read_table(place).to_pydict()
        columns = (table["split"], table["row_id"], table["sha"])
    except (OSError, KeyError, pa.ArrowException) as error:
        raise RunError(f"run {run.id}: {TABLE} cannot be read: {error}") from error
    return {(SPLITS.get(s, s), number): sha for s, number, sha in zip(*columns, strict=True)}


def of_split(run: Run, split: str) -> list[str]:
    """The SHA-256 of each row of a split, in the order of the rows' numbers."""
    return [sha for (name, _), sha in sorted(row_digests(run).items()) if name == split]


def digest_of_split(run: Run, split: str) -> str | None:
    """One digest for all rows of a split and their numbers; ``None`` where they are not known."""
    try:
        digests = row_digests(run)
    except RunError:
        return None
    rows = [(number, sha) for (name, number), sha in digests.items() if name == split]
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
