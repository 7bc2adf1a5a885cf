"""Python files that the user names: imported anew, what they raise explained by their line.

A task file in Python is one; a task file in TOML may name metrics, baselines and decoders in others
(``metrics = ["mine.py:cost"]``). What decides whether such code may run is
:mod:`toolkit.runs.trust`.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from toolkit.errors import PluginError, ToolkitError, UsageError, did_you_mean

Result = TypeVar("Result")
NAMED = ".py:"
"""What stands between a file and a name in it."""


def names_code(text: Any) -> bool:
    """Whether a value of a task file names something in a Python file."""
    return isinstance(text, str) and NAMED in text


def value(file: Path, named: str) -> tuple[str, Any]:
    """What a text such as ``mine.py:cost`` names, and its name.

    Args:
        file: the task file; the Python file stands beside it.
        named: the text.

    Raises:
        UsageError: there is no such file, or no such name in it.
        PluginError: the file cannot be imported.
    """
    before, _, name = named.partition(NAMED)
    place = file.parent / f"{before}.py"
    if not place.is_file():
        raise UsageError(f"{file}: there is no file {place} ({named})")
    found = module(place)
    if not hasattr(found, name):
        known = [one for one in vars(found) if not one.startswith("_")]
        raise UsageError(f"{file}: {place} has no {name!r}{did_you_mean(name, known)}")
    return name, getattr(found, name)


def module(file: Path) -> ModuleType:
    """The module of a file, imported anew; an exception is reported with its line."""
    name = f"toolkit_task_{hashlib.sha256(str(file.resolve()).encode()).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # as an import does: classes are looked up by their module
    execute = spec.loader.exec_module
    try:
        explained(file, lambda: execute(module))
    except PluginError:
        del sys.modules[name]
        raise
    return module


def explained(file: Path, call: Callable[[], Result]) -> Result:
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
