"""``toolkit import``: from another tool's file to a task file and a recipe that are checked."""

from __future__ import annotations

import contextlib
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from toolkit.data.readers.read import is_hub_id
from toolkit.errors import ToolkitError, UsageError
from toolkit.pipeline.importing import read, written
from toolkit.pipeline.importing.draft import Draft
from toolkit.pipeline.importing.places import Places
from toolkit.pipeline.importing.tools import TOOLS, recognised
from toolkit.plugins import recipes, toml_task
from toolkit.runs.files import write_text
from toolkit.system import secrets


@dataclass(frozen=True)
class Options:
    """What the command line says.

    Args:
        tool: the tool that the file belongs to; ``None``: its keys tell.
        name: of the files that are written; ``None``: after the file.
        folder: where they are written.
        dataset_info: LLaMA-Factory's descriptions of data sets.
        force: replace files that are there.
    """

    tool: str | None = None
    name: str | None = None
    folder: Path = field(default_factory=Path)
    dataset_info: Path | None = None
    force: bool = False


@dataclass(frozen=True)
class Imported:
    """What was written.

    Args:
        tool: the other tool's name.
        task: the task file.
        recipe: the recipe.
        draft: what was carried over, and what was not.
        commands: what to run next.
    """

    tool: str
    task: Path
    recipe: Path
    draft: Draft
    commands: tuple[str, ...]


def make(given: str, options: Options) -> Imported:
    """Import a training.

    Args:
        given: the other tool's file, or a command line.
        options: of the command line.

    Raises:
        UsageError: the file cannot be read or imported, or the files are there already; nothing is
            written then.
        RecipeError: a value is one that the installed libraries refuse.
    """
    keys, named = read.read(given)
    tool = options.tool or named or recognised(keys)
    path = Path(given)
    from_file = read.is_file(path)
    name = options.name or _name(path.stem if from_file else tool)
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]{0,80}", name):
        raise UsageError(f"--name {name!r:.60}: use letters, digits, hyphens and dots")
    task, recipe = options.folder / f"{name}.toml", options.folder / f"{name}-recipe.toml"
    _check_free(task, recipe, force=options.force)
    places = Places(path.parent if from_file else Path(), options.folder, options.dataset_info)
    draft = drafted(keys, tool, places)
    texts = written.texts(draft, path.name if from_file else TOOLS[tool].title, task, recipe)
    with _folder(options.folder):
        _check(draft, task, recipe)
    for file, content in zip((task, recipe), texts, strict=True):
        write_text(file, content)
    run = ["toolkit", "run", str(task), "--recipe", str(recipe), "--seed", str(draft.seed)]
    shown = ["toolkit", "show", str(task), "--recipe", str(recipe)]
    commands = [["toolkit", "check", str(task)], shown, run]
    return Imported(TOOLS[tool].title, task, recipe, draft, tuple(map(shlex.join, commands)))


def drafted(keys: dict[str, Any], tool: str, places: Places) -> Draft:
    """A file's keys carried over, and the others named; nothing is written.

    Raises:
        UsageError: it is no training that can be imported.
    """
    known = TOOLS[tool]
    draft = Draft(known.title, dict(keys))
    known.settings(draft)
    settings = draft.left[:]
    known.data(draft, places)
    draft.left = draft.left[len(settings) :] + settings  # what concerns the data comes first
    draft.leave_rest()
    secrets.refuse({"model": draft.model, "task": draft.task, "sections": draft.sections})
    return draft


@contextlib.contextmanager
def _folder(folder: Path) -> Iterator[None]:
    """A folder that is there, as relative paths need it; one that was made goes if it fails."""
    new = not folder.is_dir()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        if new:
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise


def _name(stem: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-") or "imported"


def _check_free(*files: Path, force: bool) -> None:
    for file in files:
        if file.is_dir() or (file.exists() and not force):
            raise UsageError(f"{file} is there already: --force replaces it, --name takes another")


def _check(draft: Draft, task: Path, recipe: Path) -> None:
    """Refuse what a run would refuse: the task file, and fields and values of the recipe."""
    from toolkit.kinds.registry import model_class
    from toolkit.system import environment

    local = not is_hub_id(str(draft.task.get("data") or draft.task.get("train")))
    environment.prepare(offline=local)
    made = toml_task.of_content(task, draft.task)
    found = recipes.from_content(made, {"name": recipe.stem, **written.content(draft)}, str(recipe))
    try:
        recipes.check(found, model_class(made).training_arguments(), made.options)
    except ToolkitError as error:
        raise UsageError(f"the recipe cannot be written: {error}") from error
