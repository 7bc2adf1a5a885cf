"""Pushing a run: its files in one commit, and steps of a training in progress as revisions."""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit import Task
from toolkit.errors import RunError, UsageError
from toolkit.kinds import checkpoints
from toolkit.pipeline import load_task, steps
from toolkit.runs import Run, read_json, write_json
from toolkit.system import Console
from toolkit_export import card, hub_card, hub_files
from toolkit_export.export import RECORD
from toolkit_export.hub import Hub, PushFailed
from toolkit_export.hub_files import Piece

PUSHED = "pushed.json"
"""In the run: what was pushed where, and when."""
LOOK = 5.0
"""Seconds between two looks at a training in progress."""


@dataclass(frozen=True)
class Options:
    """What is pushed, and how; see the command's help."""

    form: str = "adapter"
    public: bool = False
    rows: bool = False


# -- what leaves -----------------------------------------------------------------------------------
def pieces(run: Run, repository: str, options: Options) -> list[Piece]:
    """The files of a finished run that a push sends, the card first.

    Raises:
        RunError: the run is not finished, or its files are not its own.
        UsageError: there is no such export.
    """
    if not run.finished:
        raise RunError(f"run {run.id} is not finished; go on with: toolkit resume {run.path}")
    task = load_task(run)
    folder = hub_files.folder_of(run, options.form)
    gate = ""
    if options.form != "adapter":
        gate = card.verdict(read_json(folder / RECORD))
    text = hub_card.write(
        run.info, read_json(run.path / "metrics.json"), task, options.form, repository, gate,
        whole=_whole(folder, options.form),
    )  # fmt: skip
    return [_card(text), *hub_files.collected(folder, rows=options.rows)]


def of_a_step(run: Run) -> list[str]:
    """Names of the files that go of each step, by the newest that is there; empty: none is yet.

    Raises:
        RunError: a link leads out of a step's folder.
    """
    places = [place for _, place in steps.saved(run)] or checkpoints.found(
        run.checkpoints / "adapter"
    )
    if not places:
        return []
    try:
        return ["README.md", *hub_files.names(places[-1])]
    except (OSError, RunError):
        if places[-1].exists():
            raise
        return []  # the training has removed it meanwhile


def _card(text: str) -> Piece:
    return Piece("README.md", text.encode(), "the card")


def _whole(folder: Path, form: str) -> bool:
    return form == "merged" or (form == "adapter" and (folder / "model.safetensors").is_file())


# -- sending ---------------------------------------------------------------------------------------
def send(run: Run, hub: Hub, found: Sequence[Piece], options: Options) -> dict[str, Any]:
    """Send what was listed; gives the record, which is kept in the run.

    Raises:
        UsageError: the repository is one that everybody sees, and that was not said.
        PushFailed: the Hub did not take it.
    """
    ready(hub, options)
    address = hub.commit(found, f"{options.form} of run {run.id}")
    return _recorded(run, hub, options, "main", address, found)


def send_steps(run: Run, hub: Hub, options: Options, console: Console) -> list[dict[str, Any]]:
    """Send the steps that a run has kept, each as a revision; gives their records.

    Raises:
        UsageError: it has kept none.
        PushFailed: the Hub did not take one.
    """
    kept = steps.saved(run)
    if not kept:
        raise UsageError(f"run {run.id} has kept no steps: toolkit run … --keep-steps")
    task = load_task(run)
    return [_step_sent(run, task, hub, options, console, folder, step) for step, folder in kept]


def ready(hub: Hub, options: Options) -> None:
    """Make the repository, unless it is there; refuse one that is more open than was said."""
    if hub.visible() and not options.public:
        raise UsageError(
            f"everybody sees {hub.address}, and a push is private unless you say --public"
        )
    hub.make(public=options.public)


def _recorded(
    run: Run, hub: Hub, options: Options, revision: str, address: str, found: Sequence[Piece]
) -> dict[str, Any]:
    place = run.path / PUSHED
    record = {
        "to": hub.address, "revision": revision, "form": options.form, "commit": address,
        "files": {one.name: one.size for one in found},
        "at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
    }  # fmt: skip
    before = read_json(place) if place.is_file() else []
    write_json(place, [*(before if isinstance(before, list) else []), record])
    return record


# -- steps of a training in progress ---------------------------------------------------------------
def follow(
    run: Run, hub: Hub, options: Options, console: Console, *,
    look: float = LOOK, wait: Callable[[float], None] = time.sleep,
) -> list[dict[str, Any]]:  # fmt: skip
    """Push each step that a training saves, as a revision of its own, and at the end the adapter.

    It is another process than the training, which no failure here reaches. A step is copied before
    it is sent, because the training removes it later; what fails is sent again with the next look.

    Args:
        run: a run that is worked on.
        hub: where to.
        options: how.
        console: is told what was sent and what failed.
        look: seconds between two looks.
        wait: waits so many seconds.

    Returns:
        the records of what was sent.

    Raises:
        RunError: nobody works at the run any more, and it is not finished.
    """
    ready(hub, options)
    task = load_task(run)
    records: list[dict[str, Any]] = []
    sent: set[int] = set()
    with tempfile.TemporaryDirectory(prefix="toolkit-push-") as folder:
        while True:
            working, run = run.running is not None, Run.open(run.path)
            for copy, step in _steps(run, Path(folder)):
                if step in sent:
                    continue
                try:
                    records.append(_step_sent(run, task, hub, options, console, copy, step))
                    sent.add(step)
                except PushFailed as error:
                    console.warn(f"step {step} was not sent, and is tried again: {error}")
            if run.finished and not _waiting(Path(folder), sent):
                console.note("the run is finished")
                return [*records, send(run, hub, pieces(run, hub.repository, options), options)]
            if not working and not run.finished:
                raise RunError(
                    f"nobody works at run {run.id} any more; go on with: toolkit resume {run.path}"
                )
            wait(look)


def _steps(run: Run, folder: Path) -> Iterator[tuple[Path, int]]:
    """Copies of the whole checkpoints of the first training, the oldest first."""
    for place in checkpoints.found(run.checkpoints / "adapter"):
        step = checkpoints.step_of(place)
        copy = folder / str(step)
        if not step or copy.exists() or checkpoints.problem(place) is not None:
            continue
        fresh = folder / f"{step}.new"
        shutil.rmtree(fresh, ignore_errors=True)
        try:
            shutil.copytree(
                place, fresh, ignore=lambda at, names: [n for n in names if _resuming(n)]
            )
        except OSError:  # the training has removed it meanwhile
            continue
        fresh.rename(copy)
    for copy in sorted(folder.iterdir(), key=lambda path: (len(path.name), path.name)):
        if copy.name.isdigit():
            yield copy, int(copy.name)


def _resuming(name: str) -> bool:
    return name in hub_files.AT_HOME or name.startswith(hub_files.RESUMING)


def _waiting(folder: Path, sent: set[int]) -> bool:
    return any(one.name.isdigit() and int(one.name) not in sent for one in folder.iterdir())


def _step_sent(
    run: Run, task: Task, hub: Hub, options: Options, console: Console, copy: Path, step: int
) -> dict[str, Any]:
    """Push a step as a revision of its own; gives its record."""
    whole = (copy / "model.safetensors").is_file()
    text = hub_card.write(run.info, {}, task, "adapter", hub.repository, step=step, whole=whole)
    revision = f"step-{step}"
    found = [_card(text), *hub_files.collected(copy, rows=options.rows)]
    hub.branch(revision)
    address = hub.commit(found, f"step {step} of run {run.id}", revision)
    console.note(f"step {step}: {address}")
    return _recorded(run, hub, options, revision, address, found)
