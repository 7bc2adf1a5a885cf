"""Rows of both tasks: the built-in ones, or a stranger's file with a text and one or more targets.

A row has the input, one target to train on, and ``references``: all targets of that input. A file
may hold them as a list in one row (SciTLDR), or as several rows with the same input (E2E): these
become one row, so that an input is never in two splits, and is scored once against all its
references. A text that is a list of sentences is joined.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from toolkit import DataError, Source
from toolkit.data import tables
from toolkit.data.columns import Rendering, resolve, tidy
from toolkit.data.load import column_names, find_column, find_text, read, read_splits
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
    return read_splits(source, lambda dataset: _converted(task, source, dataset))


def load_inputs(task: Task, source: Source) -> Dataset:
    """The inputs of a file, by the column that training took where it is there."""
    name = task.input_columns()[0]
    if source.data is None:
        raise DataError("name a file of rows to predict with --data")
    dataset = read(source.data, source)
    held = source.chosen.get("text")
    if source.text or held is None or not set(held["columns"]) <= set(column_names(dataset)):
        shown = find_text(source, dataset, (name, *TEXT_NAMES))
    else:
        shown = Rendering(tuple(held["columns"]), held["template"])
    rows = ({"row_id": row["row_id"], name: _text(shown, row)} for row in tables.rows(dataset))
    return tables.from_rows(rows, {"row_id": "int64", name: "string"})


def types(task: Task) -> dict[str, Any]:
    """The Arrow types of a task's columns."""
    import pyarrow as pa

    names = dict.fromkeys(("row_id", *task.columns), "string")
    return {**names, "row_id": "int64", "references": pa.list_(pa.string())}


def _converted(task: Task, source: Source, dataset: Dataset) -> Dataset:
    name, answer = task.input_columns()[0], str(task.answer)
    if "text" not in source.chosen:
        shown = find_text(source, dataset, (name, *TEXT_NAMES))
        target = find_column(source, dataset, source.target, (answer, *TARGET_NAMES), "target")
        source.chosen |= {
            "text": {"columns": list(shown.columns), "template": shown.template},
            "target": target,
        }
    held = source.chosen["text"]
    available = column_names(dataset)
    for column in (*held["columns"], source.chosen["target"]):
        resolve(available, column, "text")
    shown = Rendering(tuple(held["columns"]), held["template"])
    targets = _targets(source, dataset, shown, source.chosen["target"])
    found = tables.from_rows(_rows(dataset, shown, targets, name, answer), types(task))
    if not len(found):
        raise DataError(f"no row of {source.file} has both a text and a target")
    _tell(source, targets)
    return found


def _text(shown: Rendering, row: Mapping[str, Any]) -> str:
    """The input of a row; sentences of a list are joined."""
    flat = {name: _joined(row[name]) for name in shown.columns}
    if len(shown.columns) == 1 and shown.template is None:
        return tidy(flat[shown.columns[0]])
    return shown(flat)


def _joined(value: Any) -> Any:
    if isinstance(value, list):
        return " ".join(filter(None, (tidy(part) for part in value)))
    return value


def _digest(text: str) -> bytes:
    return hashlib.blake2b(" ".join(text.split()).encode(), digest_size=16).digest()


def _targets(
    source: Source, dataset: Dataset, shown: Rendering, target: str
) -> dict[bytes, list[str]]:
    """Input → its different targets, in the order of the file; told what cannot be used."""
    found: dict[bytes, dict[str, None]] = {}
    without: dict[str, list[int]] = {"no text": [], "no target": []}
    for row in tables.rows(dataset):
        text = _text(shown, row)
        given = row[target] if isinstance(row[target], list) else [row[target]]
        said = [one for one in (tidy(value) for value in given) if one]
        if not text or not said:
            without["no text" if not text else "no target"].append(row["row_id"])
            continue
        found.setdefault(_digest(text), {}).update(dict.fromkeys(said))
    for reason, row_ids in without.items():
        source.leave_out(reason, row_ids)
    return {key: list(values) for key, values in found.items()}


def _rows(
    dataset: Dataset, shown: Rendering, targets: Mapping[bytes, list[str]], name: str, answer: str
) -> Iterator[dict[str, Any]]:
    """A row for each different input, where it stands first."""
    seen: set[bytes] = set()
    for row in tables.rows(dataset):
        text = _text(shown, row)
        key = _digest(text)
        if not text or key in seen or key not in targets:
            continue
        seen.add(key)
        references = targets[key]
        yield {"row_id": row["row_id"], name: text, answer: references[0], "references": references}


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
        parts[split] = tables.from_rows(rows, types(task))
    return datasets.DatasetDict(parts)
