"""Tasks without a package: ``toolkit run ./my_task.py`` and ``toolkit run ./my_task.toml``.

:func:`load` returns the task class of a file and registers it for this process, so that it is then
found like any other task. A run stores the file's path; what loads the task of a run asks
:mod:`toolkit.runs.trust` first.
"""

from __future__ import annotations

import hashlib
import inspect
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from toolkit.errors import UsageError, did_you_mean
from toolkit.plugins import code_file, discovery, hookspecs, registration
from toolkit.runs import trust

if TYPE_CHECKING:
    from toolkit.task import Task

SUFFIXES = (".py", ".toml")


def load(path: str | Path) -> type[Task]:
    """The task that a file defines, registered for this process.

    Args:
        path: ``my_task.toml``; ``my_task.py``, and ``my_task.py:MyTask`` where it has several.

    Raises:
        UsageError: there is no such file or task, or the TOML file is wrong.
        PluginError: the Python file cannot be imported, or its task cannot be registered.
    """
    name, _, wanted = str(path).partition(".py:")
    file = Path(f"{name}.py" if wanted else name)
    _check_file(file)
    discovery.load()  # a plugin may bring the task's kind
    content = file.read_bytes()
    trust.has_run(file)
    if file.suffix == ".toml":
        from toolkit.plugins.toml_task import read

        task = read(file)
    else:
        task = _of_module(code_file.module(file), file, wanted)
    registration.check_registration(task)
    origin = discovery.Plugin(
        name=str(path),
        distribution=file.name,
        version=hashlib.sha256(content + _named(file)).hexdigest()[:12],
        module=str(file),
        tasks=[task.name],
        file=str(file.resolve()) + (f":{wanted}" if wanted else ""),
    )
    discovery.load().provide(task, origin)
    return task


def _named(file: Path) -> bytes:
    """The content of the Python files that a TOML file names."""
    return b"".join(place.read_bytes() for place in trust.code_files(file) if place != file)


def _check_file(file: Path) -> None:
    if file.is_file():
        return
    if not file.parent.is_dir():
        raise UsageError(f"there is no file {file}: the folder {file.parent} does not exist")
    near = did_you_mean(
        file.name, (other.name for other in file.parent.iterdir() if other.suffix in SUFFIXES)
    )
    raise UsageError(f"there is no file {file}{near}")


def _of_module(module: ModuleType, file: Path, wanted: str) -> type[Task]:
    tasks = code_file.explained(file, lambda: _tasks(module))
    for task in tasks:
        registration.check_registration(task)
    found = {task.__name__: task for task in tasks}
    if wanted:
        if wanted not in found:
            raise UsageError(f"{file} has no task {wanted!r}{did_you_mean(wanted, found)}")
        return found[wanted]
    if not found and (misspelt := hookspecs.misspelt(module)):
        raise UsageError(f"{file}: {misspelt}")
    if len(found) != 1:
        several = f"defines several tasks; name one: {file}:{next(iter(found), '')}"
        raise UsageError(
            f"{file} {several if found else 'defines no task: subclass a kind such as '}"
            f"{'' if found else 'toolkit.CausalLMTask'}"
        )
    return next(iter(found.values()))


def _tasks(module: ModuleType) -> list[type[Task]]:
    """What the module's hook registers; without one, the named task classes it defines."""
    from toolkit.task import Task

    hook = getattr(module, "register_tasks", None)
    if hook is not None:
        found: list[type[Task]] = []
        hook(register=found.append)
        return found
    return [
        value
        for value in vars(module).values()
        if inspect.isclass(value)
        and issubclass(value, Task)
        and value.__module__ == module.__name__
        and "name" in vars(value)
    ]
