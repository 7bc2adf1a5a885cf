"""The runs that the page can show, and the models of those that are being looked at."""

from __future__ import annotations

import contextlib
import random
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from toolkit import Row, Task
from toolkit.errors import RunError, ToolkitError, UsageError
from toolkit.pipeline import base_of, training_rows
from toolkit.runs import Run, Unreadable, predictions, read_json, read_jsonl
from toolkit_playground.state.any_model import is_free, task_for
from toolkit_playground.state.engine import Engine
from toolkit_playground.state.roster import Roster
from toolkit_playground.state.store import Store

MODELS_KEPT = 2
"""Bases in memory at once; the one that was looked at longest ago goes."""
PREDICTIONS_KEPT = 3
"""Runs whose predictions are in memory at once."""
MOST_ROWS = 5_000
"""Training rows of a run that are kept in memory to be voted on."""
ANSWERED_ANEW = ("base", "adapter", "full")
"""Systems that the model in memory answers again when a row is looked at."""
PRIVATE = ".playground"
"""Folder beside the runs for votes and guesses; no file of it is ever served."""
NAMES = "people.sqlite"


class Library:
    """Runs by ID.

    Args:
        folder: the runs folder.
        given: runs that were named on the command line, which may lie elsewhere.
        most_new_tokens: what one text may have at most, below the limit of its model.
    """

    def __init__(
        self, folder: Path, given: Sequence[Run] = (), *, most_new_tokens: int | None = None
    ) -> None:
        self.folder = folder
        self.most_new_tokens = most_new_tokens
        self.given = list(given)
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        self._lock = threading.Lock()
        self._lock_of_rows = threading.Lock()
        self._lock_of_systems = threading.Lock()
        self._training: dict[str, Sequence[Row]] = {}
        self._tried: dict[tuple[str, str], set[int]] = {}
        self._systems: OrderedDict[tuple[str, float], list[predictions.System]] = OrderedDict()

    # -- runs --------------------------------------------------------------------------------------
    def runs(self) -> list[Run]:
        """All runs, those that were named first, then the newest; read anew each time."""
        named = {run.id for run in self.given}
        found = [Run.open(run.path) if readable(run) else run for run in self.given]
        return found + [r for r in reversed(list(Run.all(self.folder))) if r.id not in named]

    def playable(self) -> list[Run]:
        """Runs with an adapter to play with, and those that were named."""
        named = {run.id for run in self.given}
        return [run for run in self.runs() if run.finished or run.id in named]

    def unreadable(self) -> list[Unreadable]:
        """What lies among the runs and cannot be read, with the reason."""
        return Run.listed(self.folder)[1]

    def find(self, key: str | None) -> Run:
        """A run by ID; raises a :class:`ToolkitError` where there is none, or it is unreadable."""
        if (near := self._at_its_place(key)) is not None:
            return near
        for run in self.runs():
            if run.id == key:
                return run
        for odd in self.unreadable():
            if odd.path.name == key:
                raise RunError(odd.reason)
        raise UsageError(f"there is no run {key!r}; see: toolkit runs")

    def _at_its_place(self, key: str | None) -> Run | None:
        """The run in the folder of that name, without a look at the hundreds of others."""
        for given in self.given:
            if given.id == key:
                return Run.open(given.path) if readable(given) else given
        if not key or key == ".." or Path(key).name != key or not self.folder.is_dir():
            return None
        tasks = [place for place in self.folder.iterdir() if not place.name.startswith(".")]
        found = [task / key for task in tasks if (task / key / "run.json").is_file()]
        if len(found) != 1:
            return None
        with contextlib.suppress(ToolkitError):
            run = Run.open(found[0])
            return run if run.id == key else None
        return None

    def first(self) -> str | None:
        """The run that the page opens on: the first named, else the newest finished."""
        playable = self.playable()
        return playable[0].id if playable else None

    def beside(self, run: Run) -> list[Run]:
        """Other runs of the task with an adapter, whether on the same base or named."""
        named = {other.id for other in self.given}
        return [
            other
            for other in self.playable()
            if other.id != run.id
            and other.info["task"] == run.info["task"]
            and (other.id in named or base_of(other) == base_of(run))
        ]

    # -- models ------------------------------------------------------------------------------------
    def engine(self, key: str | None) -> Engine:
        """The run's model, loaded if it is not; raises a :class:`ToolkitError`."""
        run = self.find(key)
        with self._lock:
            if run.id not in self._engines:
                missing = missing_files(run)
                if missing:
                    raise RunError(
                        f"the folder of run {run.id} has no {', '.join(missing)}; bring it back, "
                        "or start a new run"
                    )
                while len(self._engines) >= MODELS_KEPT:
                    self._engines.popitem(last=False)
                self._engines[run.id] = Engine(run, self.most_new_tokens)
            self._engines.move_to_end(run.id)
            return self._engines[run.id]

    # -- what a run keeps --------------------------------------------------------------------------
    def store(self, run: Run) -> Store:
        """The votes and guesses about a run."""
        return Store(_private(run) / f"{run.id}.sqlite", self.roster(run))

    def roster(self, run: Run) -> Roster:
        """Who votes and guesses about the runs that lie beside a run."""
        return Roster(_private(run) / NAMES)

    def held_out(self, run: Run, *splits: str) -> list[Row]:
        """Held-out rows of those splits, in the run's order; none where they were not kept.

        Without a split: those of all of them.
        """
        place = run.data / "heldout.jsonl"
        if not place.is_file():
            return []
        return [row for row in read_jsonl(place) if not splits or row["split"] in splits]

    def training(self, engine: Engine) -> Sequence[Row]:
        """The rows that a run was trained on; raises a :class:`ToolkitError` where they are gone.

        Of many rows the first that a seeded draw gives are enough to vote on.
        """
        run = engine.run
        with self._lock_of_rows:
            if run.id not in self._training:
                rows = training_rows(run, engine.task, engine.kind)
                random.Random(f"{run.info['seed']} training rows").shuffle(rows)
                self._training = {run.id: rows[:MOST_ROWS]}
            return self._training[run.id]

    def tried(self, run: Run, voter: str) -> set[int]:
        """Numbers of the training rows that a voter was to see since the server was started."""
        return self._tried.setdefault((run.id, voter), set())

    def systems(self, run: Run) -> list[predictions.System]:
        """Each system's stored predictions; none before the run has predicted.

        Raises:
            ToolkitError: they cannot be read.
        """
        place = run.predictions / "systems.json"
        if not place.is_file():
            return []
        key = (run.id, place.stat().st_mtime)
        with self._lock_of_systems:
            if key not in self._systems:
                found = predictions.load(run)
                for old in [old for old in self._systems if old[0] == run.id]:
                    del self._systems[old]
                while len(self._systems) >= PREDICTIONS_KEPT:
                    self._systems.popitem(last=False)
                self._systems[key] = found
            self._systems.move_to_end(key)
            return self._systems[key]

    def system_answers(self, run: Run) -> dict[str, Mapping[int, Mapping[str, Any]]]:
        """Each system's stored predictions of the test rows by row number, see :meth:`systems`."""
        return {system.name: system.splits["test"] for system in self.systems(run)}

    def other_answers(self, run: Run, row: Row) -> dict[str, Any]:
        """What the systems that are not in the model's memory have predicted for a held-out row."""
        found = {}
        for system in self.systems(run):
            line = system.splits.get(str(row.get("split")), {}).get(int(row["row_id"]))
            if line is not None and system.name not in ANSWERED_ANEW:
                found[system.name] = line["prediction"]
        return found

    def metrics(self, run: Run) -> Mapping[str, Any] | None:
        """The run's metrics document; ``None`` before it is scored."""
        place = run.path / "metrics.json"
        return read_json(place) if place.is_file() else None


def _private(run: Run) -> Path:
    return run.path.resolve().parent.parent / PRIVATE


def readable(run: Run) -> bool:
    """Whether ``run.json`` can still be read."""
    try:
        Run.open(run.path)
    except ToolkitError:
        return False
    return True


def missing_files(run: Run) -> list[str]:
    """What a finished run must have and this one has not."""
    if is_free(run):
        return []
    needed = ("adapter/toolkit.json", "predictions/systems.json")
    return [name for name in needed if run.done("train") and not (run.path / name).is_file()]


def task_of(library: Library, key: str | None) -> tuple[Run, Task] | None:
    """The chosen run and its task; ``None`` without a run."""
    if key is None:
        return None
    run = library.find(key)
    return run, task_for(run)
