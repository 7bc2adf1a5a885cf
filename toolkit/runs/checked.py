"""A run directory is data from somebody, perhaps somebody else: what is taken from it is checked.

Names that become paths have an alphabet, paths stay inside the directory, and no link leads out.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from toolkit.errors import RunError

ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
"""The ID of a run: a name of files and folders, and part of commands."""
TASK = re.compile(r"(?=.{1,200}\Z)[a-z][a-z0-9]*(-[a-z0-9]+)*")
"""The name of a task, as tasks are registered."""
SYSTEM = re.compile(r"\w[\w .+()-]{0,99}")
"""The name of a system, which its file of predictions has too."""


def check(path: Path, info: Mapping[str, Any]) -> None:
    """Check the names and the links of a run directory.

    Args:
        path: the directory.
        info: its ``run.json``.

    Raises:
        RunError: naming the file and what is wrong with it.
    """
    place = path / "run.json"
    for key, alphabet in (("id", ID), ("task", TASK)):
        if not alphabet.fullmatch(str(info[key])):
            raise RunError(f"{place} has {info[key]!r:.80} as its {key}, which is no {key} of ours")
    for key in ("plugin", "options", "source"):
        if info.get(key) is not None and not isinstance(info[key], dict):
            raise RunError(f"{place} has no usable {key}; was it edited?")
    if outside := leaving(path):
        raise RunError(
            f"{outside} is a link that leads out of the run's folder; put the file itself there"
        )


def leaving(folder: Path) -> Path | None:
    """The first link below a folder that leads out of it, if there is one."""
    root = folder.resolve()
    waiting = [str(folder)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_symlink():
                        if not Path(entry.path).resolve().is_relative_to(root):
                            return Path(entry.path)
                    elif entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
        except OSError:
            continue  # what cannot be read is not followed either
    return None


def within(folder: Path, name: str) -> Path | None:
    """A path inside a folder by its name; ``None`` where the name leads out of it."""
    try:
        place = (folder / name).resolve()
    except (OSError, ValueError):  # a loop of links, a null character
        return None
    return folder / name if place.is_relative_to(folder.resolve()) else None


def check_content(place: Path, content: Any) -> None:
    """Check the names in a file of a run directory that become paths.

    Raises:
        RunError: naming the file and the name.
    """
    if place.name != "systems.json" or not isinstance(content, list):
        return
    for number, entry in enumerate(content, start=1):
        if isinstance(entry, dict) and (problem := _system_problem(entry)):
            raise RunError(f"{place}: entry {number} has {problem}")


def _system_problem(entry: Mapping[str, Any]) -> str:
    """What is wrong with the names in an entry of ``systems.json``; empty if nothing is."""
    name, file = entry.get("name"), entry.get("file")
    if isinstance(name, str) and not SYSTEM.fullmatch(name):
        return f"{name!r:.80} as its name, which is no name of a system"
    if isinstance(file, str) and not (file.endswith(".jsonl") and SYSTEM.fullmatch(file[:-6])):
        return f"{file!r:.80} as its file, which is no file of predictions"
    return ""
