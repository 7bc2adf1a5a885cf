"""Rows with several answers each: labels in a list or between separators, and several numbers.

A file has them in one column, as a list or as a text such as ``red; green``, or in several: a
column of 0 and 1 for each label, or one for each number.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolkit.data import columns, guessing, tables
from toolkit.data.column_mapping import (
    ANSWER_NAMES,
    LONGEST,
    TEXT_NAMES,
    UNKNOWN_ANSWER,
    ColumnMapping,
    Reading,
)
from toolkit.data.columns import Rendering
from toolkit.data.guessing import Wanted
from toolkit.data.load import column_names, find_column
from toolkit.data.profiles import Profile
from toolkit.data.row_mapping import OwnData, Unusable
from toolkit.data.several_labels import is_off, is_on, items_of_list
from toolkit.data.source import Source
from toolkit.errors import DataError

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

SEPARATORS = (";", "|", ",", "\n")
"""What may stand between labels in one cell; of those that serve alike the first is taken."""
LABEL_NAMES = ("labels", "tags", "categories", "topics", "keywords", "classes", "genres")
"""Names of columns with several labels, beside those of a single answer."""


def split_labels(text: str, separator: str) -> list[str]:
    """The labels in the text of a cell: ``["a", "b"]``, or what stands between separators."""
    listed = items_of_list(text)
    if listed is not None:
        return listed
    parts = text.split(separator) if separator else [text]
    return [part.strip() for part in parts if part.strip()]


@dataclass(frozen=True)
class _Several(ColumnMapping):
    """What the mappings of several answers share."""

    def _reading(self, source: Source, dataset: Dataset) -> Reading:
        found = self._target_columns(source, dataset)
        if len(found) < 2:
            return super()._reading(source, dataset)
        if source.text:
            shown = self._shown(source, dataset)
        else:
            text = Wanted("text", (*self.inputs, *TEXT_NAMES), guessing.some_text, "--text")
            shown = {
                name: Rendering((find_column(
                    source, dataset, None, (name, *text.names), "text", fit=text.fit,
                    excluded=found,
                ),))
                for name in self.inputs
            }  # fmt: skip
        taken = [column for rendering in shown.values() for column in rendering.columns]
        if both := [name for name in found if name in taken]:
            raise DataError(f"column {both[0]!r} is a target and cannot be part of the text too")
        source.use(taken, ",".join(found))
        return Reading(shown, parts=found)

    def _shown(self, source: Source, dataset: Dataset) -> dict[str, Rendering]:
        """The columns of ``--text`` as the inputs of the task."""
        available = column_names(dataset)
        if len(self.inputs) == 1:
            return {self.inputs[0]: columns.rendering(available, source.text)}
        return self.renderings(source, dataset)

    def _target_columns(self, source: Source, dataset: Dataset) -> tuple[str, ...]:
        """The columns that hold the answer together; fewer than two: it is in one column."""
        return named_columns(source.target, column_names(dataset))


def named_columns(target: str | None, available: Sequence[str]) -> tuple[str, ...]:
    """The columns that ``--target`` names, which are several between commas.

    Raises:
        DataError: one of several is not there.
    """
    if target is None:
        return ()
    if target in available or "," not in target:
        return (target,)
    names = [name.strip() for name in target.split(",") if name.strip()]
    return tuple(dict.fromkeys(columns.resolve(available, name, "target") for name in names))


@dataclass(frozen=True)
class LabelMapping(_Several):
    """The columns of a task whose answer is a list of labels.

    Args:
        separator: what stands between labels in one cell; empty: it is found out.
        closed: whether :attr:`parse_answer` knows the labels, or takes any text for one.
        items: the Arrow type of a label.
    """

    separator: str = ""
    closed: bool = False
    items: str = "string"

    def load_rows(self, source: Source, own: Callable[[], OwnData]) -> Dataset | DatasetDict:
        rows = super().load_rows(source, own)
        parts = [rows] if hasattr(rows, "column_names") and "row_id" in rows.column_names else []
        parts = parts or list(rows.values())
        bare = sum(not labels for part in parts for labels in part[self.answer][:])
        if bare:
            source.note(
                f"{bare:,} of {sum(map(len, parts)):,} rows have no {self.answer}: an empty cell "
                "is read as a row without labels"
            )
        return rows

    def _types(self) -> dict[str, Any]:
        import pyarrow as pa

        return super()._types() | {self.answer: pa.list_(pa.type_for_alias(self.items))}

    def _wanted(self, text: str, parse: Callable[[str], Any | None]) -> tuple[Wanted, Wanted]:
        shown, _ = super()._wanted(text, parse)

        def fits(profile: Profile) -> float:
            own = columns.plain(profile.name) == columns.plain(self.answer)
            return max(0.5 if own else 0.0, _share_of_labels(profile, self._knows(parse)))

        names = (self.answer, *LABEL_NAMES, *ANSWER_NAMES)
        return shown, Wanted("target", names, fits, "--target")

    def _knows(self, parse: Callable[[str], Any | None]) -> Callable[[str], bool] | None:
        return (lambda item: _reads(parse, item)) if self.closed else None

    def _reading(self, source: Source, dataset: Dataset) -> Reading:
        reading = super()._reading(source, dataset)
        if reading.parts or reading.form is not None:
            return reading
        separator = self.separator or separator_of(
            _texts(dataset, reading.answer), self._knows(self._parser(source))
        )
        if separator and not self.separator:
            source.note(f"labels of {reading.answer!r} stand between {separator!r}")
        return dataclasses.replace(reading, separator=separator)

    def _answers(
        self, row: Mapping[str, Any], reading: Reading, unknown: Counter[str]
    ) -> dict[str, Any]:
        found = self._items(row, reading)
        labels: dict[Any, None] = {}
        for item in found:
            value = self.parse_answer(item)
            if value is None:
                unknown[item[:LONGEST]] += 1
                raise Unusable(f"{self.answer} {UNKNOWN_ANSWER}")
            labels[value] = None
        return {self.answer: list(labels)}

    def _items(self, row: Mapping[str, Any], reading: Reading) -> list[str]:
        """The labels of a row of the file, as texts."""
        if reading.parts:
            for name in reading.parts:
                if not (is_on(row[name]) or is_off(row[name])):
                    raise Unusable(f"{name} is neither 0 nor 1")
            return [name for name in reading.parts if is_on(row[name])]
        value = row[reading.answer]
        if isinstance(value, list):
            return [text for item in value if (text := columns.tidy(item))]
        return split_labels(columns.tidy(value), reading.separator)


def _texts(dataset: Dataset, column: str) -> Iterator[str]:
    """The cells of a column that hold a text and no list."""
    for batch in tables.batches(dataset, [column]):
        yield from (columns.tidy(v) for v in batch[column] if not isinstance(v, list))


def _reads(parse: Callable[[str], Any | None], item: str) -> bool:
    try:
        return parse(item) is not None
    except Unusable:
        return True


def separator_of(cells: Iterable[str], knows: Callable[[str], bool] | None) -> str:
    """What stands between the labels of a column; empty: nothing, each cell is one label.

    Args:
        cells: the texts of the column.
        knows: whether a text is a label of the task; ``None``: any text may be one.
    """
    counts = Counter(cell for cell in cells if cell and items_of_list(cell) is None)
    scores = {}
    for mark in ("", *SEPARATORS):
        held = known = 0
        for cell, rows in counts.items():
            held += rows * (mark in cell if mark else 0)
            parts = split_labels(cell, mark)
            known += rows * (knows is not None and all(map(knows, parts)))
        scores[mark] = (known, held)
    return max(scores, key=lambda mark: scores[mark])


def _share_of_labels(profile: Profile, knows: Callable[[str], bool] | None) -> float:
    """How well a column holds labels: the share of its cells that are labels of the task."""
    if not profile.values:
        return 0.0
    if knows is None:
        return guessing.some_class(profile)
    few = profile.values[:: len(profile.values) // 200 + 1]
    mark = separator_of(few, knows)
    # Lists are shown with blanks between their items.
    marks = (mark, *SEPARATORS, " ")
    good = sum(any(all(map(knows, split_labels(cell, m))) for m in marks) for cell in few)
    return max(0.1, good / len(few))


@dataclass(frozen=True)
class NumbersMapping(_Several):
    """The columns of a task whose answer is several numbers, a column of the task for each.

    Args:
        outputs: the task's columns of the numbers, in their order.
    """

    outputs: tuple[str, ...] = ()

    @property
    def inputs(self) -> list[str]:
        return [name for name in self.columns if name not in self.outputs]

    def _types(self) -> dict[str, Any]:
        return {name: "float64" if name in self.outputs else "string" for name in self.columns}

    def _target_columns(self, source: Source, dataset: Dataset) -> tuple[str, ...]:
        available = column_names(dataset)
        named = named_columns(source.target, available)
        if not named:
            found = [columns.guess(available, (name,)) for name in self.outputs]
            if all(found) and len(set(found)) == len(found):
                return tuple(str(name) for name in found)
        elif len(named) not in (1, len(self.outputs)):
            raise DataError(
                f"--target names {len(named)} columns, and the task predicts {len(self.outputs)} "
                f"numbers ({', '.join(self.outputs)}); name as many, in that order"
            )
        return named

    def _reading(self, source: Source, dataset: Dataset) -> Reading:
        available = column_names(dataset)
        if source.target is None and len(self._target_columns(source, dataset)) < 2:
            lacking = [n for n in self.outputs if columns.guess(available, (n,)) is None]
            raise DataError(
                f"there is no column {lacking[0]!r} for the numbers to predict; name their columns "
                f"in the order {', '.join(self.outputs)} as in --target a,b (or one column that "
                "holds lists of them)"
            )
        return super()._reading(source, dataset)

    def _answers(
        self, row: Mapping[str, Any], reading: Reading, unknown: Counter[str]
    ) -> dict[str, Any]:
        if reading.parts:
            cells = [columns.tidy(row[name]) for name in reading.parts]
        else:
            cells = _listed(row[reading.answer])
        if len(cells) != len(self.outputs):
            raise Unusable(f"not {len(self.outputs)} numbers")
        found = {}
        for name, cell in zip(self.outputs, cells, strict=True):
            if not cell:
                raise Unusable(f"no {name}")
            found[name] = self.parse_answer(cell)
            if found[name] is None:
                raise Unusable(f"{name} is no number")
        return found


def _listed(value: Any) -> list[str]:
    """The numbers of one cell, as texts: a list, or a text between semicolons, bars or commas."""
    if isinstance(value, list):
        return [columns.tidy(item) for item in value]
    text = columns.tidy(value)
    listed = items_of_list(text)
    if listed is not None:
        return listed
    mark = next((mark for mark in SEPARATORS if mark in text), " ")
    return [part.strip() for part in text.split(mark) if part.strip()]
