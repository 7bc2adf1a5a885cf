"""Splits in which no class is missing that could be present: whole groups change places.

Splits are drawn by group first (:mod:`toolkit.data.splits`). Most draws have every class in every
split, and they stay as they are. Where a class is missing from a split, a group that has it changes
places with a group of the nearest size, and nothing else moves. scikit-learn's StratifiedGroupKFold
makes folds of nearly equal size and keeps shares, not presence, so that it cannot do this.

Stratification: R. Kohavi, "A study of cross-validation and bootstrap for accuracy estimation and
model selection", IJCAI 1995. The rule for rare classes is the greedy one of K. Sechidis et al., "On
the stratification of multi-label data", ECML PKDD 2011: the class with the fewest groups first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from toolkit.data.splits import MINIMUM, SPLITS

NO_CLASS = 0
"""The class of rows that have none."""
GROWTH = 1.25
"""How much larger a held-out split may become where no group of it can be spared."""
MOST_TRIED = 200
"""Groups of a class among which the pair of the nearest size is looked for."""


@dataclass(frozen=True)
class Stratified:
    """An assignment of rows to splits, and how it differs from the draw.

    Args:
        owners: a split's index in :data:`~toolkit.data.splits.SPLITS` for each row.
        rows: how many rows changed their split.
        classes: those for which groups changed places, ascending.
        lacking: split → classes that it still lacks though there are groups enough: the split is
            too small for so many classes, or groups are too large.
    """

    owners: np.ndarray
    rows: int = 0
    classes: tuple[int, ...] = ()
    lacking: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


def stratify(
    groups: np.ndarray,
    classes: np.ndarray,
    owners: np.ndarray,
    splits: Sequence[str],
    seed: int,
) -> Stratified:
    """Exchange groups, so that each class is in each split that can have it.

    A class with at least as many groups as there are splits gets one into each of them; one with
    fewer is in the training rows, unless all of it is one group: that one stays where it is.

    Args:
        groups: one hash a row, shape (rows,).
        classes: a hash of the row's class, or :data:`NO_CLASS`, shape (rows,); of rows with several
            classes shape (rows, most classes of a row), filled up with :data:`NO_CLASS`.
        owners: the draw, as :func:`~toolkit.data.splits.assign` returns it.
        splits: the names of the splits that are wanted; rows in others are spare.
        seed: decides between groups that serve as well.
    """
    exchange = _Exchange.of(groups, classes, owners, splits, seed)
    moved: set[int] = set()
    lacking: dict[str, list[int]] = {}
    for split, kind in list(exchange.missing()):
        if exchange.counts[split, kind]:
            continue  # a group that came for another class has this one too
        if not exchange.bring(split, kind):
            lacking.setdefault(SPLITS[split], []).append(int(exchange.names[kind]))
        else:
            moved.add(int(exchange.names[kind]))
    found: np.ndarray = exchange.owner[exchange.group_of_row]
    return Stratified(
        found,
        rows=int((found != owners).sum()),
        classes=tuple(sorted(moved)),
        lacking={name: tuple(sorted(kinds)) for name, kinds in lacking.items()},
    )


@dataclass
class _Exchange:
    """Groups and the classes in them, while groups change places.

    Args:
        group_of_row: the index of each row's group.
        sizes: rows of each group.
        owner: the split of each group.
        rank: each group's place in a seeded order, which does not depend on the order of the rows.
        names: the class hashes, ascending; classes are indices into them.
        pairs: group and class, once for each class that a group has, sorted by class.
        by_group: the order of the pairs in which they are sorted by group.
        starts: where in that order each group begins, and at last the number of pairs.
        counts: groups of each class in each split, shape (splits, classes).
        wanted: whether a split should have a class, shape (splits, classes).
        rows: the rows of each split, shape (splits,).
        room: the fewest and the most rows of each split, shape (splits, 2).
    """

    group_of_row: np.ndarray
    sizes: np.ndarray
    owner: np.ndarray
    rank: np.ndarray
    names: np.ndarray
    pairs: np.ndarray
    by_group: np.ndarray
    starts: np.ndarray
    counts: np.ndarray
    wanted: np.ndarray
    rows: np.ndarray
    room: np.ndarray

    @classmethod
    def of(
        cls,
        groups: np.ndarray,
        classes: np.ndarray,
        owners: np.ndarray,
        splits: Sequence[str],
        seed: int,
    ) -> _Exchange:
        unique, first, inverse, sizes = np.unique(
            groups, return_index=True, return_inverse=True, return_counts=True
        )
        rank = np.empty(len(unique), dtype=np.int64)
        rank[np.random.default_rng(seed).permutation(len(unique))] = np.arange(len(unique))
        owner = owners[first]
        classes = classes.reshape(len(groups), -1)
        has = classes != NO_CLASS
        names, kinds = np.unique(classes[has], return_inverse=True)
        row = np.nonzero(has)[0]
        both = np.unique(kinds.astype(np.int64) * len(unique) + inverse[row])
        pairs = np.stack([both % len(unique), both // len(unique)])
        counts = np.zeros((len(SPLITS), len(names)), dtype=np.int64)
        np.add.at(counts, (owner[pairs[0]], pairs[1]), 1)
        wanted = _wanted(counts.sum(axis=0), splits)
        rows = np.bincount(owners, minlength=len(SPLITS))
        starts = np.concatenate([[0], np.cumsum(np.bincount(pairs[0], minlength=len(unique)))])
        return cls(
            group_of_row=inverse, sizes=sizes, owner=owner, rank=rank, names=names, pairs=pairs,
            by_group=np.argsort(pairs[0], kind="stable"), starts=starts, counts=counts,
            wanted=wanted, rows=rows, room=_room(rows, splits),
        )  # fmt: skip

    def missing(self) -> Iterator[tuple[int, int]]:
        """Splits and the classes that they lack: the rarest class first, training rows first."""
        total = self.counts.sum(axis=0)
        at, kinds = np.nonzero(self.wanted & (self.counts == 0))
        # A class whose only group is held out stays there: what it measures is the truth.
        single = total[kinds] < 2
        at, kinds = at[~single], kinds[~single]
        for i in np.lexsort((_priority(at), kinds, total[kinds])):
            yield int(at[i]), int(kinds[i])

    def bring(self, split: int, kind: int) -> bool:
        """Bring a group of the class into the split, for one that the split can spare."""
        givers = self._spare(self._groups_of(kind))
        givers = givers[np.lexsort((self.rank[givers], self.owner[givers] != 0))]
        takers = self._spare(np.flatnonzero(self.owner == split))
        takers = takers[np.argsort(self.rank[takers])]
        pair = self._nearest(givers[:MOST_TRIED], takers[: 10 * MOST_TRIED], split)
        if pair is not None:
            giver = int(self.owner[pair[0]])
            self._move(pair[0], split)
            self._move(pair[1], giver)
            return True
        for group in givers[np.argsort(self.sizes[givers], kind="stable")]:
            size = int(self.sizes[group])
            if self._fits(split, size) and self._fits(self.owner[group], -size):
                self._move(int(group), split)
                return True
        return False

    def _nearest(
        self, givers: np.ndarray, takers: np.ndarray, split: int
    ) -> tuple[int, int] | None:
        """The pair of the nearest size that leaves both splits large enough; training rows first.

        Args:
            givers: groups that may come into the split.
            takers: groups of the split that may leave it.
            split: the split.
        """
        if not len(givers) or not len(takers):
            return None
        differences = self.sizes[givers][:, None] - self.sizes[takers][None, :]
        owner = np.broadcast_to(self.owner[givers][:, None], differences.shape)
        fits = self._fits(split, differences) & self._fits(owner, -differences)
        cost = np.where(fits, 2 * np.abs(differences) + (owner != 0), np.iinfo(np.int64).max)
        at = np.unravel_index(int(np.argmin(cost)), cost.shape)
        return (int(givers[at[0]]), int(takers[at[1]])) if fits[at] else None

    def _groups_of(self, kind: int) -> np.ndarray:
        low, high = np.searchsorted(self.pairs[1], [kind, kind + 1])
        found: np.ndarray = self.pairs[0, low:high]
        return found

    def _classes_of(self, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The classes of groups, and for each of them its group's place in ``groups``."""
        starts = self.starts[groups]
        lengths = self.starts[groups + 1] - starts
        place = np.repeat(np.arange(len(groups)), lengths)
        at = np.arange(len(place)) + np.repeat(starts - np.cumsum(lengths) + lengths, lengths)
        return self.pairs[1, self.by_group[at]], place

    def _spare(self, groups: np.ndarray) -> np.ndarray:
        """Those of the groups without which their split still has all classes it should have."""
        kinds, place = self._classes_of(groups)
        owner = self.owner[groups][place]
        needed = self.wanted[owner, kinds] & (self.counts[owner, kinds] < 2)
        spare: np.ndarray = groups[np.bincount(place[needed], minlength=len(groups)) == 0]
        return spare

    def _fits(self, split: Any, more: Any) -> Any:
        """Whether splits may have so many rows more; as many as before are never too many."""
        now = self.rows[split] + more
        return (np.asarray(more) == 0) | (
            (self.room[split, 0] <= now) & (now <= self.room[split, 1])
        )

    def _move(self, group: int, split: int) -> None:
        kinds, _ = self._classes_of(np.array([group]))
        for where, step in ((self.owner[group], -1), (split, 1)):
            self.counts[where, kinds] += step
            self.rows[where] += step * self.sizes[group]
        self.owner[group] = split


def _wanted(groups: np.ndarray, splits: Sequence[str]) -> np.ndarray:
    """Whether a split should have a class, from the number of the class's groups."""
    wanted = np.zeros((len(SPLITS), len(groups)), dtype=bool)
    for name in splits:
        wanted[SPLITS.index(name)] = groups >= len(splits)
    if "train" in splits:
        wanted[SPLITS.index("train")] = True
    return wanted


def _room(rows: np.ndarray, splits: Sequence[str]) -> np.ndarray:
    """The fewest and the most rows of each split, around those of the draw."""
    room = np.stack([np.zeros_like(rows), np.full_like(rows, rows.sum())], axis=1)
    for name in splits:
        index = SPLITS.index(name)
        drawn = int(rows[index])
        room[index, 0] = min(MINIMUM[name], drawn)
        if name != "train":
            room[index, 0] = max(room[index, 0], int(drawn / GROWTH))
            room[index, 1] = max(int(drawn * GROWTH), 2 * MINIMUM[name])
    return room


def _priority(splits: np.ndarray) -> np.ndarray:
    """The order in which splits get a class: to train, to test, to validate, to calibrate."""
    order = np.array([0, 2, 3, 1])  # train, validation, calibration, test
    found: np.ndarray = order[splits]
    return found
