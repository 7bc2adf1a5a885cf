"""Files and Hub data sets → rows on disk (``datasets.Dataset``), each with its number.

Every reader adds ``row_id``: the number of the data row in its source, from 1. A header is not a
data row. Errors name the file and the row.
"""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.data.readers import archive
from toolkit.data.readers.delimited import read_delimited
from toolkit.data.readers.encoding import compression
from toolkit.data.readers.json_rows import read_json, read_json_lines
from toolkit.data.readers.options import Note, ReadOptions
from toolkit.data.readers.readable import distinct_names
from toolkit.data.readers.workbook import WORKBOOKS, read_workbook
from toolkit.data.tables import BATCH, from_record_batches
from toolkit.errors import DataError, did_you_mean

if TYPE_CHECKING:
    import pyarrow as pa
    from datasets import Dataset, DatasetDict

FORMATS = (".csv", ".tsv", ".tab", ".json", ".jsonl", ".ndjson", ".parquet", *WORKBOOKS)
"""The endings of files that are read; text files also with that of a compression behind them."""
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+(:[\w.-]+)?")
_VALIDATION_NAMES = ("validation", "valid", "val", "dev")


def is_hub_id(path: str | Path) -> bool:
    """Whether a name is that of a Hub data set: ``owner/name``, and no path on this machine."""
    name = str(path)
    return (
        _HUB_ID.fullmatch(name) is not None
        and _format(Path(name)) not in FORMATS
        and not Path(name).exists()
        and not Path(name).parent.exists()
    )


def _format(path: Path) -> str:
    """The suffix of the format: ``.csv`` of ``prices.csv.gz``; of an archive that of its file."""
    name = Path(path.name.lower())
    if compression(name) == archive.ZIP and path.is_file():
        return Path(archive.member(path).lower()).suffix
    return Path(name.stem).suffix if compression(name) else name.suffix


def read_file(path: Path, options: ReadOptions, note: Note) -> Dataset:
    """All rows of a local file, whose format is that of its name's ending.

    Args:
        path: a csv, tsv, json or jsonl file (also compressed, see
            :data:`~toolkit.data.readers.encoding.COMPRESSIONS`), a parquet file or a workbook.
        options: how a text file is to be read.
        note: receives a sentence for each decision made for the user.

    Raises:
        DataError: the file is missing, empty or broken, or of another format.
    """
    _check_is_file(path)
    kind = _format(path)
    if options.sheet is not None and kind not in WORKBOOKS:
        note(f"{path.name} has no sheets; --sheet is not used")
    try:
        if kind == ".csv":
            return read_delimited(path, options, note, None)
        if kind in (".tsv", ".tab"):
            return read_delimited(path, options, note, "\t")
        if kind in (".jsonl", ".ndjson"):
            return read_json_lines(path, options, note)
        if kind == ".json":
            return read_json(path, options, note)
        if kind == ".parquet" and path.suffix.lower() == ".parquet":
            return _read_parquet(path, note)
        if kind in WORKBOOKS and path.suffix.lower() == kind:
            return read_workbook(path, options, note)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    raise DataError(f"unknown format of {path}: its name must end in {', '.join(FORMATS)}")


def _check_is_file(path: Path) -> None:
    if path.is_file():
        if path.stat().st_size == 0:
            raise DataError(f"{path} is empty: it holds no rows")
        return
    if path.is_dir():
        files = _readable(path)
        inside = f"one of its files: {', '.join(files[:5])}" if files else "a file"
        raise DataError(f"{path} is a folder; name {inside}")
    if path.exists():
        raise DataError(f"{path} is not a regular file")
    if not path.parent.is_dir():
        raise DataError(f"there is no file {path}: the folder {path.parent} does not exist")
    near = did_you_mean(path.name, _readable(path.parent))
    hub = "" if near or path.suffix else " (Hub data sets are named owner/name)"
    raise DataError(f"there is no file {path}{near}{hub}")


def _readable(folder: Path) -> list[str]:
    with contextlib.suppress(OSError):
        return sorted(file.name for file in folder.iterdir() if _is_readable(file))
    return []


def _is_readable(file: Path) -> bool:
    try:
        return _format(file) in FORMATS
    except DataError:  # an archive that holds no file of rows, or several
        return False


# -- Parquet and the Hub -------------------------------------------------------------------------


def _read_parquet(path: Path, note: Note) -> Dataset:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
        fields = [pa.field(f.name, _plain(f.type)) for f in file.schema_arrow]
    except pa.ArrowException as error:
        raise DataError(f"{path} is not a readable Parquet file: {error}") from error
    if file.metadata.num_rows == 0:
        raise DataError(f"{path} is empty: it holds no rows")
    names = distinct_names(path.name, [f.name for f in fields], note)
    fields = [f.with_name(name) for f, name in zip(fields, names, strict=True)]
    schema = pa.schema([*fields, pa.field("row_id", pa.int64())])

    def batches() -> Iterator[pa.RecordBatch]:
        first = 1
        for batch in file.iter_batches(batch_size=BATCH):
            numbers = pa.array(range(first, first + len(batch)), type=pa.int64())
            columns = [c.cast(f.type) for c, f in zip(batch.columns, fields, strict=True)]
            yield pa.record_batch([*columns, numbers], schema=schema)
            first += len(batch)

    try:
        return from_record_batches(batches(), schema)
    except pa.ArrowException as error:
        raise DataError(f"{path} is not a readable Parquet file: {error}") from error


def _plain(kind: Any) -> Any:
    """An Arrow type without dictionary encoding, which ``datasets`` does not take."""
    import pyarrow as pa

    return kind.value_type if pa.types.is_dictionary(kind) else kind


def read_hub(name: str) -> DatasetDict:
    """A Hub data set with its own splits; ``valid``, ``val`` and ``dev`` become ``validation``.

    Args:
        name: ``owner/name`` or ``owner/name:config``.

    Raises:
        DataError: it cannot be loaded.
    """
    import datasets

    datasets.disable_progress_bars()
    _go_offline_without_a_network()
    dataset_id, _, config = name.partition(":")
    try:
        loaded = datasets.load_dataset(dataset_id, config or None)
    except Exception as error:  # several libraries raise errors of their own here
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise DataError(
            f"cannot load the data set {name!r} from the Hub: {reason}; there is no local file of "
            "that name either"
        ) from error
    splits = {_split_name(split): rows for split, rows in loaded.items()}
    return datasets.DatasetDict({split: _numbered(rows) for split, rows in splits.items()})


def _go_offline_without_a_network() -> None:
    """Without a network, make the Hub's client use its cache instead of retrying for 30 s."""
    import urllib.parse
    import urllib.request

    from huggingface_hub import constants

    if urllib.request.getproxies():
        return  # a proxy may reach names that this machine cannot resolve
    try:
        socket.getaddrinfo(urllib.parse.urlparse(constants.ENDPOINT).hostname, 443)
    except OSError:
        constants.HF_HUB_OFFLINE = True


def _split_name(name: str) -> str:
    return "validation" if name in _VALIDATION_NAMES else name


def _numbered(rows: Dataset) -> Dataset:
    if "row_id" in rows.column_names:
        rows = rows.rename_column("row_id", "row_id (file)")
    return rows.add_column("row_id", list(range(1, len(rows) + 1)))
