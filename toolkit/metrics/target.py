"""Targets: goals that a task sets for figures of ``metrics.json``, shown in the report's table.

A target is met where its figure reaches the goal, and met *surely* where the figure's whole
confidence interval does. Targets do not change the verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Document = Mapping[str, Any]
Measured = tuple[float, float | None, float | None]
"""A figure and the ends of its interval; ``None`` for the ends where it has none."""


@dataclass(frozen=True)
class Target:
    """One goal. Make it with :meth:`metric`, :meth:`spread`, :meth:`drop`, :meth:`worst` or
    :meth:`speed`, or with a function of your own.

    Args:
        label: what is measured ("Sentiment accuracy").
        goal: the figure to reach.
        of: ``(metrics document, name of the trained system)`` → the figure with the ends of its
            interval; ``None`` where the document does not have it.
        at_least: whether the figure must reach the goal; otherwise it must stay below it.
        format: a format spec for figure and goal.
        unit: printed behind them.
        note: how the figure is measured, where the label does not say so.
    """

    label: str
    goal: float
    of: Callable[[Document, str], Measured | None]
    at_least: bool = True
    format: str = ".3f"
    unit: str = ""
    note: str = ""

    @classmethod
    def metric(cls, label: str, goal: float, name: str, **keywords: Any) -> Target:
        """A goal for the trained system's figure of a metric; ``keywords`` are further fields."""

        def of(doc: Document, system: str) -> Measured | None:
            found = doc["systems"][system]["metrics"].get(name)
            return _measured(found) if found else None

        return cls(label, goal, of, **keywords)

    @classmethod
    def spread(cls, label: str, goal: float, slice_name: str, **keywords: Any) -> Target:
        """A limit for the difference between the best and the worst part of a slice."""
        return cls._across(label, goal, slice_name, lambda high, low: high - low, keywords)

    @classmethod
    def drop(cls, label: str, goal: float, slice_name: str, **keywords: Any) -> Target:
        """A limit for the relative difference of a slice's parts: ``(high - low) / high``."""
        return cls._across(
            label, goal, slice_name, lambda high, low: (high - low) / high if high else 0.0,
            keywords,
        )  # fmt: skip

    @classmethod
    def worst(cls, label: str, goal: float, slice_name: str, **keywords: Any) -> Target:
        """A goal for the figure of the worst part of a slice, with its interval.

        With ``at_least=False``, for errors, the worst part is that with the largest figure.
        """
        worst = min if keywords.get("at_least", True) else max

        def of(doc: Document, system: str) -> Measured | None:
            parts = _parts(doc, slice_name, system)
            return worst(parts, default=None, key=lambda found: found[0])

        return cls(label, goal, of, **keywords)

    @classmethod
    def speed(cls, label: str, goal: float, key: str, **keywords: Any) -> Target:
        """A goal for a figure of the cost and speed table, such as ``p95_seconds``."""

        def of(doc: Document, system: str) -> Measured | None:
            value = (doc.get("speed") or {}).get(key)
            return None if value is None else (float(value), None, None)

        return cls(label, goal, of, **keywords)

    @classmethod
    def _across(
        cls,
        label: str,
        goal: float,
        slice_name: str,
        combine: Callable[[float, float], float],
        keywords: Mapping[str, Any],
    ) -> Target:
        def of(doc: Document, system: str) -> Measured | None:
            values = [value for value, _, _ in _parts(doc, slice_name, system)]
            return (combine(max(values), min(values)), None, None) if len(values) > 1 else None

        return cls(label, goal, of, **{"at_least": False, **keywords})


def _measured(found: Mapping[str, Any]) -> Measured | None:
    return None if found["value"] is None else (found["value"], found["low"], found["high"])


def _parts(doc: Document, slice_name: str, system: str) -> list[Measured]:
    """A system's figures in the parts of a slice; parts with too few rows have none."""
    parts = doc["slices"].get(slice_name, {}).values()
    found = [_measured(p["systems"][system]) for p in parts if system in p["systems"]]
    return [measured for measured in found if measured is not None]
