"""The files of a run that the page shows or offers for download; no other path is served."""

from __future__ import annotations

import shutil
from pathlib import Path

from toolkit.errors import UsageError
from toolkit.runs import Run

FILES = (
    "report.html", "report.md", "README.md", "metrics.json", "run.json", "history.json",
    "data/preflight.json", "adapter/adapter_config.json", "adapter/adapter_model.safetensors",
    "adapter/toolkit.json",
)  # fmt: skip


def own(run: Run, name: str) -> Path | None:
    """A file of the run's folder; ``None`` where it is not there, or a link leads elsewhere."""
    place = (run.path / name).resolve()
    inside = place.is_relative_to(run.path.resolve())
    return place if inside and place.is_file() else None


def present(run: Run) -> list[str]:
    """The files of a run that can be downloaded."""
    return [name for name in FILES if own(run, name)]


def copied(run: Run, name: str, folder: Path) -> str:
    """A copy of one of the run's own files, for the browser; raises for any other path."""
    if name not in FILES:
        raise UsageError(f"{name!r} is no file of run {run.id} that can be downloaded")
    place = own(run, name)
    if place is None:
        raise UsageError(f"run {run.id} has no {name}")
    target = folder / run.id / name
    if not target.resolve().is_relative_to(folder.resolve()):
        raise UsageError(f"run {run.id} has an ID that is no name of a folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(place, target)
    return str(target)
