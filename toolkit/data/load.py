"""Reading the files that the command line names, and finding columns in them.

A task calls these functions in its ``load_rows`` and ``load_inputs``; most tasks need only
:mod:`toolkit.data.row_mapping`, which uses them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.data import columns, guessing, profiles
from toolkit.data.columns import Rendering
from toolkit.data.guessing import Wanted
from toolkit.data.readers.options import ReadOptions
from toolkit.data.readers.read import is_hub_id, read_file, read_hub
from toolkit.errors import UsageError

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

    from toolkit.data.source import Source


def read(path: str | Path, source: Source) -> Dataset:
    """All rows of a local file, or of a Hub data set's ``train`` split.

    Args:
        path: a csv, tsv, json or jsonl file (also compressed: ``.gz``, ``.bz2``, ``.zst``,
            ``.lz4``, ``.br``, ``.zip``), a parquet file, a workbook (xlsx, ods), or a Hub data set
            ``owner/name`` or ``owner/name:config``.
        source: its ``encoding`` and ``header`` are used; it receives notes on what was decided.
    """
    if is_hub_id(path):
        splits = read_hub(str(path))
        name = "train" if "train" in splits else next(iter(splits))
        if len(splits) > 1:
            source.note(f"of {path} the split {name!r} is used; there are {', '.join(splits)}")
        return splits[name]
    return read_file(Path(path), _options(source), source.note)


def _options(source: Source) -> ReadOptions:
    named = [*source.text, *([source.target] if source.target else [])]
    numbered = bool(named) and all(name.isdigit() for name in named)
    return ReadOptions(
        encoding=source.encoding, header=source.header, numbered=numbered, sheet=source.sheet
    )


def read_splits(source: Source, convert: Callable[[Dataset], Dataset]) -> Dataset | DatasetDict:
    """Read the data, or the user's own splits, and convert each into the task's rows.

    Args:
        source: names the files.
        convert: rows as they are in the file → the task's rows. It is called for the training
            rows first.
    """
    parts = _parts(source)
    if list(parts) == ["train"]:
        return convert(parts["train"]())
    import datasets

    loaded = {}
    for name, reader in parts.items():
        with source.part(name):
            loaded[name] = convert(reader())
    return datasets.DatasetDict(loaded)


def _parts(source: Source) -> dict[str, Callable[[], Dataset]]:
    """Each split → a function that reads it, so that only one file's rows are held at a time."""
    if source.data and source.train:
        raise UsageError("--data and --train both name training rows; give one of them")
    train = source.data or source.train
    if train is None:
        raise UsageError("--validation and --test go with --data or --train")
    if source.data and is_hub_id(source.data) and not (source.validation or source.test):
        return {name: _giver(rows) for name, rows in read_hub(source.data).items()}
    paths = {"train": train, "validation": source.validation, "test": source.test}
    return {name: _reader(path, source) for name, path in paths.items() if path}


def _giver(rows: Dataset) -> Callable[[], Dataset]:
    return lambda: rows


def _reader(path: str, source: Source) -> Callable[[], Dataset]:
    return lambda: read(path, source)


# -- columns -------------------------------------------------------------------------------------


def column_names(dataset: Dataset) -> list[str]:
    """The columns of the file, in its order, without the row number that reading adds."""
    return [name for name in dataset.column_names if name != "row_id"]


def find_column(
    source: Source,
    dataset: Dataset,
    wanted: str | None,
    guesses: Sequence[str],
    role: str,
    *,
    fit: guessing.Fit = guessing.anything,
    excluded: Sequence[str] = (),
) -> str:
    """A column by name or number, or guessed where its name is obvious.

    Args:
        source: receives a note where the column was guessed.
        dataset: rows as they are in the file.
        wanted: the column that the user named, if any.
        guesses: names that such a column often has, the likeliest first.
        role: what the column is for ("target", "text"), as errors and notes call it.
        fit: how well the content of a column fits, see :mod:`toolkit.data.guessing`; by default
            the name alone decides.
        excluded: columns that have another part.

    Raises:
        DataError: there is no such column, or none can be guessed.
    """
    available = column_names(dataset)
    if wanted is not None:
        return columns.resolve(available, wanted, role)
    option = f"--{role}" if role in ("text", "target") else ""
    found = profiles.profiles(dataset, available)
    return guessing.choose(source, found, Wanted(role, guesses, fit, option), excluded)


def find_text(source: Source, dataset: Dataset, guesses: Sequence[str]) -> Rendering:
    """How a row becomes the task's text: from the columns of ``--text``, or one guessed column."""
    if source.text:
        return columns.rendering(column_names(dataset), source.text)
    return Rendering(
        (find_column(source, dataset, None, guesses, "text", fit=guessing.named_text),)
    )
