"""Tables in a JSON document that are no list of objects: the other forms of pandas' ``to_json``.

    columns   {"text": {"0": "…", "1": "…"}, "price": {"0": 12, "1": 30}}, its default
    index     {"0": {"text": "…", "price": 12}, "1": {…}}
    split     {"columns": ["text", "price"], "index": [0, 1], "data": [["…", 12], ["…", 30]]}
    list      {"text": ["…", "…"], "price": [12, 30]}, ``DataFrame.to_dict("list")``

``records`` and ``table`` are objects in a list, which is what :mod:`json_rows` reads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from toolkit.data.readers.options import Note
from toolkit.errors import DataError

Rows = list[dict[str, Any]]


def rows(path: Path, content: Any, note: Note) -> Rows | None:
    """The rows of such a document; ``None``: it has another form.

    Args:
        path: the file, for notes and errors.
        content: the parsed JSON.
        note: receives a sentence on the form that was recognised.

    Raises:
        DataError: it is such a table, and one of its rows is too long or too short.
    """
    if not isinstance(content, dict) or not content:
        return None
    for read, form in _FORMS.items():
        found = read(path, content)
        if found:
            note(f"{path.name} holds a table {form}, as pandas writes it, and is read that way")
            return found
    return None


def _split(path: Path, content: Mapping[str, Any]) -> Rows | None:
    names, data = content.get("columns"), content.get("data")
    if not set(content) <= {"columns", "index", "data"} or not isinstance(data, list):
        return None
    if not isinstance(names, list) or not all(isinstance(row, list) for row in data):
        return None
    texts = [str(name) for name in names]
    for number, row in enumerate(data, start=1):
        if len(row) != len(texts):
            raise DataError(
                f"{path}: row {number} has {len(row)} values, and there are {len(texts)} columns"
            )
    return [dict(zip(texts, row, strict=True)) for row in data]


def _of_objects(path: Path, content: Mapping[str, Any]) -> Rows | None:
    """Columns or rows by their keys: what counts from 0, or is the longer, are the rows."""
    inner = list(content.values())
    if not all(isinstance(value, dict) and value for value in inner):
        return None
    if any(value.keys() != inner[0].keys() for value in inner[1:]):
        return None
    if any(isinstance(cell, dict | list) for value in inner for cell in value.values()):
        return None
    keys = list(inner[0])
    if _are_numbers(keys) != _are_numbers(list(content)):
        by_columns = _are_numbers(keys)
    elif len(keys) != len(content):
        by_columns = len(keys) > len(content)
    else:
        return None
    if not by_columns:
        return [dict(value) for value in inner]
    return [{name: content[name][key] for name in content} for key in keys]


def _of_lists(path: Path, content: Mapping[str, Any]) -> Rows | None:
    inner = list(content.values())
    if not all(isinstance(value, list) and len(value) > 1 for value in inner):
        return None
    plain = not any(isinstance(cell, dict | list) for value in inner for cell in value)
    if not plain or len({len(value) for value in inner}) > 1:
        return None
    return [dict(zip(content, values, strict=True)) for values in zip(*inner, strict=True)]


def _are_numbers(keys: Sequence[str]) -> bool:
    return all(key.isascii() and key.isdigit() for key in keys)


_FORMS: Mapping[Callable[[Path, Mapping[str, Any]], Rows | None], str] = {
    _split: "with its columns' names apart",
    _of_objects: "by the names of its columns and rows",
    _of_lists: "by columns",
}
"""What reads a form → what the note calls it."""
