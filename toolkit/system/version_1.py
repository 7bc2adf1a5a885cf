"""Tasks written for version 1 of the contract work unchanged: their names are put beside today's.

See the page on the API version. What differs: methods and attributes that were renamed
(:data:`NAMES`), ``self.settings`` and ``self.facts``, and decoders, which took an output and its
row alone and read what ``choose`` had returned from ``self.chosen``.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

NAMES = {
    "adopt": "load_state",
    "choose": "tune",
    "learn": "fit",
    "reworded": "augment",
    "shortens": "truncate",
    "stages": "row_transforms",
    "yardsticks": "controls",
}
"""Members of a task class: name in version 1 → name now."""
ATTRIBUTES = {"settings", "facts", "chosen"}
"""What tasks of version 1 read of themselves."""
FORMER = "_former_names"
"""Where a class keeps which of its members it defined by a former name."""


def alias(cls: type[Any]) -> None:
    """Give a class each renamed member that it defines under both names.

    Under the present name the core finds what a task of version 1 defines; under the former one
    that task's ``super().learn(…)`` finds what a class of today defines.
    """
    own = dict(vars(cls))
    setattr(cls, FORMER, frozenset(NAMES) & set(own))
    for former, now in NAMES.items():
        if former in own and now not in own:
            setattr(cls, now, own[former])
        elif now in own and former not in own:
            setattr(cls, former, own[now])


def adapt(cls: type[Any]) -> None:
    """Let a task class of version 1 work: its attributes, and its decoders."""
    own = vars(cls)
    cls.settings = _alias_of("options")
    cls.facts = _alias_of("state")
    cls.chosen = MappingProxyType({})
    # Classifiers of version 1 cut a column of that name where they named none.
    if getattr(cls, "kind", "") == "sequence-classification" and cls.truncate is None:
        theirs = [one for one in cls.__mro__ if not one.__module__.startswith("toolkit.")]
        named = any("truncate" in vars(one) for one in theirs)
        if not named and "text" in getattr(cls, "columns", {}):
            cls.truncate = cls.shortens = "text"
    if "choose" in own or "decoders" in own:
        cls.decoders = _with_tuned(cls.decoders)


def is_the_same(cls: type[Any]) -> bool:
    """Whether a task names no version, and has nothing in it that has another name by now."""
    for one in cls.__mro__:
        if one.__module__.startswith("toolkit."):
            continue
        own = vars(one)
        if "api_version" in own or own.get(FORMER):
            return False
        code = (getattr(member, "__code__", None) for member in own.values())
        if any(ATTRIBUTES & set(found.co_names) for found in code if found is not None):
            return False
    return True


def takes_tuned(decoder: Callable[..., Any]) -> bool:
    """Whether a function requires a third argument, as a decoder of today does."""
    try:
        inspect.signature(decoder).bind(None, None)
    except TypeError:
        return True
    return False


def _alias_of(name: str) -> property:
    """A property that reads and writes another attribute."""
    return property(
        lambda task: getattr(task, name), lambda task, value: setattr(task, name, value)
    )


def _with_tuned(decoders: Callable[[Any], Mapping[str, Any]]) -> Any:
    """A ``decoders`` method of version 1, giving decoders of today."""

    @functools.wraps(decoders)
    def adapted(task: Any) -> dict[str, Callable[..., Any]]:
        return {name: _decoder(task, read) for name, read in decoders(task).items()}

    return adapted


def _decoder(task: Any, read: Callable[..., Any]) -> Callable[..., Any]:
    """A decoder of version 1, or one of today that such a task inherits, as one of today."""
    of_today = takes_tuned(read)

    def decoder(output: Any, row: Any, tuned: Mapping[str, Any]) -> Any | None:
        task.chosen = dict(tuned)
        return read(output, row, tuned) if of_today else read(output, row)

    return decoder
