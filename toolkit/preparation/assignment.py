"""Which split each row of the source goes into: its own splits, and those that are drawn.

:func:`assigned` is what :func:`toolkit.preparation.prepare.prepare` calls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from toolkit import formatting
from toolkit.data import columns
from toolkit.data import splits as splitting
from toolkit.data.source import Source
from toolkit.data.splits import CHALLENGE, HELD_OUT, MINIMUM, SPLITS
from toolkit.data.stratification import stratify
from toolkit.errors import DataError
from toolkit.metrics.statistics import FEW_GROUPS

if TYPE_CHECKING:
    from datasets import Dataset

ONE_WAY = "group"
"""The name of the grouping of tasks that have only one."""
FAR = 0.1
"""Splits whose size misses the wanted one by more than this share are a warning."""
NEAR = 0.02
"""Splits whose size misses the wanted one by more than this share are noted."""
SHOWN = 5


@dataclass(frozen=True)
class Part:
    """Rows of one file, with what splitting needs to know about each of them.

    Args:
        rows: the task's columns.
        groups: a way to group rows → a hash of each row's group.
        texts: a hash of each row's text as the task itself compares it. It is that of the finest
            grouping, unless a column of the file decides on the groups.
        digests: SHA-256 of each row's task columns, 32 bytes each.
        classes: hashes of each row's classes, filled up with
            :data:`~toolkit.data.stratification.NO_CLASS`, shape (rows, most classes of a row).
        names: hash of a class → its name.
    """

    rows: Dataset
    groups: Mapping[str, np.ndarray]
    texts: np.ndarray
    digests: np.ndarray
    classes: np.ndarray
    names: Mapping[int, str] = field(default_factory=dict)


def assigned(
    parts: Mapping[str, Part],
    source: Source,
    seed: int,
    fractions: Mapping[str, float],
    caps: Mapping[str, int],
    cautions: list[str],
) -> tuple[dict[str, np.ndarray], str]:
    """For each part, the split of each of its rows; and the way in which rows were grouped.

    Of several ways the coarsest is taken that leaves :data:`FEW_GROUPS` groups in the test split.

    Args:
        parts: the rows by the name of the file or split that they come from. Where ``train`` is
            not among them, nothing is trained: splits for which there is no file stay empty.
        source: receives notes and the rows that are left out.
        seed: of the draw.
        fractions: split → its share of the rows, where it is drawn.
        caps: split → the most rows.
        cautions: receives what the user should know of the splits, as sentences.

    Raises:
        DataError: there are too few rows for a split.
    """
    ways = _distinct(parts)
    unseen = _without_overlap(parts, source, ways[-1])
    _check_own_splits({name: len(at) for name, at in unseen.items()})
    too_few: list[str] = []
    for way in ways:
        last = way == ways[-1]
        draw = _Draw(parts, unseen, way, seed)
        try:
            owners = draw.owners(fractions, caps)
        except DataError as error:
            if last:
                raise DataError(f"{error}{_left_out_briefly(source)}") from error
            too_few.append(f"by {way} a split would be too small")
            continue
        count = _groups_in_test(parts, owners, way)
        if last or count >= FEW_GROUPS:
            break
        too_few.append(
            f"by {way} only {formatting.count(count, 'group')} would be in the test split, and it "
            f"takes {FEW_GROUPS} for intervals that hold; rows of one {way} may still be alike"
        )
    if len(ways) > 1 or way != ONE_WAY:
        source.note(
            "; ".join([f"rows are grouped by {way}: {count:,} groups in the test split", *too_few])
        )
    for note in draw.notes:
        source.note(note)
    cautions.extend(draw.cautions)
    for name, rows in draw.shared.items():
        source.note(
            f"{len(rows):,} rows have the text of a row in a later split, but not its group; they "
            "are left out, so that no text is in two splits"
        )
        file = f"{name}: " if len(parts) > 1 else ""
        _leave_out(source, parts[name], rows, f"{file}text of another group is in a later split")
    if draw.spare.size:
        _leave_out(source, parts["validation"], draw.spare, "validation: more rows than are needed")
    return owners, way


def _distinct(parts: Mapping[str, Part]) -> list[str]:
    """The ways to group rows, the coarsest first, without those that join no more than the next."""
    ways = list(next(iter(parts.values())).groups)
    sizes = {way: len(np.unique(_of_all(parts, way))) for way in ways}
    return [
        way
        for way, finer in zip(ways, [*ways[1:], None], strict=True)
        if finer is None or sizes[way] < sizes[finer]
    ]


def _of_all(parts: Mapping[str, Part], way: str) -> np.ndarray:
    return np.concatenate([part.groups[way] for part in parts.values()])


def _groups_in_test(parts: Mapping[str, Part], owners: Mapping[str, np.ndarray], way: str) -> int:
    owner = np.concatenate([owners[name] for name in parts])
    return len(np.unique(_of_all(parts, way)[owner == SPLITS.index("test")]))


class _Draw:
    """Draws splits with rows grouped in one way, and collects what the user should know of them.

    Args:
        parts: the rows by the name of the file or split that they come from.
        unseen: for each part the indices of the rows that may be used.
        way: the way to group rows.
        seed: of the draw.

    Attributes:
        spare: indices of validation rows that are not needed.
        shared: part → indices of rows whose text is in a later split, though their group is not.
        notes: what was decided for the user, as sentences.
        cautions: what the user should know of the splits, as sentences.
    """

    def __init__(
        self, parts: Mapping[str, Part], unseen: Mapping[str, np.ndarray], way: str, seed: int
    ) -> None:
        self._parts, self._unseen, self._way, self._seed = parts, unseen, way, seed
        self.spare = np.zeros(0, dtype=np.int64)
        self.shared: dict[str, np.ndarray] = {}
        self.notes: list[str] = []
        self.cautions: list[str] = []

    def owners(
        self, fractions: Mapping[str, float], caps: Mapping[str, int]
    ) -> dict[str, np.ndarray]:
        """For each part, the split of each of its rows.

        Raises:
            DataError: a split would be too small.
        """
        parts, unseen = self._parts, self._unseen
        owners = {
            name: np.full(len(part.digests), splitting.LEFT_OUT, dtype=np.int8)
            for name, part in parts.items()
        }
        if "test" in parts:
            owners["test"][unseen["test"]] = SPLITS.index("test")
        if CHALLENGE in parts:
            owners[CHALLENGE][unseen[CHALLENGE]] = len(SPLITS)
        missing = [name for name in HELD_OUT if name != "test" or "test" not in parts]
        if "validation" in parts:
            missing = [name for name in missing if name == "test"]
            at = unseen["validation"]
            half = min(len(at) // 2, caps["validation"])
            other = min(len(at) - half, caps["calibration"])
            drawn = self._drawn(
                "validation", {"validation": half, "calibration": other}, spare=True
            )
            # "train" marks validation rows that were not drawn, which must not be trained on
            spare = drawn == SPLITS.index("train")
            owners["validation"][at] = np.where(spare, splitting.LEFT_OUT, drawn)
            self.spare = at[spare]
        if "train" in parts:
            at = unseen["train"]
            wanted = splitting.sizes(len(at), fractions, caps, tuple(missing))
            owners["train"][at] = self._drawn("train", wanted, spare=False)
        self.shared = _shared_texts(parts, owners)
        for name, rows in self.shared.items():
            owners[name][rows] = splitting.LEFT_OUT
        counts = np.bincount(
            np.concatenate([o[o >= 0] for o in owners.values()]), minlength=len(SPLITS)
        )
        splitting.check_sizes(dict(zip(SPLITS, counts.tolist(), strict=False)), _needed(parts))
        return owners

    def _drawn(self, name: str, wanted: Mapping[str, int], *, spare: bool) -> np.ndarray:
        """The splits of the rows of a part.

        Args:
            name: the part.
            wanted: split → rows to draw.
            spare: whether the remaining rows, marked as ``train``, are not used at all.
        """
        part, at = self._parts[name], self._unseen[name]
        groups, classes = part.groups[self._way][at], part.classes[at]
        drawn = splitting.assign(groups, wanted, self._seed, rest="train")
        splits = [split for split in SPLITS if split in wanted or (split == "train" and not spare)]
        found = stratify(groups, classes, drawn, splits, self._seed)
        if found.rows:
            self.notes.append(
                f"{found.rows:,} rows have another split than the one that was drawn, so that "
                f"each split has the {_named(found.classes, part.names)}"
            )
        self._check_sizes(np.bincount(found.owners, minlength=len(SPLITS)), wanted, groups)
        for split, kinds in found.lacking.items():
            self.cautions.append(
                f"the {split} split lacks the {_named(kinds, part.names)}, though the data has "
                "rows enough of "
                f"{'it' if len(kinds) == 1 else 'them'}: the split is too small for so many "
                "classes, or groups of rows that stay together are too large"
            )
        return found.owners

    def _check_sizes(
        self, sizes: np.ndarray, wanted: Mapping[str, int], groups: np.ndarray
    ) -> None:
        """Report splits of other sizes than wanted, which happens where groups are large."""
        have = {name: int(sizes[SPLITS.index(name)]) for name in wanted}
        missed = {n: abs(have[n] - size) / max(size, 1) for n, size in wanted.items()}
        if max(missed.values(), default=0) <= NEAR:
            return
        listed = ", ".join(
            f"{name} {have[name]:,} instead of {wanted[name]:,}"
            for name, miss in missed.items()
            if miss > NEAR
        )
        counts = np.unique(groups, return_counts=True)[1]
        sentence = (
            f"splits have other sizes than they should have ({listed} rows), because "
            f"groups of rows stay together: there are {len(counts):,} of them, and the largest "
            f"has {counts.max():,} of {len(groups):,} rows"
        )
        (self.cautions if max(missed.values()) > FAR else self.notes).append(sentence)


def _needed(parts: Mapping[str, Part]) -> Sequence[str]:
    """The splits that there must be: where nothing is trained, those that were given."""
    if "train" in parts:
        return SPLITS
    return HELD_OUT if "validation" in parts else ("test",)


def _named(kinds: Sequence[int], names: Mapping[int, str]) -> str:
    """``class 'a'``, or ``classes 'a', 'b' and 3 more``."""
    shown = ", ".join(sorted(repr(columns.short(names.get(kind, "?"))) for kind in kinds)[:SHOWN])
    more = f" and {len(kinds) - SHOWN:,} more" if len(kinds) > SHOWN else ""
    return f"{'class' if len(kinds) == 1 else 'classes'} {shown}{more}"


def _left_out_briefly(source: Source) -> str:
    """Reasons and numbers of the rows that are left out, for the end of a sentence."""
    counts = [f"{reason} {len(rows):,}" for reason, rows in source.left_out.items()]
    return f"; left out were: {', '.join(counts)}" if counts else ""


def _check_own_splits(rows: Mapping[str, int]) -> None:
    """Refuse splits of the user's own that are too small for their purpose."""
    needed = {"validation": MINIMUM["validation"] + MINIMUM["calibration"], "test": MINIMUM["test"]}
    for name, least in needed.items():
        if name in rows and rows[name] < least:
            raise DataError(
                f"the {name} split has {rows[name]} usable rows, and it takes at least {least}; "
                "give more rows, or leave the split out, and it is drawn from the training rows"
            )


def _without_overlap(parts: Mapping[str, Part], source: Source, way: str) -> dict[str, np.ndarray]:
    """For each part the indices of its rows, without rows that a held-out part has too.

    They have the group of a later part's row, or its text. Rows of a later part that are left out
    themselves do not count: validation comes first.
    """
    kept = {name: np.arange(len(part.digests)) for name, part in parts.items()}
    later_of = {"validation": ("test", CHALLENGE), "train": ("validation", "test", CHALLENGE)}
    for name, later in later_of.items():
        for other in later:
            if name not in parts or other not in parts:
                continue
            at, later_rows = kept[name], kept[other]
            text = np.isin(parts[name].texts[at], parts[other].texts[later_rows])
            groups = parts[other].groups[way][later_rows]
            group = np.isin(parts[name].groups[way][at], groups) & ~text
            shared = repr(source.grouped_by) if source.grouped_by else "near copy"
            for seen, what in ((text, "text"), (group, shared)):
                _leave_out_seen(source, parts[name], at[seen], (name, other), what)
            kept[name] = at[~(text | group)]
    return kept


def _leave_out_seen(
    source: Source, part: Part, at: np.ndarray, names: tuple[str, str], what: str
) -> None:
    """Record rows that a later part has too.

    Args:
        at: indices of the rows.
        names: the part and the later one.
        what: what they share, such as "text".
    """
    if not len(at):
        return
    name, other = names
    source.note(
        f"{len(at):,} {name} rows have a {what} that is in {other} too; they are left out, so "
        f"that {other} rows stay unseen"
    )
    _leave_out(source, part, at, f"{name}: {what} is in {other} too")


def _shared_texts(
    parts: Mapping[str, Part], owners: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Part → indices of its rows whose text is in a later split as well, if any.

    That happens where a column decides on the groups: two of them may hold the same text. The row
    of the later split stays (test before calibration, validation and training).
    """
    texts = np.concatenate([part.texts for part in parts.values()])
    owner = np.concatenate([owners[name] for name in parts])
    seen = np.zeros(len(texts), dtype=bool)
    for split in range(len(SPLITS) - 1):
        mine, later = owner == split, (owner > split) & (owner < len(SPLITS))
        seen |= mine & np.isin(texts, texts[later])
    ends = np.cumsum([len(part.texts) for part in parts.values()])
    found = zip(parts, np.split(seen, ends[:-1]), strict=True)
    return {name: np.flatnonzero(rows) for name, rows in found if rows.any()}


def _leave_out(source: Source, part: Part, at: np.ndarray, reason: str) -> None:
    """Record rows of a part as left out.

    Args:
        at: indices of the rows.
    """
    if len(at):
        source.leave_out(reason, part.rows.select(at)["row_id"][:])
