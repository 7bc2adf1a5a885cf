"""``toolkit check TASK``: whether a task keeps the contract, found out without a model.

The rules are small functions in the modules beside this one. They are checked in the order of
:data:`RULES`, from what a task declares to what its baselines predict. A rule that builds on a
broken one is not checked, so that each mistake is reported once.
"""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from toolkit.data.source import Source
from toolkit.errors import ToolkitError
from toolkit.plugins.contract import (
    baseline_rules,
    data_rules,
    declaration_rules,
    metric_rules,
    output_rules,
)
from toolkit.plugins.contract.checked_task import Subject
from toolkit.plugins.contract.rule import Broken, Rule
from toolkit.task import Task

RULES: tuple[Rule[Subject], ...] = (
    *declaration_rules.RULES,
    *data_rules.RULES,
    *output_rules.RULES,
    *metric_rules.RULES,
    *baseline_rules.RULES,
)


@dataclass(frozen=True)
class Result:
    """The result of one rule.

    Args:
        rule: the rule's name.
        passed: whether the task keeps it.
        message: what to change, where the rule is broken; otherwise a note, mostly empty.
        reached: ``False`` where it was not checked, because a rule that it builds on is broken.
    """

    rule: str
    passed: bool
    message: str
    reached: bool = True


def check(task: Task, source: Source) -> list[Result]:
    """Check a task by every rule that applies to it.

    Args:
        task: a fresh instance; its settings become those of its first recipe, and its facts those
            of the training rows.
        source: the data to check it with; an empty one takes the task's own.
    """
    subject = Subject(task, source)
    results: dict[str, Result] = {}
    for rule in RULES:
        if isinstance(task, rule.of):
            results[rule.name] = _unreached(rule, results) or _judged(rule, subject)
    return list(results.values())


def _unreached(rule: Rule[Subject], results: dict[str, Result]) -> Result | None:
    """The result of a rule that builds on a broken one, else ``None``."""
    failed = [results[name] for name in rule.needs if name in results and not results[name].passed]
    if not failed:
        return None
    first = failed[0]
    reason = f"not checked, because {first.rule} is broken" if first.reached else first.message
    return Result(rule.name, passed=False, message=reason, reached=False)


def _judged(rule: Rule[Subject], subject: Subject) -> Result:
    try:
        note = rule.check(subject)
    except (Broken, ToolkitError) as error:
        return Result(rule.name, passed=False, message=str(error))
    except Exception as error:  # a task's method may raise anything; the other rules go on
        return Result(rule.name, passed=False, message=_problem(error, type(subject.task)))
    return Result(rule.name, passed=True, message=note or "")


def _problem(error: Exception, task: type[Task]) -> str:
    """The message for an unexpected exception, with its place in the task's file if it has one."""
    message = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    place = _place(traceback.extract_tb(error.__traceback__), task)
    where = f"{Path(place.filename).name}, line {place.lineno}, in {place.name}"
    return f"the task raised {message} ({where})"


def _place(frames: Sequence[traceback.FrameSummary], task: type[Task]) -> traceback.FrameSummary:
    own = [frame for frame in frames if frame.filename == inspect.getfile(task)]
    return (own or frames)[-1]
