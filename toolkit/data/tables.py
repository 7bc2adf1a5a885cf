"""Tables on disk, mapped into memory, so that 400,000 rows take no more memory than 400.

Batches are written to an Arrow file in a folder of this process, which is removed when the
process ends, and opened as a ``datasets.Dataset``.
"""

from __future__ import annotations

import functools
import itertools
import tempfile
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa
    from datasets import Dataset

BATCH = 1_000
"""Rows that are Python objects at the same time."""


@functools.cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="toolkit-", ignore_cleanup_errors=True)


@functools.cache
def _numbers() -> Iterator[int]:
    return itertools.count()


def scratch(suffix: str = "") -> Path:
    """A new file name in this process's temporary folder (``TMPDIR`` moves it)."""
    return Path(_folder().name) / f"{next(_numbers())}{suffix}"


def from_record_batches(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Dataset:
    """Write Arrow batches to disk, one after the other, and open them as one dataset."""
    import datasets
    import pyarrow as pa

    datasets.disable_progress_bars()
    path = scratch(".arrow")
    try:
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, schema) as writer:
            for batch in batches:
                writer.write_batch(batch)
    except BaseException as error:
        path.unlink(missing_ok=True)
        if not isinstance(error, OSError):
            raise
        raise DataError(
            f"cannot write a temporary table to {path.parent}: {error.strerror or error}; "
            "make room or name another folder with TMPDIR"
        ) from error
    return datasets.Dataset.from_file(str(path))


def from_batches(
    batches: Iterable[Mapping[str, Sequence[Any]]], types: Mapping[str, str | pa.DataType]
) -> Dataset:
    """A dataset from batches of columns.

    Args:
        batches: column name → values; a few thousand rows each.
        types: column name → Arrow type, or its name: ``"string"``, ``"int64"``, ``"float64"``.
    """
    import pyarrow as pa

    schema = pa.schema(
        [(n, pa.type_for_alias(k) if isinstance(k, str) else k) for n, k in types.items()]
    )
    return from_record_batches(
        (
            pa.record_batch(
                [pa.array(batch[name], type=schema.field(name).type) for name in schema.names],
                schema=schema,
            )
            for batch in batches
        ),
        schema,
    )


def from_rows(rows: Iterable[Mapping[str, Any]], types: Mapping[str, str | pa.DataType]) -> Dataset:
    """A dataset from rows, of which one batch at a time is in memory.

    Args:
        rows: each with a value for every column.
        types: as :func:`from_batches` takes them.
    """
    left = iter(rows)
    parts = iter(lambda: list(itertools.islice(left, BATCH)), [])
    return from_batches(({n: [row[n] for row in part] for n in types} for part in parts), types)


def batches(dataset: Dataset, columns: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
    """A dataset as batches of columns of Python values: ``{"text": […], "price": […]}``."""
    chosen = dataset if columns is None else dataset.select_columns(list(columns))
    for table in chosen.with_format("arrow").iter(batch_size=BATCH):
        yield table.to_pydict()


def rows(dataset: Dataset, columns: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
    """A dataset row by row, decoded a batch at a time (ten times as fast as iterating it)."""
    chosen = dataset if columns is None else dataset.select_columns(list(columns))
    for table in chosen.with_format("arrow").iter(batch_size=BATCH):
        yield from table.to_pylist()


def mapped(rows: Dataset, function: Any, **keywords: Any) -> Dataset:
    """``rows.map(function)``, computed anew at each call.

    ``datasets`` would otherwise pickle the function to look for a cached result. Of a method that
    pickles the whole model, which takes twice its size for a moment.
    """
    fingerprint = uuid.uuid4().hex[:16]
    return rows.map(function, load_from_cache_file=False, new_fingerprint=fingerprint, **keywords)
