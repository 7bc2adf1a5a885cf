"""Tasks whose exceptions say where they come from: plugin, method, file, line and row.

:func:`instance` wraps every method of a task, and the functions that these return (baselines,
decoders, slices, targets) or that its metrics hold, in one place. The wrapper acts at the outermost
call alone: a method of a task that catches what another one raises sees that exception itself.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import inspect
import sys
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from toolkit.errors import PluginError, ToolkitError
from toolkit.metrics.metric import Metric
from toolkit.metrics.target import Target
from toolkit.plugins import discovery
from toolkit.task import RowTransform, Task

Function = Callable[..., Any]

GUARDED = "_toolkit_guarded"
"""Attribute of the wrappers, and of the tasks that have them."""
_MAPPINGS: Mapping[str, str] = {
    "baselines": "baseline", "controls": "control", "decoders": "decoder", "slices": "slice",
    "groupings": "grouping", "row_transforms": "row transform",
}  # fmt: skip
"""Methods that return named functions → what errors call one of them."""
_CALLED = "_toolkit_called"
"""Attribute of an exception on its way: what was called last, and with which row."""
_FITS = ("baselines", "controls")
"""Those whose functions return functions."""


class _Depth(threading.local):
    """How many wrappers the present thread is in."""

    calls = 0


_depth = _Depth()


def instance(cls: type[Task]) -> Task:
    """An instance of a task's class, :func:`guarded`."""
    try:
        made = cls()
    except ToolkitError:
        raise
    except (Exception, SystemExit) as error:
        blank = cls.__new__(cls)
        raise PluginError(problem(blank, error, "__init__") or str(error)) from error
    return guarded(made)


def guarded(task: Task) -> Task:
    """The task, whose methods and functions raise :class:`PluginError` with their place."""
    if getattr(task, GUARDED, False):
        return task
    for name in _methods(type(task)):
        setattr(task, name, _method(task, name, getattr(task, name)))
    _guard_metrics(task)
    setattr(task, GUARDED, True)
    return task


def _methods(cls: type) -> list[str]:
    """The public methods of a class that take an instance."""
    return [
        name
        for name in dir(cls)
        if not name.startswith("_") and inspect.isfunction(inspect.getattr_static(cls, name))
    ]


def _method(task: Task, name: str, method: Function) -> Function:
    call = _wrapped(task, name, method)
    after: Mapping[str, Function] = {
        "load_state": lambda made: _guard_metrics(task),
        "targets": lambda made: [_target(task, target) for target in _listed(task, name, made)],
        **{kind: functools.partial(_mapping, task, kind) for kind in _MAPPINGS},
    }
    if name not in after:
        return call

    @functools.wraps(method)
    def made(*arguments: Any, **keywords: Any) -> Any:
        return after[name](call(*arguments, **keywords))

    return made


def _mapping(task: Task, method: str, made: Any) -> dict[str, Any]:
    if not isinstance(made, Mapping):
        raise PluginError(
            f"{method} of {_owner(task)} returned {made!r:.60}; return a mapping of names to "
            "functions"
        )
    found: dict[str, Any] = {}
    for name, value in made.items():
        what = f"{_MAPPINGS[method]} {name!r}"
        if isinstance(value, RowTransform):
            found[name] = dataclasses.replace(value, change=_wrapped(task, what, value.change))
        elif not callable(value):
            raise PluginError(f"{what} of {_owner(task)} is {value!r:.60} and no function")
        else:
            found[name] = (
                _fit(task, what, value) if method in _FITS else _wrapped(task, what, value)
            )
    return found


def _fit(task: Task, what: str, fit: Function) -> Function:
    """A baseline: what fits it, and what that returns."""
    call = _wrapped(task, what, fit)

    @functools.wraps(fit)
    def fitted(*arguments: Any, **keywords: Any) -> Any:
        predictor = call(*arguments, **keywords)
        return _wrapped(task, what, predictor) if callable(predictor) else predictor

    return fitted


def _listed(task: Task, method: str, made: Any) -> Sequence[Any]:
    if isinstance(made, Sequence) and all(isinstance(each, Target) for each in made):
        return made
    raise PluginError(f"{method} of {_owner(task)} returned {made!r:.60}; return a list of Target")


def _target(task: Task, target: Target) -> Target:
    return dataclasses.replace(target, of=_own(task, f"target {target.label!r}", target.of))


def _guard_metrics(task: Task) -> None:
    found = tuple(_metric(task, metric) for metric in task.metrics)
    try:
        task.metrics = found
    except AttributeError:  # a property of the task's own
        return


def _metric(task: Task, metric: Metric) -> Metric:
    what = f"metric {metric.name!r}"
    functions = {
        name: _own(task, f"{what} ({name})" if name != "per_example" else what, function)
        for name in ("per_example", "aggregate", "prepare", "counts")
        if (function := getattr(metric, name)) is not None
    }
    changed: dict[str, Any] = {n: f for n, f in functions.items() if f is not getattr(metric, n)}
    return dataclasses.replace(metric, **changed) if changed else metric


def _own(task: Task, what: str, function: Function) -> Function:
    """The wrapper of a function of the plugin's own; ready-made ones are known by identity."""
    module = str(getattr(function, "__module__", ""))
    if hasattr(function, GUARDED) or module.partition(".")[0] in ("toolkit", "numpy"):
        return function
    return _wrapped(task, what, function)


def _wrapped(task: Task, what: str, function: Function) -> Function:
    @functools.wraps(function)
    def call(*arguments: Any, **keywords: Any) -> Any:
        _depth.calls += 1
        try:
            return function(*arguments, **keywords)
        except ToolkitError:
            raise
        except (Exception, SystemExit) as error:
            innermost = _innermost(error, what, (*arguments, *keywords.values()))
            if _depth.calls > 1:
                raise
            said = problem(task, error, *innermost)
            if said is None:
                raise
            raise PluginError(said) from error
        finally:
            _depth.calls -= 1

    setattr(call, GUARDED, True)
    return call


def _innermost(error: BaseException, what: str, arguments: Sequence[Any]) -> tuple[str, str]:
    """What was called last of all that an exception has come through, and the row it was given."""
    row = next(
        (str(a["row_id"]) for a in arguments if isinstance(a, Mapping) and "row_id" in a), ""
    )
    before: tuple[str, str] = getattr(error, _CALLED, ("", ""))
    found = before[0] or what, before[1] or row
    with contextlib.suppress(Exception):  # an exception may refuse attributes
        setattr(error, _CALLED, found)
    return found


# -- what is said ----------------------------------------------------------------------------------
def problem(task: Task, error: BaseException, what: str, row: str = "") -> str | None:
    """What an exception of a task's code means for its author; ``None``: it is not of that code.

    Args:
        task: the task.
        error: what was raised.
        what: what was called: a method, or a metric, baseline, slice or the like by its name.
        row: the number of the row that it was called with.
    """
    place = _place(task, error)
    if place is None:  # a method that a kind asks for and the task lacks is named in the message
        return str(error) if isinstance(error, NotImplementedError) else None
    frame, line = place
    said = " ".join(f"{type(error).__name__}: {error}".split())[:300].removesuffix(": ")
    if isinstance(error, SystemExit):
        said = f"SystemExit, which would end the program ({error})"
    code = frame.f_code
    return (
        f"{what} of {_owner(task)} raised {said} ({_short(code.co_filename)}, line {line}, in "
        f"{code.co_name}{f', row {row}' if row else ''})"
    )


def _owner(task: Task) -> str:
    """The task, and the plugin or the file that it is of."""
    origin = discovery.load().origins.get(task.name)
    of = f" ({origin.distribution})" if origin else ""
    return f"the task {task.name!r}{of}"


def _place(task: Task, error: BaseException) -> tuple[FrameType, int] | None:
    """The innermost frame of the plugin's code, and its line."""
    packages = {
        base.__module__.partition(".")[0] for base in type(task).__mro__[:-1]
    } - {"toolkit", "abc", "builtins"}  # fmt: skip
    folders = {
        Path(file).parent
        for name in packages
        if (file := getattr(sys.modules.get(name), "__file__", None))
    }
    found = None
    for frame, line in traceback.walk_tb(error.__traceback__):
        module = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if module in packages or Path(frame.f_code.co_filename).parent in folders:
            found = frame, line
    return found


def _short(file: str) -> str:
    """A file of a package with its folder, another one by its name."""
    path = Path(file)
    inside = (path.parent / "__init__.py").is_file()
    return f"{path.parent.name}/{path.name}" if inside else path.name
