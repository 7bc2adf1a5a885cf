"""One run directory: how it is made, found and marked as its stages end.

The layout is drawn in ``docs/architecture.md``. Every file is written to a temporary name beside
its place and renamed, so that an interruption leaves the old file or the new one, never a part.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit.errors import RunError, UsageError, did_you_mean
from toolkit.runs import checked
from toolkit.runs.files import read_json, write_json

STAGES = ("data", "baselines", "base", "train", "predict", "score", "report")
VERSION = 1
_FORM = {"id": str, "task": str, "created": str, "recipe": dict, "stages": dict}
"""What commands take for granted in ``run.json``, and its types."""


def runs_folder(given: Path | None = None) -> Path:
    """``--runs``, else ``TOOLKIT_RUNS``, else ``runs`` in the working directory."""
    return given or Path(os.environ.get("TOOLKIT_RUNS") or "runs")


_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}(-\d+)?")


@dataclass(frozen=True)
class Unreadable:
    """What lies among the runs and cannot be read as one.

    Args:
        path: where it lies.
        reason: why, in a sentence.
    """

    path: Path
    reason: str


def _inside(folder: Path) -> list[Path]:
    """What is in a folder, without hidden entries; nothing where it is none or may not be read."""
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError:
        return []


def _is_run(path: Path) -> bool:
    """Whether a path is a run, or is called like one; raises :class:`OSError` or RunError."""
    named = _ID.fullmatch(path.name) is not None
    if not path.is_dir():
        if named:
            raise RunError(f"{path} is a file, and no folder of a run")
        return False
    try:
        (path / "run.json").lstat()
    except FileNotFoundError:
        if not named:
            return False
    else:
        return True
    raise RunError(f"{path} has no run.json; the run was killed as it began, or files were removed")


class Run:
    """One run directory. Attributes are paths; :attr:`info` is the content of ``run.json``."""

    def __init__(self, path: Path, info: dict[str, Any]) -> None:
        self.path = path
        self.info = info

    # -- places --------------------------------------------------------------------------------
    @property
    def id(self) -> str:
        return str(self.info["id"])

    @property
    def adapter(self) -> Path:
        return self.path / "adapter"

    @property
    def base(self) -> Path:
        """The folder of an encoder's linear probe, its base system; other kinds have none."""
        return self.path / "base"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def data(self) -> Path:
        return self.path / "data"

    @property
    def predictions(self) -> Path:
        return self.path / "predictions"

    # -- making and finding --------------------------------------------------------------------
    @classmethod
    def create(cls, folder: Path, info: Mapping[str, Any]) -> Run:
        """A new directory ``folder/TASK/ID``; never one that exists.

        Args:
            folder: the runs folder.
            info: at least ``task``, ``recipe``, ``source`` and ``seed``; see the architecture page.

        Raises:
            RunError: no folder can be made there.
        """
        now = dt.datetime.now(dt.UTC)
        basis = {k: info[k] for k in ("recipe", "source", "seed")}
        digest = hashlib.sha256(json.dumps(basis, sort_keys=True, default=str).encode()).hexdigest()
        stem = f"{now:%Y%m%d-%H%M%S}-{digest[:6]}"
        for attempt in range(100):
            run_id = stem if attempt == 0 else f"{stem}-{attempt}"
            path = folder / str(info["task"]) / run_id
            try:
                path.mkdir(parents=True, exist_ok=False)
            except FileExistsError as error:
                if path.is_dir():
                    continue
                raise RunError(f"cannot make the run folder {path}: {error.strerror}") from error
            except OSError as error:
                raise RunError(
                    f"cannot make the run folder {path}: {error.strerror}; choose another: --runs"
                ) from error
            run = cls(
                path,
                {
                    "version": VERSION,
                    "id": run_id,
                    "created": now.isoformat(timespec="seconds"),
                    **info,
                    "stages": {},
                },
            )
            try:
                run.save()
            except RunError:  # nothing has begun that could go on
                shutil.rmtree(path, ignore_errors=True)
                raise
            return run
        raise RunError(f"cannot make a new run folder in {folder / str(info['task'])}")

    @classmethod
    def open(cls, path: Path) -> Run:
        info = read_json(path / "run.json")
        if not isinstance(info, dict) or info.get("version") != VERSION:
            raise RunError(f"{path / 'run.json'} was written by another version of the toolkit")
        for key, kind in _FORM.items():
            if not isinstance(info.get(key), kind):
                raise RunError(f"{path / 'run.json'} has no usable {key}; was it edited?")
        for stage in info["stages"].values():
            if not isinstance(stage, dict):
                raise RunError(f"{path / 'run.json'} has no usable stages; was it edited?")
        checked.check(path, info)
        return cls(path, info)

    @classmethod
    def find(cls, name: str | None, folder: Path, *, unfinished: bool = False) -> Run:
        """A run by path, by ID (or its beginning), or the newest (unfinished) one for ``None``.

        Raises:
            UsageError: there is no such run, or several.
            RunError: it cannot be read.
        """
        if name and os.path.lexists(Path(name) / "run.json"):
            return cls.open(Path(name))
        runs, odd = cls.listed(folder)
        if name is None:
            runs = [r for r in runs if not unfinished or not r.finished]
            if not runs:
                what = "unfinished run" if unfinished else "run"
                raise UsageError(f"no {what} in {folder}; start one with: toolkit run TASK")
            return runs[-1]
        hits = [r for r in runs if r.id == name] or [r for r in runs if r.id.startswith(name)]
        if not hits:
            if unreadable := [o for o in odd if o.path.name == name]:
                raise RunError(unreadable[0].reason)
            near = did_you_mean(name, [r.id for r in runs])
            raise UsageError(f"no run {name!r} in {folder}{near}; see: toolkit runs")
        if len(hits) > 1:
            raise UsageError(f"{name!r} fits {len(hits)} runs: {', '.join(r.id for r in hits)}")
        return hits[0]

    @classmethod
    def all(cls, folder: Path) -> Iterator[Run]:
        """All readable runs below a runs folder, oldest first."""
        yield from cls.listed(folder)[0]

    @classmethod
    def listed(cls, folder: Path) -> tuple[list[Run], list[Unreadable]]:
        """All runs below a runs folder, oldest first, and what looks like one and cannot be read.

        A folder with a ``run.json`` is a run, and so is whatever has a run's kind of name.
        """
        found, odd = [], []
        for place in _inside(folder):
            for path in _inside(place):
                try:
                    if _is_run(path):
                        found.append(cls.open(path))
                except RunError as error:
                    odd.append(Unreadable(path, str(error)))
                except OSError as error:
                    odd.append(Unreadable(path, f"cannot read {path}: {error.strerror or error}"))
        return sorted(found, key=lambda r: (r.info["created"], r.id)), odd

    # -- stages ----------------------------------------------------------------------------------
    def save(self) -> None:
        write_json(self.path / "run.json", self.info)

    def done(self, stage: str) -> bool:
        return bool(self.info["stages"].get(stage, {}).get("state") == "done")

    @property
    def finished(self) -> bool:
        return all(self.done(stage) for stage in STAGES)

    def forget(self) -> None:
        """Remove the directory of a run that was refused: of one that has no stage done."""
        if not any(self.done(stage) for stage in self.info["stages"]):
            shutil.rmtree(self.path, ignore_errors=True)

    @property
    def running(self) -> str | None:
        """Since when and by which process the run is worked at now; ``None``: by none."""
        from toolkit.runs import lock

        now = lock.running(self.path)
        return None if now is None else str(now)

    def reread(self) -> dict[str, Any]:
        """The content of ``run.json`` by now."""
        return Run.open(self.path).info

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Mark a stage done when its block ends without an error; its seconds add up over tries."""
        before = self.info["stages"].get(name, {}).get("seconds", 0.0)
        started = time.perf_counter()
        self.info["stages"][name] = {"state": "running", "seconds": before}
        self.save()
        try:
            yield
        except BaseException:
            self._end(name, "stopped", before, started)
            raise
        self._end(name, "done", before, started)

    def _end(self, name: str, state: str, before: float, started: float) -> None:
        seconds = round(before + time.perf_counter() - started, 3)
        self.info["stages"][name] = {"state": state, "seconds": seconds}
        self.save()
