"""Which split each row of the source goes into: its own splits, and those that are drawn.

:func:`assigned` is what :func:`toolkit.preparation.prepare.prepare` calls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from toolkit.data import splits as splitting
from toolkit.data.source import Source
from toolkit.data.splits import CHALLENGE, HELD_OUT, MINIMUM, SPLITS
from toolkit.data.stratification import stratify
from toolkit.errors import DataError

if TYPE_CHECKING:
    from datasets import Dataset

FAR = 0.25
"""Splits whose size misses the wanted one by more than this share are reported."""
SHOWN = 5


@dataclass(frozen=True)
class Part:
    """Rows of one file, with what splitting needs to know about each of them.

    Args:
        rows: the task's columns.
        groups: a hash of each row's group.
        digests: SHA-256 of each row's task columns, as bytes.
        classes: a hash of each row's class, or :data:`~toolkit.data.stratification.NO_CLASS`.
        names: hash of a class → its name.
    """

    rows: Dataset
    groups: np.ndarray
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
) -> dict[str, np.ndarray]:
    """For each part, the split of each of its rows.

    Args:
        parts: the rows by the name of the file or split that they come from.
        source: receives notes and the rows that are left out.
        seed: of the draw.
        fractions: split → its share of the rows, where it is drawn.
        caps: split → the most rows.
        cautions: receives what the user should know of the splits, as sentences.

    Raises:
        DataError: there are too few rows for a split.
    """
    unseen = _without_overlap(parts, source)
    _check_own_splits({name: len(at) for name, at in unseen.items()})
    owners = {name: np.full(len(part.groups), -1, dtype=np.int8) for name, part in parts.items()}
    if "test" in parts:
        owners["test"][unseen["test"]] = SPLITS.index("test")
    if CHALLENGE in parts:
        owners[CHALLENGE][unseen[CHALLENGE]] = len(SPLITS)
    missing = [name for name in HELD_OUT if name != "test" or "test" not in parts]
    draw = _Draw(source, seed, cautions)
    if "validation" in parts:
        missing = [name for name in missing if name == "test"]
        at = unseen["validation"]
        half = min(len(at) // 2, caps["validation"])
        other = min(len(at) - half, caps["calibration"])
        wanted = {"validation": half, "calibration": other}
        drawn = draw.of(parts["validation"], at, wanted, spare=True)
        # "train" marks validation rows that were not drawn, which must not be trained on
        spare = drawn == SPLITS.index("train")
        owners["validation"][at] = np.where(spare, splitting.LEFT_OUT, drawn)
        _leave_out(source, parts["validation"], at[spare], "validation: more rows than are needed")
    at = unseen["train"]
    try:
        wanted = splitting.sizes(len(at), fractions, caps, tuple(missing))
    except DataError as error:
        raise DataError(f"{error}{_left_out_briefly(source)}") from error
    owners["train"][at] = draw.of(parts["train"], at, wanted, spare=False)
    counts = np.bincount(
        np.concatenate([o[o >= 0] for o in owners.values()]), minlength=len(SPLITS)
    )
    splitting.check_sizes(dict(zip(SPLITS, counts.tolist(), strict=False)))
    return owners


@dataclass(frozen=True)
class _Draw:
    """Draws splits, and records what the user should know of them."""

    source: Source
    seed: int
    cautions: list[str]

    def of(
        self, part: Part, at: np.ndarray, wanted: Mapping[str, int], *, spare: bool
    ) -> np.ndarray:
        """The splits of rows of a part.

        Args:
            part: the part.
            at: indices of its rows that are used.
            wanted: split → rows to draw.
            spare: whether the remaining rows, marked as ``train``, are not used at all.
        """
        groups, classes = part.groups[at], part.classes[at]
        drawn = splitting.assign(groups, wanted, self.seed, rest="train")
        self._check_sizes(np.bincount(drawn, minlength=len(SPLITS)), wanted, groups)
        splits = [name for name in SPLITS if name in wanted or (name == "train" and not spare)]
        found = stratify(groups, classes, drawn, splits, self.seed)
        if found.rows:
            self.source.note(
                f"{found.rows:,} rows have another split than the one that was drawn, so that "
                f"each split has the {_named(found.classes, part.names)}"
            )
        for name, kinds in found.lacking.items():
            self.cautions.append(
                f"the {name} split lacks the {_named(kinds, part.names)}, though the data has "
                "rows enough of "
                f"{'it' if len(kinds) == 1 else 'them'}: the split is too small for so many "
                "classes, or groups of rows that stay together are too large"
            )
        return found.owners

    def _check_sizes(
        self, sizes: np.ndarray, wanted: Mapping[str, int], groups: np.ndarray
    ) -> None:
        """Report splits of other sizes than wanted, which happens where groups are large."""
        far = [
            f"{name} {sizes[SPLITS.index(name)]:,} instead of {size:,}"
            for name, size in wanted.items()
            if abs(int(sizes[SPLITS.index(name)]) - size) > FAR * size
        ]
        if far:
            counts = np.unique(groups, return_counts=True)[1]
            self.cautions.append(
                f"splits have other sizes than they should have ({', '.join(far)} rows), because "
                f"groups of rows stay together: there are {len(counts):,} of them, and the largest "
                f"has {counts.max():,} of {len(groups):,} rows"
            )


def _named(kinds: Sequence[int], names: Mapping[int, str]) -> str:
    """``class 'a'``, or ``classes 'a', 'b' and 3 more``."""
    shown = ", ".join(sorted(repr(names.get(kind, "?")) for kind in kinds)[:SHOWN])
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


def _without_overlap(parts: Mapping[str, Part], source: Source) -> dict[str, np.ndarray]:
    """For each part the indices of its rows, without rows whose text is in a held-out part."""
    kept = {name: np.arange(len(part.groups)) for name, part in parts.items()}
    later_of = {"validation": ("test", CHALLENGE), "train": ("validation", "test", CHALLENGE)}
    for name, later in later_of.items():
        for other in later:
            if name not in parts or other not in parts:
                continue
            at = kept[name]
            seen = np.isin(parts[name].groups[at], parts[other].groups)
            if seen.any():
                source.note(
                    f"{int(seen.sum()):,} {name} rows have a text that is in {other} too; they "
                    f"are left out, so that {other} rows stay unseen"
                )
                _leave_out(source, parts[name], at[seen], f"{name}: text is in {other} too")
            kept[name] = at[~seen]
    return kept


def _leave_out(source: Source, part: Part, at: np.ndarray, reason: str) -> None:
    """Record rows of a part as left out.

    Args:
        at: indices of the rows.
    """
    if len(at):
        source.leave_out(reason, part.rows.select(at)["row_id"][:])
