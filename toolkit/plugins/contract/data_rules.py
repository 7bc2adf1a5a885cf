"""Rules on a task's rows: how they load, what they hold, and how they are split."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.data.grouping import ROW_GROUP
from toolkit.plugins.contract.checked_task import SAMPLE, Subject, spread
from toolkit.plugins.contract.rule import Broken, Rule, json_problem
from toolkit.task import group_of

if TYPE_CHECKING:
    from datasets import Dataset

SEARCHED = 20_000
"""Rows that are searched for duplicates."""


def rows_load(subject: Subject) -> str:
    """Rows load, and no split is empty."""
    import datasets

    datasets.disable_progress_bars()
    loaded = subject.loaded
    if not isinstance(loaded, datasets.Dataset | datasets.DatasetDict):
        raise Broken(
            f"load_rows returned {type(loaded).__name__}; return a datasets.Dataset, or a "
            "DatasetDict where the source has splits of its own"
        )
    if "train" not in subject.parts:
        raise Broken(f"load_rows gave no train split, only {', '.join(subject.parts) or 'nothing'}")
    for name, rows in subject.parts.items():
        if not len(rows):
            raise Broken(
                f"load_rows gave no rows ({name}); note what was left out, or raise DataError"
            )
    return ", ".join(f"{name}: {len(rows):,} rows" for name, rows in subject.parts.items())


def columns(subject: Subject) -> None:
    """Rows have exactly the declared columns, and ``row_id``."""
    declared = set(subject.task.columns)
    for name, rows in subject.parts.items():
        got = set(rows.column_names) - {"row_id", ROW_GROUP}
        if missing := sorted(declared - got):
            raise Broken(
                f"load_rows gave no column {', '.join(missing)} ({name}), which columns declares"
            )
        if extra := sorted(got - declared):
            raise Broken(
                f"load_rows gave the column {', '.join(extra)} ({name}), which columns does not "
                "declare; declare it or leave it out"
            )


def values(subject: Subject) -> None:
    """No value is missing, and a column is of one type in all splits."""
    for column in subject.task.columns:
        types = {str(rows.features[column]) for rows in subject.parts.values()}
        if len(types) > 1:
            raise Broken(
                f"column {column!r} is of several types in the splits "
                f"({', '.join(sorted(types))}); convert it in load_rows"
            )
    for name, rows in subject.parts.items():
        _check_filled(subject, name, rows)


def _check_filled(subject: Subject, part: str, rows: Dataset) -> None:
    at = 0
    for batch in rows.with_format("arrow").iter(batch_size=1_000):
        for column in subject.task.columns:
            empty = _first_empty(batch.column(column))
            if empty is not None:
                row = rows[at + empty].get("row_id", at + empty + 1)
                raise Broken(
                    f"column {column!r} has no value in row {row} ({part}); leave such rows out "
                    "(source.leave_out) or fill them"
                )
        at += batch.num_rows


def _first_empty(column: Any) -> int | None:
    """The position of the first null or non-finite number; ``None`` if there is none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    filled = pc.is_valid(column)
    if pa.types.is_floating(column.type):
        filled = pc.and_(filled, pc.fill_null(pc.is_finite(column), False))
    at: int = pc.index(filled, False).as_py()
    return at if at >= 0 else None


def row_ids(subject: Subject) -> str | None:
    """Where ``load_rows`` numbers the rows, each has a number of its own, from 1."""
    for name, rows in subject.parts.items():
        if "row_id" not in rows.column_names:
            return "load_rows gives no row_id; rows are numbered in their order"
        ids = rows["row_id"][:]
        if not all(isinstance(number, int) and number > 0 for number in ids):
            raise Broken(f"row_id must be whole numbers from 1 ({name})")
        if len(set(ids)) < len(ids):
            raise Broken(
                f"row_id is not unique ({name}); give each row the number it has in its source"
            )
    return None


def groups(subject: Subject) -> None:
    """A row's group is a text, and the same in each call."""
    for rows in subject.parts.values():
        for row in spread(rows, SAMPLE):
            first, second = subject.task.group(row), subject.task.group(dict(row))
            if not isinstance(first, str):
                raise Broken(f"group returned {type(first).__name__}; return a str")
            if first != second:
                raise Broken(
                    f"group returned {first!r} and then {second!r} for one row; it must depend on "
                    "the row alone"
                )


def duplicates(subject: Subject) -> None:
    """Rows with the same inputs are of one group, so that no input is trained on and tested on.

    That is a rule for the task's own ``group``. Where a column of the file decides (``--group``),
    two groups may share a text, and the splits leave out the row that would be in both.
    """
    from toolkit.data import tables

    names = subject.task.input_columns()
    seen: dict[str, tuple[str, int]] = {}
    for rows in subject.parts.values():
        searched = rows.select(range(min(SEARCHED, len(rows))))
        for number, row in enumerate(tables.rows(searched), 1):
            inputs = repr([row[name] for name in names])
            mine = (subject.task.group(row), row.get("row_id", number))
            other = seen.setdefault(inputs, mine)
            if other[0] != mine[0]:
                raise Broken(
                    f"rows {other[1]} and {mine[1]} have the same inputs ({', '.join(names)}) and "
                    "are of two groups; let group return the inputs' text"
                )


def splits(subject: Subject) -> str:
    """No split is empty, and no group in two of them; challenge rows may be copies of test rows."""
    from toolkit.data import tables
    from toolkit.data.splits import CHALLENGE

    owner: dict[str, str] = {}
    for name, rows in subject.prepared.splits.items():
        if not len(rows):
            raise Broken(f"the split {name} is empty; load more rows, or fewer of one group")
        for row in tables.rows(rows):
            group = group_of(subject.task, row)
            if owner.setdefault(group, name) != name and (owner[group], name) != (
                "test",
                CHALLENGE,
            ):
                raise Broken(
                    f"the group {group[:60]!r} is in {owner[group]} and in {name}; group must "
                    "depend on the row alone"
                )
    return ", ".join(f"{name}: {size:,}" for name, size in subject.prepared.sizes.items())


def repeatable(subject: Subject) -> None:
    """Loading twice gives the same rows."""
    if subject.prepare().fingerprint != subject.prepared.fingerprint:
        raise Broken(
            "loading twice gave different rows, so no run could be resumed or compared; draw with "
            "source.seed, and sort what comes from sets and folders"
        )


def state(subject: Subject) -> None:
    """``fit`` returns JSON values, the same ones every time."""
    train = subject.prepared.splits["train"]
    learned = subject.task.fit(train)
    if not isinstance(learned, dict):
        raise Broken(f"fit returned {type(learned).__name__}; return a dict")
    for name, value in learned.items():
        if problem := json_problem({name: value}):
            raise Broken(
                f"fit: {problem}; its values are stored in run.json, so return plain values"
            )
    if subject.task.fit(train) != learned:
        raise Broken("fit returned other values the second time; it must depend on the rows alone")
    subject.task.load_state({**subject.prepared.found, **learned})


RULES = (
    Rule("rows-load", rows_load, ("registration", "options")),
    Rule("columns", columns, ("rows-load",)),
    Rule("values", values, ("columns",)),
    Rule("row-ids", row_ids, ("rows-load",)),
    Rule("groups", groups, ("columns", "values")),
    Rule("duplicates", duplicates, ("groups", "panel")),
    Rule("splits", splits, ("groups", "row-ids")),
    Rule("repeatable", repeatable, ("splits",)),
    Rule("state", state, ("splits",)),
)
