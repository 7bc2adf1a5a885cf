"""Rows with nearly the same text get one group, where ``--near-duplicates`` asks for it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from toolkit.data import near_duplicates, splits, tables
from toolkit.data.grouping import ROW_GROUP
from toolkit.data.normalization import normalized
from toolkit.preparation.assignment import ONE_WAY, Part

if TYPE_CHECKING:
    from toolkit.data.source import Source
    from toolkit.task import Task


def with_near_duplicates(task: Task, parts: Mapping[str, Part], source: Source) -> dict[str, Part]:
    """The parts with rows of nearly the same text in one group, in all parts alike.

    Groups of the task, or of a column of the file, stay whole: near copies join them. Of several
    groupings of a task the finest is the one that is joined.

    Args:
        task: names the columns that are compared, its inputs.
        parts: the rows by the name of the file or split that they come from.
        source: receives a note.
    """
    near_duplicates.require()
    finest = list(next(iter(parts.values())).groups)[-1]
    groups = np.concatenate([part.groups[finest] for part in parts.values()])
    labels = near_duplicates.joined(_texts(task, parts), groups)
    before, after = len(np.unique(groups)), int(labels.max()) + 1
    source.note(
        f"near-duplicates by MinHash (similarity {near_duplicates.SIMILAR:g} and more): "
        f"{before:,} groups of rows became {after:,} (--near-duplicates)"
    )
    keys = [f"near duplicates {label}" for label in range(after)]
    found, start = {}, 0
    for name, part in parts.items():
        own = labels[start : start + len(part.digests)]
        start += len(own)
        found[name] = _regrouped(part, [f"{splits.group_hash(keys[at]):016x}" for at in own])
    return found


def _texts(task: Task, parts: Mapping[str, Part]) -> Iterator[str]:
    names = task.input_columns()
    for part in parts.values():
        for row in tables.rows(part.rows, names):
            yield normalized(" ".join(value for value in row.values() if isinstance(value, str)))


def _regrouped(part: Part, keys: list[str]) -> Part:
    rows = part.rows
    if ROW_GROUP in rows.column_names:
        rows = rows.remove_columns(ROW_GROUP)
    hashes = np.fromiter((splits.group_hash(key) for key in keys), np.uint64, len(keys))
    return dataclasses.replace(
        part, rows=rows.add_column(ROW_GROUP, keys), groups={ONE_WAY: hashes}
    )
