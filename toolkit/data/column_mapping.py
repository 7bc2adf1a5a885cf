"""How a task that names its answer gets its rows: the user's file, or the task's own.

Columns are found by the task's names for them; ``--text`` and ``--target`` name others. Where the
file has none of that and is in a form people use for fine-tuning (see
:mod:`toolkit.data.chat_formats`), it is read that way, and a note says so.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.data import chat_formats, columns, tables
from toolkit.data.columns import Rendering
from toolkit.data.readers.read import read
from toolkit.data.source import Source, column_names, read_inputs
from toolkit.errors import DataError, PluginError, UsageError

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

    from toolkit.task import Task

TEXT_NAMES = ("text", "input", "source", "document", "body", "content", "question")
ANSWER_NAMES = ("label", "target", "answer", "output", "class", "category", "summary")
ARROW = {bool: "bool", int: "int64", float: "float64", str: "string"}


def load_rows(task: Task, source: Source) -> Dataset | DatasetDict:
    """The rows of ``--data``, ``--train``, … or the task's own, as the task's columns."""
    if task.answer is None:
        raise PluginError(
            f"task {task.name!r} names no answer column, so it needs a load_rows of its own"
        )
    made: list[Converter] = []

    def convert(told: Source, dataset: Dataset) -> Dataset:
        if not made:
            made.append(Converter(task, told))
        return made[0](dataset)

    return load_with(task, source, convert)


def load_with(
    task: Task, source: Source, convert: Callable[[Source, Dataset], Dataset]
) -> Dataset | DatasetDict:
    """The user's rows or the task's own, each file converted.

    Args:
        task: whose own rows are read where the source names none.
        source: what the command line says.
        convert: whom to tell, and a file's rows → the task's rows.
    """
    if source.given:
        return source.load(lambda dataset: convert(source, dataset))
    path = own_data(task)
    source.synthetic = task.synthetic
    source.note(
        f"the data are the task's own{', and made up' if task.synthetic else ''} ({path.name}; "
        "name others with --data)"
    )
    # Which columns they are is nobody's choice here, so it is not said.
    told = Source(text=source.text, target=source.target)
    rows = convert(told, read(path, told))
    source.chosen = told.chosen
    for reason, row_ids in told.left_out.items():
        source.leave_out(reason, row_ids)
    return rows


def own_data(task: Task) -> Path:
    """The file that :attr:`Task.data` names, beside the task's module."""
    if task.data is None:
        raise DataError(f"task {task.name!r} has no data of its own; name a file with --data")
    return Path(inspect.getfile(type(task))).parent / task.data


@dataclass(frozen=True)
class Reading:
    """How the task's columns are made of a file's: by columns, or by a form of rows.

    Args:
        renderings: the task's columns but the answer → how each is made.
        answer: the file's column that holds the answer.
        form: the name of a form, instead of both.
    """

    renderings: Mapping[str, Rendering]
    answer: str = ""
    form: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """JSON values for ``source.chosen``."""
        made = {
            name: {"columns": list(r.columns), "template": r.template}
            for name, r in self.renderings.items()
        }
        return {"inputs": made, "form": self.form}


class Converter:
    """Rows of a file → rows of the task; decided on the first file, and held for all."""

    def __init__(self, task: Task, source: Source) -> None:
        self.task = task
        self.source = source
        self.reading: Reading | None = None

    def __call__(self, dataset: Dataset) -> Dataset:
        if self.reading is None:
            self.reading = choose(self.task, self.source, dataset)
            self.source.chosen = self.reading.as_dict()
        left_out: dict[str, list[int]] = {}
        made = self._batches(dataset, self.reading, left_out)
        batches = [next(made, {})]
        types = dict.fromkeys(("row_id", *self.task.columns), "string") | {"row_id": "int64"}
        answers = batches[0].get(str(self.task.answer)) or [""]
        types[str(self.task.answer)] = ARROW.get(type(answers[0]), "string")
        rows = tables.from_batches(
            (batch for batch in itertools.chain(batches, made) if batch), types
        )
        for reason, row_ids in left_out.items():
            self.source.leave_out(reason, row_ids)
        if not len(rows):
            reasons = ", ".join(f"{why} ({len(ids):,})" for why, ids in left_out.items())
            raise DataError(f"no row can be used: {reasons or 'there are none'}")
        return rows

    def _batches(
        self, dataset: Dataset, reading: Reading, left_out: dict[str, list[int]]
    ) -> Iterator[dict[str, list[Any]]]:
        read_row = _reader(self.task, reading, column_names(dataset))
        for batch in tables.batches(dataset):
            kept: dict[str, list[Any]] = {name: [] for name in ("row_id", *self.task.columns)}
            for values in zip(*batch.values(), strict=True):
                row = dict(zip(batch, values, strict=True))
                try:
                    made = {"row_id": row["row_id"], **read_row(row)}
                except chat_formats.Unusable as reason:
                    left_out.setdefault(str(reason), []).append(row["row_id"])
                    continue
                for name, value in made.items():
                    kept[name].append(value)
            if kept["row_id"]:
                yield kept


def _reader(
    task: Task, reading: Reading, available: Sequence[str]
) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """A function that makes the task's columns of a row; it raises :class:`formats.Unusable`."""
    inputs = [name for name in task.columns if name != task.answer]
    answer = str(task.answer)
    if reading.form is not None:
        form = chat_formats.FORMATS[reading.form]

        def of_form(row: Mapping[str, Any]) -> dict[str, Any]:
            exchange = form.read(row, True)
            return {inputs[0]: exchange.text, answer: _answer(task, exchange.answer.strip())}

        return of_form
    for name in (reading.answer, *(c for r in reading.renderings.values() for c in r.columns)):
        columns.resolve(available, name, "target" if name == reading.answer else "text")
    asked = set(task.input_columns())

    def of_columns(row: Mapping[str, Any]) -> dict[str, Any]:
        made = {name: render(row) for name, render in reading.renderings.items()}
        for name in inputs:
            if name in asked and not made[name]:
                raise chat_formats.Unusable(f"no {name}")
        return made | {answer: _answer(task, columns.tidy(row[reading.answer]))}

    return of_columns


def _answer(task: Task, text: str) -> Any:
    if not text:
        raise chat_formats.Unusable(f"no {task.answer}")
    value = task.parse_answer(text)
    if value is None:
        raise chat_formats.Unusable(f"{task.answer} that the task does not know")
    return value


def choose(task: Task, source: Source, dataset: Dataset) -> Reading:
    """How a file is to be read: as asked, by the task's names, or by a form of rows."""
    inputs = [name for name in task.columns if name != task.answer]
    available = column_names(dataset)
    named = all(columns.guess(available, (n,)) for n in (*inputs, str(task.answer)))
    if not named and not source.text and not source.target and len(inputs) == 1:
        form = chat_formats.recognise(dataset)
        if form is not None:
            source.note(form.sentence)
            return Reading({}, form=form.name)
    answer = source.column(dataset, source.target, (str(task.answer), *ANSWER_NAMES), "target")
    return Reading(_renderings(source, dataset, inputs), answer)


def _renderings(source: Source, dataset: Dataset, inputs: Sequence[str]) -> dict[str, Rendering]:
    available = column_names(dataset)
    if len(inputs) == 1:
        return {inputs[0]: source.rendering(dataset, (inputs[0], *TEXT_NAMES))}
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


def load_inputs(task: Task, source: Source) -> Dataset:
    """Rows to predict: the columns that training took, where the file has them."""
    chosen = source.chosen.get("inputs")
    form = chat_formats.FORMATS.get(str(source.chosen.get("form")))
    if source.data is None or source.text or (chosen is None and form is None):
        return read_inputs(source, task.input_columns())
    dataset = read(source.data, source)
    available = column_names(dataset)
    names = task.input_columns()
    if form is not None and form.needs[0] in available:
        return _of_form(dataset, form, names[0], source)
    renderings = {
        name: Rendering(tuple(held["columns"]), held["template"])
        for name, held in (chosen or {}).items()
        if name in names and set(held["columns"]) <= set(available)
    }
    if set(renderings) != set(names):
        return read_inputs(source, names)
    batches = (
        {"row_id": batch["row_id"], **{name: r.batch(batch) for name, r in renderings.items()}}
        for batch in tables.batches(dataset)
    )
    return tables.from_batches(batches, {"row_id": "int64", **dict.fromkeys(names, "string")})


def _of_form(dataset: Dataset, form: chat_formats.Format, name: str, source: Source) -> Dataset:
    def made() -> Iterator[dict[str, Any]]:
        for row in tables.rows(dataset):
            try:
                text = form.read(row, False).text
            except chat_formats.Unusable as reason:
                raise DataError(f"{source.data}: row {row['row_id']}: {reason}") from reason
            yield {"row_id": row["row_id"], name: text}

    return tables.from_rows(made(), {"row_id": "int64", name: "string"})
