r"""A task in a TOML file: a table of rows, a template, a kind, named metrics; no Python.

kind = "causal-lm"
data = "rows.csv"
prompt = "Write the subject of this e-mail.\n\n{body}\n\nSubject:"
target = "subject"
metrics = ["token_f1"]
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from toolkit.errors import RecipeError, UsageError, did_you_mean
from toolkit.metrics import classification_metrics, common, expected_cost
from toolkit.metrics.metric import Metric
from toolkit.plugins import recipes
from toolkit.plugins.toml_kinds import KINDS
from toolkit.task import Task

KEYS: Mapping[str, tuple[Any, str]] = {
    "kind": (str, "a text"),
    "name": (str, "a text"),
    "summary": (str, "a text"),
    "api_version": (int, "a whole number"),
    "data": (str, "a text"),
    "prompt": (str, "a text"),
    "text": (str, "a text"),
    "target": (str, "a text"),
    "classes": (list, "a list"),
    "class_weights": (str | dict, '"balanced" or a table of classes and numbers'),
    "metrics": (list, "a list"),
    "costs": (dict, "a table"),
    "margin": (float, "a number"),
    "synthetic": (bool, "true or false"),
    "recipe": (dict, "a table"),
}
"""The keys of a task file: their types, and what error messages call these."""


def read(file: Path) -> type[Task]:
    """The task that a TOML file describes.

    Raises:
        UsageError: the file cannot be read, or a key, value, metric or recipe in it is wrong.
    """
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{file} is not a readable TOML file: {error}") from error
    _check(file, content)
    kind = KINDS[content["kind"]]
    base, declared = kind.make(content, _error_in(file))
    name = content.get("name", re.sub(r"[^a-z0-9]+", "-", file.stem.lower()).strip("-"))
    members: dict[str, Any] = {
        "__doc__": f"The task of {file.name}.",
        "__module__": base.__module__,
        "name": name,
        "summary": content.get("summary", f"the task of {file.name}"),
        "api_version": content.get("api_version", 1),
        "synthetic": content.get("synthetic", False),
        "margin": float(content.get("margin", 0.0)),
        "metrics": _metrics(file, content, kind.metrics),
        **declared,
    }
    members["primary_metric"] = members["metrics"][0].name
    if "data" in content:
        members["data"] = (file.parent / content["data"]).resolve()
        if not members["data"].is_file():
            raise UsageError(f"{file}: there is no file {file.parent / content['data']} (data)")
    task: type[Task] = type("FileTask", (base,), members)
    if "recipe" in content:
        task.recipes = (_recipe(file, task, dict(content["recipe"])), *task.recipes)
    return task


def _check(file: Path, content: Mapping[str, Any]) -> None:
    for key, value in content.items():
        if key not in KEYS:
            raise UsageError(f"{file}: unknown key {key!r}{did_you_mean(key, KEYS)}")
        kind, type_name = KEYS[key]
        whole = kind is float and isinstance(value, int)
        if not (isinstance(value, kind) or whole) or (isinstance(value, bool) != (kind is bool)):
            raise UsageError(f"{file}: {key} must be {type_name}, not {value!r}")
    if content.get("kind") not in KINDS:
        name = content.get("kind")
        near = did_you_mean(str(name), KINDS) if name else ""
        problem = f"there is no kind {name!r}{near}" if name else "kind is missing"
        raise UsageError(f"{file}: {problem}; there are {', '.join(KINDS)}")


def _error_in(file: Path) -> Callable[[str], UsageError]:
    """A function that makes an error about the file from a reason."""
    return lambda reason: UsageError(f"{file}: {reason}")


def _metrics(
    file: Path, content: Mapping[str, Any], default: tuple[str, ...]
) -> tuple[Metric, ...]:
    known = {**common.NAMED, **_of_classes(file, content)}
    wanted = content.get("metrics") or [name for name in default if name in known]
    for name in wanted:
        if not isinstance(name, str) or name not in known:
            hint = f"; {name} needs {NEEDS[name]}" if str(name) in NEEDS else ""
            raise UsageError(
                f"{file}: there is no metric {name!r}{did_you_mean(str(name), known)}{hint}; "
                f"there are {', '.join(known)}"
            )
    if "costs" in content and COST not in wanted:
        raise UsageError(f'{file}: costs is a table for the metric "{COST}"; name it in metrics')
    return tuple(known[name] for name in wanted)


COST = "expected_cost"
NEEDS: Mapping[str, str] = {
    **dict.fromkeys(("macro_precision", "macro_recall", "macro_f1"), "classes"),
    COST: "classes and a table costs",
}
"""What a file must have beside the name of a metric."""


def _of_classes(file: Path, content: Mapping[str, Any]) -> dict[str, Metric]:
    """The metrics that need to know the classes, by name; none where the file names no classes."""
    classes = content.get("classes")
    if not classes:
        return {}
    found = {m.name: m for m in classification_metrics(classes) if m.name in NEEDS}
    if "costs" in content:
        found[COST] = _expected_cost(file, classes, content["costs"])
    return found


def _expected_cost(file: Path, classes: Sequence[Any], costs: Mapping[str, Any]) -> Metric:
    """The metric of a table ``[costs.TRUE]`` with ``PREDICTED = cost``; keys are always texts."""
    named = {str(v).lower() if isinstance(v, bool) else str(v): v for v in classes}

    def labelled(table: Mapping[str, Any]) -> dict[Any, Any]:
        return {named.get(key, key): value for key, value in table.items()}

    for true, row in costs.items():
        if not isinstance(row, Mapping):
            raise UsageError(
                f"{file}: costs of {true!r} must be a table from predicted class to cost, "
                f"not {row!r}"
            )
    try:
        return expected_cost(classes, labelled({t: labelled(row) for t, row in costs.items()}))
    except UsageError as error:
        raise UsageError(f"{file}: {error}") from error


def _recipe(file: Path, task: type[Task], content: dict[str, Any]) -> Any:
    """The file's own recipe: changes to the kind's first one, unless it names a base or model."""
    if "base" not in content and "model" not in content:
        content["base"] = task.recipes[0].name
    content.setdefault("name", "file")
    content.setdefault("summary", f"as {file.name} says")
    try:
        return recipes.from_content(task, content, f"{file}, [recipe]")
    except RecipeError as error:
        raise UsageError(str(error)) from error
