"""The settings of a run that differ from its recipe, as ``--set`` takes them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from toolkit.errors import ToolkitError
from toolkit.plugins import discovery, recipes
from toolkit.runs import Run

SECTIONS = (
    "training", "lora", "quantization", "generation", "early_stopping", "task", "cost", "rows",
)  # fmt: skip
"""Sections of a recipe whose fields ``--set`` changes."""
_SET = re.compile(r"--set[ =]([\w.-]+=\S+)")


def changed(run: Run) -> list[str]:
    """What was set for this run, as ``section.field=value``.

    Where the task is not installed, what its command says: its file is not run for that.
    """
    try:
        known = discovery.load().installed(str(run.info["task"]))
        return differences(run.info["recipe"], recipe_of(known, run.info["recipe"]))
    except ToolkitError:
        return _SET.findall(str(run.info.get("command", "")))


def recipe_of(task: Any, recipe: Mapping[str, Any]) -> Mapping[str, Any]:
    """The task's own recipe of that name; its first one where there is none of that name.

    Args:
        task: the task, or its class.
        recipe: a run's recipe.
    """
    cls = task if isinstance(task, type) else type(task)
    try:
        return recipes.as_dict(recipes.resolve(cls, str(recipe.get("name") or "")))
    except ToolkitError:
        return recipes.as_dict(recipes.resolve(cls))


def differences(recipe: Mapping[str, Any], plain: Mapping[str, Any]) -> list[str]:
    """What must be set to come from one recipe to another, of the same name.

    Args:
        recipe: the wanted recipe, as stored in ``run.json``.
        plain: the recipe that is changed.
    """
    found = []
    for section in SECTIONS:
        ours, theirs = recipe.get(section) or {}, plain.get(section) or {}
        if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
            found += [f"{section}.{name}={written(v)}" for name, v in _apart(ours, theirs)]
    return found


def _apart(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name in [*ours, *(name for name in theirs if name not in ours)]:
        one, other = ours.get(name), theirs.get(name)
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            yield from ((f"{name}.{inner}", value) for inner, value in _apart(one, other))
        elif one != other or (name in ours) != (name in theirs):  # nothing is a setting too
            yield name, one


def written(value: Any) -> str:
    """A value as ``--set`` reads it: TOML, with ``none`` for nothing and bare words for texts."""
    if value is None:
        return "none"
    if isinstance(value, str):
        bare = re.fullmatch(r"[A-Za-z_][\w./-]*", value) is not None
        taken = value.lower() in ("none", "null", "true", "false", "inf", "nan")
        return value if bare and not taken else json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping):
        inner = ", ".join(f"{json.dumps(str(k))} = {written_in(v)}" for k, v in value.items())
        return f"{{{inner}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(written_in, value))}]"
    return json.dumps(value)


def written_in(value: Any) -> str:
    """A value within a list or a table, where a text always stands in quotes."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else written(value)
