"""Where the data of another tool's training is, and how a task file names it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from toolkit.data.chat_messages import ROLES
from toolkit.data.readers.read import is_hub_id
from toolkit.errors import UsageError

MOST_UP = 2
"""Folders that a path in a task file goes up; beyond that it is written from the root."""


@dataclass(frozen=True)
class Places:
    """The folders that paths are looked for in.

    Args:
        config: the folder of the other tool's file.
        output: the folder of the task file.
        info: ``dataset_info.json``, where the command line names it.
    """

    config: Path
    output: Path
    info: Path | None = None

    def folders(self, up: int = 3) -> list[Path]:
        """The working folder, that of the file, and those above it."""
        return [Path(), self.config, *list(self.config.resolve().parents)[:up]]

    def data(self, name: str, near: Sequence[Path] = ()) -> str:
        """How a task file names a file of rows, or a Hub data set.

        Args:
            name: as the other tool's file has it.
            near: folders to look in before the others.

        Raises:
            UsageError: there is no such file, it is a folder or of an unknown format, and the name
                is not that of a Hub data set either.
        """
        if "://" in name:
            raise UsageError(f"the data set {name!r:.80} is on another storage; download it first")
        for folder in (*near, *self.folders()):
            path = folder / name
            if path.is_file():
                return self._relative(path)
            if path.is_dir() and any(path.iterdir()):
                raise UsageError(f"{path} is a folder; a task file names one file of rows")
        if is_hub_id(name):
            return name
        raise UsageError(f"there is no file {name!r:.80}, and no Hub data set is called so")

    def _relative(self, path: Path) -> str:
        try:
            found = os.path.relpath(path.resolve(), self.output.resolve())
        except ValueError:  # on another drive
            return str(path.resolve())
        parts = Path(found).parts
        return str(path.resolve()) if parts.count("..") > MOST_UP else Path(found).as_posix()


def check_speaker(name: str, role: str, where: str) -> None:
    """Refuse a name of a speaker that the toolkit reads as another one, or not at all.

    Raises:
        UsageError: it does.
    """
    if ROLES.get(name.casefold()) != role:
        raise UsageError(
            f"{where}: the speaker {name!r:.40} is not read as {role}; rename it in the rows"
        )


def check_field(name: str, known: Sequence[str], where: str) -> None:
    """Refuse a key of messages that the toolkit does not read.

    Raises:
        UsageError: it is none of the known ones.
    """
    if name not in known:
        raise UsageError(
            f"{where}: messages have their texts or speakers under {name!r:.40}, and are read "
            f"under {' or '.join(known)}; rename it in the rows"
        )
