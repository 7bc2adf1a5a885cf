"""Tools and calls of tools in chat data: the forms that people have, in one form of their own.

A call is ``{"type": "function", "function": {"name": "…", "arguments": {…}}}`` with the ``id`` that
its result names, where the data has one; a tool is ``{"type": "function", "function": {…}}`` with
the description that the model is shown. That is the form which chat templates expect. Read and
compared, a call is one line of JSON, :func:`line`.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from toolkit.data.row_mapping import Unusable

Call = dict[str, Any]
"""A call of a tool, see above."""

_START = re.compile(r"[\[{]")


def without_nulls(value: Any) -> Any:
    """A JSON value without the keys that are null.

    A table gives the objects of a column all the same keys, so that a call has the arguments of
    every other call too, as nulls.
    """
    if isinstance(value, Mapping):
        return {key: without_nulls(one) for key, one in value.items() if one is not None}
    if isinstance(value, list):
        return [without_nulls(one) for one in value]
    return value


# -- data ------------------------------------------------------------------------------------------
def tools_of(value: Any) -> list[dict[str, Any]]:
    """The tools of a row: a list of them, also as JSON, each with or without its outer object.

    Raises:
        Unusable: that is not a list of tools with names.
    """
    found = _parsed(value)
    if found in (None, "", []):
        return []
    if not isinstance(found, list):
        raise Unusable("tools that are no list")
    return [_tool(without_nulls(one)) for one in found]


def _tool(value: Any) -> dict[str, Any]:
    inner = value.get("function", value) if isinstance(value, Mapping) else None
    if not isinstance(inner, Mapping) or not isinstance(inner.get("name"), str):
        raise Unusable("a tool without a name")
    return dict(value) if "function" in value else {"type": "function", "function": dict(value)}


def calls_of(value: Any) -> list[Call]:
    """The calls of a message, with their arguments as objects.

    Raises:
        Unusable: a call has no name, or arguments that are no JSON object.
    """
    found = _parsed(value)
    if found in (None, "", []):
        return []
    if isinstance(found, Mapping):
        found = [found]
    if not isinstance(found, list):
        raise Unusable("tool calls that are no list")
    return [_call(one) for one in found]


def _call(value: Any) -> Call:
    inner = value.get("function") or value if isinstance(value, Mapping) else None
    if not isinstance(inner, Mapping) or not isinstance(inner.get("name"), str):
        raise Unusable("a tool call without a name")
    arguments = _parsed(inner.get("arguments", inner.get("parameters")))
    if arguments in (None, ""):
        arguments = {}
    if not isinstance(arguments, Mapping):
        raise Unusable("a tool call whose arguments are no JSON object")
    number = value.get("id")
    made: Call = {"id": number} if isinstance(number, str) and number else {}
    function = {"name": inner["name"], "arguments": without_nulls(arguments)}
    return {**made, "type": "function", "function": function}


def _parsed(value: Any) -> Any:
    """A value that may be given as JSON text; what is no JSON stays as it is."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value) if value.strip() else ""
    except ValueError:
        return value


# -- answers ---------------------------------------------------------------------------------------
def line(call: Call) -> str:
    """A call as one line of JSON, the same for equal calls: arguments are in alphabetical order."""
    function = call["function"]
    arguments = json.dumps(function["arguments"], ensure_ascii=False, sort_keys=True, default=str)
    return (
        f'{{"name": {json.dumps(function["name"], ensure_ascii=False)}, "arguments": {arguments}}}'
    )


def spoken(text: str, calls: Sequence[Call]) -> str:
    """An answer with calls as one text: its words, and a line for each call."""
    return "\n".join(part for part in (text.strip(), *map(line, calls)) if part)


def read(text: str) -> str:
    """The calls in a model's answer, a :func:`line` each, whatever its template writes around them.

    They are found by their JSON: objects with a ``name`` and ``arguments`` or ``parameters``, and
    lists of these. Words beside them are left out: many templates have no place for any. A text
    without calls stays as it is.
    """
    calls: list[Call] = []
    for found in _json_values(text):
        with contextlib.suppress(Unusable):
            calls += [_call(one) for one in found]
    return "\n".join(map(line, calls)) or text.strip()


def _json_values(text: str) -> Iterator[list[Any]]:
    """The calls of each JSON value in a text that looks like calls."""
    decoder = json.JSONDecoder()
    at = 0
    while (match := _START.search(text, at)) is not None:
        try:
            value, end = decoder.raw_decode(text, match.start())
        except (ValueError, RecursionError):
            at = match.end()
            continue
        found = value if isinstance(value, list) else [value]
        if found and all(map(_looks_like_call, found)):
            yield found
            at = end
        else:
            at = match.end()


def _looks_like_call(value: Any) -> bool:
    if not isinstance(value, Mapping):
        return False
    inner = value.get("function")
    inner = inner if isinstance(inner, Mapping) else value
    return isinstance(inner.get("name"), str) and ("arguments" in inner or "parameters" in inner)
