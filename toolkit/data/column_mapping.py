"""The default way to load rows, for tasks that name their answer column.

The rows come from the user's files or from the task's own. Columns are found by the task's names
for them; ``--text`` and ``--target`` name others. A file without such columns that is in one of the
usual formats for fine-tuning (see :mod:`toolkit.data.chat_formats`) is read in that format, and the
user gets a note.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.data import (
    chat_formats,
    columns,
    guessing,
    label_scales,
    row_mapping,
    several_labels,
)
from toolkit.data.columns import Rendering
from toolkit.data.guessing import Wanted
from toolkit.data.load import column_names, find_column
from toolkit.data.pairs import find_pair
from toolkit.data.profiles import Profile
from toolkit.data.row_mapping import OwnData, Unusable
from toolkit.data.source import Source
from toolkit.errors import DataError, UsageError

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

TEXT_NAMES = (
    "text", "input", "source", "document", "body", "content", "question", "review", "review text",
    "tweet", "message", "comment", "sentence", "utterance", "query", "description", "post",
    "headline", "email",
)  # fmt: skip
UNKNOWN_ANSWER = "that the task does not know"
"""How the reason ends for which a row with an unknown answer is left out."""
LONGEST = 40
"""Characters of an unknown answer that are shown."""
SHOWN = 5
ANSWER_NAMES = (
    "label", "labels", "target", "answer", "output", "class", "category", "summary", "intent",
    "sentiment", "emotion", "topic",
)  # fmt: skip
NO_ANSWER = "\ufffe"
"""A text that is an answer only to a task that takes any text for one."""


@dataclass(frozen=True)
class Reading:
    """How a file's rows become the task's: column by column, or by a format for fine-tuning.

    Args:
        renderings: each of the task's columns but the answer → how it is made.
        answer: the file's column that holds the answer.
        form: the name of a format, instead of both.
        parts: the file's columns that hold the answer together, where it is in several.
        separator: what stands between several answers in one cell.
    """

    renderings: Mapping[str, Rendering]
    answer: str = ""
    form: str | None = None
    parts: tuple[str, ...] = ()
    separator: str = ""

    @property
    def targets(self) -> tuple[str, ...]:
        """The file's columns that hold the answer."""
        return self.parts or (self.answer,)

    def as_dict(self) -> dict[str, Any]:
        """JSON values for ``source.chosen``."""
        made = {name: rendering.as_dict() for name, rendering in self.renderings.items()}
        return {"inputs": made, "form": self.form}


@dataclass(frozen=True)
class ColumnMapping:
    """The columns of a task, and how its answer is read.

    Args:
        columns: all of the task's columns.
        answer: the column to predict.
        required: input columns that must not be empty; rows without them are left out.
        parse_answer: the answer's text in a file → its value in the task's rows; ``None``: the row
            cannot be used.
    """

    columns: Sequence[str]
    answer: str
    required: Sequence[str]
    parse_answer: Callable[[str], Any | None]

    @property
    def inputs(self) -> list[str]:
        """The columns other than the answer."""
        return [name for name in self.columns if name != self.answer]

    def load_rows(self, source: Source, own: Callable[[], OwnData]) -> Dataset | DatasetDict:
        """The rows of ``--data``, ``--train``, … or the task's own, as the task's columns."""
        decided = row_mapping.for_all_files(self._decide)
        types = self._types()

        def convert(source: Source, dataset: Dataset) -> Dataset:
            unknown: Counter[str] = Counter()
            mapping = dataclasses.replace(self, parse_answer=self._parser(source))
            make = mapping._maker(decided(source, dataset), column_names(dataset), unknown)
            rows = row_mapping.map_rows(
                source, dataset, make, types,
                nothing_left=lambda left_out: self._nothing_left(left_out, unknown),
            )  # fmt: skip
            if unknown:
                where = Path(source.file).name
                source.note(_unknown_answers(self.answer, unknown, f" of {where}" if where else ""))
            return rows

        return row_mapping.load_rows(source, convert, own)

    def _types(self) -> dict[str, Any]:
        """The Arrow types of the task's columns; ``None``: that of the first value."""
        return {name: None if name == self.answer else "string" for name in self.columns}

    def _decide(self, source: Source, dataset: Dataset) -> Reading:
        """How a file is read: by the options, the task's column names, or a known format."""
        reading = self._reading(source, dataset)
        source.chosen = reading.as_dict()
        return reading

    def _reading(self, source: Source, dataset: Dataset) -> Reading:
        inputs, available = self.inputs, column_names(dataset)
        named = all(columns.guess(available, (name,)) for name in (*inputs, self.answer))
        if not named and not source.text and not source.target and len(inputs) == 1:
            form = chat_formats.recognise(dataset)
            if form is not None:
                source.note(form.sentence)
                return Reading({}, form=form.name)
        if len(inputs) == 1:
            pair = find_pair(source, dataset, *self._wanted(inputs[0], self._parser(source)))
            return Reading({inputs[0]: pair.text}, pair.target)
        shown = self.renderings(source, dataset)
        taken = [column for rendering in shown.values() for column in rendering.columns]
        answer = find_column(
            source, dataset, source.target, (self.answer, *ANSWER_NAMES), "target", excluded=taken
        )
        source.use(taken, answer)
        return Reading(shown, answer)

    def renderings(self, source: Source, dataset: Dataset) -> dict[str, Rendering]:
        """The columns of ``--text``, or those with the names of the inputs, in their order."""
        inputs, available = self.inputs, column_names(dataset)
        if source.text and len(source.text) != len(inputs):
            raise UsageError(
                f"--text names {len(source.text)} column(s), and the task takes {len(inputs)}: "
                f"{', '.join(inputs)}; name as many, in that order"
            )
        wanted = source.text or inputs
        return {
            name: Rendering((columns.resolve(available, column, name),))
            for name, column in zip(inputs, wanted, strict=True)
        }

    def _wanted(self, text: str, parse: Callable[[str], Any | None]) -> tuple[Wanted, Wanted]:
        """What is looked for; a column with the task's own name may hold anything.

        The answers are the values that the task can read. Where it reads all, as a task without
        named classes does, they are values that come again.
        """

        def fits(profile: Profile) -> float:
            own = columns.plain(profile.name) == columns.plain(text)
            return max(0.5 if own else 0.0, guessing.some_text(profile))

        return (
            Wanted("text", (text, *TEXT_NAMES), fits, "--text"),
            Wanted("target", (self.answer, *ANSWER_NAMES), _fit(parse), "--target"),
        )

    def _maker(
        self, reading: Reading, available: Sequence[str], unknown: Counter[str]
    ) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
        """A function that makes the task's columns of a row; it raises :class:`Unusable`.

        Args:
            reading: how the file is read.
            available: its columns.
            unknown: counts the answers that the task does not know.
        """
        inputs = self.inputs
        if reading.form is not None:
            form = chat_formats.FORMATS[reading.form]

            def of_form(row: Mapping[str, Any]) -> dict[str, Any]:
                exchange = chat_formats.in_words(form.read(row, True))
                return {
                    inputs[0]: exchange.text,
                    self.answer: self._answer(exchange.answer.strip(), unknown),
                }

            return of_form
        read = (*reading.targets, *(c for r in reading.renderings.values() for c in r.columns))
        for name in read:
            columns.resolve(available, name, "target" if name in reading.targets else "text")

        def of_columns(row: Mapping[str, Any]) -> dict[str, Any]:
            made = {name: render(row) for name, render in reading.renderings.items()}
            for name in inputs:
                if name in self.required and not made[name]:
                    raise Unusable(f"no {name}")
            return made | self._answers(row, reading, unknown)

        return of_columns

    def _answers(
        self, row: Mapping[str, Any], reading: Reading, unknown: Counter[str]
    ) -> dict[str, Any]:
        """The task's columns that hold the answer of a row of the file."""
        return {self.answer: self._answer(columns.tidy(row[reading.answer]), unknown)}

    def _parser(self, source: Source) -> Callable[[str], Any | None]:
        """:attr:`parse_answer` of what ``--labels`` says that a label means."""
        labels = source.meanings()
        if labels.ends is not None:
            raise UsageError(
                f"--labels {source.labels}: the answers of this task are no scale; say what they "
                "mean one by one, as in --labels '0=negative,2=neutral,4=positive'"
            )

        def parse(text: str) -> Any | None:
            meaning = labels.meaning(text)
            if meaning == "":
                raise Unusable(label_scales.LEFT_OUT)
            return self.parse_answer(text if meaning is None else meaning)

        return parse if labels else self.parse_answer

    def _nothing_left(self, left_out: row_mapping.RowIds, unknown: Counter[str]) -> DataError:
        if unknown and all(reason.endswith(UNKNOWN_ANSWER) for reason in left_out):
            several = several_labels.listed(unknown)
            return DataError(
                several or f"no row can be used: {_unknown_answers(self.answer, unknown)}"
            )
        return row_mapping.nothing_left(left_out)

    def _answer(self, text: str, unknown: Counter[str]) -> Any:
        if not text:
            raise Unusable(f"no {self.answer}")
        value = self.parse_answer(text)
        if value is None:
            unknown[text[:LONGEST]] += 1
            raise Unusable(f"{self.answer} {UNKNOWN_ANSWER}")
        return value


def _fit(parse: Callable[[str], Any | None]) -> guessing.Fit:
    """How well a column holds answers: the share of its values that ``parse`` reads."""

    def read(text: str) -> bool:
        try:
            return parse(text) is not None
        except Unusable:
            return False

    any_text = read(NO_ANSWER)

    def fits(profile: Profile) -> float:
        if any_text or not profile.values:
            return guessing.some_class(profile)
        few = profile.values[:: len(profile.values) // 200 + 1]
        share = sum(map(read, few)) / len(few)
        return max(0.1, min(share, 0.1) if profile.identifies else share)

    return fits


def _unknown_answers(answer: str, unknown: Counter[str], where: str = "") -> str:
    """Which answers a task does not know, so that a missing class is not missed."""
    shown = ", ".join(f"{text!r} ({rows:,})" for text, rows in unknown.most_common(SHOWN))
    more = f" and {len(unknown) - SHOWN:,} more" if len(unknown) > SHOWN else ""
    line = label_scales.labels_line([(text, "MEANING") for text, _ in unknown.most_common(2)])
    return (
        f"{unknown.total():,} rows{where} have a {answer} that the task does not know: "
        f"{shown}{more}; say what they mean with {line}"
    )


def load_inputs(source: Source, names: Sequence[str]) -> Dataset:
    """Rows to predict, read as the training rows were where the file has their columns or format.

    Args:
        source: names the file; ``source.chosen`` is what :meth:`ColumnMapping.load_rows` stored.
        names: the task's input columns.
    """
    form = chat_formats.FORMATS.get(str(source.chosen.get("form")))
    renderings = {
        name: Rendering.from_dict(values)
        for name, values in (source.chosen.get("inputs") or {}).items()
    }

    def maker(dataset: Dataset) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
        if form is None or source.text or form.needs[0] not in column_names(dataset):
            return row_mapping.by_columns(source, dataset, names, renderings)
        return lambda row: {names[0]: chat_formats.in_words(form.read(row, False)).text}

    return row_mapping.map_inputs(source, names, maker)
