"""What a file holds: rows, columns, repeated rows, groups, languages."""

from __future__ import annotations

import dataclasses
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.data import columns, profiles, tables
from toolkit.data.load import column_names, read
from toolkit.data.profiles import Profile
from toolkit.data.readers.read import is_hub_id
from toolkit.data.source import Source
from toolkit.errors import DataError
from toolkit.pipeline.init import languages

if TYPE_CHECKING:
    from datasets import Dataset

OWNERS = frozenset(
    "user users userid author reviewer customer client patient speaker writer worker annotator "
    "session conversation thread dialog document doc doi article product item asin sku store "
    "hotel restaurant drug movie book listing host seller company account device machine site "
    "subject family household".split()
)
"""Words in the names of columns whose rows belong together."""
FEWEST_GROUPS = 30
LARGEST_SHARE = 0.2
"""The share of all rows up to which the rows of one value may be a group."""
LONG_NAME = 40


@dataclass(frozen=True)
class Seen:
    """What a file holds.

    Args:
        path: the file, or a Hub data set.
        source: how it was read.
        dataset: its rows.
        columns: the profiles of its columns.
        repeated: rows that are the same as an earlier one.
        groups: columns whose values could group rows, the likeliest first.
        languages: language → share of the texts.
    """

    path: str
    source: Source
    dataset: Dataset
    columns: Mapping[str, Profile]
    repeated: int
    groups: Sequence[str]
    languages: Mapping[str, float]

    @property
    def rows(self) -> int:
        return len(self.dataset)


def look(path: str, **options: Any) -> Seen:
    """Read a file and look at what it holds.

    Args:
        path: the file, or a Hub data set.
        options: how it is read: ``encoding``, ``header`` and ``sheet`` of :class:`Source`.

    Raises:
        DataError: it cannot be read, or has no rows.
    """
    source = Source(data=path, **options)
    dataset = read(path, source)
    if source.header is None and _headless(path, dataset):
        source = dataclasses.replace(source, header=False)
        source.note("the file has no column names: its columns are named by number")
        dataset = read(path, source)
    if not len(dataset):
        raise DataError(f"{path} holds no rows")
    found = profiles.profiles(dataset, column_names(dataset))
    texts = [profile for profile in found.values() if profile.written and profile.words >= 3]
    longest = max(texts, key=lambda profile: profile.words, default=None)
    return Seen(
        path, source, dataset, found, _repeated(dataset), group_columns(found),
        languages.of(longest.values) if longest else {},
    )  # fmt: skip


def _headless(path: str, dataset: Dataset) -> bool:
    """Whether what was read as the column names of a text file is its first row.

    A name is then a number over numbers, or as long as a sentence.
    """
    suffixes = {suffix.lower() for suffix in Path(path).suffixes}
    if is_hub_id(path) or not suffixes & {".csv", ".tsv", ".tab", ".txt"}:
        return False
    found = profiles.profiles(dataset, column_names(dataset))
    return any(
        (columns.is_number(name) and profile.numbers > 0.9)
        or (len(name) > LONG_NAME and profile.free_text)
        for name, profile in found.items()
    )


def _repeated(dataset: Dataset) -> int:
    names = column_names(dataset)
    seen: set[bytes] = set()
    for row in tables.rows(dataset, names):
        seen.add(hashlib.blake2b(repr([row[n] for n in names]).encode("utf-8", "replace")).digest())
    return len(dataset) - len(seen)


def group_columns(found: Mapping[str, Profile]) -> list[str]:
    """Columns whose values come again, in many small groups; those that are called so go first."""
    fitting = [name for name, profile in found.items() if _groups(profile)]
    return sorted(fitting, key=lambda name: not is_owner(name))


def is_owner(name: str) -> bool:
    """Whether a column is called like something whose rows belong together."""
    words = set(columns.plain(name).split())
    return bool(words & OWNERS)


def _groups(profile: Profile) -> bool:
    rows = len(profile.values)
    if rows < 2 * FEWEST_GROUPS or profile.filled < 0.9 or profile.dates >= 0.5:
        return False
    if profile.numbers > 0.9 and not is_owner(profile.name):
        return False  # a measure, whose values come again by chance
    if profile.words > 6:
        return False
    largest = max(Counter(profile.values).values())
    return FEWEST_GROUPS <= profile.distinct <= 0.8 * rows and largest <= LARGEST_SHARE * rows
