"""Rows of both tasks: the built-in ones, or a stranger's file with a text and one or more targets.

A row has the input, one target to train on, and ``references``: all targets of that input. A file
may hold them as a list in one row (SciTLDR), or as several rows with the same input (E2E): these
become one row, so that an input is never in two splits, and is scored once against all its
references. A text that is a list of sentences is joined.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from toolkit import DataError, Source
from toolkit.data import (
    Rendering,
    Unusable,
    Wanted,
    column_names,
    columns,
    find_pair,
    find_text,
    for_all_files,
    guessing,
    map_inputs,
    map_rows,
    normalized,
    tables,
)
from toolkit.data import load_rows as load_files
from toolkit.formatting import count

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

    from toolkit import Task

TEXT_NAMES = ("article", "document", "source", "dialogue", "dialog", "claim", "mr", "text", "input",
              "content", "body")  # fmt: skip
TARGET_NAMES = ("summary", "report", "target", "ref", "reference", "highlights", "section text",
                "text target", "output", "answer", "label")  # fmt: skip


def load_rows(task: Task, source: Source) -> Dataset | DatasetDict:
    """The rows of a file, or of the user's own splits."""
    name, answer = task.input_columns()[0], str(task.answer)
    decided = for_all_files(lambda source, dataset: _decide(source, dataset, name, answer))

    def convert(source: Source, dataset: Dataset) -> Dataset:
        shown, target = decided(source, dataset)
        available = column_names(dataset)
        for column in (*shown.columns, target):
            columns.resolve(available, column, "text")
        targets = _targets(dataset, shown, target)
        rows = map_rows(
            source, dataset, _merging(shown, target, targets, name, answer), types(task),
            nothing_left=lambda _: DataError(
                f"no row of {source.file} has both a text and a target"
            ),
        )  # fmt: skip
        _tell(source, targets)
        return rows

    return load_files(source, convert)


def _decide(source: Source, dataset: Dataset, name: str, answer: str) -> tuple[Rendering, str]:
    """How the input is made, and the column of the target."""
    pair = find_pair(
        source,
        dataset,
        Wanted("text", (name, *TEXT_NAMES), guessing.some_text, "--text"),
        Wanted("target", (answer, *TARGET_NAMES), guessing.prose, "--target"),
    )
    source.chosen |= {"text": pair.text.as_dict(), "target": pair.target}
    return pair.text, pair.target


def load_inputs(task: Task, source: Source) -> Dataset:
    """The inputs of a file, by the column that training took where it is there."""
    name = task.input_columns()[0]
    held = source.chosen.get("text")

    def maker(dataset: Dataset) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
        available = set(column_names(dataset))
        if held and not source.text and set(held["columns"]) <= available:
            shown = Rendering.from_dict(held)
        else:
            shown = find_text(source, dataset, (name, *TEXT_NAMES))
        return lambda row: {name: _text(shown, row)}

    return map_inputs(source, [name], maker)


def types(task: Task) -> dict[str, Any]:
    """The Arrow types of a task's columns but ``row_id``."""
    import pyarrow as pa

    return {**dict.fromkeys(task.columns, "string"), "references": pa.list_(pa.string())}


def _text(shown: Rendering, row: Mapping[str, Any]) -> str:
    """The input of a row; sentences of a list are joined."""
    flat = {name: _joined(row[name]) for name in shown.columns}
    if len(shown.columns) == 1 and shown.template is None:
        return columns.tidy(flat[shown.columns[0]])
    return shown(flat)


def _joined(value: Any) -> Any:
    if isinstance(value, list):
        return " ".join(filter(None, (columns.tidy(part) for part in value)))
    return value


def _digest(text: str) -> bytes:
    plain = normalized(text, fold_case=False)
    return hashlib.blake2b(plain.encode(), digest_size=16).digest()


def _answers(value: Any) -> list[str]:
    """The targets in a cell: a list of them, or one."""
    given = value if isinstance(value, list) else [value]
    return [text for text in (columns.tidy(one) for one in given) if text]


def _targets(dataset: Dataset, shown: Rendering, target: str) -> dict[bytes, list[str]]:
    """Input → its different targets, in the order of the file."""
    found: dict[bytes, dict[str, None]] = {}
    for row in tables.rows(dataset):
        text, answers = _text(shown, row), _answers(row[target])
        if text and answers:
            found.setdefault(_digest(text), {}).update(dict.fromkeys(answers))
    return {key: list(values) for key, values in found.items()}


def _merging(
    shown: Rendering, target: str, targets: Mapping[bytes, list[str]], name: str, answer: str
) -> Callable[[Mapping[str, Any]], dict[str, Any] | None]:
    """A function that makes a row of each different input, where it stands first."""
    seen: dict[bytes, set[str] | None] = {}  # None: it has one target alone

    def make(row: Mapping[str, Any]) -> dict[str, Any] | None:
        text = _text(shown, row)
        if not text:
            raise Unusable("no text")
        key, answers = _digest(text), _answers(row[target])
        references = targets.get(key)
        if not answers and (not references or key in seen):
            raise Unusable("no target")  # else a later row has the target of this text
        if references and key not in seen:
            seen[key] = set(answers) if len(references) > len(answers) else None
            return {name: text, answer: references[0], "references": references}
        before = seen[key]
        if before is None or before.issuperset(answers):
            raise Unusable("the same text and target as an earlier row")
        before.update(answers)
        return None

    return make


def _tell(source: Source, targets: Mapping[bytes, Sequence[str]]) -> None:
    several = sum(len(values) > 1 for values in targets.values())
    if several:
        total = sum(map(len, targets.values()))
        source.note(
            f"{source.file}: {count(several, 'input')} of {len(targets):,} have several targets "
            f"({total:,} in all); held-out rows are scored against all of theirs, and training "
            "takes another one each epoch"
        )


# -- built in --------------------------------------------------------------------------------------
def built_in(
    task: Task,
    source: Source,
    sizes: Mapping[str, int],
    generate: Callable[[str], Iterable[tuple[str, str]]],
    what: str,
) -> DatasetDict:
    """The generated pairs of each split as rows; the user is told that they are made up."""
    import datasets

    source.synthetic = True
    total = sum(sizes.values())
    source.note(f"the data is synthetic: {total:,} generated {what} (name your own with --data)")
    name, answer = task.input_columns()[0], str(task.answer)
    parts = {}
    for split in sizes:
        rows = (
            {"row_id": row_id, name: text, answer: target, "references": [target]}
            for row_id, (text, target) in enumerate(generate(split), start=1)
        )
        parts[split] = tables.from_rows(rows, {"row_id": "int64", **types(task)})
    return datasets.DatasetDict(parts)
