"""Groups of rows in prediction files: what belongs together is resampled and swapped together.

Rows of one group (five sentences made of one review, questions about one document) resemble each
other, so they count as one independent observation. Each line of a predictions file stores the hash
of its row's group. Run folders that were written without it get their groups from the stored rows.

Source: E. Miller, "Adding Error Bars to Evals", arXiv 2411.00640 (2024), section 2.2, on clustered
standard errors.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from toolkit.runs.predictions import System, grouping
from toolkit.task import group_of as group_of_row

if TYPE_CHECKING:
    from toolkit.task import Row, Task


def group_of(task: Task, row: Row) -> str | None:
    """A row's group as prediction files store it; ``None`` where the row has none.

    It is a hash of 16 digits: a group is often the text of the row, which may be long and which a
    run that stores no rows must not hold.
    """
    # Late: it loads NumPy, which commands that only list do not need.
    from toolkit.data.splits import group_hash

    group = group_of_row(task, row)
    return f"{group_hash(group):016x}" if group else None


def groups_of_rows(task: Task, rows: Sequence[Row]) -> list[str] | None:
    """The group of each row; ``None`` where no two rows share one."""
    return grouping([{"group": group_of(task, row)} for row in rows])


def with_groups(
    systems: Sequence[System], task: Task, heldout: Iterable[Mapping[str, Any]]
) -> list[System]:
    """The systems with the group of each row in its line, where it can be known.

    Lines without one, of earlier versions, get that of the same row in another system, or that of
    the stored row. Rows of which nothing is known count as groups of their own.

    Args:
        systems: the systems of a run.
        task: the task of the run, with its options and state.
        heldout: the run's stored rows, with their splits; empty where it stores none.
    """
    if all("group" in line for system in systems for line in system.lines()):
        return list(systems)
    known = {
        (row["split"], row["row_id"]): group_of(task, row)
        for row in heldout
        if task.columns.keys() <= row.keys()  # rows of earlier versions may lack a column
    }
    for system in systems:
        for line in system.lines():
            if "group" in line:
                known[line["split"], line["row_id"]] = line["group"]
    return [
        dataclasses.replace(
            system,
            splits={
                split: {
                    row_id: {"group": known[split, row_id], **line}
                    if (split, row_id) in known
                    else line
                    for row_id, line in rows.items()
                }
                for split, rows in system.splits.items()
            },
        )
        for system in systems
    ]
