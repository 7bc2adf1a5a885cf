"""How the trained model stands against one other system: better, worse, equal, or open."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from toolkit.metrics.metric import Metric
from toolkit.metrics.statistics import CONFIDENCE, FEW_GROUPS, Comparison

Standing = Literal["beaten", "equal", "open", "beats"]
ORDER: Sequence[Standing] = ("beaten", "equal", "open", "beats")
"""From what speaks most against the trained model to what speaks for it."""

ALPHA = round(1 - CONFIDENCE, 9)
"""The paired test must give a p-value below this."""


@dataclass(frozen=True)
class Rival:
    """A system that the trained model has to beat.

    Args:
        name: its name.
        value: its figure on the test rows.
        compared: the paired comparison, trained model minus rival.
        n: the number of rows that both predicted.
        baseline: whether it is a baseline; otherwise it is the base model.
    """

    name: str
    value: float
    compared: Comparison
    n: int
    baseline: bool = True


@dataclass(frozen=True)
class Judged:
    """A rival, and how the trained model stands against it."""

    stands: Standing
    rival: Rival


def units(groups: int | None, n: int) -> int:
    """The number of independent observations: groups, or rows where each is a group of its own."""
    return n if groups is None else groups


def has_interval(compared: Comparison) -> bool:
    """Whether the comparison has an interval; otherwise its note tells why not."""
    return math.isfinite(compared.low) and math.isfinite(compared.high)


def clear(compared: Comparison, n: int) -> int:
    """The sign of a difference that the rows show, 1 or -1; 0 where they do not show one.

    Both the interval and the paired test must show it. Below :data:`FEW_GROUPS` groups there may be
    no interval that holds, and the test, which is exact there, decides alone.

    Args:
        compared: a paired comparison.
        n: the number of its rows.
    """
    if not compared.p < ALPHA:  # NaN, where there is no test, is no evidence either
        return 0
    sign = 1 if compared.difference > 0 else -1
    if has_interval(compared):
        return sign if min(sign * compared.low, sign * compared.high) > 0 else 0
    return sign if units(compared.groups, n) < FEW_GROUPS else 0


def standing(metric: Metric, rival: Rival, margin: float) -> Standing:
    """How the trained model compares with one rival; ``open``: the rows cannot tell.

    Args:
        metric: the primary metric.
        rival: the rival.
        margin: the share of the rival's figure within which both count as equal.
    """
    compared, room = rival.compared, margin * abs(rival.value)
    if _holds(compared, rival.n) and -room <= compared.low and compared.high <= room:
        return "equal"
    sign = clear(compared, rival.n)
    if sign:
        return "beats" if (sign > 0) == metric.greater_is_better else "beaten"
    return "open"


def _holds(compared: Comparison, n: int) -> bool:
    """Whether the interval can show that two systems are equal, for which there is no exact test.

    Where it has a note it covers less than it should, unless the two are equal on every row.
    """
    enough = units(compared.groups, n) >= FEW_GROUPS and has_interval(compared)
    return enough and (not compared.note or compared.low == compared.high == 0)


def judged(metric: Metric, rivals: Iterable[Rival], margin: float) -> list[Judged]:
    """All rivals with their standing; those that stand most against the trained model come first.

    Among rivals of the same standing these are the ones with the better figures.
    """
    up = 1 if metric.greater_is_better else -1
    found = [Judged(standing(metric, rival, margin), rival) for rival in rivals]

    def place(item: Judged) -> tuple[int, float]:
        gain = up * item.rival.compared.difference
        return ORDER.index(item.stands), gain if math.isfinite(gain) else -math.inf

    return sorted(found, key=place)
