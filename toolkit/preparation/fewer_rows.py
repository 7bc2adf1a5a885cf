"""Fewer rows than there are, where a model takes long to answer: a recipe's ``rows``.

Rows of one group are kept or left out together: a group counts as one observation. What is drawn
depends on the groups and the seed alone, so that every system sees the same rows, a resumed run
those of its beginning, and another model with the same settings those of this one.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from toolkit.data.source import Source
from toolkit.data.splits import CHALLENGE, LEFT_OUT, MINIMUM, SPLITS, fill
from toolkit.preparation.assignment import Part


def thin(
    parts: Mapping[str, Part],
    owners: Mapping[str, np.ndarray],
    way: str,
    most: Mapping[str, int],
    seed: int,
    source: Source,
) -> None:
    """Leave out whole groups of the splits that have more rows than they may.

    Args:
        parts: the rows by the name of the file or split that they come from.
        owners: for each part, the split of each of its rows; changed in place.
        way: the way in which rows were grouped.
        most: split → the most rows of it; others stay whole.
        seed: of the draw.
        source: gets a note for each split that has fewer rows now.
    """
    for index, split in enumerate((*SPLITS, CHALLENGE)):
        for name, part in parts.items():
            at = np.flatnonzero(owners[name] == index)
            if split not in most or len(at) <= most[split]:
                continue
            groups = part.groups[way][at]
            keep = kept(groups, most[split], MINIMUM.get(split, 1), seed)
            owners[name][at[~keep]] = LEFT_OUT
            source.note(
                f"{split}: {int(keep.sum()):,} of {len(at):,} rows are used, in "
                f"{len(np.unique(groups[keep])):,} of {len(np.unique(groups)):,} whole groups, so "
                f"that the run ends in time (rows.{split})"
            )


def kept(groups: np.ndarray, most: int, least: int, seed: int) -> np.ndarray:
    """Which rows stay: whole groups in an order drawn by the seed, as long as they fit.

    Args:
        groups: a hash of each row's group, shape (rows,).
        most: the most rows to keep.
        least: rows that are kept at least, even if a group with them is too large.
        seed: of the draw.

    Returns:
        a mask, shape (rows,).
    """
    found, where, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(found))
    mask: np.ndarray = np.isin(where, fill(order, sizes, max(most, least), least))
    return mask
