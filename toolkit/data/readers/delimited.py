"""CSV and TSV files from any source: streamed, checked row by row, all columns as text.

Python's ``csv`` module is used rather than Arrow's reader: it accepts rows of any size, and knows
the number of a wrong row. 400,000 rows take a few seconds with either.
"""

from __future__ import annotations

import contextlib
import csv
import itertools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from toolkit.data.readers.encoding import (
    END,
    REPLACED,
    UNREADABLE,
    Lines,
    encoding_of,
    open_text,
    other_encoding,
)
from toolkit.data.readers.options import Note, ReadOptions
from toolkit.data.readers.readable import distinct_names
from toolkit.data.tables import BATCH, from_record_batches
from toolkit.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa
    from datasets import Dataset

BATCH_CHARACTERS = 16 << 20
LONGEST_VALUE = 1 << 30
NEARLY_ALL = 0.9
DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_SEP = re.compile(r'"?sep=(.)"?[\r\n]*', re.IGNORECASE)
"""The line by which Excel is told what separates the values; it is no row."""
_ESCAPED_QUOTE = re.compile(r'(?<!\\)((?:\\\\)*)\\"')
"""A quote after an odd number of backslashes."""


class Layout(NamedTuple):
    """How a file is to be split into values.

    Args:
        encoding: of its text.
        delimiter: what separates the values of a row.
        quotes: whether values may stand in quotes.
        strict: whether a quote within a value must be doubled, or escaped.
        escaped: whether a quote within a value may have a backslash before it.
        skipped: lines before the first row, such as ``sep=;``.
    """

    encoding: str
    delimiter: str
    quotes: bool = True
    strict: bool = False
    escaped: bool = False
    skipped: int = 0

    def reader(self, lines: Iterator[str]) -> Any:
        """The records in all lines of a file."""
        return self.records(itertools.islice(lines, self.skipped, None))

    def records(self, lines: Iterator[str]) -> Any:
        """The records in some lines, none of which is to be skipped."""
        return csv.reader(
            map(_doubled, lines) if self.escaped else lines,
            delimiter=self.delimiter,
            quoting=csv.QUOTE_MINIMAL if self.quotes else csv.QUOTE_NONE,
            strict=self.strict,
        )


def _doubled(line: str) -> str:
    """A line whose escaped quotes are doubled, as the reader of records takes them."""
    return _ESCAPED_QUOTE.sub(r'\1""', line) if '\\"' in line else line


class _BadRow(DataError):
    """A row that does not fit the layout; ``row`` tells how far the file could be read."""

    def __init__(self, message: str, row: int) -> None:
        super().__init__(message)
        self.row = row


def wrong_encoding(path: Path, error: UnicodeError, layout: Layout) -> DataError:
    """The error for an undecodable byte, with its row and column (reads the file once more)."""
    place = ""
    with open_text(path, layout.encoding, errors="replace") as file:
        reader = layout._replace(strict=False).reader(iter(file))
        with contextlib.suppress(csv.Error):
            header: list[str] = next(reader, [])
            if any(REPLACED in name for name in header):
                place = "the first line"
            for row, values in enumerate(() if place else filter(None, reader), start=1):
                bad = [at for at, value in enumerate(values) if REPLACED in value]
                if bad:
                    name = header[bad[0]] if bad[0] < len(header) else str(bad[0] + 1)
                    place = f"row {row} (line {reader.line_num}), column {name!r}"
                    break
    byte = ""
    if isinstance(error, UnicodeDecodeError) and error.start < len(error.object):
        byte = f" holds the byte 0x{error.object[error.start]:02x}, which"
    return DataError(
        f"{path}: {place or 'the file'}{byte} is not {layout.encoding.removesuffix('-sig')}; "
        f"{other_encoding(path, layout.encoding)}"
    )


def read_delimited(path: Path, options: ReadOptions, note: Note, delimiter: str | None) -> Dataset:
    """Rows of a CSV or TSV file, all columns as text, plus ``row_id``.

    Args:
        path: the file.
        options: its encoding, and whether it has a header.
        note: receives a sentence for each decision made for the user.
        delimiter: a tab for TSV; ``None``: detected among commas, semicolons, tabs and bars.

    Raises:
        DataError: the file is empty, broken or in another encoding; names the row.
    """
    encoding = encoding_of(path, options.encoding)
    before = csv.field_size_limit(LONGEST_VALUE)
    try:
        named = _named_delimiter(path, encoding)
        skipped = 0 if named is None else 1
        escaped = _has_escaped_quotes(path, encoding)
        if named is not None:
            note(f"the first line of {path.name} says what separates its values: {named!r}")
        elif delimiter is None:
            delimiter = _find_delimiter(path, encoding, escaped)
            if delimiter != ",":
                note(f"{path.name} is separated by {DELIMITERS[delimiter]}")
        delimiter = named or delimiter or ","
        plain = Layout(encoding, delimiter, skipped=skipped)
        layouts = [plain]
        if delimiter == "\t":
            # In tab-separated text a quote is often just a character. It counts as a quote only
            # where the whole file parses that way, strictly and into rows of equal width.
            layouts = [plain._replace(strict=True), plain._replace(quotes=False)]
        if escaped:
            # A backslash may also be the last letter of a value, as in "C:\\". It escapes a quote
            # only where the file does not parse strictly without that, and does with it.
            unescaped = plain._replace(strict=True, escaped=True)
            layouts = [plain._replace(strict=True), unescaped, *layouts]
        return _first_that_fits(path, options, note, layouts)
    finally:
        csv.field_size_limit(before)


def _first_that_fits(
    path: Path, options: ReadOptions, note: Note, layouts: Sequence[Layout]
) -> Dataset:
    failures: list[_BadRow] = []
    for layout in layouts:
        notes: list[str] = []
        try:
            dataset = _convert(path, options, notes.append, layout)
            if layout.escaped:
                notes.append(f"quotes within the values of {path.name} have backslashes before "
                             "them and are read that way")  # fmt: skip
            for sentence in notes:
                note(sentence)
            return dataset
        except _BadRow as error:
            failures.append(error)
        except UnicodeError as error:
            raise wrong_encoding(path, error, layout) from error
    # the layout that reads furthest is most likely the right one
    raise max(failures, key=lambda failure: failure.row)


def _peek(path: Path, layout: Layout, records: int) -> list[list[str]]:
    """The first records, up to an error and without checking their widths."""
    with open_text(path, layout.encoding, errors="replace") as file:
        found: list[list[str]] = []
        with contextlib.suppress(csv.Error, UnicodeError):
            reader = layout._replace(strict=False).reader(iter(file))
            found.extend(itertools.islice(filter(None, reader), records))
        return found


def _find_delimiter(path: Path, encoding: str, escaped: bool) -> str:
    """The delimiter that cuts the first rows into equally many columns; a comma where unsure."""
    for unescaped in (False, True) if escaped else (False,):
        for delimiter in DELIMITERS:
            rows = _peek(path, Layout(encoding, delimiter, escaped=unescaped), 20)
            widths = {len(row) for row in rows}
            if rows and _ends_in_delimiters(rows[0], rows[1:]):
                widths = {len(rows[0])}
            if len(widths) == 1 and widths != {1}:
                return delimiter
    return ","


def _named_delimiter(path: Path, encoding: str) -> str | None:
    """What the line ``sep=;`` at the beginning says; ``None``: there is no such line."""
    with open_text(path, encoding, errors="replace") as file, contextlib.suppress(OSError):
        found = _SEP.fullmatch(file.readline(20))
        return found[1] if found and found[1] not in '\r\n"' else None
    return None


def _has_escaped_quotes(path: Path, encoding: str) -> bool:
    """Whether a backslash stands before a quote anywhere in a file that can be read so far."""
    with open_text(path, encoding, errors="replace") as file, contextlib.suppress(*UNREADABLE):
        return any('\\"' in line for line in file)
    return False


def _ends_in_delimiters(first: Sequence[str], following: Sequence[Sequence[str]]) -> bool:
    """Whether nearly all rows have a delimiter more than the first, and nothing behind it."""
    more = len(first) + 1
    ended = sum(len(row) == more and not row[-1].strip() for row in following)
    return bool(following) and ended >= NEARLY_ALL * len(following)


def looks_like_data(first: Sequence[str], following: Sequence[Sequence[str]]) -> bool:
    """Whether a file's first row holds data rather than the names of the columns.

    It does where a value is empty, a number or a sentence, or occurs again in its column.

    Args:
        first: the values of the first row.
        following: the values of the rows after it.
    """
    for at, value in enumerate(first):
        if not value.strip() or len(value) > 50 or len(value.split()) > 5 or _is_number(value):
            return True
        if sum(at < len(row) and row[at] == value for row in following) > 1:
            return True
    return False


def _is_number(value: str) -> bool:
    with contextlib.suppress(ValueError):
        float(value)
        return True
    return False


class _Columns(NamedTuple):
    """The columns of a file.

    Args:
        names: one for each.
        header: whether the file's first row holds them.
        ended: whether each row ends in a delimiter, behind which there is nothing.
    """

    names: list[str]
    header: bool
    ended: bool


def _columns(path: Path, options: ReadOptions, note: Note, layout: Layout) -> _Columns:
    first, *following = _peek(path, layout, 200) or [[]]
    if not any(value.strip() for value in first):
        raise DataError(f"{path} is empty: it holds no rows")
    header = options.header
    if header is None:
        header = not (options.numbered and looks_like_data(first, following))
        if options.numbered:
            what = "column names" if header else "data, so its columns are numbered"
            note(f"the first row of {path.name} is read as {what} (--header, --no-header)")
    if not header:
        return _Columns([str(number) for number in range(1, len(first) + 1)], False, False)
    ended = _ends_in_delimiters(first, following)
    if ended:
        note(f"the rows of {path.name} end in {layout.delimiter!r}, behind which there is nothing")
    return _Columns(unique_names(path, first, note), True, ended)


def unique_names(path: Path, header: Sequence[str], note: Note) -> list[str]:
    """Header cells as column names: not empty, unique, and not ``row_id``, which is added."""
    named = (" ".join(cell.split()) or f"column {n}" for n, cell in enumerate(header, start=1))
    return distinct_names(path.name, named, note)


def _convert(path: Path, options: ReadOptions, note: Note, layout: Layout) -> Dataset:
    import pyarrow as pa

    columns = _columns(path, options, note, layout)
    schema = pa.schema([*((name, pa.string()) for name in columns.names), ("row_id", pa.int64())])
    with open_text(path, layout.encoding) as file:
        batches = _batches(path, layout, Lines(path, file), schema, columns)
        dataset = from_record_batches(batches, schema)
    if len(dataset) == 0:
        raise DataError(f"{path} is empty: it holds column names but no rows")
    return dataset


def _batches(
    path: Path, layout: Layout, lines: Lines, schema: pa.Schema, columns: _Columns
) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    def batch(pending: list[list[str]], last: int) -> pa.RecordBatch:
        columns = [pa.array(values, type=pa.string()) for values in zip(*pending, strict=True)]
        numbers = pa.array(range(last - len(pending) + 1, last + 1), type=pa.int64())
        return pa.record_batch([*columns, numbers], schema=schema)

    pending: list[list[str]] = []
    flushed = row = 0
    for row, values in _checked(path, layout, lines, columns):
        pending.append(values)
        if len(pending) == BATCH or lines.characters - flushed > BATCH_CHARACTERS:
            yield batch(pending, row)
            pending, flushed = [], lines.characters
    if pending:
        yield batch(pending, row)


def _checked(
    path: Path, layout: Layout, lines: Lines, columns: _Columns
) -> Iterator[tuple[int, list[str]]]:
    """Numbered rows of the right width; counts the others and refuses the file at its end."""
    reader, width, header = layout.reader(iter(lines)), len(columns.names), columns.header
    ragged: list[tuple[int, str]] = []
    wrong = 0
    row = -1 if header else 0
    line = opened = 1 + layout.skipped
    closed = False
    try:
        for values in reader:
            opened, last = line, reader.line_num + layout.skipped
            if last > line and lines.pending[-1] != END:
                _check_quotes(layout, lines.pending[-1 - last + line :])
            lines.pending.clear()
            if columns.ended and len(values) == width + 1 and not values[-1].strip():
                values.pop()
            if values == [END]:
                closed = True
            elif values:
                row += 1
                if row == 0:
                    pass  # the names, which _columns has read
                elif len(values) == width:
                    if not wrong:
                        yield row, values
                else:
                    wrong += 1
                    if len(ragged) < 5:
                        ragged.append((row, _ragged(row, line, last, len(values))))
            line = last + 1
    except csv.Error as error:
        raise _BadRow(
            f"{path}: row {row + 1} (from line {line} on) cannot be read: {error}; is a quote left "
            "open there?",
            row,
        ) from error
    if not closed:
        raise _BadRow(
            f"{path}: a quote is opened in row {row} (from line {opened} on) and never closed; "
            "close it, or double the quotes that belong to the text",
            row,
        )
    if wrong:
        raise _ragged_error(path, layout, width, header, ragged, wrong)


def _check_quotes(layout: Layout, lines: Sequence[str]) -> None:
    """Parse a value of several lines strictly: a stray quote would swallow rows unnoticed."""
    for _ in layout._replace(strict=True).records(iter(lines)):
        pass


def _ragged(row: int, first: int, last: int, columns: int) -> str:
    lines = f"line {first}" if last == first else f"lines {first}–{last}, is a quote left open?"
    return f"row {row} ({lines}) has {columns} column{'' if columns == 1 else 's'}"


def _ragged_error(
    path: Path, layout: Layout, width: int, header: bool, ragged: list[tuple[int, str]], wrong: int
) -> _BadRow:
    others = ""
    if wrong > 1:
        rows = ", ".join(str(row) for row, _ in ragged) + (", …" if wrong > len(ragged) else "")
        others = f" ({wrong:,} rows do not fit: {rows})"
    what = "its header names" if header else "its first row has"
    quote = f"; put values that hold {layout.delimiter!r} in quotes" if layout.quotes else ""
    return _BadRow(
        f"{path}: {ragged[0][1]}, {what} {width}{others}; correct or remove these rows{quote}",
        ragged[0][0],
    )
