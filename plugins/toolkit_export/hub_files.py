"""The files that a push sends, as they lie in the run or as they are changed for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from toolkit.errors import RunError, UsageError
from toolkit.models import hub_id
from toolkit.runs import Run, read_json
from toolkit_export.export import RECORD
from toolkit_export.metadata import shown

CONFIG = "adapter_config.json"
OWN = "toolkit.json"
"""Of an adapter: what the toolkit checks it by, with a few rows of the data."""
ROWS = "canaries"
"""Its field with rows."""
AT_HOME = {"training.json", "test_results.json", "README.md", "training_args.bin"}
"""What stays: figures of the training that the card has, the card itself, and a pickle."""
RESUMING = ("optimizer", "scheduler", "rng_state", "trainer_state", "scaler")
"""Beginnings of the names of what a checkpoint holds to be gone on from."""


@dataclass(frozen=True)
class Piece:
    """A file of a push.

    Args:
        name: its path in the repository.
        content: where it lies, or its bytes.
        note: what is said of it in the list; empty: nothing.
    """

    name: str
    content: Path | bytes
    note: str = ""

    @property
    def size(self) -> int:
        """Its bytes."""
        return len(self.content) if isinstance(self.content, bytes) else self.content.stat().st_size


def folder_of(run: Run, form: str) -> Path:
    """Where what is pushed lies.

    Raises:
        RunError: it is not there.
    """
    if form == "adapter":
        if not run.adapter.is_dir():
            raise RunError(
                f"run {run.id} has no trained model; go on with: toolkit resume {run.path}"
            )
        return run.adapter
    place = run.path / "exports" / form
    if not (place / RECORD).is_file():
        raise UsageError(f"there is no such export yet: toolkit export {run.path} --to {form}")
    return place


def collected(folder: Path, *, rows: bool) -> list[Piece]:
    """The files of a folder, without what stays at home.

    Args:
        folder: an adapter, an export, or a checkpoint.
        rows: send the rows of the data that ``toolkit.json`` holds.

    Raises:
        RunError: a link leads out of the folder.
    """
    found = []
    for file in _files(folder):
        name = file.relative_to(folder).as_posix()
        if name == OWN and not rows:
            found.append(_without_rows(file))
        elif name == OWN:
            kept = len(read_json(file).get(ROWS) or ())
            found.append(Piece(name, file, f"with {kept} rows of the data" if kept else ""))
        elif name == CONFIG:
            found.append(_without_path(file))
        else:
            found.append(Piece(name, file))
    return found


def names(folder: Path) -> list[str]:
    """What :func:`collected` finds in a folder: names of files.

    Raises:
        RunError: a link leads out of the folder.
    """
    return [file.relative_to(folder).as_posix() for file in _files(folder)]


def _files(folder: Path) -> Iterator[Path]:
    root = folder.resolve()
    for file in sorted(folder.rglob("*")):
        parts = file.relative_to(folder).parts
        if file.is_dir() or any(part.startswith(".") for part in parts):
            continue
        if not file.resolve().is_relative_to(root) or not file.is_file():
            raise RunError(f"{file} leads out of its folder, or is no plain file; it is not pushed")
        if parts[-1] in AT_HOME or parts[-1].startswith(RESUMING):
            continue
        yield file


def _without_path(file: Path) -> Piece:
    """PEFT's configuration; a base that lies in a folder of this machine by the folder's name."""
    content = read_json(file)
    base = str(content.get("base_model_name_or_path") or "")
    if hub_id(base) or "/" not in base:
        return Piece(CONFIG, file)
    content["base_model_name_or_path"] = shown(base)
    note = "without the path of its base on this machine"
    return Piece(CONFIG, (json.dumps(content, indent=2) + "\n").encode(), note)


def _without_rows(file: Path) -> Piece:
    content = read_json(file)
    kept = content.pop(ROWS, None) or ()
    content["model"] = shown(str(content.get("model") or ""))
    note = f"without the {len(kept)} rows of the data that it holds here" if kept else ""
    return Piece(OWN, (json.dumps(content, indent=1) + "\n").encode(), note)
