"""Files written atomically and read with a clear error: text, JSON and JSON Lines."""

from __future__ import annotations

import contextlib
import json
import math
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from toolkit.errors import RunError
from toolkit.runs.earlier_names import upgraded, upgraded_line
from toolkit.system import distributed


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file atomically; raises :class:`RunError` (disk full, path below a file).

    Where several processes work on one run, only the first of them writes.
    """
    if not distributed.first():
        return
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise RunError(
            f"cannot write {path}: {error.strerror or error}; make room or choose another folder "
            "with --runs, then go on with: toolkit resume"
        ) from error


def write_text(path: Path, content: str) -> None:
    """Write a text file atomically, as UTF-8.

    Half of a character, which UTF-8 has no bytes for, becomes an escape: in JSON it is read back.
    """
    write_bytes(path, content.encode("utf-8", "backslashreplace"))


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file atomically; figures that are not finite become ``null``."""
    write_text(path, _dumps(value, indent=1) + "\n")


def write_jsonl(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write JSON lines atomically; figures that are not finite become ``null``."""
    write_bytes(path, jsonl(rows))


def jsonl(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """JSON lines as :func:`write_jsonl` writes them."""
    return "".join(_dumps(row) + "\n" for row in rows).encode("utf-8", "backslashreplace")


def _dumps(value: Any, indent: int | None = None) -> str:
    try:
        return json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False)
    except ValueError:  # Python would write NaN, which is not JSON
        return json.dumps(_nan_as_null(value), indent=indent, ensure_ascii=False)


def _nan_as_null(value: Any) -> Any:
    """The value with ``None`` in place of every number that is not finite."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _nan_as_null(inside) for key, inside in value.items()}
    if isinstance(value, list | tuple):
        return [_nan_as_null(inside) for inside in value]
    return value


def read_json(path: Path) -> Any:
    """Read a JSON file; raises :class:`RunError` if it is missing or cut."""
    try:
        return upgraded(path.name, json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise RunError(f"{path} is missing; is {path.parent} a run directory?") from error
    except ValueError as error:
        raise RunError(f"{path} is not readable JSON: {error}") from error


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """Read JSON lines; raises :class:`RunError` if the file is missing or cut."""
    try:
        with path.open(encoding="utf-8") as file:
            return [upgraded_line(json.loads(line)) for line in file if line.strip()]
    except FileNotFoundError as error:
        raise RunError(f"{path} is missing; is {path.parent.parent} a run directory?") from error
    except ValueError as error:
        raise RunError(f"{path} is not readable JSON lines: {error}") from error
