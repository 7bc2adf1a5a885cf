"""ZIP archives that hold one file of rows, as they are downloaded from many places."""

from __future__ import annotations

import zipfile
from pathlib import Path, PurePosixPath
from typing import IO

from toolkit.errors import DataError

ZIP = "zip"
"""What stands for an archive among the names of compressions."""
TEXT_FORMATS = (".csv", ".tsv", ".tab", ".json", ".jsonl", ".ndjson")
OTHER_FORMATS = (".parquet", ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
SHOWN = 5


def member(path: Path) -> str:
    """The name of the one file of rows in an archive.

    Notes, pictures and what systems add for themselves (``__MACOSX``) do not count.

    Raises:
        DataError: there is none, several, or one that has to be unpacked.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = [info.filename for info in archive.infolist() if not info.is_dir()]
    except (zipfile.BadZipFile, OSError) as error:
        raise DataError(f"cannot read {path}: {error}") from error
    names = [name for name in names if not name.startswith(("__MACOSX/", "."))]
    found = [name for name in names if _ending(name) in (*TEXT_FORMATS, *OTHER_FORMATS)]
    if len(found) > 1:
        raise DataError(
            f"{path.name} holds {len(found):,} files of rows ({_listed(found)}): unpack it, and "
            "name one of them"
        )
    if not found:
        raise DataError(f"{path.name} holds no file of rows, only {_listed(names) or 'nothing'}")
    if _ending(found[0]) in OTHER_FORMATS:
        raise DataError(f"{path.name} holds {found[0]}: unpack it, and name that file")
    return found[0]


def _ending(name: str) -> str:
    return PurePosixPath(name.lower()).suffix


def _listed(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + (", …" if len(names) > SHOWN else "")


def open_member(path: Path) -> IO[bytes]:
    """The bytes of the one file of rows in an archive.

    Raises:
        DataError: as for :func:`member`, or the file cannot be unpacked without a password.
    """
    name = member(path)
    try:
        return zipfile.ZipFile(path).open(name)
    except (RuntimeError, NotImplementedError) as error:  # encrypted, or an unknown method
        raise DataError(f"cannot unpack {name} from {path}: {error}") from error
