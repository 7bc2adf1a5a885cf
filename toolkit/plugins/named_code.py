"""Metrics, baselines and decoders of a task file in TOML that stand in a Python file beside it.

metric = "mine.py:cost"
baselines = ["mine.py:rule"]
decoders = ["mine.py:shorter"]

A metric is a :class:`toolkit.Metric` (or several in a tuple), a baseline a function of the training
rows (:data:`toolkit.Baseline`), a decoder a function of output, row and tuned values
(:data:`toolkit.task.Decoder`). Such a file is code: who gets a run of it has to consent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from toolkit.errors import UsageError
from toolkit.metrics.metric import Metric
from toolkit.plugins import code_file
from toolkit.task import Baseline, Decoder, Task


def metrics(file: Path, content: Mapping[str, Any]) -> dict[str, tuple[Metric, ...]]:
    """What the metrics that a task file names in Python are, by what the file calls them."""
    named = [content.get("metric"), *(content.get("metrics") or ())]
    return {name: _metrics(file, name) for name in named if code_file.names_code(name)}


def _metrics(file: Path, named: str) -> tuple[Metric, ...]:
    _, value = code_file.value(file, named)
    found: Sequence[Any] = value if isinstance(value, tuple | list) else (value,)
    if not found or not all(isinstance(one, Metric) for one in found):
        raise UsageError(
            f"{file}: {named} is {value!r:.60}, and no metric; write it like cost = "
            'toolkit.Metric("cost", lambda prediction, reference: …, greater_is_better=False)'
        )
    return tuple(found)


def members(file: Path, content: Mapping[str, Any], base: type[Task]) -> dict[str, Any]:
    """The methods of a task that its file's baselines and decoders change.

    Args:
        file: the task file.
        content: what it says.
        base: the class of the kind, whose baselines and decoders come first.
    """
    baselines = _functions(file, content, "baselines")
    decoders = _functions(file, content, "decoders")
    found: dict[str, Any] = {}
    if baselines:
        found["baselines"] = _added(base.baselines, baselines)
    if decoders:
        found["decoders"] = _added(base.decoders, decoders)
    return found


def _added(
    given: Callable[[Any], Mapping[str, Baseline | Decoder]], further: Mapping[str, Any]
) -> Callable[[Any], Mapping[str, Any]]:
    return lambda self: {**given(self), **further}


def _functions(file: Path, content: Mapping[str, Any], key: str) -> dict[str, Callable[..., Any]]:
    """The functions that a key names, by their names in kebab-case."""
    found: dict[str, Callable[..., Any]] = {}
    for named in content.get(key, ()):
        if not code_file.names_code(named):
            raise UsageError(
                f'{file}: {key}: {named!r} names no function; write it like "mine.py:rule"'
            )
        name, value = code_file.value(file, named)
        if not callable(value):
            raise UsageError(f"{file}: {named} is {value!r:.60}, and no function")
        found[name.replace("_", "-").lower()] = value
    return found
