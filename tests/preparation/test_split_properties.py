"""What holds of the splits of any table, whatever its texts, groups and own splits are.

- No text of a split stands in another one, and no group.
- Every row is in exactly one split, or left out with a reason.
- Sizes are within 2 % of what was asked for, unless it is said that they are not.
- Own splits lose only rows whose text or group stands in a later one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random
from typing import Any

import datasets
from hypothesis import HealthCheck, Phase, given, reject, settings
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
LATER_SPLITS = {
    "train": ("validation", "calibration", "test"), "validation": ("calibration", "test"),
    "test": (),
}  # fmt: skip
SPARE = "validation: more rows than are needed"
SHARED = "text of another group is in a later split"
"""Reasons for which rows are left out."""


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
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),  # a table of a seed can hardly be made smaller
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


def lost_of(found: Prepared, part: str, alone: bool) -> list[int]:
    """The numbers of the rows of a file that are left out; a row may be left out once."""
    return [
        row
        for reason, rows in found.left_out.items()
        for row in rows
        if alone or reason.startswith(f"{part}: ")
    ]


def kept_of(found: Prepared, splits_of_file: Sequence[str]) -> list[int]:
    return [n for name in splits_of_file for n in found.splits[name]["row_id"]]


def check_sizes(found: Prepared, rows: int, wanted: Sequence[str]) -> None:
    """Sizes are within 2 % of what was asked, or said, but for rows that are left out and said."""
    said = " ".join((*found.notes, *found.cautions))
    shared = [n for reason, n in found.left_out.items() if reason.endswith(SHARED)]
    lost = sum(map(len, shared))
    assert not lost or f"{lost:,} rows have the text of a row in a later split" in said
    for name, size in splits.sizes(rows, wanted=tuple(wanted)).items():
        told = re.search(rf"{name} ([\d,]+) instead of {size:,}", said)
        drawn = int(told[1].replace(",", "")) if told else size
        assert -lost <= found.sizes[name] - drawn + (0 if told else 0.02 * size)
        assert found.sizes[name] - drawn <= (0 if told else 0.02 * size)


@SETTINGS
@given(tables(60, 300), st.integers(0, 5))
def test_splits_that_are_drawn(rows: Rows, seed: int) -> None:
    found, task = prepared_of({"train": rows}, seed)
    check_splits(found, task)
    ids = kept_of(found, list(found.splits))
    assert sorted([*ids, *lost_of(found, "train", alone=True)]) == list(range(1, len(rows) + 1))
    if not any(group for _, group in rows):
        assert not found.left_out, "where texts decide, no row is lost"
    for reason, ids in found.left_out.items():
        assert reason == SHARED
        check_lost(found, task, rows, ids, LATER_SPLITS["train"])
    check_sizes(found, len(rows), splits.HELD_OUT)


def own_group(text: str, group: str) -> str:
    return group_key(group) or normalized(text)


def check_lost(
    found: Prepared,
    task: Tables,
    rows: Rows,
    lost: Sequence[int],
    later: Sequence[str],
    more: Sequence[tuple[str, str]] = (),
) -> None:
    """Rows are lost for their whole text or their group alone, which stands in a later split.

    Args:
        more: rows of a later file that were drawn for its splits and then left out.
    """
    held = [row for name in later for row in found.splits[name]]
    texts = {normalized(row["text"]) for row in held}
    groups = {group_of(task, row) for row in held} | {own_group(*row) for row in more}
    for at in lost:
        text, group = rows[at - 1]
        own = own_group(text, group)
        assert normalized(text) in texts or own in groups, f"row {at} ({text}, {group}) is lost"


@SETTINGS
@given(tables(80, 200), tables(30, 60), tables(20, 60), st.booleans(), st.integers(0, 5))
def test_own_splits(train: Rows, validation: Rows, test: Rows, three: bool, seed: int) -> None:
    own = {"train": train, **({"validation": validation} if three else {}), "test": test}
    found, task = prepared_of(own, seed)
    check_splits(found, task)
    of_files = {
        "train": ("train",) if three else ("train", "validation", "calibration"),
        "validation": ("validation", "calibration"), "test": ("test",),
    }  # fmt: skip
    unneeded = found.left_out.get(SPARE, [])
    drawn = [*unneeded, *found.left_out.get(f"validation: {SHARED}", [])]
    more = [validation[at - 1] for at in drawn]
    for name, rows in own.items():
        lost = lost_of(found, name, alone=False)
        assert sorted([*kept_of(found, of_files[name]), *lost]) == list(range(1, len(rows) + 1))
        if name == "validation":
            check_lost(found, task, rows, sorted(set(lost) - set(unneeded)), LATER_SPLITS[name])
        else:
            check_lost(found, task, rows, lost, LATER_SPLITS[name], more)
    assert found.splits["test"]["row_id"][:] == list(range(1, len(test) + 1)), "test rows all stay"
    if not three:
        seen = sum(len(n) for why, n in found.left_out.items() if why.endswith("is in test too"))
        check_sizes(found, len(train) - seen, ("validation", "calibration"))


def test_a_group_is_not_lost_for_a_row_that_is_left_out_itself() -> None:
    """Its validation row has the text of a test row, so nothing of the group is held out."""
    train = [(f"train {n}", f"owner {n % 40}") for n in range(200)]
    validation = [(f"other {n}", f"someone {n}") for n in range(40)] + [("test 0", "owner 1")]
    test = [(f"test {n}", f"else {n}") for n in range(30)]
    found, _ = prepared_of({"train": train, "validation": validation, "test": test}, 0)
    assert {why: len(rows) for why, rows in found.left_out.items()} == {
        "validation: text is in test too": 1
    }
