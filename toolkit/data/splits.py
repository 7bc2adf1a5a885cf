"""Which row goes into which split: seeded, by group, of exact sizes.

A group (rows with the same text) stays in one split. Groups are 64-bit hashes in an array, so that
400,000 rows take a few megabytes, and an assignment depends on the rows and the seed alone.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping

import numpy as np
import xxhash

from toolkit.errors import DataError

SPLITS = ("train", "validation", "calibration", "test")
HELD_OUT = SPLITS[1:]
CHALLENGE = "challenge"
"""Rows that are hard on purpose: every system predicts them, and they count in slices only."""
LEFT_OUT = -1
"""The index of a row that belongs to no split."""

FRACTIONS: Mapping[str, float] = {"validation": 0.05, "calibration": 0.05, "test": 0.10}
"""Shares of all rows; the remaining rows are trained on."""
CAPS: Mapping[str, int] = {"validation": 600, "calibration": 600, "test": 2_000}
"""The most rows of each held-out split: more cost time and hardly narrow an interval."""
MINIMUM: Mapping[str, int] = {"train": 20, "validation": 10, "calibration": 10, "test": 10}
"""The fewest rows of each split: a 90 % conformal interval needs nine, and a test on fewer than ten
rows shows nothing."""


def present(splits: Iterable[str], of: tuple[str, ...] = SPLITS) -> tuple[str, ...]:
    """The names ``of`` some splits, and ``challenge`` where ``splits`` contain it."""
    return (*of, CHALLENGE) if CHALLENGE in splits else of


def group_hash(group: str) -> int:
    """A group's 64-bit hash, the same in every process and for both Unicode forms of its name."""
    if not group.isascii():
        group = unicodedata.normalize("NFC", group)
    return xxhash.xxh3_64_intdigest(group.encode("utf-8", "surrogatepass"))


def sizes(
    rows: int,
    fractions: Mapping[str, float] = FRACTIONS,
    caps: Mapping[str, int] = CAPS,
    wanted: tuple[str, ...] = HELD_OUT,
) -> dict[str, int]:
    """How many rows to hold out for each split: a share, between the minimum and the cap.

    Args:
        rows: the number of usable rows.
        fractions: split → its share of them.
        caps: split → the most rows.
        wanted: the splits to draw.

    Raises:
        DataError: there are too few rows; names how many are needed.
    """
    needed = MINIMUM["train"] + sum(MINIMUM[name] for name in wanted)
    if rows < needed:
        parts = ", ".join(f"{MINIMUM[name]} to {_PURPOSE[name]}" for name in ("train", *wanted))
        raise DataError(
            f"{rows} usable row{' is' if rows == 1 else 's are'} too few: it takes at least "
            f"{needed} ({parts})"
        )
    return {
        name: max(MINIMUM[name], min(round(rows * fractions[name]), caps[name])) for name in wanted
    }


_PURPOSE = {
    "train": "train",
    "validation": "validate",
    "calibration": "calibrate",
    "test": "test",
}


def assign(groups: np.ndarray, held_out: Mapping[str, int], seed: int, rest: str) -> np.ndarray:
    """A split's index in :data:`SPLITS` for each row.

    Groups are drawn in a seeded order; each split takes groups that fit until it is full, so sizes
    are exact as long as there are single rows to fill it up.

    Args:
        groups: one hash a row, shape (rows,).
        held_out: rows to draw for each split.
        seed: of the draw.
        rest: the split of the rows that were not drawn.
    """
    unique, inverse, counts = np.unique(groups, return_inverse=True, return_counts=True)
    # np.unique sorts by hash, so this order does not depend on the order of the rows
    order = np.random.default_rng(seed).permutation(len(unique))
    owner = np.full(len(unique), SPLITS.index(rest), dtype=np.int8)
    taken = np.zeros(len(unique), dtype=bool)
    for name in sorted(held_out, key=lambda n: held_out[n]):
        chosen = fill(order[~taken[order]], counts, held_out[name], MINIMUM[name])
        owner[chosen] = SPLITS.index(name)
        taken[chosen] = True
    assignment: np.ndarray = owner[inverse]
    return assignment


def fill(order: np.ndarray, counts: np.ndarray, size: int, minimum: int) -> list[int]:
    """Groups whose rows add up to a size, or, where no group fits, to at least the minimum.

    Args:
        order: the groups, in the order in which they are drawn.
        counts: rows of each group, by its number.
        size: the most rows.
        minimum: the fewest; the smallest of the other groups are added for them.
    """
    chosen: list[int] = []
    total = 0
    for group in order:
        if total + counts[group] <= size:
            chosen.append(int(group))
            total += int(counts[group])
            if total == size:
                return chosen
    left = np.setdiff1d(order, chosen)
    for group in left[np.argsort(counts[left], kind="stable")]:
        if total >= minimum:
            break
        chosen.append(int(group))
        total += int(counts[group])
    return chosen


def check_sizes(assignments: Mapping[str, int], needed: Iterable[str] = SPLITS) -> None:
    """Refuse splits that are too small, which happens where a few groups hold nearly all rows.

    Args:
        assignments: split → its rows.
        needed: the splits that there must be.
    """
    for name in needed:
        if assignments[name] < MINIMUM[name]:
            raise DataError(
                f"only {assignments[name]} rows are left to {_PURPOSE[name]}, and it takes "
                f"{MINIMUM[name]}: rows of one group stay together (by default those with the "
                "same text), and there are too few groups; --group COLUMN names what they share"
            )


def sample(rows: int, limit: int | None, seed: int) -> np.ndarray | None:
    """Row indexes, in order, for ``--limit``; ``None`` where all rows are wanted."""
    if limit is None or limit >= rows:
        return None
    return np.sort(np.random.default_rng(seed).choice(rows, size=limit, replace=False))
