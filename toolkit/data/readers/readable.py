"""What readers make of names and texts that tables and tokenizers do not take.

JSON may hold half of a character that UTF-16 writes in two halves (the escape ``ud83d`` alone); no
encoding has bytes for it. Files may also give several columns one name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from toolkit.data.readers.options import Note

REPLACED = "\ufffd"
"""What stands for what cannot be read."""
_HALF = re.compile("[\ud800-\udfff]")
_ESCAPED_HALF = re.compile(r"\\u[dD][89a-fA-F]")


def whole(text: str) -> str:
    """A text of the same length without halves of characters."""
    return text if text.isascii() else _HALF.sub(REPLACED, text)


def may_have_halves(json_text: str) -> bool:
    """Whether a JSON text has an escape of half a character; most such halves are in pairs."""
    return _ESCAPED_HALF.search(json_text) is not None


def whole_value(value: Any) -> Any:
    """A JSON value whose texts and keys are :func:`whole`."""
    if isinstance(value, str):
        return whole(value)
    if isinstance(value, list):
        return [whole_value(inside) for inside in value]
    if isinstance(value, dict):
        return {whole(key): whole_value(inside) for key, inside in value.items()}
    return value


def distinct_names(file: str, names: Iterable[str], note: Note) -> list[str]:
    """Names of columns, each once, and none ``row_id``, which is added to every table.

    Args:
        file: the file, as the note calls it.
        names: as the file has them.
        note: receives a sentence where a name is repeated.
    """
    given = [name if name != "row_id" else "row_id (file)" for name in names]
    taken = set(given)
    found: dict[str, None] = {}
    for number, name in enumerate(given, start=1):
        unique, copy = name, 1
        while unique in found or (copy > 1 and unique in taken):
            copy += 1
            unique = f"{name} ({copy})"
        if unique != name:
            note(f"{file} repeats a column name; column {number} is called {unique!r} here")
        found[unique] = None
    return list(found)
