"""Predictions as files: JSON lines, CSV, Parquet; written atomically, with one row in memory."""

from __future__ import annotations

import contextlib
import csv
import itertools
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from toolkit.errors import UsageError
from toolkit.formatting import spreadsheet_cell
from toolkit.runs.files import jsonl

Answers = Callable[[], Iterable[Mapping[str, Any]]]
"""Gives the predictions, from the first one on, as often as it is called."""

BATCH = 1_000
"""Rows that a Parquet file takes at a time."""


@contextlib.contextmanager
def _replacing(out: Path) -> Iterator[Path]:
    """A path beside a file that takes its place when all is written."""
    temporary = out.with_name(f".{out.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(out)
    finally:
        temporary.unlink(missing_ok=True)


def to_jsonl(answers: Answers, out: Path) -> None:
    """One JSON object a line."""
    with _replacing(out) as path, path.open("wb") as file:
        for answer in answers():
            file.write(jsonl([answer]))


def to_csv(answers: Answers, out: Path) -> None:
    """One row each; values that are no text and no number are JSON."""
    with _replacing(out) as path, path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, _names(answers), restval="")
        writer.writeheader()
        for answer in answers():
            flat = {name: _flat(value) for name, value in answer.items()}
            writer.writerow(
                {n: spreadsheet_cell(v) if isinstance(v, str) else v for n, v in flat.items()}
            )


def to_parquet(answers: Answers, out: Path) -> None:
    """A column each; predictions are numbers where all of them are, and JSON where some are not."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = _types(pa, answers)
    schema = pa.schema(list(types.items()))
    with _replacing(out) as path, pq.ParquetWriter(path, schema) as writer:
        left = iter(answers())
        while rows := list(itertools.islice(left, BATCH)):
            writer.write_batch(
                pa.RecordBatch.from_pydict(
                    {name: [_as(row.get(name), types[name]) for row in rows] for name in types},
                    schema=schema,
                )
            )


FORMATS: Mapping[str, Callable[[Answers, Path], None]] = {
    ".jsonl": to_jsonl,
    ".csv": to_csv,
    ".parquet": to_parquet,
}
"""The ending of a file's name → how predictions are written to it."""


def write(answers: Answers, out: Path) -> None:
    """Write predictions in the format that the ending of a name stands for.

    Raises:
        UsageError: the name has another ending, or the file cannot be written.
    """
    check_name(out)
    try:
        FORMATS[out.suffix.lower()](answers, out)
    except OSError as error:
        raise UsageError(f"cannot write {out}: {error.strerror or error}") from error


def check_name(out: Path) -> None:
    """Raise :class:`UsageError` where a name stands for no format, or has no folder."""
    if not out.parent.is_dir():
        raise UsageError(f"cannot write {out}: there is no folder {out.parent}")
    if out.suffix.lower() not in FORMATS:
        raise UsageError(f"--out {out}: name a file that ends in {', '.join(FORMATS)}")


def _names(answers: Answers) -> list[str]:
    return list(dict.fromkeys(name for answer in answers() for name in answer))


def _types(pa: Any, answers: Answers) -> dict[str, Any]:
    """Name → Arrow type, which fits all values."""
    kinds: dict[str, set[type]] = {}
    for answer in answers():
        for name, value in answer.items():
            kinds.setdefault(name, set()).add(type(value))
    types = {}
    for name, found in kinds.items():
        found.discard(type(None))
        if found == {bool}:
            types[name] = pa.bool_()
        elif found == {int}:
            types[name] = pa.int64()
        elif found and found <= {int, float}:
            types[name] = pa.float64()
        else:
            types[name] = pa.string()
    return types


def _as(value: Any, kind: Any) -> Any:
    if value is None or isinstance(value, str) or str(kind) != "string":
        return value
    return json.dumps(value, ensure_ascii=False)


def _flat(value: Any) -> Any:
    """A value of one cell: JSON where it is neither a text nor a number."""
    if value is None or isinstance(value, str | int | float):
        return value
    return json.dumps(value, ensure_ascii=False)
