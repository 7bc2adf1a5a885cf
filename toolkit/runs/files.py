"""Files written atomically and read with a clear error: text, JSON and JSON Lines."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import math
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from toolkit.errors import RunError, WriteError
from toolkit.runs.checked import check_content
from toolkit.runs.earlier_names import upgraded, upgraded_line
from toolkit.system import distributed, secrets


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file atomically; raises :class:`WriteError` (disk full, path below a file).

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
        raise WriteError(
            f"cannot write {path}: {error.strerror or error}; {remedy(error)} or choose another "
            "folder with --runs, then go on with: toolkit resume"
        ) from error


def sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal; raises :class:`OSError`."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def remedy(error: OSError) -> str:
    """What a person can do about a file that cannot be written, in a few words."""
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "make the folder writable"
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return "allow more open files (ulimit -n)"
    if error.errno == errno.EFBIG:
        return "allow larger files (ulimit -f)"
    return "make room"


def usual_modes(folder: Path) -> None:
    """Give all files below a folder the mode that a new file has, as the user's umask has it.

    Libraries that write through temporary files leave them readable by their owner alone. The mode
    is read off a file made for it: asking for the umask means setting it, for all threads.
    """
    probe = folder / f".mode.{os.getpid()}.tmp"
    try:
        probe.touch()
        mode = probe.stat().st_mode & 0o777
        probe.unlink()
        for place in folder.rglob("*"):
            if place.is_file() and place.stat().st_mode & 0o777 != mode:
                place.chmod(mode)
    except OSError as error:
        raise WriteError(
            f"cannot set the mode of the files in {folder}: {error.strerror or error}; then go on "
            "with: toolkit resume"
        ) from error


def sweep(folder: Path) -> None:
    """Remove what a killed process has left half-written: ``.NAME.PID.tmp``, ``.NAME.old``."""
    for place in [*folder.rglob(".*.tmp"), *folder.glob(".*.old")]:
        with contextlib.suppress(OSError):
            shutil.rmtree(place) if place.is_dir() else place.unlink()


def write_text(path: Path, content: str) -> None:
    """Write a text file atomically, as UTF-8, without secrets.

    Half of a character, which UTF-8 has no bytes for, becomes an escape: in JSON it is read back.
    """
    write_bytes(path, secrets.redacted(content).encode("utf-8", "backslashreplace"))


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file atomically; figures that are not finite become ``null``."""
    content = _dumps(secrets.redacted_values(value), indent=1) + "\n"
    write_bytes(path, content.encode())


def write_jsonl(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write JSON lines atomically; figures that are not finite become ``null``."""
    write_bytes(path, jsonl(rows))


def jsonl(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """JSON lines as :func:`write_jsonl` writes them.

    Rows of data keep texts that only look like a secret; they are the data's.
    """
    lines = "".join(secrets.known_values(_dumps(row)) + "\n" for row in rows)
    return lines.encode("utf-8", "backslashreplace")


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
        content = upgraded(path.name, json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise RunError(f"{path} is missing; is {path.parent} a run directory?") from error
    except OSError as error:
        raise RunError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise RunError(f"{path} is not readable JSON: {error}") from error
    check_content(path, content)
    return content


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """Read JSON lines; raises :class:`RunError` if the file is missing or cut."""
    try:
        with path.open(encoding="utf-8") as file:
            return [upgraded_line(json.loads(line)) for line in file if line.strip()]
    except FileNotFoundError as error:
        raise RunError(f"{path} is missing; is {path.parent.parent} a run directory?") from error
    except OSError as error:
        raise RunError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise RunError(f"{path} is not readable JSON lines: {error}") from error
