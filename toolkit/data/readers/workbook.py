"""Workbooks (xlsx, xlsm, xlsb, xls, ods) → rows on disk, all columns as text, as of a CSV file.

python-calamine reads them; it comes with the extra ``spreadsheets``. The cells are taken as they
are stored: a number formatted as 80 % is 0.8, and formulas are their last values.
"""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.data.readers.delimited import looks_like_data, unique_names
from toolkit.data.readers.options import Note, ReadOptions
from toolkit.data.tables import BATCH, from_record_batches
from toolkit.errors import DataError, MissingExtra, UsageError, did_you_mean

if TYPE_CHECKING:
    from datasets import Dataset

WORKBOOKS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
LOOKED_AT = 200
"""Rows at the beginning of a sheet in which its column names are looked for."""


def read_workbook(path: Path, options: ReadOptions, note: Note) -> Dataset:
    """The rows of one sheet.

    Above the column names a sheet may have a title: rows with a single cell are skipped there, and
    so are empty rows and columns anywhere.

    Raises:
        MissingExtra: python-calamine is not installed.
        DataError: the file cannot be read, has no rows, or several sheets and none is named.
        UsageError: it has no sheet of that name.
    """
    try:
        import python_calamine as calamine
    except ImportError as error:
        raise MissingExtra(f"reading {path.suffix} files", "spreadsheets") from error
    try:
        with calamine.CalamineWorkbook.from_path(str(path)) as book:
            name = _sheet(path, book, options.sheet)
            rows = (tuple(map(_text, row)) for row in book.get_sheet_by_name(name).iter_rows())
            return _converted(path, rows, options, note)
    except calamine.PasswordError as error:
        raise DataError(f"{path} is protected by a password; save it without one") from error
    except (calamine.CalamineError, OSError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise DataError(f"{path} is not a workbook that can be read: {reason}") from error


def _sheet(path: Path, book: Any, wanted: str | None) -> str:
    """The sheet that is named, or the only one with rows."""
    names = [str(name) for name in book.sheet_names]
    if wanted is not None:
        alike = [name for name in names if name.strip().casefold() == wanted.strip().casefold()]
        if wanted in names or len(alike) == 1:
            return wanted if wanted in names else alike[0]
        if wanted.isdigit() and 1 <= int(wanted) <= len(names):
            return names[int(wanted) - 1]
        raise UsageError(
            f"{path} has no sheet {wanted!r}{did_you_mean(wanted, names)}; its sheets are "
            f"{', '.join(map(repr, names))}"
        )
    sizes = {name: book.get_sheet_by_name(name).height for name in names}
    filled = [name for name, rows in sizes.items() if rows > 1]
    if len(filled) > 1:
        shown = ", ".join(f"{name!r} ({sizes[name]:,} rows)" for name in filled[:8])
        largest = max(filled, key=lambda name: sizes[name])
        raise DataError(f"{path} has several sheets: {shown}; name one, as in --sheet '{largest}'")
    if not filled:
        raise DataError(f"{path} is empty: it holds no rows")
    return filled[0]


def _text(cell: Any) -> str:
    """A cell as a CSV file would have it: whole numbers without a point, dates in ISO form."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, datetime.datetime) and cell.time() == datetime.time():
        return cell.date().isoformat()
    if isinstance(cell, datetime.date | datetime.time):
        return cell.isoformat()
    return "" if cell is None else str(cell)


def _converted(
    path: Path, rows: Iterable[tuple[str, ...]], options: ReadOptions, note: Note
) -> Dataset:
    import pyarrow as pa

    filled = (row for row in rows if any(cell.strip() for cell in row))
    head = list(itertools.islice(filled, LOOKED_AT))
    if not head:
        raise DataError(f"{path} is empty: it holds no rows")
    width = max(map(len, head))
    title = _title_rows(head)
    if title:
        note(f"the first {title} row(s) of {path.name} are a title, and are skipped")
    first, *following = head[title:]
    header = options.header
    if header is None:
        header = not (options.numbered and looks_like_data(first, following))
    names = [str(number) for number in range(1, width + 1)]
    if header:
        names = unique_names(path, _padded(first, width), note)
    data = itertools.chain(following if header else [first, *following], filled)
    schema = pa.schema([*((name, pa.string()) for name in names), ("row_id", pa.int64())])
    dataset = from_record_batches(_batches(data, schema), schema)
    if len(dataset) == 0:
        raise DataError(f"{path} is empty: it holds column names but no rows")
    nameless = [
        name
        for at, name in enumerate(names)
        if header and not _padded(first, width)[at].strip() and not any(dataset[name][:])
    ]
    return dataset.remove_columns(nameless) if nameless else dataset


def _title_rows(head: Sequence[Sequence[str]]) -> int:
    """How many rows with a single cell stand above the first one with several."""
    cells = [sum(bool(cell.strip()) for cell in row) for row in head]
    if max(cells) < 2:
        return 0
    return next(at for at, number in enumerate(cells) if number > 1)


def _padded(row: Sequence[str], width: int) -> list[str]:
    return [*row[:width], *[""] * (width - len(row))]


def _batches(rows: Iterable[Sequence[str]], schema: Any) -> Iterator[Any]:
    import pyarrow as pa

    width, first, left = len(schema.names) - 1, 1, iter(rows)
    while part := list(itertools.islice(left, BATCH)):
        cells = zip(*(_padded(row, width) for row in part), strict=True)
        columns = [pa.array(values, type=pa.string()) for values in cells]
        numbers = pa.array(range(first, first + len(part)), type=pa.int64())
        yield pa.record_batch([*columns, numbers], schema=schema)
        first += len(part)
