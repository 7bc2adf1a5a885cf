"""Finds plugins by their entry points; a broken one does not stop the others.

pluggy's own entry-point loading stops at the first plugin that fails to import and does not record
which distribution a task came from. So entry points are loaded one by one here, and the hooks of
each plugin are called separately.
"""

from __future__ import annotations

import contextlib
import io
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pluggy

from toolkit.errors import PluginError, UsageError, did_you_mean
from toolkit.kinds import registry
from toolkit.plugins import hookspecs
from toolkit.plugins.registration import (
    KEBAB,
    LONGEST_NAME,
    age_warning,
    check_registration,
)
from toolkit.system import versions

if TYPE_CHECKING:
    from toolkit.task import Task

GROUP = "toolkit"
DISTRIBUTION = "adapter-toolkit"
SLOW = 0.5
"""A plugin whose import computes for so many seconds gets a warning: every command waits for it.

It is the processor's time, so that a busy machine makes no plugin slow.
"""
HEAVY = (
    "torch", "transformers", "datasets", "peft", "trl", "accelerate", "sklearn", "scipy", "pandas",
    "matplotlib", "gradio", "sentence_transformers", "tensorflow", "jax",
)  # fmt: skip
"""Libraries that a plugin has to import inside its functions, the slowest first."""


@dataclass
class Plugin:
    """One plugin: where it comes from, its tasks, or why it could not be loaded."""

    name: str
    distribution: str
    version: str
    module: str
    tasks: list[str] = field(default_factory=list)
    problem: str | None = None
    seconds: float = 0.0
    """Of the processor's time, that its import took."""
    warnings: list[str] = field(default_factory=list)
    """Faults of a plugin that works: slow, prints on import, for an older API version, or with a
    command that exists already."""
    file: str | None = None
    """The file of a task that has no package."""
    kinds: list[str] = field(default_factory=list)
    """The kinds of tasks that it brings."""

    @property
    def key(self) -> str:
        """The plugin's name in the plugin manager."""
        return f"{self.distribution}:{self.name}"


@dataclass
class Plugins:
    """All plugins that were found, and their tasks by name."""

    plugins: list[Plugin] = field(default_factory=list)
    tasks: dict[str, type[Task]] = field(default_factory=dict)
    origins: dict[str, Plugin] = field(default_factory=dict)
    hidden: dict[str, type[Task]] = field(default_factory=dict)
    """Installed tasks whose name the task of a file has for this process."""
    hidden_origins: dict[str, Plugin] = field(default_factory=dict)
    manager: pluggy.PluginManager = field(
        default_factory=lambda: pluggy.PluginManager(hookspecs.PROJECT)
    )

    def provide(self, task: type[Task], origin: Plugin) -> None:
        """Register a task for this process; it hides an installed task of the same name."""
        before = self.origins.get(task.name)
        if origin.file and before is not None and not before.file:
            self.hidden[task.name] = self.tasks[task.name]
            self.hidden_origins[task.name] = before
        self.tasks[task.name] = task
        self.origins[task.name] = origin

    @contextlib.contextmanager
    def provided(self, task: type[Task], origin: Plugin) -> Iterator[None]:
        """:meth:`provide` within a ``with`` block, for tests."""
        before = self.tasks.get(task.name), self.origins.get(task.name)
        self.provide(task, origin)
        try:
            yield
        finally:
            del self.tasks[task.name], self.origins[task.name]
            if before[0] is not None and before[1] is not None:
                self.provide(before[0], before[1])

    def origin(self, task: type[Task]) -> Plugin | None:
        """Where a task comes from, of a hidden one too; ``None`` where it was never registered."""
        if self.hidden.get(task.name) is task:
            return self.hidden_origins[task.name]
        return self.origins.get(task.name)

    def installed(self, name: str) -> type[Task]:
        """As :meth:`task`, but never the task of a file that was registered for this process."""
        origin = self.origins.get(name)
        if origin is not None and origin.file:
            if name in self.hidden:
                return self.hidden[name]
            raise UsageError(f"no task {name!r} is installed")
        return self.task(name)

    def task(self, name: str) -> type[Task]:
        """The task class of that name; :class:`UsageError` with the nearest name otherwise."""
        if name in self.tasks:
            return self.tasks[name]
        broken = [p for p in self.plugins if p.problem]
        for plugin in broken:
            if plugin.name == name or plugin.distribution == name:
                raise UsageError(
                    f"no task {name!r}: the plugin {plugin.name} of {plugin.distribution} "
                    f"{plugin.version} is broken: {plugin.problem}"
                )
        made = Path(name, name.replace("-", "_"), "task.py")
        if KEBAB.fullmatch(name) and len(name) <= LONGEST_NAME and made.is_file():
            raise UsageError(
                f"no task {name!r} is installed; install the package that is here: pip install -e "
                f"./{name} – or run its file: toolkit run ./{made}"
            )
        name = name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…"
        hint = did_you_mean(name, self.tasks) or f"; there are: {', '.join(sorted(self.tasks))}"
        if broken:
            hint += f" ({len(broken)} plugin(s) could not be loaded: toolkit plugins)"
        raise UsageError(f"no task {name!r}{hint}")


def _entry_points() -> Iterable[metadata.EntryPoint]:
    """Entry points of the group, once each, in a fixed order.

    The toolkit's own come first: of two tasks with one name the first stays, so that a plugin that
    is installed later cannot replace a task that worked before.
    """
    unique = {(point.name, point.value): point for point in metadata.entry_points(group=GROUP)}
    return sorted(unique.values(), key=lambda point: (not _is_own(point), point.name, point.value))


def _is_own(point: metadata.EntryPoint) -> bool:
    return point.dist is not None and point.dist.name == DISTRIBUTION


def _imported(found: Plugins, point: metadata.EntryPoint) -> Callable[[], None]:
    """Import a plugin and register its kinds; gives what registers its tasks."""
    plugin = Plugin(
        name=point.name,
        distribution=point.dist.name if point.dist else "?",
        version=point.dist.version if point.dist else "?",
        module=point.value,
    )
    found.plugins.append(plugin)
    module: Any = None
    loaded: set[str] = set()
    output = io.StringIO()

    @contextlib.contextmanager
    def watched() -> Iterator[None]:
        before, started = set(sys.modules), time.process_time()
        with captured_output() as printed:
            try:
                yield
            except (Exception, SystemExit) as error:  # a plugin may raise anything
                _discard(found, plugin, error)
        plugin.seconds += time.process_time() - started
        loaded.update(name for name in HEAVY if name in sys.modules and name not in before)
        output.write(printed.getvalue())

    with watched():
        module = point.load()
        found.manager.register(module, name=plugin.key)
        _check_hooks(found, module)
        _register_kinds(plugin, module)

    def register() -> None:
        if plugin.problem is None:
            with watched():
                _register_tasks(found, plugin, module)
        plugin.warnings += _import_warnings(plugin, loaded, output)

    return register


def _register_kinds(plugin: Plugin, module: object) -> None:
    def register(kind: Any) -> None:
        if not isinstance(kind, registry.Kind):
            raise PluginError(f"register_kinds got {kind!r:.60}; give it a toolkit.kinds.Kind")
        if not KEBAB.fullmatch(kind.name):
            raise PluginError(f"the kind {kind.name!r:.60} is not kebab-case (my-kind)")
        registry.add(kind)
        plugin.kinds.append(kind.name)

    hook: Callable[..., None] | None = getattr(module, "register_kinds", None)
    if hook is not None:
        hook(register=register)


def _check_hooks(found: Plugins, module: Any) -> None:
    """Refuse hooks that there are not, such as a misspelt one, which would never be called.

    Raises:
        PluginError: naming the function.
    """
    if problem := hookspecs.misspelt(module):
        raise PluginError(problem)
    try:
        found.manager.check_pending()
    except pluggy.PluginValidationError as error:
        names = [
            name
            for name, value in vars(module).items()
            if hasattr(value, f"{hookspecs.PROJECT}_impl") and name not in hookspecs.HOOKS
        ]
        hint = did_you_mean(names[0], hookspecs.HOOKS) if names else ""
        raise PluginError(
            f"{names[0] if names else error} is no hook{hint}; there are "
            f"{', '.join(hookspecs.HOOKS)}"
        ) from error


def _discard(found: Plugins, plugin: Plugin, error: BaseException) -> None:
    """Record why a plugin is broken, and drop its tasks and hooks, so that the others work."""
    plugin.problem = _problem(error, plugin)
    for name in plugin.tasks:
        found.tasks.pop(name, None)
        found.origins.pop(name, None)
    plugin.tasks.clear()
    for name in plugin.kinds:
        registry.remove(name)
    plugin.kinds.clear()
    if found.manager.has_plugin(plugin.key):
        found.manager.unregister(name=plugin.key)


def _problem(error: BaseException, plugin: Plugin) -> str:
    """Why a plugin could not be loaded, and what to do."""
    message = " ".join(f"{type(error).__name__}: {error}".split())
    if isinstance(error, PluginError):
        return str(error)
    if isinstance(error, SystemExit):
        return f"it ends the program on import ({message})"
    if isinstance(error, ModuleNotFoundError) and error.name:
        package = plugin.module.partition(":")[0].partition(".")[0]
        if error.name.partition(".")[0] == package:
            return f"{message}; its files are missing, install {plugin.distribution} again"
        if error.name.startswith("toolkit."):
            return f"{message}; adapter-toolkit {versions.own()} has no such module"
        return f"{message}; install what {plugin.distribution} needs"
    return message


@contextlib.contextmanager
def captured_output() -> Iterator[io.StringIO]:
    """Capture what a plugin prints, which would otherwise appear in every command's output."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        yield output


def _import_warnings(plugin: Plugin, loaded: set[str], output: io.StringIO) -> list[str]:
    """Warnings about what a plugin should not do when it is imported.

    Args:
        plugin: the plugin, with the seconds that its import took.
        loaded: names of the heavy libraries that were loaded while it was imported.
        output: what it printed.
    """
    warnings = []
    if heavy := _heavy(plugin, loaded):
        warnings.append(
            f"imports {', '.join(heavy)} at the top, which makes every command slow; import "
            f"{'it' if len(heavy) == 1 else 'them'} inside the functions that need "
            f"{'it' if len(heavy) == 1 else 'them'}"
        )
    if plugin.seconds >= SLOW:
        warnings.append(f"takes {plugin.seconds:.1f} s to import, for which every command waits")
    if printed := " ".join(output.getvalue().split()):
        shown = printed if len(printed) <= 60 else f"{printed[:60]}…"
        warnings.append(f"prints on import ({shown!r}, not shown)")
    return warnings


def _heavy(plugin: Plugin, loaded: set[str]) -> list[str]:
    """Heavy libraries that a plugin imports at the top of its modules, at most three.

    Those are the ones that its modules hold objects of. Where they hold none, those that were
    loaded during its import; not both, because torch, for one, loads further heavy libraries.
    """
    package = plugin.module.partition(":")[0].partition(".")[0]
    own = [m for n, m in list(sys.modules.items()) if n == package or n.startswith(f"{package}.")]
    named = {
        name for module in own for value in vars(module).values() if (name := _root(value)) in HEAVY
    }
    return [name for name in HEAVY if name in (named or loaded)][:3]


def _root(value: Any) -> str:
    """The top-level package that a module, class or function belongs to."""
    try:
        name = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", "")
        return str(name).partition(".")[0]
    except Exception:  # a lazily loaded object may fail when an attribute is read
        return ""


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
        if warning := age_warning(task):
            plugin.warnings.append(warning)

    hook: Callable[..., None] | None = getattr(module, "register_tasks", None)
    if hook is not None:
        hook(register=register)


@cache
def load() -> Plugins:
    """Find and load all plugins, once per process."""
    import toolkit.kinds.causal_lm  # noqa: F401 – else the first plugin's import time includes it

    found = Plugins()
    found.manager.add_hookspecs(hookspecs)
    for name in registry.added():  # those of an earlier call in this process
        registry.remove(name)
    # Kinds first: a task may be of a kind that another plugin brings.
    for register in [_imported(found, point) for point in _entry_points()]:
        register()
    return found
