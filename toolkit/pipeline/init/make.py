"""``toolkit init``: from a file to a task file that has been read back and checked."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from toolkit.data.columns import split_option
from toolkit.errors import DataError, ToolkitError, UsageError
from toolkit.pipeline.init import seen as looking
from toolkit.pipeline.init.candidates import Candidate, candidates, known
from toolkit.pipeline.init.seen import Seen
from toolkit.pipeline.init.toml import written
from toolkit.pipeline.init.trying import (
    Tried,
    as_text,
    attempt,
    named,
    one_reading,
    refusal,
    relative,
    suggested,
    suggested_labels,
)
from toolkit.plugins import discovery, toml_task
from toolkit.plugins.contract import check as checking
from toolkit.plugins.contract import metric_rules
from toolkit.plugins.file_options import merged
from toolkit.preparation.group_sizes import FEW

TRUNCATION = "--allow-truncation"
NONE = "none"
"""What stands for no group, on the command line and as an answer."""
OF_METRICS = frozenset(rule.name for rule in metric_rules.RULES)
LONGEST = 160
"""Characters of a reason in a comment."""
SHOWN = 5
"""Candidates and columns that a question offers."""
Ask = Callable[[str, Sequence[str], str], str]
"""Asks a question: (question, answers that are offered, default) → the answer."""


@dataclass
class Wanted:
    """What the user says; ``None``: nothing.

    Args:
        task: an installed task or a kind.
        text: as ``--text``.
        target: as ``--target``.
        labels: as ``--labels``.
        group: as ``--group``, or ``none``.
        validation: a file of validation rows.
        test: a file of test rows.
    """

    task: str | None = None
    text: str | None = None
    target: str | None = None
    labels: str | None = None
    group: str | None = None
    validation: str | None = None
    test: str | None = None


@dataclass
class Outcome:
    """What ``toolkit init`` has found and made.

    Args:
        seen: what the file holds.
        tried: the task that loads it.
        second: the next candidate; ``None``: there is none.
        refused: candidate → why it cannot load the file.
        assumed: what was decided without asking, as sentences.
        output: the path of the task file.
        text: its text.
        remarks: rules on the metrics of an installed task that these rows break.
        refusal: why ``toolkit run`` refuses the rows without a further option; empty: it does not.
    """

    seen: Seen
    tried: Tried
    output: Path
    second: Candidate | None = None
    refused: dict[str, str] = field(default_factory=dict)
    assumed: list[str] = field(default_factory=list)
    text: str = ""
    remarks: list[str] = field(default_factory=list)
    refusal: str = ""

    @property
    def command(self) -> str:
        """The command that runs the task, with the option that its rows need."""
        needed = f" {TRUNCATION}" if TRUNCATION in self.refusal else ""
        return f"toolkit run {self.output}{needed}"


def output_path(data: str, output: Path | None) -> Path:
    """The path of the task file: as it is named, or after the data, in the working directory."""
    if output is not None:
        if not output.name:
            raise UsageError(f"--output {output} names no file")
        return output if output.suffix == ".toml" else output.with_name(f"{output.name}.toml")
    stem = Path(data).name.split(".")[0] or "data"
    plugins = discovery.load()
    if stem in plugins.tasks and not plugins.origins[stem].file:
        stem = f"{stem}-data"
    return Path(f"{stem}.toml")


def make(
    data: str,
    wanted: Wanted,
    output: Path,
    *,
    ask: Ask | None = None,
    force: bool = False,
    show: Callable[[Seen], None] = lambda seen: None,
    **options: Any,
) -> Outcome:
    """Look at a file, settle its task, and write the task file.

    Args:
        data: the file, or a Hub data set.
        wanted: what the user has said.
        output: where the task file goes.
        ask: asks the user; ``None``: the defaults are taken.
        force: whether a file that is there is replaced.
        show: gets what the file holds before anything is asked.
        options: how the file is read: ``encoding``, ``header``, ``sheet``.

    Raises:
        UsageError: the task file is there already, or an option cannot be used.
        DataError: no task can load the file.
    """
    if output.exists() and not force:
        raise UsageError(f"{output} is there already: --force replaces it, --output names another")
    if not output.parent.is_dir():
        raise UsageError(f"the folder {output.parent} does not exist (--output)")
    if wanted.task is not None:
        known(wanted.task)
    seen = looking.look(data, **options)
    show(seen)
    outcome = _settled(seen, wanted, output, ask)
    outcome.text = _text(outcome)
    _write(outcome, force)
    outcome.refusal = refusal(outcome.tried)
    return outcome


# -- what the task is ------------------------------------------------------------------------------
def _settled(seen: Seen, wanted: Wanted, output: Path, ask: Ask | None) -> Outcome:
    outcome = _first(seen, wanted, output, ask)
    if ask is not None:
        outcome = _asked(outcome, wanted, ask)
    elif wanted.task is None:
        choice = f"the task is {outcome.tried.candidate.name}"
        second = f" (second choice {outcome.second.name})" if outcome.second else ""
        outcome.assumed.append(f"{choice}{second}; --task names another")
    others = outcome.tried.candidate.others
    if ask is None and wanted.target is None and others:
        target = f"the target is {outcome.tried.candidate.target!r}"
        also = " or ".join(map(repr, others))
        outcome.assumed.append(f"{target}, and not {also}; --target names another")
    return _grouped(outcome, wanted, ask)


def _first(seen: Seen, wanted: Wanted, output: Path, ask: Ask | None) -> Outcome:
    """The likeliest candidate that loads the file."""
    text = split_option(wanted.text) if wanted.text else ()
    found = candidates(seen, task=wanted.task, text=text, target=wanted.target)
    parts = {"validation": wanted.validation, "test": wanted.test}
    keys = {name: relative(path, output.parent) for name, path in parts.items() if path}
    found = [replace(candidate, keys={**candidate.keys, **keys}) for candidate in found]
    refused: dict[str, str] = {}
    for at, candidate in enumerate(found):
        rest = [c for c in found[at + 1 :] if c.name != candidate.name]
        second = rest[0] if rest else None
        try:
            tried = _attempt(seen, candidate, output, wanted, ask)
        except ToolkitError as error:
            refused.setdefault(candidate.name, str(error))
            given = wanted.text or wanted.target
            again = None if given else suggested(seen, candidate, output, error)
            if again is None:
                continue
            del refused[candidate.name]
            return Outcome(seen, again, output, second, refused, [one_reading(again)])
        return Outcome(seen, tried, output, second, refused)
    raise DataError(_nothing_fits(seen, refused))


def _attempt(
    seen: Seen, candidate: Candidate, output: Path, wanted: Wanted, ask: Ask | None
) -> Tried:
    """The candidate, tried; where only the meaning of labels is missing, the user is asked."""
    try:
        return attempt(seen, candidate, output, labels=wanted.labels)
    except ToolkitError as error:
        meant = suggested_labels(error)
        if ask is None or wanted.labels or not meant:
            raise
        wanted.labels = ask(f"{error}\nWhat do the labels mean?", meant[:SHOWN], meant[0])
        return attempt(seen, candidate, output, labels=wanted.labels)


def _nothing_fits(seen: Seen, refused: dict[str, str]) -> str:
    from toolkit.data.guessing import contents

    if refused:
        name, why = next(iter(refused.items()))
        return f"no task can read {seen.path}; the likeliest, {name}, says: {why}"
    return (
        f"no task goes with {seen.path}: it has no column of classes, numbers, prices or answers "
        f"beside a text ({contents(seen.columns)}); name them with --text and --target"
    )


def _asked(outcome: Outcome, wanted: Wanted, ask: Ask) -> Outcome:
    """The task, its target and its text, as the user confirms them."""
    seen, output = outcome.seen, outcome.output
    if wanted.task is None and outcome.second is not None:
        names = [c.name for c in candidates(seen) if c.name not in outcome.refused]
        offered = list(dict.fromkeys([outcome.tried.candidate.name, *names]))[:SHOWN]
        name = ask("Which task is it?", offered, offered[0])
        if name != outcome.tried.candidate.name:
            wanted.task = known(name)
            outcome = _first(seen, wanted, output, ask)
    used = outcome.tried.used
    if wanted.target is None and used.get("target"):
        offered = [used["target"], *outcome.tried.candidate.others][:SHOWN]
        if len(offered) > 1:
            answer = ask("Which column is to be predicted?", offered, offered[0])
            if answer != offered[0]:
                wanted.task, wanted.target = outcome.tried.candidate.name, answer
                outcome = _first(seen, wanted, output, ask)
    used = outcome.tried.used
    if wanted.text is None and used.get("text") and len(seen.columns) > 2:
        now = ",".join(used["text"])
        others = [n for n in seen.columns if n not in used["text"] and n != used["target"]]
        answer = ask("Which columns are its text?", [now, *others][:SHOWN], now)
        if answer != now:
            wanted.task, wanted.text = outcome.tried.candidate.name, answer
            outcome = _first(seen, wanted, output, ask)
    return outcome


def _grouped(outcome: Outcome, wanted: Wanted, ask: Ask | None) -> Outcome:
    """The column that rows of one split share: as it is given, confirmed, or called like one."""
    seen, tried = outcome.seen, outcome.tried
    if wanted.group is not None:
        return outcome if wanted.group == NONE else _with_group(outcome, wanted, wanted.group)
    if tried.task.groupings() or tried.prepared.grouped_by:
        return outcome
    taken = {tried.used.get("target"), *tried.used.get("text", ())}
    offered = [name for name in seen.groups if name not in taken][: SHOWN - 1]
    if not offered:
        return outcome
    default = offered[0] if looking.is_owner(offered[0]) else NONE
    group = default
    if ask is not None:
        group = ask(
            "Which column's rows belong together, so that a model must not have seen them before?",
            [*offered, NONE], default,
        )  # fmt: skip
    if group == NONE:
        return outcome
    if ask is not None:
        return _with_group(outcome, wanted, group)
    try:
        grouped = _with_group(outcome, wanted, group)
    except ToolkitError:
        return outcome  # there are too few groups for splits
    if grouped.tried.found.groups.get("test", 0) < FEW:
        outcome.assumed.append(
            f"rows with the same {group!r} may be in several splits, as too few groups would be in "
            f"the test split; --group {named(seen, group)} keeps them together"
        )
        return outcome
    grouped.assumed.append(
        f"rows with the same {group!r} stay in one split; --group {NONE} lets the text decide"
    )
    return grouped


def _with_group(outcome: Outcome, wanted: Wanted, group: str) -> Outcome:
    tried = attempt(
        outcome.seen, outcome.tried.candidate, outcome.output, labels=wanted.labels, group=group
    )
    return replace(outcome, tried=tried)


# -- the file --------------------------------------------------------------------------------------
def _text(outcome: Outcome) -> str:
    """The text of the task file: what was tried, with the columns that the task has found."""
    tried, seen, output = outcome.tried, outcome.seen, outcome.output
    content = dict(tried.content)
    if not tried.candidate.kind and tried.used:
        if tried.used["text"]:
            template = len(tried.used["text"]) == 1 and "{" in tried.used["text"][0]
            names = [n if template else named(seen, n) for n in tried.used["text"]]
            content.setdefault("text", names[0] if template else as_text(names))
        if tried.used["target"]:
            content.setdefault("target", named(seen, tried.used["target"]))
        if tried.source.header is False:
            content.setdefault("header", False)
    head = [
        f"Made by toolkit init from {content['data']}: {seen.rows:,} rows, "
        f"{len(seen.columns)} columns.",
        f"toolkit show {output.name} prints what the model is trained on, and toolkit run "
        f"{output.name} trains it.",
    ]
    return written(content, head, _comments(outcome, content))


def _comments(outcome: Outcome, content: dict[str, Any]) -> dict[str, list[str]]:
    tried, seen = outcome.tried, outcome.seen
    base = next(cls for cls in type(tried.task).__mro__[1:] if getattr(cls, "kind", None))
    what = "The kind of task" if tried.candidate.kind else str(getattr(base, "summary", "The task"))
    second = f"; second choice: {outcome.second.name}" if outcome.second else ""
    made: dict[str, list[str]] = {
        "kind" if tried.candidate.kind else "task": [f"{what}{second}"],
        "target": [_target(outcome)],
        "recipe": [f"{name}: {_cut(why)}" for name, why in tried.why.items()],
    }
    if "group" in content:
        made["group"] = ["Rows with the same value stay in one split."]
    elif owners := _owners(tried, seen):
        made["group"] = [
            "Rows with the same value would stay in one split with a line such as this one:",
            written({"group": named(seen, owners[0])}).strip(),
        ]
    return {name: lines for name, lines in made.items() if any(lines)}


def _owners(tried: Tried, seen: Seen) -> list[str]:
    """Columns that could group rows, where the task has no way to group them itself."""
    if tried.task.groupings():
        return []
    taken = {tried.used.get("target"), *tried.used.get("text", ())}
    return [name for name in seen.groups if looking.is_owner(name) and name not in taken]


def _cut(why: str) -> str:
    return why if len(why) <= LONGEST else f"{why[: LONGEST - 1]}…"


def _target(outcome: Outcome) -> str:
    target = outcome.tried.used.get("target")
    if target is None or target not in outcome.seen.columns:
        return ""
    others = outcome.tried.candidate.others
    also = f"; it could also be {', '.join(map(repr, others))}" if others else ""
    return f"It holds {outcome.seen.columns[target].sentence()}{also}."


def _write(outcome: Outcome, force: bool) -> None:
    """Write the file beside its place, check what is read back from it, and move it there.

    Raises:
        DataError: the task that is read back breaks a rule of the contract; no file is left. Rules
            on the metrics of an installed task judge the task and not the file: they are said.
    """
    output = outcome.output
    with tempfile.TemporaryDirectory(prefix=".toolkit-init-", dir=output.parent) as folder:
        place = Path(folder) / output.name
        place.write_text(outcome.text, encoding="utf-8")
        content = toml_task.parsed(place)
        task = toml_task.of_content(output, content)  # paths are those of the file's own place
        for result in checking.check(task(), merged(task, {})):
            if result.passed or not result.reached:
                continue
            if outcome.tried.candidate.kind or result.rule not in OF_METRICS:
                raise DataError(f"{outcome.tried.candidate.name}: {result.rule}: {result.message}")
            outcome.remarks.append(f"toolkit check: {result.rule}: {result.message}")
        try:
            if force:
                place.replace(output)
            else:
                os.link(place, output)  # fails where a file has come there in the meantime
        except FileExistsError as error:
            raise UsageError(f"{output} is there already: --force replaces it") from error
        except OSError:
            place.replace(output)  # a file system without links
