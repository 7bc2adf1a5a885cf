"""A run directory read once: what its figures and its report are computed from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit.errors import RunError
from toolkit.runs import predictions
from toolkit.runs.files import read_json, read_jsonl
from toolkit.runs.predictions import System
from toolkit.runs.record import REMARKS
from toolkit.runs.run import Run


@dataclass(frozen=True)
class RunContents:
    """The files of a run whose predictions are there, as values.

    Args:
        id: the run's ID.
        info: ``run.json``.
        systems: all systems with their predictions.
        absent: systems that are not available → the reason.
        preflight: ``data/preflight.json``; empty where there is none.
        history: ``history.json``, the learning curve; empty where there is none.
        heldout: the held-out rows; empty where the run does not keep them.
        remarks: a file of the run → the sentence in it for the report, where it has one.
    """

    id: str
    info: Mapping[str, Any]
    systems: Sequence[System]
    absent: Mapping[str, str]
    preflight: Mapping[str, Any]
    history: Sequence[Mapping[str, Any]]
    heldout: Sequence[Mapping[str, Any]]
    remarks: Mapping[str, str]

    @property
    def synthetic(self) -> bool:
        """Whether the rows are generated."""
        return bool(self.info.get("data", {}).get("synthetic"))

    @property
    def trained(self) -> System | None:
        """The system that the run is about; ``None`` where nothing was trained."""
        return predictions.trained(self.systems)

    @property
    def base(self) -> System | None:
        """The model without training."""
        return next((system for system in self.systems if system.role == "base"), None)


def read_run(run: Run) -> RunContents:
    """All of a run directory that scoring and the report need.

    Raises :class:`toolkit.errors.RunError` where predictions are missing or a file is cut.
    """
    heldout = run.data / "heldout.jsonl"  # absent with --no-store-data
    remarks = {name: (_optional(run.path / name) or {}).get("sentence") for name in REMARKS}
    return RunContents(
        id=run.id,
        info=run.info,
        systems=predictions.load(run),
        absent=predictions.absent(run),
        preflight=_optional(run.data / "preflight.json") or {},
        history=_optional(run.path / "history.json") or [],
        heldout=read_jsonl(heldout) if heldout.is_file() else [],
        remarks={name: sentence for name, sentence in remarks.items() if sentence},
    )


def _optional(place: Path) -> Any:
    return read_json(place) if place.is_file() else None


def stored_test_rows(run: Run, most: int) -> list[dict[str, Any]]:
    """The first test rows of a run, without the column ``split``, at most so many.

    Raises:
        RunError: the run does not store its rows.
    """
    place = run.data / "heldout.jsonl"
    if not place.is_file():
        raise RunError(f"{run.path} holds no held-out rows; it was run with --no-store-data")
    return [row for row in read_jsonl(place) if row.pop("split") == "test"][:most]
