r"""A task in a TOML file: a table of rows, a template, a kind, named metrics; no Python.

kind = "causal-lm"
data = "rows.csv"
prompt = "Write the subject of this e-mail.\n\n{body}\n\nSubject:"
target = "subject"
metrics = ["token_f1"]

Or an installed task, set up for a file:

task = "price-regression"
train = "cars.csv"
test = "cars_of_this_year.csv"
text = ["make", "model", "year"]
target = "price"

The keys that name data are the options of the command line, see
:mod:`toolkit.plugins.file_options`. Metrics, baselines and decoders may stand in a Python file
(:mod:`toolkit.plugins.named_code`); a file that names one is code, see :mod:`toolkit.runs.trust`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from toolkit.errors import UsageError, did_you_mean
from toolkit.kinds import registry
from toolkit.metrics import classification_metrics, common, expected_cost
from toolkit.metrics.metric import Metric
from toolkit.plugins import code_file, discovery, file_options, named_code, recipes
from toolkit.plugins.toml_kinds import KINDS, FileKind
from toolkit.task import Task

KEYS: Mapping[str, tuple[Any, str]] = {
    **file_options.KEYS,
    "kind": (str, "a text"),
    "task": (str, "a text"),
    "name": (str, "a text"),
    "summary": (str, "a text"),
    "api_version": (int, "a whole number"),
    "prompt": (str, "a text"),
    "prompt_without": (dict, "a table of columns and templates"),
    "columns": (dict, "a table of columns"),
    "classes": (list, "a list"),
    "problem": (str, "a text"),
    "separator": (str, "a text"),
    "class_weights": (str | dict, '"balanced" or a table of classes and numbers'),
    "metric": (str, "a text"),
    "metrics": (list, "a list"),
    "baselines": (list, "a list"),
    "decoders": (list, "a list"),
    "costs": (dict, "a table"),
    "margin": (float, "a number"),
    "synthetic": (bool, "true or false"),
    "recipe": (dict, "a table"),
}
"""The keys of a task file: their types, and what error messages call these."""
OF_KINDS = ("prompt", "prompt_without", "columns", "classes", "problem", "separator",
            "class_weights", "metric", "metrics", "baselines", "decoders", "costs", "margin",
            "synthetic", "api_version")  # fmt: skip
"""The keys that go with a kind alone: an installed task decides on these itself."""


def read(file: Path) -> type[Task]:
    """The task that a TOML file describes.

    Raises:
        UsageError: the file cannot be read, or a key, value, metric or recipe in it is wrong.
    """
    return of_content(file, parsed(file))


def parsed(file: Path) -> dict[str, Any]:
    """The content of a TOML file; raises :class:`UsageError` where it cannot be read."""
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{file} is not a readable TOML file: {error}") from error


def of_content(file: Path, content: Mapping[str, Any]) -> type[Task]:
    """The task that the content of a file describes.

    Args:
        file: names the task, and the folder of the data; it need not be there.
        content: what TOML's parser gives.

    Raises:
        UsageError: a key, value, metric or recipe is wrong.
    """
    _check(file, content)
    options = file_options.of_file(file, content)
    task = _set_up(file, content) if "task" in content else _of_kind(file, content, options)
    task.source_options = options
    if "recipe" in content:
        task.recipes = (_recipe(file, task, dict(content["recipe"])), *task.recipes)
    return task


def _set_up(file: Path, content: Mapping[str, Any]) -> type[Task]:
    """An installed task under the file's name."""
    try:
        base = discovery.load().installed(content["task"])
    except UsageError as error:
        raise UsageError(f"{file}: {error} (task)") from error
    members = {
        "__doc__": f"{base.name}, set up by {file.name}.",
        "__module__": base.__module__,
        "name": _name(file, content),
        "summary": content.get("summary", f"{base.summary} ({file.name})"),
        "api_version": base.api_version,
    }
    made: type[Task] = type("FileTask", (base,), members)
    return made


def _of_kind(file: Path, content: Mapping[str, Any], options: dict[str, Any]) -> type[Task]:
    """A task of a kind. Columns that the file names become data options too.

    Without that the columns would be looked for by their names and contents, and another one than
    the one that is named could look the better.
    """
    kind = file_kinds()[content["kind"]]
    base, declared = kind.make(content, _error_in(file))
    answers = declared.get("outputs") or (declared.get("answer"),)
    if "text" in content or "prompt" in content:
        if not isinstance(content.get("text"), list):
            options["text"] = tuple(n for n in declared["columns"] if n not in answers)
        # Several columns of one answer have been joined already.
        options["target"] = options["target"] if _several(content) else answers[0]
    members: dict[str, Any] = {
        "__doc__": f"The task of {file.name}.",
        "__module__": base.__module__,
        "name": _name(file, content),
        "summary": content.get("summary", f"the task of {file.name}"),
        "api_version": content.get("api_version", 1),
        "synthetic": content.get("synthetic", False),
        "margin": float(content.get("margin", 0.0)),
        "metrics": _metrics(file, content, kind),
        **declared,
    }
    members["primary_metric"] = members["metrics"][0].name
    members |= named_code.members(file, content, base)
    if "data" in content:
        members["data"] = options["data"]
    task: type[Task] = type("FileTask", (base,), members)
    return task


def file_kinds() -> dict[str, FileKind]:
    """The kinds by the names that task files give them, those of plugins among them."""
    discovery.load()
    brought = {k.name: k.task_file() for k in registry.added().values() if k.task_file}
    return {**KINDS, **brought}


def _name(file: Path, content: Mapping[str, Any]) -> str:
    return str(content.get("name", re.sub(r"[^a-z0-9]+", "-", file.stem.lower()).strip("-")))


def _check(file: Path, content: Mapping[str, Any]) -> None:
    for key, value in content.items():
        if key not in KEYS:
            raise UsageError(f"{file}: unknown key {key!r}{did_you_mean(key, KEYS)}")
        kind, type_name = KEYS[key]
        whole = kind is float and isinstance(value, int)
        if not (isinstance(value, kind) or whole) or (isinstance(value, bool) != (kind is bool)):
            raise UsageError(f"{file}: {key} must be {type_name}, not {value!r}")
    if "task" in content:
        for key in ("kind", *OF_KINDS):
            if key in content:
                raise UsageError(f"{file}: {key} does not go with task = {content['task']!r}")
    elif content.get("kind") not in (known := file_kinds()):
        name = content.get("kind")
        near = did_you_mean(str(name), known) if name else ""
        problem = f"there is no kind {name!r}{near}" if name else "kind is missing"
        raise UsageError(
            f"{file}: {problem}; there are {', '.join(known)}; or name an installed task: task = …"
        )


def _error_in(file: Path) -> Callable[[str], UsageError]:
    """A function that makes an error about the file from a reason."""
    return lambda reason: UsageError(f"{file}: {reason}")


def _several(content: Mapping[str, Any]) -> bool:
    """Whether the answer is in several columns."""
    return isinstance(content.get("target"), list)


def _metrics(file: Path, content: Mapping[str, Any], kind: FileKind) -> tuple[Metric, ...]:
    own = kind.known(content)
    given = named_code.metrics(file, content)
    known = {**(own or common.NAMED), **(_of_classes(file, content) if own is None else {})}
    default = kind.metrics if own is None else tuple(own)
    first = [content["metric"]] if "metric" in content else []
    rest = content.get("metrics") or [name for name in default if name in known]
    wanted = [*first, *(name for name in rest if name not in first)]
    for name in wanted:
        if code_file.names_code(name):
            continue
        if not isinstance(name, str) or name not in known:
            hint = f"; {name} needs {NEEDS[name]}" if str(name) in NEEDS else ""
            raise UsageError(
                f"{file}: there is no metric {name!r}{did_you_mean(str(name), known)}{hint}; "
                f"there are {', '.join(known)}"
            )
    if "costs" in content and COST not in wanted:
        raise UsageError(f'{file}: costs is a table for the metric "{COST}"; name it in metrics')
    found = [one for name in wanted for one in given.get(name) or (known[name],)]
    return tuple({metric.name: metric for metric in found}.values())


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
    except UsageError as error:
        said = str(error)
        raise UsageError(said if str(file) in said else f"{file}, [recipe]: {said}") from error
