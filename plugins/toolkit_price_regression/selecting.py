"""Fewer rows, or those of one category: what a small machine's recipe asks for."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from toolkit import DataError, UsageError

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

    from toolkit import Source

LARGEST = "largest"


def selected(
    rows: Dataset | DatasetDict, settings: Mapping[str, Any], source: Source
) -> Dataset | DatasetDict:
    """The rows that the task's options ``category`` and ``rows`` leave.

    A user's own splits keep their held-out rows in number; ``--limit`` goes before ``rows``.

    Raises:
        DataError: no row is of that category.
        UsageError: ``rows`` is no number above zero.
    """
    from datasets import DatasetDict

    wanted, most = settings.get("category"), settings.get("rows")
    if most is not None and (not isinstance(most, int) or most < 1):
        raise UsageError(f"task.rows is {most!r}; it must be a whole number above 0")
    if isinstance(rows, DatasetDict):
        category = _named(wanted, rows["train"]) if wanted else None
        kept = DatasetDict({name: _of(part, category) for name, part in rows.items()})
        kept["train"] = _drawn(kept["train"], most, source)
    else:
        category = _named(wanted, rows) if wanted else None
        kept = _drawn(_of(rows, category), most, source)
    if category is not None:
        source.note(f"only rows of the category {category!r} are used (task.category)")
    return kept


def _named(wanted: str, rows: Dataset) -> str:
    counts = Counter(value for value in rows["category"] if value)
    if wanted == LARGEST and counts:
        return str(counts.most_common(1)[0][0])
    for name in counts:
        if str(name).casefold() == str(wanted).casefold():
            return str(name)
    known = ", ".join(str(name) for name, _ in counts.most_common(8)) or "none"
    raise DataError(f"task.category: no row is of the category {wanted!r}; there are {known}")


def _of(rows: Dataset, category: str | None) -> Dataset:
    if category is None:
        return rows
    return rows.select([i for i, value in enumerate(rows["category"]) if value == category])


def _drawn(rows: Dataset, most: int | None, source: Source) -> Dataset:
    if most is None or source.limit is not None or len(rows) <= most:
        return rows
    source.note(f"{most:,} of {len(rows):,} rows are used, drawn by the seed (task.rows)")
    drawn = sorted(random.Random(source.seed).sample(range(len(rows)), most))
    return rows.select(drawn)
