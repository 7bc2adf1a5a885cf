"""Candidates are tried: what a task file would say is loaded, split and checked, with no model."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from toolkit.data import columns
from toolkit.data.readers.read import is_hub_id
from toolkit.data.source import Source
from toolkit.errors import DataError, ToolkitError
from toolkit.kinds.registry import model_class
from toolkit.models.paths import is_local
from toolkit.pipeline.init.candidates import Candidate
from toolkit.pipeline.init.seen import Seen
from toolkit.plugins import toml_task
from toolkit.plugins.file_options import merged
from toolkit.preparation import preflight
from toolkit.preparation.classes import require_several
from toolkit.preparation.preflight import Preflight
from toolkit.preparation.prepare import Prepared, prepare
from toolkit.system import environment
from toolkit.task import Task

SURELY = 0.7
"""How surely a task goes with a file whose columns it cannot tell apart, so that one is taken."""
FEWEST_ROWS = 20
"""Rows under which no ladder says anything."""


@dataclass(frozen=True)
class Tried:
    """A candidate that loads the file.

    Args:
        candidate: the candidate.
        content: the keys of the task file.
        task: the task that they make, its state fitted.
        source: its data options; it has received notes.
        prepared: the splits.
        found: what the checks before training find.
        used: the columns that were read: ``text`` and ``target``.
        why: key → why it is there, in a sentence.
    """

    candidate: Candidate
    content: Mapping[str, Any]
    task: Task
    source: Source
    prepared: Prepared
    found: Preflight
    used: Mapping[str, Any]
    why: Mapping[str, str] = field(default_factory=dict)


def attempt(
    seen: Seen,
    candidate: Candidate,
    output: Path,
    *,
    labels: str | None = None,
    group: str | None = None,
) -> Tried:
    """Load the file as a candidate, with such options of the task as its rows need.

    Rows that need repair are repaired, and targets that stand in their texts are masked, where the
    task can do so.

    Args:
        seen: the file.
        candidate: what to try.
        output: the path of the task file.
        labels: what the labels mean.
        group: the column that rows of one split share.

    Raises:
        ToolkitError: the task refuses the file; the message is the reason.
    """
    if candidate.refusal:
        raise DataError(candidate.refusal)
    content = contents(seen, candidate, output)
    content |= {"labels": labels} if labels else {}
    content |= {"group": named(seen, group)} if group else {}
    try:
        tried = _loaded(candidate, content, output, {})
    except DataError as error:
        if "repair" not in toml_task.of_content(output, content).options:
            raise
        why = {"repair": f"without it: {error}"}
        content["recipe"] = {"task": {"repair": True}}
        tried = _loaded(candidate, content, output, why)
    leak = tried.found.leak
    if leak and leak["serious"] and "mask_target" in tried.task.options:
        why = {**tried.why, "mask_target": str(leak["sentence"]).partition(":")[0]}
        options = {**content.get("recipe", {}).get("task", {}), "mask_target": True}
        tried = _loaded(candidate, {**content, "recipe": {"task": options}}, output, why)
    return tried


def _loaded(
    candidate: Candidate, content: dict[str, Any], output: Path, why: Mapping[str, str]
) -> Tried:
    made = toml_task.of_content(output, content)
    task = made()
    task.options |= made.recipes[0].task
    source = merged(made, {})
    prepared = prepare(task, source)
    if sum(prepared.sizes.values()) < FEWEST_ROWS:
        raise DataError(f"only {sum(prepared.sizes.values())} rows can be used")
    require_several(task, prepared.splits["train"])
    task.load_state({**prepared.found, **task.fit(prepared.splits["train"])})
    found = preflight.check(task, prepared)
    return Tried(candidate, content, task, source, prepared, found, dict(source.used), why)


def suggested(seen: Seen, candidate: Candidate, output: Path, error: ToolkitError) -> Tried | None:
    """An installed task that surely goes with the file, with the columns that it suggests first.

    Args:
        seen: the file.
        candidate: the task, which has refused the file.
        output: the path of the task file.
        error: its refusal; ``None`` is returned where that suggests no columns.
    """
    line = suggested_columns(error)
    if line is None or candidate.kind or candidate.sure < SURELY:
        return None
    try:
        return attempt(seen, replace(candidate, text=line[0], target=line[1]), output)
    except ToolkitError:
        return None


def one_reading(tried: Tried) -> str:
    """That the columns are one of several readings, in a sentence."""
    text, target = ", ".join(tried.used["text"]), tried.used["target"]
    return (
        f"of several readings, {target!r} is predicted from {text!r}; --text and --target name "
        "others"
    )


def refusal(tried: Tried) -> str:
    """Why ``toolkit run`` would refuse these rows for what its model can take; empty: it would not.

    The model's tokenizer reads them, if it is on this machine; no weights are loaded.
    """
    task, recipe = tried.task, type(tried.task).recipes[0]
    if not is_local(recipe.model):
        return ""
    environment.prepare(offline=True)
    kind = model_class(task)(task, recipe)
    train = tried.prepared.splits["train"]
    try:
        if further := kind.fit_state(train):
            task.load_state({**task.state, **further})
        preflight.check(task, tried.prepared, kind)
    except ToolkitError as error:
        return str(error)
    return ""


# -- what the file says ----------------------------------------------------------------------------
def contents(seen: Seen, candidate: Candidate, output: Path) -> dict[str, Any]:
    """The keys of the task file of a candidate."""
    content: dict[str, Any] = {
        "kind" if candidate.kind else "task": candidate.name,
        "name": name_of(output),
        "data": relative(seen.path, output.parent),
    }
    for name in ("encoding", "header", "sheet"):
        if (value := getattr(seen.source, name)) is not None:
            content[name] = value
    text = [named(seen, name) for name in candidate.text]
    if candidate.name == "causal-lm" and candidate.kind and text:
        content["prompt"] = prompt(text, candidate.target or "answer")
    elif text:
        content["text"] = as_text(text)
    if candidate.target is not None:
        content["target"] = named(seen, candidate.target)
    by_number = [*text, content.get("target", "")]
    if seen.source.header is None and all(n.isdigit() for n in by_number if n) and any(by_number):
        content["header"] = True  # the columns are named by number for their braces
    return content | dict(candidate.keys)


def as_text(names: Sequence[str]) -> Any:
    """Columns as the key ``text`` takes them: a list, unless it is one with a simple name."""
    alone = len(names) == 1 and "," not in names[0] and names[0] == names[0].strip()
    return names[0] if alone else list(names)


def prompt(names: Sequence[str], target: str) -> str:
    """A prompt that shows columns and asks for the target."""
    fields = "\n\n".join(f"{{{name}}}" for name in names)
    return f"{fields}\n\n{columns.plain(target).capitalize() or 'Answer'}:"


def named(seen: Seen, name: str) -> str:
    """A column as a task file names it: by its number where its name has braces in it."""
    if name in seen.columns and ("{" in name or "}" in name):
        names = list(seen.columns)
        number = str(names.index(name) + 1)
        if columns.resolve(names, number, "text") != name:  # another column is called so
            raise DataError(f"rename the column {name!r}: its braces stand for a column's place")
        return number
    return name


def relative(path: str, folder: Path) -> str:
    """The path of the data as a task file in a folder names it; that of the Hub as it is."""
    if is_hub_id(path):
        return path
    return Path(os.path.relpath(Path(path).resolve(), folder.resolve())).as_posix()


def name_of(output: Path) -> str:
    """The name of the task: that of the file, as a task's name must be."""
    plain = re.sub(r"[^a-z0-9]+", "-", output.stem.lower()).strip("-")
    return plain if plain[:1].isalpha() else f"data-{plain}".rstrip("-")


def suggested_labels(error: ToolkitError) -> list[str]:
    """The values of ``--labels`` that a refusal suggests, if it says which labels are meant."""
    found = re.findall(r"--labels '([^']+)'", str(error))
    return [value for value in dict.fromkeys(found) if "MEANING" not in value]


def suggested_columns(error: ToolkitError) -> tuple[tuple[str, ...], str] | None:
    """Text and target of the first line that a refusal suggests, where it suggests columns."""
    found = re.search(r"such as: (--text .+? --target .+?)(?:, or: --|; the data has)", str(error))
    if found is None:
        return None
    try:
        _, text, _, target = shlex.split(found[1])
    except ValueError:
        return None
    return columns.split_option(text), target
