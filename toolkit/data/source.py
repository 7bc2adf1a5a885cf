"""What the command line says about the data, handed to a task's ``load_rows``."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from toolkit.data import columns, tables
from toolkit.data.readers.read import is_hub_id, read, read_hub
from toolkit.errors import UsageError

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

    from toolkit.data.columns import Rendering


@dataclass
class Source:
    """What the command line says about the data, and what was found out while reading it.

    Args:
        data: a file or Hub data set; ``None`` lets the task bring its own.
        text: column names (or numbers), or one template with ``{column}`` in it.
        target: the column to predict; ``None`` guesses.
        train: a file with training rows, instead of ``data``.
        validation: a file with rows to choose by.
        test: a file with rows to judge by.
        encoding: of text files; ``None``: UTF-8, or what the byte order mark says.
        header: whether files begin with column names; ``None``: yes, unless columns are asked for
            by number and the first row looks like data.
        limit: use so many rows, drawn by ``seed``.
        seed: of everything that is drawn.
        mask_target: take out of the text what gives the target away, where the task can.
        mend: mend rows that can be mended, where the task can, instead of refusing them.
    """

    data: str | None = None
    text: tuple[str, ...] = ()
    target: str | None = None
    train: str | None = None
    validation: str | None = None
    test: str | None = None
    encoding: str | None = None
    header: bool | None = None
    limit: int | None = None
    seed: int = 0
    mask_target: bool = False
    mend: bool = False

    chosen: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """What a task decided about the data and needs again to predict (JSON values)."""
    left_out: dict[str, list[int]] = field(default_factory=dict, compare=False, repr=False)
    """Reason → the rows that could not be used; told by :meth:`leave_out`."""
    notes: list[str] = field(default_factory=list, compare=False, repr=False)
    """What was decided about the data, in sentences; told by :meth:`note`."""
    synthetic: bool = field(default=False, compare=False, repr=False)
    """The rows that were loaded are made up."""
    _place: str = field(default="", compare=False, repr=False)

    # -- as a file has it --------------------------------------------------------------------------
    def as_dict(self) -> dict[str, Any]:
        """The settings as JSON values, for ``run.json``."""
        return {name: getattr(self, name) for name in _settings()} | {"text": list(self.text)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Source:
        """The inverse of :meth:`as_dict`."""
        known = {name: values[name] for name in _settings() if name in values}
        return cls(**{**known, "text": tuple(known.get("text") or ())})

    # -- what a task tells -------------------------------------------------------------------------
    def leave_out(self, reason: str, row_ids: Sequence[int]) -> None:
        """Rows that cannot be used, and why, in a few words ("no price")."""
        if len(row_ids):
            reason = f"{self._place}{reason}"
            self.left_out.setdefault(reason, []).extend(int(row) for row in row_ids)

    def note(self, sentence: str) -> None:
        """Something that was decided for the user; said once."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    # -- what a task asks --------------------------------------------------------------------------
    @property
    def file(self) -> str:
        """The file whose rows are being converted, for a complaint about one of them."""
        part = self._place.removesuffix(": ")
        named = getattr(self, part, None) if part else None
        if part in ("validation", "test") and not named:  # a split of a Hub data set
            return f"{self.data} ({part})"
        return str(named or self.train or self.data or "")

    @property
    def given(self) -> bool:
        """Whether the user named any data; where not, a task may bring its own."""
        return any((self.data, self.train, self.validation, self.test))

    def load(self, convert: Callable[[Dataset], Dataset]) -> Dataset | DatasetDict:
        """Read the data, or the user's own splits, and convert each into the task's rows.

        Args:
            convert: rows as they are in the file → the task's rows. It is called for the training
                rows first.
        """
        parts = self._parts()
        if list(parts) == ["train"]:
            return convert(parts["train"]())
        import datasets

        loaded = {}
        for name, reader in parts.items():
            self._place = f"{name}: "
            try:
                loaded[name] = convert(reader())
            finally:
                self._place = ""
        return datasets.DatasetDict(loaded)

    def _parts(self) -> dict[str, Callable[[], Dataset]]:
        if self.data and self.train:
            raise UsageError("--data and --train both name training rows; give one of them")
        train = self.data or self.train
        if train is None:
            raise UsageError("--validation and --test go with --data or --train")
        if self.data and is_hub_id(self.data) and not (self.validation or self.test):
            return {name: _giver(rows) for name, rows in read_hub(self.data, self).items()}
        paths = {"train": train, "validation": self.validation, "test": self.test}
        return {name: self._reader(path) for name, path in paths.items() if path}

    def _reader(self, path: str) -> Callable[[], Dataset]:
        return lambda: read(path, self)

    def column(
        self,
        dataset: Dataset,
        wanted: str | None,
        guesses: Sequence[str],
        role: str,
    ) -> str:
        """The column that is meant: by name or number, or guessed where it is obvious.

        Args:
            wanted: what the user asked for, if anything.
            guesses: names that say what they hold, the likeliest first.
            role: what the column is for ("target", "text"), as errors and notes call it.
        """
        available = column_names(dataset)
        if wanted is not None:
            return columns.resolve(available, wanted, role)
        found = columns.guess(available, guesses)
        if found is None:
            raise columns.unknown(available, role)
        self.note(f"the {role} is column {found!r}" + self._choose(role))
        return found

    def _choose(self, role: str) -> str:
        return f" (choose with --{role})" if role in ("text", "target") else ""

    def rendering(self, dataset: Dataset, guesses: Sequence[str]) -> Rendering:
        """How a row becomes the task's text: as ``--text`` asks, or one guessed column."""
        if self.text:
            return columns.rendering(column_names(dataset), self.text)
        return columns.Rendering((self.column(dataset, None, guesses, "text"),))


def _settings() -> list[str]:
    told = ("chosen", "left_out", "notes", "synthetic", "_place")
    return [f.name for f in dataclasses.fields(Source) if f.name not in told]


def read_inputs(source: Source, names: Sequence[str]) -> Dataset:
    """The rows of ``--data`` with ``row_id`` and the input columns, to be predicted.

    ``--text`` names the file's columns for a task with one input; otherwise they are found by
    the names that the task has for them.
    """
    if source.data is None:
        raise UsageError("name a file of rows to predict with --data")
    dataset = read(source.data, source)
    available = column_names(dataset)
    if len(names) == 1 and source.text:
        shown = {names[0]: columns.rendering(available, source.text)}
    else:
        shown = {
            name: columns.Rendering((columns.resolve(available, name, name),)) for name in names
        }
    needed = ["row_id", *dict.fromkeys(c for r in shown.values() for c in r.columns)]
    return tables.from_batches(
        (
            {"row_id": batch["row_id"], **{name: r.batch(batch) for name, r in shown.items()}}
            for batch in tables.batches(dataset, needed)
        ),
        {"row_id": "int64", **dict.fromkeys(names, "string")},
    )


def _giver(rows: Dataset) -> Callable[[], Dataset]:
    return lambda: rows


def column_names(dataset: Dataset) -> list[str]:
    """The columns of the file, in its order, without the row number that reading adds."""
    return [name for name in dataset.column_names if name != "row_id"]
