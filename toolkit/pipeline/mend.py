"""Predictions that are not whole, found when a run goes on, and marked to be made again.

The run itself writes whole files. A disk, a copy that broke off or a person may leave one cut,
with lines twice, or without some of its rows; what has the recorded hash is as the run wrote it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from toolkit.errors import RunError
from toolkit.runs import record
from toolkit.runs.files import read_jsonl, write_json
from toolkit.runs.predictions import PARTIAL_ROLES, malformed, unlike
from toolkit.runs.run import Run
from toolkit.task import Row, Task


def mark_incomplete(
    run: Run, task: Task, rows: Mapping[str, Sequence[Row]], say: Callable[[str], None]
) -> None:
    """Find predictions that are not whole; their systems, and all that rests on them, are redone.

    Guesses of people and answers of services cannot be made again; they are left as they are.

    Args:
        run: the run, whose data stage is done.
        task: its task.
        rows: the held-out rows by split.
        say: gets a sentence about each file.
    """
    place = run.path / record.SYSTEMS
    try:
        entries = record.entries(run)
    except RunError as error:
        say(f"{error}: all systems predict again")
        place.unlink()
        entries = []
    if not entries:
        if run.done("baselines"):
            known = record.of(run).get("files", {})
            record.forget(run, [name for name in known if name.startswith("predictions/")])
            _redo(run, ("baselines", "base", "predict"))
        return
    wanted = {split: {row["row_id"] for row in of} for split, of in rows.items()}
    own = {*task.baselines(), *task.controls()}
    stages = set()
    for entry in entries:
        if not entry.get("file") or entry.get("role") in PARTIAL_ROLES:
            continue
        name = f"predictions/{entry['file']}"
        if not record.intact(run, name) and (what := _problem(run.path / name, wanted)):
            say(f"{name} is not whole ({what}): {entry['name']} predicts again")
            entry["incomplete"] = True
            stages.add(_stage(entry, own))
    # An entry stays marked where a run was stopped before it was made again.
    stages |= {_stage(entry, own) for entry in entries if entry.get("incomplete")}
    if stages:
        write_json(place, entries)
        record.forget(run, [*record.to_be_made(run), record.SYSTEMS])
        _redo(run, stages)


def _problem(place: Path, wanted: Mapping[str, set[Any]]) -> str:
    """Why a predictions file is not whole; empty if it is."""
    try:
        lines = read_jsonl(place)
    except RunError:
        return "it is cut or missing" if place.is_file() else "it is missing"
    if any(malformed(line) for line in lines):
        return "lines of it have no usable form"
    return unlike(((line["split"], line["row_id"]) for line in lines), wanted)


def _stage(entry: Mapping[str, Any], own: set[str]) -> str:
    """The stage that predicts with a system."""
    if entry["name"] in own:
        return "baselines"
    before = ("base", "few-shot", "baseline", "control", "other")
    return "base" if entry["role"] in before else "predict"


def _redo(run: Run, stages: Iterable[str]) -> None:
    """Have stages done again, of those that were done, and what rests on all of them."""
    for name in (*stages, "score", "report"):
        if run.done(name):
            run.info["stages"][name]["state"] = "stopped"
    run.save()
