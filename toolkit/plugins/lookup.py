"""A task by what the user typed: its name, or a file that holds one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from toolkit.task import Task


def find(name: str) -> type[Task]:
    """A task by its name, or out of a file such as ``./my_task.py`` or ``./my_task.toml``."""
    if name.endswith((".py", ".toml")) or ".py:" in name:
        from toolkit.plugins import task_file

        return task_file.load(name)
    from toolkit.plugins import discovery

    return discovery.load().task(name)
