"""The data options of a command and those of a task file, as one :class:`Source`.

A task file's options are defaults (:attr:`toolkit.Task.source_options`); what the command line says
goes before them. The files belong together: where the command line names one of them, none of the
task file's is read. ``run``, ``check``, ``show`` and ``init`` make their source here, so that the
one that a run stores holds everything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.data.columns import split_option
from toolkit.data.label_scales import labels_option, parse_labels
from toolkit.data.readers.read import is_hub_id
from toolkit.data.source import Source
from toolkit.errors import UsageError

if TYPE_CHECKING:
    from toolkit.task import Task

FILES = ("data", "train", "validation", "test")
"""The options that name files; the command line replaces them as a whole."""
KEYS: Mapping[str, tuple[Any, str]] = {
    **dict.fromkeys(FILES, (str, "a text")),
    "text": (str | list, "a text or a list of columns"),
    "target": (str | list, "a text or a list of columns"),
    "group": (str, "a text"),
    "labels": (str | dict, "a text or a table of labels and meanings"),
    "encoding": (str, "a text"),
    "header": (bool, "true or false"),
    "sheet": (str, "a text"),
    "near_duplicates": (bool, "true or false"),
}
"""The keys of a task file that are data options: their types, and what errors call these."""


_STORED: ContextVar[bool] = ContextVar("stored", default=False)


@contextmanager
def of_stored_run() -> Iterator[None]:
    """Within the context, task files may name data that is gone: a stored run names its own."""
    token = _STORED.set(True)
    try:
        yield
    finally:
        _STORED.reset(token)


def merged(task: type[Task], given: Mapping[str, Any]) -> Source:
    """The source of a task: what the command line gives, over what the task's file says.

    Args:
        task: its ``source_options`` are the defaults.
        given: fields of :class:`Source`; ``None`` stands for an option that was not given. ``text``
            may be one text, as ``--text`` takes it, and ``labels`` a table of labels and meanings.

    Raises:
        UsageError: the text names no column, or the labels have no such meanings.
    """
    said = {name: value for name, value in given.items() if value is not None}
    if text := said.pop("text", None):
        said["text"] = split_option(text) if isinstance(text, str) else tuple(text)
    if isinstance(labels := said.get("labels"), Mapping):
        said["labels"] = labels_option({str(label): meaning for label, meaning in labels.items()})
    defaults = dict(task.source_options)
    if any(name in said for name in FILES):
        defaults = {name: value for name, value in defaults.items() if name not in FILES}
    return Source(**{**defaults, **said})


def of_file(file: Path, content: Mapping[str, Any]) -> dict[str, Any]:
    """The data options in a task file as fields of :class:`Source`, with the paths of its folder.

    Raises:
        UsageError: a file is not there, or a value cannot be used.
    """
    found = {name: content[name] for name in KEYS if name in content}
    for name in FILES:
        if name in found:
            found[name] = _place(file, name, found[name])
    if "data" in found and "train" in found:
        raise UsageError(f"{file}: data and train both name training rows; give one of them")
    if not ("data" in found or "train" in found) and ("validation" in found or "test" in found):
        raise UsageError(f"{file}: validation and test go with data or train")
    if "text" in found:
        found["text"] = _text(file, found["text"])
    if isinstance(found.get("target"), list):
        found["target"] = joined_target(file, found["target"])
    if "labels" in found:
        found["labels"] = _labels(file, found["labels"])
    for name in ("target", "group", "encoding", "sheet"):
        if name in found and not found[name].strip():
            raise UsageError(f"{file}: {name} is empty")
    return found


def _place(file: Path, key: str, value: str) -> str:
    """A path beside the task file, or a Hub data set."""
    path = file.parent / value
    if path.is_file():
        return str(path.resolve())
    if is_hub_id(value):
        return value
    if _STORED.get():
        return str(path.resolve())
    raise UsageError(f"{file}: there is no file {path} ({key})")


def _text(file: Path, value: str | list[Any]) -> tuple[str, ...]:
    if isinstance(value, list):
        if not value or not all(isinstance(name, str) and name.strip() for name in value):
            raise UsageError(f"{file}: text must be a text or a list of columns, not {value!r}")
        return tuple(value)
    try:
        return split_option(value)
    except UsageError as error:
        raise UsageError(f"{file}: text names no column") from error


def joined_target(file: Path, names: list[Any]) -> str:
    """Several columns of the answer as ``--target`` names them."""
    if len(names) < 2 or not all(isinstance(name, str) and name.strip() for name in names):
        raise UsageError(f"{file}: target must be a text or a list of columns, not {names!r}")
    if wrong := [name for name in names if "," in name]:
        raise UsageError(f"{file}: target: rename the column {wrong[0]!r}, whose name has a comma")
    return ",".join(name.strip() for name in names)


def _labels(file: Path, value: str | dict[str, Any]) -> str:
    try:
        option = value if isinstance(value, str) else labels_option(value)
        parse_labels(option)
    except UsageError as error:
        raise UsageError(f"{file}: {error}") from error
    return option
