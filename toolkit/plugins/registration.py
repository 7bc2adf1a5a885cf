"""What a task must declare to be registered, checked without loading anything heavy."""

from __future__ import annotations

import re
from typing import Any

from toolkit.errors import PluginError
from toolkit.kinds.registry import kind_name
from toolkit.system import version_1

KEBAB = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
LONGEST_NAME = 100
"""Letters of a task's name, which is that of a folder and of a package."""


def check_registration(task: Any) -> None:
    """Check what a task class declares, without loading anything heavy.

    Raises:
        PluginError: naming what is missing or wrong.
    """
    from toolkit.task import Task

    label = getattr(task, "__qualname__", repr(task))
    if not (isinstance(task, type) and issubclass(task, Task)):
        raise PluginError(f"{label} is not a subclass of a toolkit task kind")
    _check_version(label, task.api_version)
    for attribute in ("name", "summary", "columns", "metrics", "primary_metric", "recipes"):
        if not getattr(task, attribute, None):
            raise PluginError(f"{label} has no {attribute}")
    if not isinstance(task.name, str) or len(task.name) > LONGEST_NAME:
        raise PluginError(
            f"{label}: the name {task.name!r:.60} is no text of at most {LONGEST_NAME} letters"
        )
    if not KEBAB.fullmatch(task.name):
        raise PluginError(f"{label}: the name {task.name!r} is not kebab-case (my-task)")
    missing = set(getattr(task, "__abstractmethods__", ()))
    if task.reference is Task.reference and task.answer is None:
        missing.add("reference")
    if missing:
        raise PluginError(f"{label} does not implement {', '.join(sorted(missing))}")
    kind_name(task)
    if task.load_rows is Task.load_rows and task.answer is None:
        raise PluginError(f"{label} names no answer column and does not implement load_rows")
    if task.answer is not None and task.answer not in task.columns:
        raise PluginError(f"{label}: answer {task.answer!r} is not among its columns")
    names = [metric.name for metric in task.metrics]
    if task.primary_metric not in names:
        raise PluginError(
            f"{label}: primary_metric {task.primary_metric!r} is not among {', '.join(names)}"
        )


def _check_version(label: str, version: Any) -> None:
    from toolkit.task import API_VERSION, OLDEST_API_VERSION

    if isinstance(version, int) and OLDEST_API_VERSION <= version <= API_VERSION:
        return
    if isinstance(version, int) and version > API_VERSION:
        remedy = "upgrade adapter-toolkit"
    else:
        remedy = "get a newer version of the plugin"
    has = f"{OLDEST_API_VERSION} to {API_VERSION}"
    if OLDEST_API_VERSION == API_VERSION:
        has = str(API_VERSION)
    raise PluginError(
        f"{label} is written for API version {version}, this toolkit has {has}; {remedy}"
    )


def age_warning(task: Any) -> str:
    """The warning about a task for an older API version that still works; empty for the newest."""
    from toolkit.task import API_VERSION

    if task.api_version == API_VERSION or version_1.is_the_same(task):
        return ""
    return (
        f"has {task.name!r}, written for API version {task.api_version}; that works, but this "
        f"toolkit has {API_VERSION}, and the changelog says what to change"
    )
