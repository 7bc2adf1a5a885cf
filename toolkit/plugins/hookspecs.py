"""The hooks that a plugin can implement."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    import typer

    from toolkit.kinds import Kind
    from toolkit.task import Task

PROJECT = "toolkit"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def register_tasks(register: Callable[[type[Task]], None]) -> None:
    """Call ``register(MyTask)`` for every task class the plugin brings."""


@hookspec
def register_kinds(register: Callable[[Kind], None]) -> None:
    """Call ``register(kind)`` for every kind of task the plugin brings.

    All plugins' kinds are registered before any task, so that tasks of other plugins can be of
    them.
    """


@hookspec
def register_commands(app: typer.Typer) -> None:
    """Add commands of the plugin's own to the ``toolkit`` command line."""


HOOKS = ("register_tasks", "register_kinds", "register_commands")
CLOSE = 0.85
"""How alike a name is that is meant to be a hook's; "register_metrics" is further away."""


def misspelt(module: Any) -> str:
    """A sentence on a function of a plugin that looks like a hook and is none; else empty.

    pluggy finds those that are marked (``PluginManager.check_pending``); hooks need no mark here.
    """
    name = getattr(module, "__name__", "")
    for attribute, value in vars(module).items() if hasattr(module, "__dict__") else ():
        if attribute in HOOKS or not inspect.isfunction(value) or value.__module__ != name:
            continue
        near = difflib.get_close_matches(attribute, HOOKS, n=1, cutoff=CLOSE)
        if near and not hasattr(module, near[0]):
            return f"{attribute} is no hook – did you mean {near[0]!r}?"
    return ""
