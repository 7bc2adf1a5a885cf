"""What a rule of the contract is; ``toolkit check`` checks a task by such rules.

A rule is a function that takes what is checked and returns ``None`` or a note. Where the task
breaks the rule, it raises :class:`Broken` with what the author should change.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from toolkit.task import Task

Checked = TypeVar("Checked")
"""What a rule checks, such as a task with its rows."""


class Broken(Exception):
    """A rule is broken; the message says what to change."""


@dataclass(frozen=True)
class Rule(Generic[Checked]):
    """One rule.

    Args:
        name: kebab-case name.
        check: the function; returns ``None`` or a note, and raises :class:`Broken`.
        needs: names of earlier rules that must hold for this one to be checked.
        of: the class of tasks that it applies to.
    """

    name: str
    check: Callable[[Checked], str | None]
    needs: tuple[str, ...] = ()
    of: type[Any] = Task


def json_problem(value: Any) -> str | None:
    """Why a value would be changed by writing it as JSON and reading it; ``None``: it would not."""
    try:
        back = json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError) as error:
        return f"{_short(value)} is no JSON value ({error})"
    if back != value:
        return f"{_short(value)} comes back from JSON as {_short(back)}"
    return None


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}…"
