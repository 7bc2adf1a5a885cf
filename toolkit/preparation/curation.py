"""Leaving out training rows: a recipe's ``curation``. Held-out rows stay as they are.

What is left out depends on the rows and the seed alone. A search can try these switches
(``toolkit sweep``): whether fewer, better rows teach more is an empirical question.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit.data.source import Source
from toolkit.data.splits import LEFT_OUT, SPLITS
from toolkit.data.stratification import NO_CLASS
from toolkit.errors import UsageError
from toolkit.preparation.assignment import Part

if TYPE_CHECKING:
    from toolkit.task import Task

LEAST = 20
"""Training rows that must stay."""


def curate(
    task: Task,
    parts: Mapping[str, Part],
    owners: Mapping[str, np.ndarray],
    wanted: Mapping[str, Any],
    seed: int,
    source: Source,
) -> None:
    """Leave out training rows.

    Args:
        task: names the columns of the inputs.
        parts: the rows by the name of the file or split that they come from.
        owners: for each part, the split of each of its rows; changed in place.
        wanted: the recipe's ``curation``.
        seed: of the draw.
        source: gets a note for each field that leaves rows out.

    Raises:
        UsageError: too few rows would stay, or there is no category to count.
    """
    train = SPLITS.index("train")
    for name, part in parts.items():
        for field, keep in _steps(task, part, wanted, seed):
            at = np.flatnonzero(owners[name] == train)
            if not len(at):
                continue
            out = at[~keep(at)]
            if len(at) - len(out) < LEAST:
                raise UsageError(
                    f"curation.{field} would leave {len(at) - len(out)} training rows; {LEAST} "
                    "are needed"
                )
            owners[name][out] = LEFT_OUT
            if len(out):
                source.note(
                    f"train: {len(out):,} of {len(at):,} rows are left out (curation.{field})"
                )


Keep = Callable[[np.ndarray], np.ndarray]
"""Row numbers → a mask of those that stay."""


def _steps(
    task: Task, part: Part, wanted: Mapping[str, Any], seed: int
) -> Sequence[tuple[str, Keep]]:
    found: list[tuple[str, Keep]] = []
    if wanted.get("deduplicate"):
        found.append(("deduplicate", lambda at: _first(_inputs(task, part, at))))
    for field, sign in (("without_longest", 1), ("without_shortest", -1)):
        if share := float(wanted.get(field) or 0):
            found.append((field, _by_length(task, part, share, sign)))
    if most := wanted.get("most_per_category"):
        column = wanted.get("category")
        found.append(
            ("most_per_category", lambda at: _capped(_categories(part, column, at), most, seed))
        )
    return found


def _inputs(task: Task, part: Part, at: np.ndarray) -> list[str]:
    columns = list(task.input_columns())
    table = part.rows.select(at).select_columns(columns)
    return ["\n".join(" ".join(str(row[c]).split()) for c in columns).casefold() for row in table]


def _first(texts: Sequence[str]) -> np.ndarray:
    seen: set[str] = set()
    mask = np.zeros(len(texts), dtype=bool)
    for place, text in enumerate(texts):
        mask[place] = text not in seen
        seen.add(text)
    return mask


def _by_length(task: Task, part: Part, share: float, sign: int) -> Keep:
    def keep(at: np.ndarray) -> np.ndarray:
        lengths = np.array([len(text) for text in _inputs(task, part, at)])
        mask = np.ones(len(at), dtype=bool)
        order = np.argsort(-sign * lengths, kind="stable")
        mask[order[: int(share * len(at))]] = False
        return mask

    return keep


def _categories(part: Part, column: str | None, at: np.ndarray) -> np.ndarray:
    if column is None:
        classes = part.classes[at]
        if not classes.size or (classes == NO_CLASS).all():
            raise UsageError(
                "curation.most_per_category: the task's rows have no classes; name a column with "
                "curation.category"
            )
        first: np.ndarray = classes[:, 0]
        return first
    if column not in part.rows.column_names:
        raise UsageError(
            f"curation.category {column!r:.80}: the task's rows have the columns "
            f"{', '.join(part.rows.column_names)}"
        )
    values = [str(value) for value in part.rows.select(at)[column]]
    return np.unique(values, return_inverse=True)[1]


def _capped(categories: np.ndarray, most: int, seed: int) -> np.ndarray:
    """A mask of at most so many rows of each category, drawn by the seed."""
    order = np.random.default_rng(seed).permutation(len(categories))
    mask = np.zeros(len(categories), dtype=bool)
    for category in np.unique(categories):
        mask[order[categories[order] == category][:most]] = True
    return mask
