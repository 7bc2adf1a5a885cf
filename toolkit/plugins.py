"""Discovery of plugins by entry point, with provenance, and with broken ones isolated.

pluggy's own entry-point loading stops at the first plugin that fails to import, and cannot say
which distribution a task came from; so entry points are loaded here one by one, and each plugin's
hooks are called by themselves.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING, Any

import pluggy

from toolkit import hookspecs
from toolkit.errors import PluginError, UsageError, did_you_mean

if TYPE_CHECKING:
    import typer

    from toolkit.task import Task

GROUP = "toolkit"
KEBAB = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@dataclass
class Plugin:
    """One plugin: where it came from, what it brought, or why it could not."""

    name: str
    distribution: str
    version: str
    module: str
    tasks: list[str] = field(default_factory=list)
    problem: str | None = None
    seconds: float = 0.0

    @property
    def key(self) -> str:
        """Its name in the plugin manager."""
        return f"{self.distribution}:{self.name}"


@dataclass
class Plugins:
    """Everything that was found."""

    plugins: list[Plugin] = field(default_factory=list)
    tasks: dict[str, type[Task]] = field(default_factory=dict)
    origins: dict[str, Plugin] = field(default_factory=dict)
    manager: pluggy.PluginManager = field(
        default_factory=lambda: pluggy.PluginManager(hookspecs.PROJECT)
    )

    def task(self, name: str) -> type[Task]:
        """The task class of that name; :class:`UsageError` with the nearest name otherwise."""
        if name in self.tasks:
            return self.tasks[name]
        broken = [p for p in self.plugins if p.problem]
        hint = did_you_mean(name, self.tasks) or f"; there are: {', '.join(sorted(self.tasks))}"
        if broken:
            hint += f" ({len(broken)} plugin(s) could not be loaded: toolkit plugins)"
        raise UsageError(f"no task {name!r}{hint}")


def check_registration(task: Any) -> None:
    """What can be said of a task class without loading anything; raises :class:`PluginError`."""
    from toolkit.task import API_VERSION, Task

    label = getattr(task, "__qualname__", repr(task))
    if not (isinstance(task, type) and issubclass(task, Task)):
        raise PluginError(f"{label} is not a subclass of a toolkit task kind")
    if task.api_version != API_VERSION:
        raise PluginError(
            f"{label} is written for API version {task.api_version}, this toolkit has {API_VERSION}"
        )
    for attribute in ("name", "summary", "columns", "metrics", "primary_metric", "recipes"):
        if not getattr(task, attribute, None):
            raise PluginError(f"{label} has no {attribute}")
    if not KEBAB.fullmatch(task.name):
        raise PluginError(f"{label}: the name {task.name!r} is not kebab-case (my-task)")
    if missing := sorted(getattr(task, "__abstractmethods__", ())):
        raise PluginError(f"{label} does not implement {', '.join(missing)}")
    names = [metric.name for metric in task.metrics]
    if task.primary_metric not in names:
        raise PluginError(
            f"{label}: primary_metric {task.primary_metric!r} is not among {', '.join(names)}"
        )


def _entry_points() -> Iterable[metadata.EntryPoint]:
    """Entry points of the group, once each, in a fixed order."""
    unique = {(point.name, point.value): point for point in metadata.entry_points(group=GROUP)}
    return [unique[key] for key in sorted(unique)]


def _load(found: Plugins, point: metadata.EntryPoint) -> None:
    plugin = Plugin(
        name=point.name,
        distribution=point.dist.name if point.dist else "?",
        version=point.dist.version if point.dist else "?",
        module=point.value,
    )
    found.plugins.append(plugin)
    started = time.perf_counter()
    try:
        module = point.load()
        found.manager.register(module, name=plugin.key)
        _register_tasks(found, plugin, module)
    except (Exception, SystemExit) as error:  # it may raise anything; the others must work
        plugin.problem = f"{type(error).__name__}: {error}"
        for name in plugin.tasks:
            found.tasks.pop(name, None)
            found.origins.pop(name, None)
        plugin.tasks.clear()
        if found.manager.has_plugin(plugin.key):
            found.manager.unregister(name=plugin.key)
    plugin.seconds = time.perf_counter() - started


def _register_tasks(found: Plugins, plugin: Plugin, module: object) -> None:
    def register(task: type[Task]) -> None:
        check_registration(task)
        if (other := found.origins.get(task.name)) is not None:
            raise PluginError(
                f"the task {task.name!r} is registered by {other.distribution} {other.version} "
                f"and by {plugin.distribution} {plugin.version}; uninstall one of them"
            )
        found.tasks[task.name] = task
        found.origins[task.name] = plugin
        plugin.tasks.append(task.name)

    hook: Callable[..., None] | None = getattr(module, "register_tasks", None)
    if hook is not None:
        hook(register=register)


def add_commands(app: typer.Typer) -> None:
    """Let every working plugin add its commands; one that fails to is shown as broken."""
    found = load()
    for plugin in found.plugins:
        module = found.manager.get_plugin(plugin.key)
        hook = getattr(module, "register_commands", None)
        if hook is None:
            continue
        try:
            hook(app=app)
        except Exception as error:  # a plugin may raise anything; the others must work
            plugin.problem = f"register_commands: {type(error).__name__}: {error}"


@cache
def load() -> Plugins:
    """Find and load all plugins, once per process."""
    found = Plugins()
    found.manager.add_hookspecs(hookspecs)
    for point in _entry_points():
        _load(found, point)
    return found
