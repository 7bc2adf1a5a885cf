"""Tasks without a package: ``toolkit run ./my_task.py`` and ``toolkit run ./my_task.toml``.

:func:`load` returns the task class of a file and registers it for this process, so that it is then
found like any other task. A run stores the file's path; what loads the task of a run asks
:mod:`toolkit.runs.trust` first.
"""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import io
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, TypeVar

from toolkit.errors import PluginError, ToolkitError, UsageError, did_you_mean
from toolkit.plugins import discovery, hookspecs, registration
from toolkit.runs import trust

if TYPE_CHECKING:
    from toolkit.task import Task

SUFFIXES = (".py", ".toml")
Result = TypeVar("Result")


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
    content = file.read_bytes()
    trust.has_run(file)
    if file.suffix == ".toml":
        from toolkit.plugins.toml_task import read

        task = read(file)
    else:
        task = _of_module(_module(file), file, wanted)
    registration.check_registration(task)
    origin = discovery.Plugin(
        name=str(path),
        distribution=file.name,
        version=hashlib.sha256(content).hexdigest()[:12],
        module=str(file),
        tasks=[task.name],
        file=str(file.resolve()) + (f":{wanted}" if wanted else ""),
    )
    discovery.load().provide(task, origin)
    return task


def _check_file(file: Path) -> None:
    if file.is_file():
        return
    if not file.parent.is_dir():
        raise UsageError(f"there is no file {file}: the folder {file.parent} does not exist")
    near = did_you_mean(
        file.name, (other.name for other in file.parent.iterdir() if other.suffix in SUFFIXES)
    )
    raise UsageError(f"there is no file {file}{near}")


def _module(file: Path) -> ModuleType:
    """The module of a file, imported anew; an exception is reported with its line."""
    name = f"toolkit_task_{hashlib.sha256(str(file.resolve()).encode()).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # as an import does: classes are looked up by their module
    execute = spec.loader.exec_module
    try:
        _explained(file, lambda: execute(module))
    except PluginError:
        del sys.modules[name]
        raise
    return module


def _explained(file: Path, call: Callable[[], Result]) -> Result:
    """What the file's own code returns; it must not end the program, nor wait for what is typed.

    Raises:
        PluginError: it raises an exception; names its line.
    """
    typed, sys.stdin = sys.stdin, io.StringIO()
    try:
        return call()
    except ToolkitError:
        raise
    except (Exception, SystemExit) as error:  # a file may raise anything
        raise PluginError(f"{file}: {_problem(error, file)}") from error
    finally:
        sys.stdin = typed


def _problem(error: BaseException, file: Path) -> str:
    """What an exception means for the author of the file: its line and its message."""
    names = (str(file), str(file.absolute()))
    if isinstance(error, SyntaxError) and error.filename in names:
        return f"line {error.lineno} is not valid Python: {error.msg}"
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename in names]
    if isinstance(error, SystemExit):
        return f"line {lines[-1] if lines else '?'} ends the program (SystemExit: {error})"
    where = f"line {lines[-1]} raised " if lines else ""
    message = " ".join(f"{type(error).__name__}: {error}".split())
    if isinstance(error, EOFError):
        message += "; nothing can be typed while a task file is read"
    return f"{where}{message}"


def _of_module(module: ModuleType, file: Path, wanted: str) -> type[Task]:
    tasks = _explained(file, lambda: _tasks(module))
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
