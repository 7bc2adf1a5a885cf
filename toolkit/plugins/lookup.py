"""Finds a task by what the user typed: its name, or a file that defines it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from toolkit.task import Task


def find(name: str) -> type[Task]:
    """A task by its name, or from a file such as ``./my_task.py`` or ``./my_task.toml``.

    Raises:
        UsageError: no task has the name, or there is no such file.
        PluginError: the file does not define a task that can be registered.
    """
    if name.endswith((".py", ".toml")) or ".py:" in name:
        from toolkit.plugins import task_file

        return task_file.load(name)
    from toolkit.plugins import discovery

    return discovery.load().task(name)
