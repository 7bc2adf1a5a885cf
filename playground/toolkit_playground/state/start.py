"""Starting from a run: its settings as fields of a form, and the line that starts another."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from toolkit.errors import UsageError
from toolkit.kinds import model_class
from toolkit.pipeline import load_task
from toolkit.plugins import recipes
from toolkit.runs import Run
from toolkit_playground.state.settings import SECTIONS, differences, recipe_of, written

PLAIN = (
    "data", "train", "validation", "test", "target", "limit", "encoding", "labels", "sheet",
    "group",
)  # fmt: skip
"""Options of ``toolkit run`` for the data that take one value."""
ALWAYS = ("data", "model", "recipe", "seed", "seeds")
"""Fields that stand in the form even where the run has no value for them."""
LONGEST = 2_000
"""Characters of a value."""


@dataclass(frozen=True)
class Field:
    """A field of the form.

    Args:
        name: an option's name without its dashes, or a setting as ``section.field``.
        value: what the run has; empty: nothing.
        setting: whether it is a setting of the recipe, and no option of its own.
    """

    name: str
    value: str
    setting: bool = False


def fields(run: Run) -> list[Field]:
    """The run's options and settings, in the order of the form."""
    source, recipe = run.info.get("source") or {}, run.info["recipe"]
    options = {name: source.get(name) for name in PLAIN}
    options |= {"text": ", ".join(source.get("text") or []), "model": recipe.get("model"),
                "recipe": recipe.get("name"), "seed": run.info.get("seed", 0),
                "seeds": (run.info.get("options") or {}).get("seeds", 1)}  # fmt: skip
    found = [
        Field(name, "" if value is None else str(value))
        for name, value in options.items()
        if value not in (None, "") or name in ALWAYS
    ]
    settings = [
        Field(f"{section}.{name}", written(value), setting=True)
        for section in SECTIONS
        for name, value in _leaves(recipe.get(section))
    ]
    return [*found, *settings]


def _leaves(section: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in section.items() if isinstance(section, Mapping) else ():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def line(run: Run, values: Mapping[str, Any]) -> str:
    """The line that starts a run like this one, with other values in some fields.

    Nothing of it lets code run that the task or the model brings along: whoever starts it says so.

    Args:
        run: the run to start from.
        values: field's name → what stands in it; fields that are not there are the run's own.

    Raises:
        ToolkitError: a value is none that the command takes.
    """
    own = {field.name: field for field in fields(run)}
    given = {name: _checked(name, value) for name, value in values.items() if name in own}
    options = {
        field.name: given.get(field.name, field.value)
        for field in own.values()
        if not field.setting
    }
    task = load_task(run)
    plain = recipe_of(task, {"name": options["recipe"]})
    sets = dict(one.split("=", 1) for one in differences(run.info["recipe"], plain))
    for name, value in given.items():
        if own[name].setting and value != own[name].value:
            sets[name] = value
    sets = {name: value for name, value in sets.items() if value != ""}
    _check(task, options, sets)
    words = ["toolkit", "run", str((run.info.get("plugin") or {}).get("file") or run.info["task"])]
    words += _options(options, plain) + _flags(run)
    for name, value in sets.items():
        words += ["--set", f"{name}={value}"]
    return shlex.join(words)


def _options(options: Mapping[str, str], plain: Mapping[str, Any]) -> list[str]:
    words: list[str] = []
    for name, value in options.items():
        if name == "text":
            for one in filter(None, (part.strip() for part in value.split(","))):
                words += ["--text", one]
        elif value and (name, value) not in (("seed", "0"), ("seeds", "1")):
            if name == "recipe" and value != plain.get("name"):
                continue  # a file's recipe: what it says stands in the settings
            if name == "model" and value == plain.get("model"):
                continue
            words += [f"--{name}", value]
    return words


def _flags(run: Run) -> list[str]:
    source, options = run.info.get("source") or {}, run.info.get("options") or {}
    found = []
    if source.get("header") is not None:
        found.append("--header" if source["header"] else "--no-header")
    if source.get("near_duplicates"):
        found.append("--near-duplicates")
    if options.get("allow_truncation"):
        found.append("--allow-truncation")
    if options.get("store_data") is False:
        found.append("--no-store-data")
    return found


def _checked(name: str, value: Any) -> str:
    text = str(value).strip()
    if len(text) > LONGEST or not text.isprintable():
        raise UsageError(f"{name} must be one line of at most {LONGEST:,} characters")
    return text


def _check(task: Any, options: Mapping[str, str], sets: Mapping[str, str]) -> None:
    """Refuse what ``toolkit run`` would refuse at once."""
    for name, low in (("seed", 0), ("seeds", 1), ("limit", 1)):
        value = options.get(name)
        if value and not (value.isascii() and value.isdigit() and int(value) >= low):
            raise UsageError(f"--{name} takes a whole number from {low} on, not {value!r}")
    name = recipe_of(task, {"name": options["recipe"]})["name"]
    found = recipes.resolve(
        type(task), name, sets=[f"{key}={value}" for key, value in sets.items()],
        model=options["model"] or None,
    )  # fmt: skip
    recipes.check(found, model_class(task).training_arguments(), task.options)
