"""Discovery of plugins by entry point, with provenance, and with broken ones isolated.

pluggy's own entry-point loading stops at the first plugin that fails to import, and cannot say
which distribution a task came from; so entry points are loaded here one by one, and each plugin's
hooks are called by themselves.
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
from toolkit.plugins import hookspecs
from toolkit.plugins.registration import check_registration

if TYPE_CHECKING:
    import typer

    from toolkit.task import Task

GROUP = "toolkit"
DISTRIBUTION = "adapter-toolkit"
SLOW = 0.5
"""Seconds from which on a plugin's import is said: every command waits for it."""
HEAVY = (
    "torch", "transformers", "datasets", "peft", "trl", "accelerate", "sklearn", "scipy", "pandas",
    "matplotlib", "gradio", "sentence_transformers", "tensorflow", "jax",
)  # fmt: skip
"""Libraries that a plugin has to import inside its functions, the slowest first."""


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
    warnings: list[str] = field(default_factory=list)
    """What is wrong with it though it works: slow, noisy, written for an older API version."""
    file: str | None = None
    """The file of a task without a package."""

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

    def provide(self, task: type[Task], origin: Plugin) -> None:
        """Make a task known to this process that no installed plugin brings, or instead of one."""
        self.tasks[task.name] = task
        self.origins[task.name] = origin

    @contextlib.contextmanager
    def provided(self, task: type[Task], origin: Plugin) -> Iterator[None]:
        """:meth:`provide` for as long as a test needs it."""
        before = self.tasks.get(task.name), self.origins.get(task.name)
        self.provide(task, origin)
        try:
            yield
        finally:
            del self.tasks[task.name], self.origins[task.name]
            if before[0] is not None and before[1] is not None:
                self.provide(before[0], before[1])

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
        if (made := Path(name, name.replace("-", "_"), "task.py")).is_file():
            raise UsageError(
                f"no task {name!r} is installed; install the package that is here: pip install -e "
                f"./{name} – or run its file: toolkit run ./{made}"
            )
        hint = did_you_mean(name, self.tasks) or f"; there are: {', '.join(sorted(self.tasks))}"
        if broken:
            hint += f" ({len(broken)} plugin(s) could not be loaded: toolkit plugins)"
        raise UsageError(f"no task {name!r}{hint}")


def _aged(task: type[Task]) -> str:
    """The sentence on a task for an API version that still works but is not the newest."""
    from toolkit.task import API_VERSION

    if task.api_version == API_VERSION:
        return ""
    return (
        f"has {task.name!r}, written for API version {task.api_version}; that works, but this "
        f"toolkit has {API_VERSION}, and the changelog says what to change"
    )


def _entry_points() -> Iterable[metadata.EntryPoint]:
    """Entry points of the group, once each, in a fixed order.

    The toolkit's own come first: of two tasks with one name the first stays, and a plugin that
    somebody installs must not take away what worked before.
    """
    unique = {(point.name, point.value): point for point in metadata.entry_points(group=GROUP)}
    return sorted(unique.values(), key=lambda point: (not _is_own(point), point.name, point.value))


def _is_own(point: metadata.EntryPoint) -> bool:
    return point.dist is not None and point.dist.name == DISTRIBUTION


def _load(found: Plugins, point: metadata.EntryPoint) -> None:
    plugin = Plugin(
        name=point.name,
        distribution=point.dist.name if point.dist else "?",
        version=point.dist.version if point.dist else "?",
        module=point.value,
    )
    found.plugins.append(plugin)
    before = set(sys.modules)
    started = time.perf_counter()
    module: Any = None
    with _listening() as heard:
        try:
            module = point.load()
            found.manager.register(module, name=plugin.key)
            _register_tasks(found, plugin, module)
        except (Exception, SystemExit) as error:  # it may raise anything; the others must work
            _take_back(found, plugin, error)
    plugin.seconds = time.perf_counter() - started
    plugin.warnings += _habits(plugin, before, heard)


def _take_back(found: Plugins, plugin: Plugin, error: BaseException) -> None:
    plugin.problem = _in_words(error, plugin)
    for name in plugin.tasks:
        found.tasks.pop(name, None)
        found.origins.pop(name, None)
    plugin.tasks.clear()
    if found.manager.has_plugin(plugin.key):
        found.manager.unregister(name=plugin.key)


def _in_words(error: BaseException, plugin: Plugin) -> str:
    said = " ".join(f"{type(error).__name__}: {error}".split())
    if isinstance(error, PluginError):
        return str(error)
    if isinstance(error, SystemExit):
        return f"it ends the program on import ({said})"
    if isinstance(error, ModuleNotFoundError) and error.name:
        package = plugin.module.partition(":")[0].partition(".")[0]
        if error.name.partition(".")[0] == package:
            return f"{said}; its files are missing, install {plugin.distribution} again"
        if error.name.startswith("toolkit."):
            from toolkit import __version__

            return f"{said}; adapter-toolkit {__version__} has no such module"
        return f"{said}; install what {plugin.distribution} needs"
    return said


@contextlib.contextmanager
def _listening() -> Iterator[io.StringIO]:
    """Catch what is printed: it would stand amid the output of every command."""
    heard = io.StringIO()
    with contextlib.redirect_stdout(heard), contextlib.redirect_stderr(heard):
        yield heard


def _habits(plugin: Plugin, before: set[str], heard: io.StringIO) -> list[str]:
    """What a plugin does on import that it should not, in words."""
    warnings = []
    if heavy := _heavy(plugin, before):
        warnings.append(
            f"imports {', '.join(heavy)} at the top, which makes every command slow; import "
            f"{'it' if len(heavy) == 1 else 'them'} inside the functions that need "
            f"{'it' if len(heavy) == 1 else 'them'}"
        )
    if plugin.seconds >= SLOW:
        warnings.append(f"takes {plugin.seconds:.1f} s to import, for which every command waits")
    if said := " ".join(heard.getvalue().split()):
        shown = said if len(said) <= 60 else f"{said[:60]}…"
        warnings.append(f"prints on import ({shown!r}, not shown)")
    return warnings


def _heavy(plugin: Plugin, before: set[str]) -> list[str]:
    """Heavy libraries that came with the plugin, or that its modules hold since others loaded them.

    Only the libraries that its own modules name, where they name any: torch brings others along.
    """
    package = plugin.module.partition(":")[0].partition(".")[0]
    own = [m for n, m in list(sys.modules.items()) if n == package or n.startswith(f"{package}.")]
    named = {
        name for module in own for value in vars(module).values() if (name := _root(value)) in HEAVY
    }
    loaded = {name for name in HEAVY if name in sys.modules and name not in before}
    return [name for name in HEAVY if name in (named or loaded)][:3]


def _root(value: Any) -> str:
    """The top-level package that a module, class or function belongs to."""
    try:
        name = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", "")
        return str(name).partition(".")[0]
    except Exception:  # an object that is loaded when it is asked for anything
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
        if aged := _aged(task):
            plugin.warnings.append(aged)

    hook: Callable[..., None] | None = getattr(module, "register_tasks", None)
    if hook is not None:
        hook(register=register)


_OWN = "_toolkit_own_commands"
"""Where an app keeps how many commands and groups it has itself."""


def add_commands(app: typer.Typer) -> None:
    """Let every working plugin add its commands; one that fails to is shown as broken."""
    found = load()
    commands, groups = _registered(app)
    own: tuple[int, int] = getattr(app, _OWN, (len(commands), len(groups)))
    del commands[own[0] :], groups[own[1] :]  # those of an earlier call in this process
    if commands:
        setattr(app, _OWN, own)
    for plugin in found.plugins:
        module = found.manager.get_plugin(plugin.key)
        hook = getattr(module, "register_commands", None)
        if hook is None:
            continue
        kept = len(commands), len(groups)
        taken = {_name(info) for info in (*commands, *groups)}
        try:
            with _listening():
                hook(app=app)
            new = [_name(info) for info in (*commands[kept[0] :], *groups[kept[1] :])]
            if clash := [name for name in new if name in taken]:
                raise PluginError(f"the command {clash[0]!r} is there already; rename yours")
        except (Exception, SystemExit) as error:  # it may raise anything; the others must work
            plugin.problem = f"register_commands: {type(error).__name__}: {error}"
            del commands[kept[0] :], groups[kept[1] :]


def _registered(app: typer.Typer) -> tuple[list[Any], list[Any]]:
    """The app's lists of commands and of groups of commands."""
    commands = getattr(app, "registered_commands", [])
    groups = getattr(app, "registered_groups", [])
    return commands, groups


def _name(info: Any) -> str:
    """The name that a command or group is called by."""
    if isinstance(info.name, str):
        return info.name
    callback = getattr(info, "callback", None)
    return str(getattr(callback, "__name__", "")).lower().replace("_", "-")


@cache
def load() -> Plugins:
    """Find and load all plugins, once per process."""
    import toolkit.kinds.causal_lm  # noqa: F401 – else the first plugin's time is ours

    found = Plugins()
    found.manager.add_hookspecs(hookspecs)
    for point in _entry_points():
        _load(found, point)
    return found
