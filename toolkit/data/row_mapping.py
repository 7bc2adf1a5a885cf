"""Rows of files → rows of a task: the one way in which every task loads its data.

:func:`load_rows` finds the files (the user's, with their own splits, or the task's own) and
converts each. :func:`map_rows` converts one: a task gives it a function from a row of the file to a
row of the task, which raises :class:`Unusable` for a row that cannot be used. :func:`map_inputs`
does the same for rows whose answer is to be predicted.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from toolkit.data import columns, grouping, tables
from toolkit.data.columns import Rendering
from toolkit.data.load import column_names, read, read_splits
from toolkit.data.source import Source
from toolkit.errors import DataError, UsageError

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

Decision = TypeVar("Decision")

RowIds = Mapping[str, Sequence[int]]
"""Reason → the numbers of the rows that were left out for it."""

ARROW = {bool: "bool", int: "int64", float: "float64", str: "string"}
"""Python types of values → Arrow's names of these types."""


class Unusable(Exception):
    """A row that cannot be used; the message is the reason, in a few words ("no price")."""


@dataclass(frozen=True)
class OwnData:
    """The rows that come with a task, used where the user names no data.

    Args:
        path: the file.
        synthetic: whether the rows are generated.
    """

    path: Path
    synthetic: bool = False


# -- files ---------------------------------------------------------------------------------------


def load_rows(
    source: Source,
    convert: Callable[[Source, Dataset], Dataset],
    own: Callable[[], OwnData] | None = None,
) -> Dataset | DatasetDict:
    """The user's rows or the task's own, each file converted.

    Args:
        source: the data options of the command line.
        convert: (source, a file's rows) → the task's rows; this source receives notes and the rows
            that are left out. It is called for the training rows first.
        own: finds the task's own rows; it may raise :class:`DataError` where there are none.
            ``None``: the user must name data.
    """
    if source.given or own is None:
        return read_splits(source, lambda dataset: convert(source, dataset))
    data = own()
    source.synthetic = data.synthetic
    source.note(
        f"the data are the task's own{', and made up' if data.synthetic else ''} "
        f"({data.path.name}; name others with --data)"
    )
    # The task's author has chosen the columns of this file, so notes about them are not passed on.
    quiet = Source(text=source.text, target=source.target, group=source.group)
    rows = convert(quiet, read(data.path, quiet))
    source.chosen = quiet.chosen
    source.grouped_by = quiet.grouped_by
    for reason, row_ids in quiet.left_out.items():
        source.leave_out(reason, row_ids)
    return rows


def for_all_files(
    decide: Callable[[Source, Dataset], Decision],
) -> Callable[[Source, Dataset], Decision]:
    """Make a decision, such as which columns to read, on the first file and reuse it for all.

    Args:
        decide: (source, a file's rows) → the decision.

    Returns:
        A function of the same arguments that calls ``decide`` the first time only.
    """
    made: list[Decision] = []

    def decided(source: Source, dataset: Dataset) -> Decision:
        if not made:
            made.append(decide(source, dataset))
        return made[0]

    return decided


# -- rows ----------------------------------------------------------------------------------------


def nothing_left(left_out: RowIds) -> DataError:
    """The error for a file of which no row can be used."""
    reasons = ", ".join(f"{why} ({len(ids):,})" for why, ids in left_out.items())
    return DataError(f"no row can be used: {reasons or 'there are none'}")


def map_rows(
    source: Source,
    dataset: Dataset,
    make: Callable[[dict[str, Any]], Mapping[str, Any] | None],
    types: Mapping[str, Any],
    *,
    needed: Sequence[str] | None = None,
    nothing_left: Callable[[RowIds], DataError] = nothing_left,
) -> Dataset:
    """A file's rows as the task's rows with their ``row_id``; a batch is in memory at a time.

    Args:
        source: receives the numbers of the rows that are left out, by reason.
        dataset: the file's rows.
        make: a row of the file → the task's columns. It raises :class:`Unusable` for a row to be
            left out, and returns ``None`` for a row that an earlier one already represents.
        types: the task's columns → their Arrow types or the types' names; ``None``: the type of
            the first value.
        needed: the file's columns that ``make`` reads; all by default.
        nothing_left: the error to raise where no row can be used.
    """
    left_out: dict[str, list[int]] = {}
    source.count_read(len(dataset))
    if (group := grouping.asked(source, column_names(dataset))) is not None:
        types = {**types, grouping.ROW_GROUP: "string"}
        make = _grouped(make, *group)
        needed = None if needed is None else [*needed, group[0]]
    batches = _mapped(dataset, make, list(types), needed, left_out)
    first = next(batches, None)
    known = {
        name: kind or (_arrow_type(first[name]) if first else "string")
        for name, kind in types.items()
    }
    rows = tables.from_batches(
        itertools.chain([first] if first else [], batches), {"row_id": "int64", **known}
    )
    for reason, row_ids in left_out.items():
        source.leave_out(reason, row_ids)
    if not len(rows):
        raise nothing_left(left_out)
    return rows


def _grouped(
    make: Callable[[dict[str, Any]], Mapping[str, Any] | None],
    column: str,
    key: Callable[[Any], str],
) -> Callable[[dict[str, Any]], Mapping[str, Any] | None]:
    """What ``make`` gives, with the group that ``--group`` asks for."""

    def made(row: dict[str, Any]) -> Mapping[str, Any] | None:
        values = make(row)
        return None if values is None else {**values, grouping.ROW_GROUP: key(row[column])}

    return made


def _arrow_type(values: Sequence[Any]) -> str:
    """The Arrow type of the values of a batch; the first row alone may mislead (1, then 2.5)."""
    kinds = {type(value) for value in values if value is not None}
    if kinds == {int, float}:
        return "float64"
    return ARROW.get(kinds.pop(), "string") if len(kinds) == 1 else "string"


def _mapped(
    dataset: Dataset,
    make: Callable[[dict[str, Any]], Mapping[str, Any] | None],
    names: Sequence[str],
    needed: Sequence[str] | None,
    left_out: dict[str, list[int]],
) -> Iterator[dict[str, list[Any]]]:
    """Batches of columns, each with at least one row; fills ``left_out``."""
    read_columns = None if needed is None else list(dict.fromkeys(("row_id", *needed)))
    for batch in tables.batches(dataset, read_columns):
        kept: dict[str, list[Any]] = {name: [] for name in ("row_id", *names)}
        for values in zip(*batch.values(), strict=True):
            row = dict(zip(batch, values, strict=True))
            try:
                made = make(row)
            except Unusable as reason:
                left_out.setdefault(str(reason), []).append(row["row_id"])
                continue
            if made is not None:
                kept["row_id"].append(row["row_id"])
                for name in names:
                    kept[name].append(made[name])
        if kept["row_id"]:
            yield kept


# -- rows to predict -----------------------------------------------------------------------------


def map_inputs(
    source: Source,
    names: Sequence[str],
    maker: Callable[[Dataset], Callable[[dict[str, Any]], Mapping[str, Any]]],
) -> Dataset:
    """The rows of ``--data`` with ``row_id`` and the input columns, to be predicted.

    Args:
        source: names the file.
        names: the task's input columns, which hold text.
        maker: the file's rows → a function from a row to the input columns, which may raise
            :class:`Unusable`; here such a row is an error, because every row gets a prediction.
    """
    if source.data is None:
        raise UsageError("name a file of rows to predict with --data")
    dataset = read(source.data, source)
    make = maker(dataset)

    def converted() -> Iterator[dict[str, Any]]:
        for row in tables.rows(dataset):
            try:
                yield {"row_id": row["row_id"], **make(row)}
            except Unusable as reason:
                raise DataError(f"{source.data}: row {row['row_id']}: {reason}") from reason

    return tables.from_rows(converted(), {"row_id": "int64", **dict.fromkeys(names, "string")})


def read_inputs(
    source: Source, names: Sequence[str], held: Mapping[str, Rendering] | None = None
) -> Dataset:
    """Rows to predict: from the columns of ``--text``, those used in training, or by name.

    Args:
        source: names the file, and with ``--text`` its columns for a task with one input.
        names: the task's input columns.
        held: how each of them was made in training; used where the file has those columns.
    """
    return map_inputs(source, names, lambda dataset: by_columns(source, dataset, names, held))


def by_columns(
    source: Source,
    dataset: Dataset,
    names: Sequence[str],
    held: Mapping[str, Rendering] | None = None,
) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """A function that makes the input columns of a row, see :func:`read_inputs`."""
    available = column_names(dataset)
    if not source.text and held and _covers(held, names, available):
        shown = {name: held[name] for name in names}
    elif source.text and len(names) == 1:
        shown = {names[0]: columns.rendering(available, source.text)}
    else:
        shown = {name: Rendering((columns.resolve(available, name, name),)) for name in names}
    return lambda row: {name: render(row) for name, render in shown.items()}


def _covers(held: Mapping[str, Rendering], names: Sequence[str], available: Sequence[str]) -> bool:
    return all(name in held and set(held[name].columns) <= set(available) for name in names)
