"""How many groups the splits have: rows of one group stand or fall together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from toolkit.preparation.prepare import Prepared

FAR_FEWER = 10
"""As many texts a group, on average, are a reason to ask whether the groups are meant."""
FEW = 20
"""Groups under which a figure rests on too few independent observations; see E. Miller, "Adding
Error Bars to Evals", 2024, arXiv:2411.00640, on clustered standard errors."""


def group_numbers(prepared: Prepared) -> dict[str, int]:
    """Split → how many groups its rows have."""
    return {name: len(np.unique(groups)) for name, groups in prepared.groups.items()}


def group_sentence(groups: Mapping[str, int], sizes: Mapping[str, int]) -> list[str]:
    """The number of groups of each split, where rows share groups."""
    if all(groups[name] == sizes[name] for name in groups):
        return []
    listed = ", ".join(f"{name} {number:,}" for name, number in groups.items())
    return [f"groups of rows that stay together: {listed}"]


def coarse_groups(groups: Mapping[str, int], texts: int, *, chosen: bool) -> list[str]:
    """A warning where rows are in far fewer groups than they have texts.

    Args:
        groups: split → how many groups its rows have.
        texts: the number of different texts.
        chosen: whether the task has several groupings and has taken this one for a reason.
    """
    number = sum(groups.values())
    if chosen or number * FAR_FEWER > texts:
        return []
    return [
        f"all rows are in {number:,} group{'' if number == 1 else 's'}, though they have {texts:,} "
        "different texts: a split holds few of the groups and may be unlike the others; --group "
        "COLUMN names what rows of one split share"
    ]


def group_warnings(groups: Mapping[str, int], sizes: Mapping[str, int]) -> list[str]:
    """What too few groups in the test split mean for the verdict."""
    number, rows = groups.get("test", FEW), sizes["test"]
    if number >= FEW:
        return []
    if number == rows:
        what = f"the test split has {rows:,} rows only"
    else:
        what = (
            f"the {rows:,} test rows are of {number:,} group{'' if number == 1 else 's'} only, and "
            "rows of one group are right or wrong together"
        )
    return [
        f"{what}: with fewer than {FEW} independent observations the verdict can hardly be more "
        "than that one cannot tell"
    ]
