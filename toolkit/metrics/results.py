"""What an interval or a comparison gives, and how it is stored in ``metrics.json``."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval.

    The figure is not finite where the metric is undefined on these rows, the ends of the interval
    where none can be given.

    Args:
        value: the figure.
        low: the lower end of the interval.
        high: its upper end.
        groups: the number of groups; ``None`` where every row is independent of the others.
        note: why there is no interval, or what it does not hold for.
    """

    value: float
    low: float
    high: float
    groups: int | None = None
    note: str = ""


@dataclass(frozen=True)
class Comparison:
    """``metric(a) - metric(b)`` on the same rows, its 95 % interval and a two-sided p-value.

    Args:
        difference: the difference.
        low: the lower end of its interval; not finite where none can be given.
        high: its upper end.
        p: of the paired test; it holds where there is no interval too.
        groups: the number of groups; ``None`` where every row is independent of the others.
        note: why there is no interval, or what it does not hold for.
    """

    difference: float
    low: float
    high: float
    p: float
    groups: int | None = None
    note: str = ""


def known(value: float) -> float | None:
    """A figure for JSON, which has no NaN: ``None`` if it is undefined (R² of equal references)."""
    return value if math.isfinite(value) else None


def as_json(result: Estimate | Comparison) -> dict[str, Any]:
    """A result as ``metrics.json`` stores it; ``groups`` and ``note`` only where they are set."""
    found: dict[str, Any] = {
        key: known(value) for key, value in vars(result).items() if key not in ("groups", "note")
    }
    if result.groups is not None:
        found["groups"] = result.groups
    if result.note:
        found["note"] = result.note
    return found
