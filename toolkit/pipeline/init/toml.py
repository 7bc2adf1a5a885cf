"""A task file as text. What cells and columns hold is data: tomlkit escapes it, as it must."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from toolkit.errors import DataError

ORDER = ("task", "kind", "name", "summary", "data", "train", "validation", "test", "encoding",
         "header", "sheet", "prompt", "text", "target", "labels", "group", "near_duplicates",
         "metrics")  # fmt: skip
"""The order in which keys are written."""


def written(
    keys: Mapping[str, Any], head: Sequence[str] = (), comments: Mapping[str, Sequence[str]] = {}
) -> str:
    """The text of a task file.

    Args:
        keys: its keys and values; tables come last.
        head: comments at its beginning.
        comments: key → comments above it; a key that is not in ``keys``: at the end.

    Raises:
        DataError: a text holds half a character, which no file in UTF-8 can hold.
    """
    import tomlkit

    document = tomlkit.document()
    for line in head:
        document.add(tomlkit.comment(plain(line)))
    ordered = [name for name in ORDER if name in keys] + [n for n in keys if n not in ORDER]
    plain_first = sorted(ordered, key=lambda name: isinstance(keys[name], Mapping))
    for name in plain_first:
        for line in comments.get(name, ()):
            document.add(tomlkit.comment(plain(line)))
        document.add(name, tomlkit.item(_listed(keys[name])))
    text = tomlkit.dumps(document)
    rest = [f"# {plain(line)}" for name in comments if name not in keys for line in comments[name]]
    text += "".join(f"{line}\n" for line in rest)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise DataError("a column's name holds half a character; rename the column") from error
    return text


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def plain(line: str) -> str:
    """A comment on one line: what would end it or is not to be seen is replaced by blanks."""
    seen = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in line)
    return re.sub(r" {2,}", " ", seen).strip()
