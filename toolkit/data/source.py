"""The data options of the command line, as a task's ``load_rows`` receives them."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from toolkit.data.label_scales import Labels

FORMER_METHODS = {"load": "read_splits", "column": "find_column", "rendering": "find_text"}
"""Method of version 1 of the contract → function of :mod:`toolkit.data`."""

_LOAD = "toolkit.data.load"

FORMER_OPTIONS = {"mask_target": "mask_target", "mend": "repair"}
"""Field of version 1 of the contract → option of the tasks that have it."""


@dataclass
class Source:
    """The data options of the command line, and what was decided while the data were read.

    Args:
        data: a file or Hub data set; ``None``: the task's own rows, if it has any.
        text: column names (or numbers), or one template with ``{column}`` in it.
        target: the column to predict; ``None``: it is guessed.
        train: a file with training rows, instead of ``data``.
        validation: a file with validation rows, by which checkpoints, decoders and baselines are
            chosen.
        test: a file with test rows, from which the report's figures are computed.
        encoding: of text files; ``None``: UTF-8, or that of the byte order mark.
        header: whether files begin with column names; ``None``: yes, unless columns are named by
            number and the first row looks like data.
        limit: the most rows to use, drawn at random with ``seed``; ``None``: all.
        seed: the random seed of all draws.
        labels: what the labels of a file mean, as ``--labels`` says it; see
            :func:`toolkit.data.label_scales.parse_labels`.
        sheet: the sheet of a workbook; ``None``: the only one with rows.
        group: the column whose value the rows of one split share; ``None``: the task decides.
        near_duplicates: whether rows with nearly the same text stay in one split as well.
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
    labels: str | None = None
    sheet: str | None = None
    group: str | None = None
    near_duplicates: bool = False

    chosen: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """What a task decided about the data and needs again for predictions (JSON values)."""
    found: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """What the files tell and the rows no longer hold, such as a currency (JSON values).

    It becomes part of the task's state, beside what :meth:`toolkit.Task.fit` returns."""
    left_out: dict[str, list[int]] = field(default_factory=dict, compare=False, repr=False)
    """Reason → numbers of the rows that could not be used; filled by :meth:`leave_out`."""
    rows_read: dict[str, int] = field(default_factory=dict, compare=False, repr=False)
    """The beginning of the reasons above (``test: ``; empty: one file) → rows of the file."""
    notes: list[str] = field(default_factory=list, compare=False, repr=False)
    """What was decided about the data, in sentences; filled by :meth:`note`."""
    used: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """The columns that were read, as ``--text`` and ``--target`` name them; see :meth:`use`."""
    synthetic: bool = field(default=False, compare=False, repr=False)
    """Whether the rows that were loaded are generated."""
    grouped_by: str = field(default="", compare=False, repr=False)
    """The column that decides which rows stay in one split; empty: their text, or the task."""
    _place: str = field(default="", compare=False, repr=False)
    _labels_asked: bool = field(default=False, compare=False, repr=False)

    # -- as JSON values ----------------------------------------------------------------------------
    def as_dict(self) -> dict[str, Any]:
        """The options as JSON values, for ``run.json``."""
        return {name: getattr(self, name) for name in _option_names()} | {"text": list(self.text)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Source:
        """The inverse of :meth:`as_dict`."""
        known = {name: values[name] for name in _option_names() if name in values}
        return cls(**{**known, "text": tuple(known.get("text") or ())})

    # -- what a task records -----------------------------------------------------------------------
    def leave_out(self, reason: str, row_ids: Sequence[int]) -> None:
        """Record rows that cannot be used, with the reason in a few words ("no price")."""
        if len(row_ids):
            reason = f"{self._place}{reason}"
            self.left_out.setdefault(reason, []).extend(int(row) for row in row_ids)

    def count_read(self, rows: int) -> None:
        """Record how many rows the file has from which others are left out."""
        self.rows_read[self._place] = rows

    def note(self, sentence: str) -> None:
        """Record a sentence about something that was decided for the user, once."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    def use(self, text: Sequence[str], target: str | None) -> None:
        """Record the columns that the rows are read from, so that ``toolkit init`` can name them.

        Args:
            text: as ``--text`` takes them: columns, or one template.
            target: as ``--target`` takes it; ``None``: there is none.
        """
        self.used = {"text": tuple(text), "target": target}

    def group_by(self, column: str) -> None:
        """Record that rows with the same value of a column stay in one split, with a note."""
        self.grouped_by = column
        self.note(f"rows with the same {column!r} stay in one split (--group names another column)")

    if not TYPE_CHECKING:  # type checkers see the present attributes only

        def __getattr__(self, name: str) -> Any:
            """Attributes of version 1 of the contract, for tasks that are written for it."""
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
            # Imported by its name, because that module belongs to a higher layer.
            return False if option else partial(getattr(import_module(_LOAD), now), self)

    # -- what a task reads here --------------------------------------------------------------------
    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Within the context, rows of this split are converted: reasons and errors name it."""
        self._place = f"{name}: "
        try:
            yield
        finally:
            self._place = ""

    def meanings(self) -> Labels:
        """What ``--labels`` says; it is refused where a task never asks for it."""
        from toolkit.data.label_scales import parse_labels

        self._labels_asked = True
        return parse_labels(self.labels)

    @property
    def labels_unused(self) -> bool:
        """Whether labels were given that the task has not asked for."""
        return bool(self.labels) and not self._labels_asked

    @property
    def file(self) -> str:
        """The file whose rows are being converted, for errors about one of them."""
        part = self._place.removesuffix(": ")
        named = getattr(self, part, None) if part else None
        if part in ("validation", "test") and not named:  # a split of a Hub data set
            return f"{self.data} ({part})"
        return str(named or self.train or self.data or "")

    @property
    def given(self) -> bool:
        """Whether the user named any data; where not, a task may bring its own."""
        return any((self.data, self.train, self.validation, self.test))


def _option_names() -> list[str]:
    recorded = (
        "chosen", "found", "left_out", "rows_read", "notes", "used", "synthetic", "grouped_by",
    )  # fmt: skip
    names = [f.name for f in dataclasses.fields(Source)]
    return [name for name in names if name not in recorded and not name.startswith("_")]
