"""What is made of another tool's settings while they are read: sections, and what is left behind.

A key is either carried over, by :meth:`Draft.take` or a table of :class:`Plain`, or named with its
reason. What nobody has taken in the end is unknown, and is named too: nothing is lost unsaid.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from toolkit.pipeline.importing import values
from toolkit.pipeline.importing.values import Convert

MISSING: Any = object()


@dataclass(frozen=True)
class Left:
    """A key that is not carried over, or not as it was.

    Args:
        key: the key in the other tool's file.
        value: its value for people; empty: the file does not have it.
        reason: why, or what is done instead.
        fields: fields of the training arguments or of ``LoraConfig`` that may differ for it.
    """

    key: str
    value: str
    reason: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plain:
    """A key that becomes one field of the recipe.

    Args:
        place: ``section.field``.
        read: how its value is read.
        default: what the other tool takes where the file has no such key, written too; ``None``:
            nothing is written then.
    """

    place: str
    read: Convert
    default: Any = None


@dataclass
class Draft:
    """Settings of another tool, on their way to a recipe and a task file.

    Args:
        tool: the other tool's name.
        given: its keys; those without a value are put into ``empty``.
        sections: the recipe's sections so far.
        task: the task file's keys so far.
        left: what is not carried over.
        model: the base model.
        seed: for ``--seed``.
    """

    tool: str
    given: dict[str, Any]
    sections: dict[str, dict[str, Any]] = field(default_factory=dict)
    task: dict[str, Any] = field(default_factory=dict)
    left: list[Left] = field(default_factory=list)
    model: str = ""
    seed: int = 42
    empty: frozenset[str] = frozenset()
    _taken: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.empty = frozenset(key for key, value in self.given.items() if value is None)
        self.given = {key: value for key, value in self.given.items() if value is not None}

    def take(self, key: str, read: Convert, default: Any = None) -> Any:
        """The value of a key, which counts as carried over."""
        self._taken.add(key)
        value = self.given.get(key)
        return default if value is None else read(key, value)

    def has(self, key: str) -> bool:
        """Whether the file has the key, with a value that switches something on."""
        return self.given.get(key) not in (None, False, "", [], {})

    def set(self, place: str, value: Any) -> None:
        """Set ``section.field`` of the recipe; parts of ``training.model_init_kwargs`` too."""
        section, *names = place.split(".")
        target = self.sections.setdefault(section, {})
        for name in names[:-1]:
            target = target.setdefault(name, {})
        target[names[-1]] = value

    def plain(self, table: Mapping[str, Plain]) -> None:
        """Carry over keys that become one field each."""
        for key, one in table.items():
            value = self.take(key, one.read, one.default)
            if value is not None:
                self.set(one.place, value)

    def leave(self, key: str, reason: str, *fields: str) -> None:
        """Name a key that is not carried over, or not as it was."""
        self._taken.add(key)
        value = self.given.get(key)
        self.left.append(
            Left(key, "" if value is None else values.shown(key, value), reason, fields)
        )

    def leave_given(self, reasons: Iterable[tuple[str, str]]) -> None:
        """Name those keys of a table (keys, reason) that the file has."""
        for keys, reason in reasons:
            for key in keys.split():
                if key in self.given and key not in self._taken:
                    self.leave(key, reason, key)

    def leave_rest(self) -> None:
        """Name what nobody has taken; secrets are never shown."""
        for key, value in self.given.items():
            if key in self._taken:
                continue
            if values.is_secret(key, value):
                self.leave(key, "a secret is never written; give it by the environment", key)
            else:
                self.leave(key, f"the toolkit has no place for this key of {self.tool}", key)
