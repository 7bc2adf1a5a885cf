"""JSON and JSON lines → rows on disk; errors name the line.

Columns keep their types where all values have one; a column of mixed types becomes text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.data.readers import json_tables, readable, squad
from toolkit.data.readers.encoding import UNREADABLE, encoding_of, open_text, other_encoding
from toolkit.data.readers.options import Note, ReadOptions
from toolkit.data.tables import BATCH, from_record_batches
from toolkit.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa
    from datasets import Dataset


def read_json_lines(path: Path, options: ReadOptions, note: Note) -> Dataset:
    """Rows of a JSON-lines file; errors name the line."""
    encoding = encoding_of(path, options.encoding)
    return _from_objects(path, note, lambda: _objects_of_lines(path, encoding))


def _objects_of_lines(path: Path, encoding: str) -> Iterator[dict[str, Any]]:
    number = 0
    with open_text(path, encoding) as file:
        try:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield _object(path, number, line)
        except UnicodeError as error:
            raise DataError(
                f"{path}: line {number + 1} is not {encoding.removesuffix('-sig')}; "
                f"{other_encoding(path, encoding)}"
            ) from error
        except UNREADABLE as error:
            raise DataError(f"cannot read {path} beyond line {number}: {error}") from error


def _object(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        value = parsed(line)
    except (ValueError, RecursionError) as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        place = f", column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise DataError(f"{path}: line {number}{place} is not JSON: {reason}") from error
    if not isinstance(value, dict):
        raise DataError(
            f"{path}: line {number} is {_json_name(value)}, not an object such as "
            '{"text": "…", "price": 12}'
        )
    return value


def parsed(text: str) -> Any:
    """The value of a JSON text, in which halves of characters are replaced."""
    value = json.loads(text)
    return readable.whole_value(value) if readable.may_have_halves(text) else value


def _json_name(value: Any) -> str:
    names = {list: "a list", str: "a string", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def read_json(path: Path, options: ReadOptions, note: Note) -> Dataset:
    """Rows of a JSON file: a list of objects, such a list inside an object, or SQuAD's nesting.

    Also what pandas writes column by column, see :mod:`toolkit.data.readers.json_tables`.
    """
    encoding = encoding_of(path, options.encoding)
    try:
        with open_text(path, encoding) as file:
            content = parsed(file.read())
    except UnicodeError as error:
        raise DataError(f"{path} is not {encoding}; {other_encoding(path, encoding)}") from error
    except json.JSONDecodeError as error:
        if error.msg == "Extra data" and error.lineno > 1:
            note(f"{path.name} holds one JSON object a line and is read that way")
            return read_json_lines(path, options, note)
        raise DataError(
            f"{path}: line {error.lineno}, column {error.colno} is not JSON: {error.msg}"
        ) from error
    except (*UNREADABLE, ValueError, RecursionError) as error:
        raise DataError(f"cannot read {path}: {error}") from error
    if squad.is_squad(content):
        return _from_objects(path, note, lambda: squad.rows(path.name, content), squad.types())
    rows = json_tables.rows(path, content, note)
    if rows is None:
        rows = _list_of_objects(path, content)
    return _from_objects(path, note, lambda: iter(rows))


def _list_of_objects(path: Path, content: Any) -> list[dict[str, Any]]:
    """The rows in a JSON document: a list of objects, or an object that holds one such list."""
    if isinstance(content, dict):
        lists = [v for v in content.values() if isinstance(v, list) and v and _are_objects(v)]
        inner = content.get("data")
        _check_one_table(path, content, inner)
        content = inner if isinstance(inner, list) else lists[0] if len(lists) == 1 else [content]
    if not isinstance(content, list):
        raise DataError(f"{path} is {_json_name(content)}, not a list of objects")
    for number, value in enumerate(content, start=1):
        if not isinstance(value, dict):
            raise DataError(f"{path}: row {number} is {_json_name(value)}, not an object")
    return content


def _check_one_table(path: Path, content: Mapping[str, Any], inner: Any) -> None:
    """Refuse an object of several lists of rows, such as one for each split."""
    tables = {
        name: value
        for name, value in content.items()
        if isinstance(value, list) and len(value) > 1 and isinstance(value[0], dict | list)
    }
    if isinstance(inner, list) or len(tables) < 2:
        return
    listed = ", ".join(f"{name!r} ({len(value):,})" for name, value in [*tables.items()][:6])
    raise DataError(
        f"{path.name} holds {len(tables)} lists of rows: {listed}; write each into a file of its "
        "own, as objects with the same names, and give them with --train, --validation and --test"
    )


def _are_objects(values: list[Any]) -> bool:
    return all(isinstance(value, dict) for value in values)


def _from_objects(
    path: Path,
    note: Note,
    objects: Callable[[], Iterator[dict[str, Any]]],
    declared: Mapping[str, Any] | None = None,
) -> Dataset:
    """Objects as a table, in two passes: one finds the columns' types, one writes the rows.

    Memory holds a batch at a time.

    Args:
        declared: columns whose Arrow types are known.
    """
    import pyarrow as pa

    types: dict[str, Any] = dict(declared or {})
    count = 0
    for batch in _chunks(objects()):
        count += len(batch)
        for name in dict.fromkeys(n for row in batch for n in row if n not in (declared or {})):
            kind = _type([row.get(name) for row in batch])
            types[name] = _common_type(types[name], kind) if name in types else kind
    if count == 0:
        raise DataError(f"{path} is empty: it holds no rows")
    types = {name: pa.string() if pa.types.is_null(kind) else kind for name, kind in types.items()}
    unique = readable.distinct_names(path.name, types, note)
    names = dict(zip(types, unique, strict=True))
    if "row_id" in types:
        note(f"the column 'row_id' of {path.name} is called {names['row_id']!r} here")
    schema = pa.schema([*((names[n], t) for n, t in types.items()), ("row_id", pa.int64())])

    def batches() -> Iterator[pa.RecordBatch]:
        first = 1
        for batch in _chunks(objects()):
            columns = [_array([row.get(name) for row in batch], types[name]) for name in types]
            numbers = pa.array(range(first, first + len(batch)), type=pa.int64())
            yield pa.record_batch([*columns, numbers], schema=schema)
            first += len(batch)

    return from_record_batches(batches(), schema)


def _chunks(objects: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    chunk: list[dict[str, Any]] = []
    for value in objects:
        chunk.append(value)
        if len(chunk) == BATCH:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _type(values: list[Any]) -> Any:
    """The Arrow type that holds all values; text where there is none."""
    import pyarrow as pa

    try:
        return pa.array(values).type
    except (pa.ArrowException, OverflowError):
        return pa.string()


def _common_type(one: Any, other: Any) -> Any:
    import pyarrow as pa

    try:
        schemas = [pa.schema([("x", kind)]) for kind in (one, other)]
        return pa.unify_schemas(schemas, promote_options="permissive").field("x").type
    except pa.ArrowException:
        return pa.string()


def _array(values: list[Any], kind: Any) -> Any:
    """Values as an Arrow array; in a text column, values that are not text become JSON text."""
    import pyarrow as pa

    if pa.types.is_string(kind):
        values = [
            value if value is None or isinstance(value, str) else json.dumps(value)
            for value in values
        ]
    return pa.array(values, type=kind)
