"""Which rows stay in one split where a column of the file decides: ``--group``, or a task's choice.

A row may carry the column :data:`ROW_GROUP` beside those of its task. It holds the hash of what the
rows of a group share, or nothing where the row's own text decides, see
:func:`toolkit.task.group_of`. It stays with the row, so that intervals and tests know it as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from toolkit.data import columns
from toolkit.data.normalization import normalized

if TYPE_CHECKING:
    from toolkit.data.source import Source

ROW_GROUP = "row_group"
"""The column of rows that holds the hash of their group, where a column of the file decides."""


def group_key(text: str, *, least: int = 1) -> str:
    """The value of :data:`ROW_GROUP` for what the rows of a group share.

    Args:
        text: the shared text, compared in the one normal form.
        least: characters from which on it counts; a shorter text gives an empty key, and the row's
            whole text decides. So "No description yet" joins no rows that have nothing in common.
    """
    from toolkit.data.splits import group_hash  # loads NumPy

    plain = normalized(text)
    return f"{group_hash(plain):016x}" if plain and len(plain) >= least else ""


def asked(source: Source, available: Sequence[str]) -> tuple[str, Callable[[Any], str]] | None:
    """The column of ``--group`` and how its values become keys; ``None`` where none is named."""
    if source.group is None:
        return None
    column = columns.resolve(available, source.group, "group")
    source.grouped_by = column
    source.note(f"rows with the same {column!r} stay in one split (--group)")
    return column, lambda value: group_key(columns.tidy(value))
