"""One file of questions → the task's rows: columns found, answers aligned, ids checked.

What is wrong is reported with its place in the file. It is repaired or left out only with the
option ``repair``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from toolkit import DataError, Source, UsageError
from toolkit.data import (
    Profile,
    Unusable,
    Wanted,
    answer_type,
    column_names,
    columns,
    guessing,
    map_rows,
    normalized,
    profiles,
    tables,
)
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
    """The task's columns but ``row_id``, and their types."""
    text = dict.fromkeys(("id", "title", "question", "context"), "string")
    return {**text, "answers": answer_type(), "document": "string"}


def from_rows(found: Iterator[dict[str, Any]], further: Sequence[str] = ()) -> Dataset:
    """A dataset of the task's columns, and further ones that hold text."""
    return tables.from_rows(
        found, {"row_id": "int64", **types(), **dict.fromkeys(further, "string")}
    )


def digest(text: str) -> bytes:
    """What two contexts share that differ in their blanks and Unicode form alone."""
    return hashlib.sha256(normalized(text, fold_case=False).encode()).digest()[:8]


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

    def add(self, sentence: str, *, mendable: bool) -> None:
        self.count += 1
        self.mendable += mendable
        if len(self.places) < SHOWN:
            self.places.append(sentence)


def converted(source: Source, dataset: Dataset, *, repair: bool) -> Dataset:
    """One file's rows as the task's rows.

    Args:
        source: what the command line says; takes notes and the rows that are left out.
        dataset: the file's rows, flat.
        repair: mend or leave out what is wrong, and count it, instead of refusing the file.

    Raises:
        DataError: something is wrong and is not to be repaired, or no row can be used.
    """
    file = Path(source.file).name
    reader = _Reader(source, dataset)
    trouble = reader.trouble

    def refusal() -> DataError:
        if trouble.count and not repair:
            return DataError(_complaint(file, trouble, len(dataset)))
        return DataError(f"{file}: no question is left that can be used")

    found = map_rows(
        source, dataset, reader.row, types(), needed=reader.needed,
        nothing_left=lambda _: refusal(),
    )  # fmt: skip
    if trouble.count and not repair:
        raise refusal()
    for what, how in trouble.mended.items():
        shown = "; ".join(how[:SHOWN]) + ("; …" if len(how) > SHOWN else "")
        source.note(f"{file}: {len(how):,} {what} (task.repair): {shown}")
    if reader.first_of_several:
        source.note(
            f"{file}: {reader.first_of_several:,} answers have no start and stand in their "
            "context more than once; the first place is taken"
        )
    return found


class _Reader:
    """Reads one file's rows, and collects what is wrong with them.

    Args:
        source: names the columns.
        dataset: the file's rows, flat.
    """

    def __init__(self, source: Source, dataset: Dataset) -> None:
        self.trouble = _Trouble()
        self.nested = "place" in dataset.column_names and "answers" in dataset.column_names
        self.columns = _choose(source, dataset, nested=self.nested)
        self.needed = [*self.columns.values(), *(["place"] if self.nested else [])]
        self.seen: dict[str, tuple[str, tuple[str, str, str]]] = {}
        self.first_of_several = 0

    def row(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The task's columns of a row; raises :class:`Unusable`."""
        place = row["place"] if self.nested else f"row {row['row_id']}"
        value = {name: row[column] for name, column in self.columns.items()}
        question = str(value["question"] or "").strip()
        context = str(value["context"] or "")
        if not question or not context.strip():
            raise Unusable("no context" if question else "no question")
        # Both are looked at before a row is left out, so that all that is wrong is counted.
        key = (question, context, repr(value.get("answers")))
        id_ = self._id(str(value.get("id") or ""), place, row["row_id"], key)
        answers = self._answers(value, context, place)
        if id_ is None:
            raise Unusable("the same question with the same id again")
        if isinstance(answers, str):
            raise Unusable(answers)
        return {
            "id": id_,
            "title": str(value.get("title") or ""),
            "question": question,
            "context": context,
            "answers": answers,
            "document": document(context),
        }

    def _id(self, id_: str, place: str, row_id: int, key: tuple[str, str, str]) -> str | None:
        """The question's id, made where there is none; ``None``: the row came before.

        Args:
            id_: as the file has it.
            place: where the row stands in the file.
            row_id: its number.
            key: what two rows share that are the same question.
        """
        if not id_:
            if self.nested:
                self.trouble.add(f"{place} has no id", mendable=True)
                self.trouble.mended.setdefault("ids are made", []).append(place)
            return place if self.nested else str(row_id)
        if id_ not in self.seen:
            self.seen[id_] = (place, key)
            return id_
        first, before = self.seen[id_]
        self.trouble.add(f"{place} has the id {id_!r} of {first}", mendable=True)
        if before == key:
            return None
        self.trouble.mended.setdefault("ids that came twice are changed", []).append(place)
        return f"{id_} ({place})"

    def _answers(
        self, value: Mapping[str, Any], context: str, place: str
    ) -> dict[str, list[Any]] | str:
        """Where the answers stand, or the reason why the row cannot be used."""
        if self.nested and value["answers"] is None:
            self.trouble.add(f"{place} has no 'answers' and is not impossible", mendable=False)
            return "no answers"
        try:
            given = answers_of(value["answers"], value.get("answer_start"))
        except ValueError as error:
            self.trouble.add(f"{place}: {error}", mendable=False)
            return "the answer cannot be read"
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
                how = self.trouble.mended.setdefault(aligned.kind, [])
                how.append(f"{where}: {aligned.mended}")
            self.first_of_several += start is None and context.count(text) > 1
            found.append(aligned)
        if given and not found:
            return "the answer does not stand in its context"
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
    held = profiles.profiles(dataset, available)
    found: dict[str, str] = {}
    for name in COLUMNS:
        found[name] = _column(held, name, wanted.get(name), list(found.values()))
    source.note(
        "; ".join(f"the {name} is column {found[name]!r}" for name in COLUMNS)
        + " (choose with --text QUESTION,CONTEXT --target ANSWERS)"
    )
    for name in ("answer_start", "id", "title"):
        column = columns.guess(available, GUESSES[name])
        if column and column not in found.values():
            found[name] = column
    guessing.note_unused(source, available, [*found.values(), "place"], advice="")
    source.use([found["question"], found["context"]], found["answers"])
    return found


def _column(
    held: Mapping[str, Profile], name: str, wanted: str | None, taken: Sequence[str]
) -> str:
    """The requested column, or the one whose name says what it holds, unless its content denies."""
    available = list(held)
    if wanted is not None:
        return columns.resolve(available, wanted, name)
    fit = guessing.anything if name == "answers" else guessing.named_text
    best = guessing.ranked(held, Wanted(name, GUESSES[name], fit), taken)
    if not best or not best[0].name or not guessing.sure(best):
        option = "--target" if name == "answers" else "--text QUESTION,CONTEXT"
        raise DataError(
            f"cannot tell which column holds the {name}: name it with {option}; the data has "
            f"{', '.join(map(repr, available))}. A SQuAD file is nested "
            "data[].paragraphs[].qas[].answers[]"
        )
    return best[0].column


def _complaint(file: str, trouble: _Trouble, total: int) -> str:
    shown = "; ".join(trouble.places)
    things = f"{trouble.count:,} thing{'s' * (trouble.count > 1)}"
    questions = f"{total:,} question{'s' * (total > 1)}"
    wrong = f"{things} in {questions} {'are' if trouble.count > 1 else 'is'}"
    more = trouble.count - len(trouble.places)
    mend = (
        f"{trouble.mendable:,} can be mended: --mend (task.repair=true) does so, counts them and "
        "leaves out the rest"
        if trouble.mendable
        else "none can be mended; --mend (task.repair=true) leaves them out"
    )
    return f"{file}: {wrong} wrong: {shown}{f'; and {more:,} more' if more else ''}. {mend}"
