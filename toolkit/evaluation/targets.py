"""Whether a run reached what its task is wanted to reach: ``targets`` of ``metrics.json``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from toolkit.metrics.target import Document, Target


def judge(
    targets: Sequence[Target], document: Document, system: str | None
) -> list[dict[str, Any]]:
    """The ``targets`` of ``metrics.json``: each with its figure, and whether it was met.

    Args:
        targets: the task's targets.
        document: the rest of ``metrics.json``.
        system: the name of the trained system; ``None`` where nothing was trained.
    """
    return [_judged(target, document, system) for target in targets]


def _judged(target: Target, document: Document, system: str | None) -> dict[str, Any]:
    found = target.of(document, system) if system else None
    value, low, high = found or (None, None, None)
    return {
        "label": target.label,
        "goal": target.goal,
        "at_least": target.at_least,
        "value": value,
        "low": low,
        "high": high,
        "met": None if value is None else _reaches(target, value),
        "surely": None if low is None or high is None else _reaches(target, low, high),
        "format": target.format,
        "unit": target.unit,
        "note": target.note,
    }


def _reaches(target: Target, *values: float) -> bool:
    if not all(math.isfinite(value) for value in values):
        return False
    return all(v >= target.goal if target.at_least else v <= target.goal for v in values)
