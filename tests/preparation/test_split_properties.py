"""What holds of the splits of any table, whatever its texts, groups and own splits are.

- No text of a split stands in another one, and no group.
- Every row is in exactly one split, or left out with a reason.
- Sizes are within 2 % of what was asked for, unless it is said that they are not.
- Own splits lose only rows whose text or group stands in a later one.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import datasets
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from data_fixtures import Echo
from toolkit.data import ROW_GROUP, group_key, splits
from toolkit.data.normalization import normalized
from toolkit.data.source import Source
from toolkit.errors import DataError
from toolkit.preparation.prepare import Prepared, prepare
from toolkit.task import group_of

Rows = list[tuple[str, str]]
"""Texts and what their groups share (empty: the text alone)."""
LATER = {"train": ("validation", "test"), "validation": ("test",), "test": ()}


class Tables(Echo):
    """Takes tables from memory, with own splits or without, with a column of groups or without."""

    def __init__(self, tables: dict[str, Rows]) -> None:
        super().__init__()
        self.tables = tables

    def load_rows(self, source: Source) -> Any:
        grouped = any(group for rows in self.tables.values() for _, group in rows)
        if grouped:
            source.group_by("owner")
        made = {name: _dataset(rows, grouped) for name, rows in self.tables.items()}
        return datasets.DatasetDict(made) if len(made) > 1 else made["train"]


def _dataset(rows: Sequence[tuple[str, str]], grouped: bool) -> datasets.Dataset:
    columns: dict[str, list[Any]] = {
        "row_id": list(range(1, len(rows) + 1)),
        "text": [text for text, _ in rows],
        "score": [float(at) for at in range(len(rows))],
    }
    if grouped:
        columns[ROW_GROUP] = [group_key(group) for _, group in rows]
    return datasets.Dataset.from_dict(columns)


@st.composite
def tables(draw: st.DrawFn, least: int, most: int, texts: int = 400) -> Rows:
    """A table: rows with texts from few or many, in any case, in groups that are even or not."""
    random = Random(draw(st.integers(0, 2**32)))
    rows = draw(st.integers(least, most))
    different = draw(st.sampled_from((20, 60, texts)))
    owners = draw(st.sampled_from((0, 3, 40, 200)))
    skewed = draw(st.booleans())

    def one() -> tuple[str, str]:
        at = random.randrange(different)
        text = random.choice((f"thing {at}", f"Thing  {at} ", f"THING {at}", f"Ding nº {at}"))
        owner = min(random.randrange(owners), random.randrange(owners)) if owners else 0
        owner = 0 if skewed and random.random() < 0.3 else owner
        return text, f"owner {owner}" if owners and random.random() < 0.95 else ""

    return [one() for _ in range(rows)]


SETTINGS = settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


TOO_FEW = ("too few", "it takes")
"""How the errors end where a table has too few rows, texts or groups for four splits."""


def prepared_of(given_tables: dict[str, Rows], seed: int) -> tuple[Prepared, Tables]:
    task = Tables(given_tables)
    try:
        return prepare(task, Source(seed=seed)), task
    except DataError as error:
        if not any(part in str(error) for part in TOO_FEW):
            raise
        reject()


def check_splits(found: Prepared, task: Tables) -> None:
    owner: dict[str, str] = {}
    for name, rows in found.splits.items():
        for row in rows.to_list():
            for shared in (normalized(row["text"]), f"group {group_of(task, row)}"):
                assert owner.setdefault(shared, name) == name, f"{shared} is in two splits"


def left_out(found: Prepared, part: str, alone: bool) -> list[int]:
    return [
        row
        for reason, rows in found.left_out.items()
        for row in rows
        if alone or reason.startswith(f"{part}: ")
    ]


def check_sizes(found: Prepared, rows: int, wanted: Sequence[str]) -> None:
    said = " ".join((*found.notes, *found.cautions))
    for name, size in splits.sizes(rows, wanted=tuple(wanted)).items():
        have = found.sizes[name]
        if abs(have - size) > 0.02 * size:
            assert f"{name} {have:,} instead of {size:,}" in said or "left out" in said


@SETTINGS
@given(tables(60, 300), st.integers(0, 5))
def test_splits_that_are_drawn(rows: Rows, seed: int) -> None:
    found, task = prepared_of({"train": rows}, seed)
    check_splits(found, task)
    ids = [n for part in found.splits.values() for n in part["row_id"]]
    assert sorted([*ids, *left_out(found, "train", alone=True)]) == list(range(1, len(rows) + 1))
    if not any(group for _, group in rows):
        assert not found.left_out, "where texts decide, no row is lost"
    check_sizes(found, len(rows), splits.HELD_OUT)


@SETTINGS
@given(tables(80, 200), tables(30, 60), tables(20, 60), st.booleans(), st.integers(0, 5))
def test_own_splits(train: Rows, validation: Rows, test: Rows, three: bool, seed: int) -> None:
    own = {"train": train, **({"validation": validation} if three else {}), "test": test}
    found, task = prepared_of(own, seed)
    check_splits(found, task)
    for name, rows in own.items():
        lost = set(left_out(found, name, alone=False))
        for later in LATER[name]:
            texts = {normalized(text) for text, _ in own.get(later, [])}
            groups = {group for _, group in own.get(later, []) if group}
            lost -= {
                at
                for at, (text, group) in enumerate(rows, 1)
                if normalized(text) in texts or group in groups
            }
        reasons = {
            reason
            for reason, ids in found.left_out.items()
            if reason.startswith(f"{name}: ") and lost & set(ids)
        }
        assert reasons <= {"validation: more rows than are needed"}, f"{name} lost {lost}"
    test_ids = found.splits["test"]["row_id"][:]
    assert test_ids == list(range(1, len(test) + 1)), "test rows are all kept, in their order"
