"""One file of questions → the task's rows: columns found, answers aligned, ids checked.

What is wrong is told with its place in the file, and mended or left out with ``--mend`` alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from toolkit import DataError, Source
from toolkit.data import columns, tables
from toolkit.data.load import column_names
from toolkit.errors import UsageError
from toolkit_qa.aligning import align, answers_of, problem

if TYPE_CHECKING:
    from datasets import Dataset

SHOWN: Final = 3
"""Places that an error names."""

COLUMNS: Final = ("question", "context", "answers")
GUESSES: Final = {
    "question": ("question", "query"),
    "context": ("context", "passage", "paragraph", "document", "text"),
    "answers": ("answers", "answer", "answer text", "target"),
    "answer_start": ("answer start", "start", "start position"),
    "id": ("id", "qid", "question id"),
    "title": ("title", "document title", "document id"),
}


def types() -> dict[str, Any]:
    """The task's columns."""
    import pyarrow as pa

    text = dict.fromkeys(("id", "title", "question", "context"), "string")
    answers = pa.struct([("text", pa.list_(pa.string())), ("answer_start", pa.list_(pa.int64()))])
    return {"row_id": "int64", **text, "answers": answers, "document": "string"}


def from_rows(found: Iterator[dict[str, Any]]) -> Dataset:
    """A dataset of the task's columns."""
    return tables.from_rows(found, types())


def digest(text: str) -> bytes:
    """What two contexts share that differ in their blanks alone."""
    return hashlib.sha256(" ".join(text.split()).encode()).digest()[:8]


def document(context: str) -> str:
    """The document that a context is where nothing is known of documents."""
    return f"context {digest(context).hex()}"


@dataclass
class _Trouble:
    """What was found wrong in a file."""

    places: list[str] = field(default_factory=list)
    count: int = 0
    mendable: int = 0
    mended: dict[str, list[str]] = field(default_factory=dict)
    left_out: dict[str, list[int]] = field(default_factory=dict)

    def add(self, sentence: str, *, mendable: bool) -> None:
        self.count += 1
        self.mendable += mendable
        if len(self.places) < SHOWN:
            self.places.append(sentence)


class Converter:
    """One file's rows → the task's rows.

    Args:
        source: what the command line says; told what was found.
        dataset: the file's rows, flat.
        file: its name, for complaints.
    """

    def __init__(self, source: Source, dataset: Dataset, file: str) -> None:
        self.source = source
        self.dataset = dataset
        self.file = Path(file).name
        self.trouble = _Trouble()
        self.nested = "place" in dataset.column_names and "answers" in dataset.column_names
        self.columns = _choose(source, dataset, nested=self.nested)
        self.seen: dict[str, tuple[str, tuple[str, str, str]]] = {}
        self.first_of_several = 0

    def convert(self) -> Dataset:
        """The rows that can be used; raises :class:`DataError` where some cannot and none may
        be mended.
        """
        found = from_rows(self._rows())
        trouble, total = self.trouble, len(self.dataset)
        if trouble.count and not self.source.mend:
            raise DataError(_complaint(self.file, trouble, total))
        for reason, row_ids in trouble.left_out.items():
            self.source.leave_out(reason, row_ids)
        for what, how in trouble.mended.items():
            shown = "; ".join(how[:SHOWN]) + ("; …" if len(how) > SHOWN else "")
            self.source.note(f"{self.file}: {len(how):,} {what} (--mend): {shown}")
        if self.first_of_several:
            self.source.note(
                f"{self.file}: {self.first_of_several:,} answers have no start and stand in their "
                "context more than once; the first place is taken"
            )
        if not len(found):
            raise DataError(f"{self.file}: no question is left that can be used")
        return found

    def _rows(self) -> Iterator[dict[str, Any]]:
        names = list(dict.fromkeys(["row_id", *self.columns.values()]))
        for row in tables.rows(self.dataset, [*names, *(["place"] if self.nested else [])]):
            made = self._row(row)
            if made is not None:
                yield made

    def _row(self, row: Mapping[str, Any]) -> dict[str, Any] | None:
        place = row["place"] if self.nested else f"row {row['row_id']}"
        value = {name: row[column] for name, column in self.columns.items()}
        question = str(value["question"] or "").strip()
        context = str(value["context"] or "")
        if not question or not context.strip():
            self._leave_out("no question" if not question else "no context", row["row_id"])
            return None
        id_ = self._id(str(value.get("id") or ""), place, row["row_id"], question, context, value)
        answers = self._answers(value, context, place, row["row_id"])
        if answers is None or id_ is None:
            return None
        return {
            "row_id": row["row_id"],
            "id": id_,
            "title": str(value.get("title") or ""),
            "question": question,
            "context": context,
            "answers": answers,
            "document": document(context),
        }

    def _leave_out(self, reason: str, row_id: int) -> None:
        self.trouble.left_out.setdefault(reason, []).append(row_id)

    def _id(
        self,
        id_: str,
        place: str,
        row_id: int,
        question: str,
        context: str,
        value: Mapping[str, Any],
    ) -> str | None:
        """The question's id; one is made where tables have none, and for ``--mend``."""
        if not id_:
            if self.nested:
                self.trouble.add(f"{place} has no id", mendable=True)
                self.trouble.mended.setdefault("ids are made", []).append(place)
            return place if self.nested else str(row_id)
        same = (question, context, repr(value.get("answers")))
        if id_ not in self.seen:
            self.seen[id_] = (place, same)
            return id_
        first, before = self.seen[id_]
        self.trouble.add(f"{place} has the id {id_!r} of {first}", mendable=True)
        if before == same:
            self._leave_out("the same question with the same id again", row_id)
            return None
        self.trouble.mended.setdefault("ids that came twice are changed", []).append(place)
        return f"{id_} ({place})"

    def _answers(
        self, value: Mapping[str, Any], context: str, place: str, row_id: int
    ) -> dict[str, list[Any]] | None:
        """Where the answers stand; ``None`` where the row cannot be used."""
        if self.nested and value["answers"] is None:
            self.trouble.add(f"{place} has no 'answers' and is not impossible", mendable=False)
            self._leave_out("no answers", row_id)
            return None
        try:
            given = answers_of(value["answers"], value.get("answer_start"))
        except ValueError as error:
            self.trouble.add(f"{place}: {error}", mendable=False)
            self._leave_out("the answer cannot be read", row_id)
            return None
        found = []
        for n, (text, start) in enumerate(given):
            where = f"{place}.answers[{n}]" if self.nested else place
            aligned = align(context, text, start)
            if aligned is None or aligned.mended:
                mendable = aligned is not None
                self.trouble.add(f"{where}: {problem(context, text, start)}", mendable=mendable)
            if aligned is None:
                continue
            if aligned.mended:
                what = "answers are moved to where their text stands"
                self.trouble.mended.setdefault(what, []).append(f"{where}: {aligned.mended}")
            self.first_of_several += start is None and context.count(text) > 1
            found.append(aligned)
        if given and not found:
            self._leave_out("the answer does not stand in its context", row_id)
            return None
        return {"text": [a.text for a in found], "answer_start": [a.start for a in found]}


def _choose(source: Source, dataset: Dataset, *, nested: bool) -> dict[str, str]:
    """The task's column → the file's; a SQuAD file has them all under their own names."""
    available = column_names(dataset)
    if nested:
        return {name: name for name in ("id", "title", "question", "context", "answers")}
    wanted: dict[str, str | None] = {"answers": source.target}
    if source.text:
        if len(source.text) != 2 or "{" in source.text[0]:
            raise UsageError("--text takes two columns here: --text QUESTION,CONTEXT")
        wanted |= dict(zip(("question", "context"), source.text, strict=True))
    found = {name: _column(available, name, wanted.get(name)) for name in COLUMNS}
    source.note(
        "; ".join(f"the {name} is column {found[name]!r}" for name in COLUMNS)
        + " (choose with --text QUESTION,CONTEXT --target ANSWERS)"
    )
    for name in ("answer_start", "id", "title"):
        column = columns.guess(available, GUESSES[name])
        if column and column not in found.values():
            found[name] = column
    return found


def _column(available: list[str], name: str, wanted: str | None) -> str:
    """The column that was asked for, or the one that is called like what it should hold."""
    if wanted is not None:
        return columns.resolve(available, wanted, name)
    found = columns.guess(available, GUESSES[name])
    if found is None:
        option = "--target" if name == "answers" else "--text QUESTION,CONTEXT"
        raise DataError(
            f"cannot tell which column holds the {name}: name it with {option}; the data has "
            f"{', '.join(map(repr, available))}. A SQuAD file is nested "
            "data[].paragraphs[].qas[].answers[]"
        )
    return found


def _complaint(file: str, trouble: _Trouble, total: int) -> str:
    shown = "; ".join(trouble.places)
    things = f"{trouble.count:,} thing{'s' * (trouble.count > 1)}"
    asked = f"{total:,} question{'s' * (total > 1)}"
    wrong = f"{things} in {asked} {'are' if trouble.count > 1 else 'is'}"
    more = trouble.count - len(trouble.places)
    mend = (
        f"{trouble.mendable:,} can be mended: --mend does so, counts them and leaves out the rest"
        if trouble.mendable
        else "none can be mended; --mend leaves them out"
    )
    return f"{file}: {wrong} wrong: {shown}{f'; and {more:,} more' if more else ''}. {mend}"
