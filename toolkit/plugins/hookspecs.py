"""The two hooks a plugin can implement."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    import typer

    from toolkit.task import Task

PROJECT = "toolkit"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def register_tasks(register: Callable[[type[Task]], None]) -> None:
    """Call ``register(MyTask)`` for every task class the plugin brings."""


@hookspec
def register_commands(app: typer.Typer) -> None:
    """Add commands of the plugin's own to the ``toolkit`` command line."""
