"""What the command line says about the data, handed to a task's ``load_rows``."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

FORMER_METHODS = {"load": "read_splits", "column": "find_column", "rendering": "find_text"}
"""Method of version 1 of the contract → function of :mod:`toolkit.data`."""

_LOAD = "toolkit.data.load"

FORMER_OPTIONS = {"mask_target": "mask_target", "mend": "repair"}
"""Field of version 1 of the contract → option of the tasks that have it."""


@dataclass
class Source:
    """What the command line says about the data, and what was found out while reading it.

    Args:
        data: a file or Hub data set; ``None`` lets the task bring its own.
        text: column names (or numbers), or one template with ``{column}`` in it.
        target: the column to predict; ``None`` guesses.
        train: a file with training rows, instead of ``data``.
        validation: a file with rows to choose by.
        test: a file with rows to judge by.
        encoding: of text files; ``None``: UTF-8, or what the byte order mark says.
        header: whether files begin with column names; ``None``: yes, unless columns are asked for
            by number and the first row looks like data.
        limit: use so many rows, drawn by ``seed``.
        seed: of everything that is drawn.
    """

    data: str | None = None
    text: tuple[str, ...] = ()
    target: str | None = None
    train: str | None = None
    validation: str | None = None
    test: str | None = None
    encoding: str | None = None
    header: bool | None = None
    limit: int | None = None
    seed: int = 0

    chosen: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """What a task decided about the data and needs again to predict (JSON values)."""
    found: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """What reading the files showed that the rows no longer hold, such as a currency (JSON values).

    It becomes part of the task's facts, beside what :meth:`toolkit.Task.fit` returns."""
    left_out: dict[str, list[int]] = field(default_factory=dict, compare=False, repr=False)
    """Reason → the rows that could not be used; told by :meth:`leave_out`."""
    notes: list[str] = field(default_factory=list, compare=False, repr=False)
    """What was decided about the data, in sentences; told by :meth:`note`."""
    synthetic: bool = field(default=False, compare=False, repr=False)
    """The rows that were loaded are made up."""
    _place: str = field(default="", compare=False, repr=False)

    # -- as a file has it --------------------------------------------------------------------------
    def as_dict(self) -> dict[str, Any]:
        """The settings as JSON values, for ``run.json``."""
        return {name: getattr(self, name) for name in _settings()} | {"text": list(self.text)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Source:
        """The inverse of :meth:`as_dict`."""
        known = {name: values[name] for name in _settings() if name in values}
        return cls(**{**known, "text": tuple(known.get("text") or ())})

    # -- what a task tells -------------------------------------------------------------------------
    def leave_out(self, reason: str, row_ids: Sequence[int]) -> None:
        """Rows that cannot be used, and why, in a few words ("no price")."""
        if len(row_ids):
            reason = f"{self._place}{reason}"
            self.left_out.setdefault(reason, []).extend(int(row) for row in row_ids)

    def note(self, sentence: str) -> None:
        """Something that was decided for the user; said once."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    if not TYPE_CHECKING:  # new code is checked against what is here now

        def __getattr__(self, name: str) -> Any:
            """What version 1 of the contract had here, for tasks that are written for it."""
            now = FORMER_METHODS.get(name) or FORMER_OPTIONS.get(name)
            if now is None:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            option = name in FORMER_OPTIONS
            what = f"the option {now!r} of a task" if option else f"toolkit.data.{now}"
            warnings.warn(
                f"Source.{name} is {what} since version 2 of the contract",
                DeprecationWarning,
                stacklevel=2,
            )
            # Imported by its name, since that module stands above this one.
            return False if option else partial(getattr(import_module(_LOAD), now), self)

    # -- what a task reads here --------------------------------------------------------------------
    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """While the rows of one of several files are converted: reasons and errors name it."""
        self._place = f"{name}: "
        try:
            yield
        finally:
            self._place = ""

    @property
    def file(self) -> str:
        """The file whose rows are being converted, for a complaint about one of them."""
        part = self._place.removesuffix(": ")
        named = getattr(self, part, None) if part else None
        if part in ("validation", "test") and not named:  # a split of a Hub data set
            return f"{self.data} ({part})"
        return str(named or self.train or self.data or "")

    @property
    def given(self) -> bool:
        """Whether the user named any data; where not, a task may bring its own."""
        return any((self.data, self.train, self.validation, self.test))


def _settings() -> list[str]:
    told = ("chosen", "found", "left_out", "notes", "synthetic", "_place")
    return [f.name for f in dataclasses.fields(Source) if f.name not in told]
