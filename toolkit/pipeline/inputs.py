"""The files that a run reads from outside its folder: where they are, and what identifies them.

``run.json`` has them by absolute paths, so that the run can be used from any folder, and under
``inputs`` with size and SHA-256, so that a file which was moved is found out before anything is
made of another one. ``toolkit resume RUN --data NEW`` (``--train``, ``--validation``, ``--test``,
``--model``, ``--task``) names what was moved.
"""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from toolkit.data.readers.read import is_hub_id
from toolkit.data.source import Source
from toolkit.errors import BusyError, RunError, UsageError
from toolkit.models.paths import EMBEDDED
from toolkit.plugins.file_options import FILES
from toolkit.recipe import Recipe
from toolkit.runs import trust
from toolkit.runs.files import sha256
from toolkit.runs.run import Run

MODEL, TASK = "model", "task"
WHOLE = 16 * 2**20
"""Files of a model that are larger, in bytes, are hashed by their first and last MiB."""
_PART = 2**20


# -- of a new run ----------------------------------------------------------------------------------
def absolute_source(source: Source) -> Source:
    """The source with absolute paths; names that are no file here stay as they are."""
    found = copy.copy(source)
    for name in FILES:
        if (value := getattr(source, name)) is not None:
            setattr(found, name, _absolute(str(value)))
    return found


def absolute_recipe(recipe: Recipe) -> Recipe:
    """The recipe with the absolute path of its model, where that is a folder."""
    if not Path(recipe.model).is_dir() or recipe.model.startswith(EMBEDDED):
        return recipe
    return dataclasses.replace(recipe, model=_absolute(recipe.model))


def _absolute(name: str) -> str:
    return os.path.abspath(name) if os.path.exists(name) else name  # noqa: PTH100, PTH110


def identified(source: Source, recipe: Recipe, task_file: str | None) -> dict[str, Any]:
    """What a run reads from this machine: its part → path, size and SHA-256.

    Args:
        source: with absolute paths.
        recipe: with an absolute path.
        task_file: the file of a task that has no package, perhaps with the name of its class.
    """
    places = {name: getattr(source, name) for name in FILES}
    places |= {MODEL: recipe.model, TASK: _file_of(task_file) if task_file else None}
    return {
        part: identity(Path(place))
        for part, place in places.items()
        if place and os.path.isabs(place) and os.path.exists(place)  # noqa: PTH110, PTH117
    }


def identity(place: Path) -> dict[str, Any]:
    """A file's path, size and SHA-256; of a folder those of its files together.

    Of large files in a folder, which are weights, the hash reads the beginning and the end: the
    header of safetensors, which names and places all tensors, is among them.
    """
    if place.is_file():
        return {"path": str(place), "size": place.stat().st_size, "sha256": sha256(place)}
    total, size = hashlib.sha256(), 0
    for file in sorted(p for p in place.iterdir() if p.is_file() and not p.name.startswith(".")):
        length = file.stat().st_size
        size += length
        total.update(f"{file.name} {length}\n".encode("utf-8", "surrogateescape"))
        with file.open("rb") as content:
            if length <= WHOLE:
                total.update(content.read())
            else:
                total.update(content.read(_PART))
                content.seek(-_PART, os.SEEK_END)
                total.update(content.read())
    return {"path": str(place), "size": size, "sha256": total.hexdigest()}


# -- of a stored run -------------------------------------------------------------------------------
def check_source(run: Run) -> None:
    """Raise :class:`RunError` where a file with the run's rows is not where it was."""
    for name in FILES:
        place = (run.info.get("source") or {}).get(name)
        if place is None or Path(str(place)).exists():
            continue
        if name in (run.info.get("inputs") or {}) or not is_hub_id(str(place)):
            raise RunError(_moved(run, f"the data of run {run.id} ({name})", str(place), name))


def check_model(run: Run) -> None:
    """Raise :class:`RunError` where the run's model is not where it was, or is another one."""
    place = str(run.info["recipe"].get("model", ""))
    known = (run.info.get("inputs") or {}).get(MODEL)
    if known is None:
        if place.startswith((".", "/", "~")) and not Path(place).is_dir():
            raise RunError(_moved(run, f"the model of run {run.id}", place, MODEL))
        return
    if not Path(place).is_dir():
        raise RunError(_moved(run, f"the model of run {run.id}", place, MODEL))
    _check_same_model(run, known, Path(place))


def check_task(run: Run) -> None:
    """Raise :class:`RunError` where the file of the run's task is not where it was."""
    file = (run.info.get("plugin") or {}).get("file")
    if file and not Path(_file_of(str(file))).is_file():
        raise RunError(_moved(run, f"the task file of run {run.id}", _file_of(str(file)), TASK))


def _moved(run: Run, what: str, place: str, part: str) -> str:
    return (
        f"{what}: there is no {_KIND.get(part, 'file')} {place} any more; bring it back, or name "
        f"where it is now: toolkit resume {run.path} --{part} NEW"
    )


def _check_same_model(run: Run, known: Mapping[str, Any], place: Path) -> None:
    now = identity(place)
    if now["sha256"] != known.get("sha256"):
        raise RunError(
            f"the model in {place} is not the one that run {run.id} was made with: its files are "
            f"others ({now['size']:,} bytes, were {known.get('size') or 0:,}); bring that one "
            f"back, or name where it is: toolkit resume {run.path} --{MODEL} NEW"
        )


def rename(run: Run, places: Mapping[str, str | None]) -> None:
    """Note where the run's files are now, and save ``run.json``.

    Args:
        run: the run.
        places: ``data``, ``train``, ``validation``, ``test``, ``model`` or ``task`` → its new
            place; ``None``: it is where it was.

    Raises:
        UsageError: there is no such file, or the run has no such part.
        RunError: it is another model.
        BusyError: a process works at the run.
    """
    given = {part: place for part, place in places.items() if place is not None}
    if not given:
        return
    if now := run.running:
        raise BusyError(f"run {run.id} is running {now}; stop it first")
    inputs = run.info.setdefault("inputs", {})
    for part, name in given.items():
        place = Path(os.path.abspath(_file_of(name)))  # noqa: PTH100
        if not (place.is_dir() if part == MODEL else place.is_file()):
            raise UsageError(f"--{part} {name}: there is no {_KIND.get(part, 'file')} {place}")
        if part == MODEL:
            if known := inputs.get(MODEL):
                _check_same_model(run, known, place)
            run.info["recipe"]["model"] = str(place)
        elif part == TASK:
            _has(run, part, (run.info.get("plugin") or {}).get("file"))
            ending = Path(_file_of(str(run.info["plugin"]["file"]))).suffix
            if place.suffix != ending:
                raise UsageError(
                    f"--{TASK} {name}: give a file whose name ends in {ending} as the run's does"
                )
            wanted = str(run.info["plugin"]["file"]).partition(".py:")[2]
            run.info["plugin"]["file"] = f"{place}:{wanted}" if wanted else str(place)
            trust.has_run(place)  # today's command line names it
        else:
            _has(run, part, (run.info.get("source") or {}).get(part))
            run.info["source"][part] = str(place)
        inputs[part] = identity(place)
    if run.done("report"):  # the pages name the places
        run.info["stages"]["report"]["state"] = "stopped"
    run.save()


_KIND = {MODEL: "folder"}


def _has(run: Run, part: str, value: Any) -> None:
    if not value:
        raise UsageError(f"run {run.id} has no --{part} that could be elsewhere")


def _file_of(name: str) -> str:
    """The file in the name of a task: ``my_task.py`` of ``my_task.py:MyTask``."""
    before, colon, _ = name.partition(".py:")
    return f"{before}.py" if colon else name
