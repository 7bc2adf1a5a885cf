"""Numbers standardised over the training split, as the head predicts them, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def of_numbers(found: Sequence[float | None]) -> dict[str, float]:
    """Mean, deviation and ends of the training split's numbers, as JSON values."""
    import numpy as np

    numbers = np.array(found, dtype=np.float64)
    return {
        "mean": float(numbers.mean()),
        "deviation": float(numbers.std()) or 1.0,
        "lowest": float(numbers.min()),
        "highest": float(numbers.max()),
    }


def standardised(number: float, scale: Mapping[str, Any]) -> float:
    """A number in deviations from the mean."""
    return float((number - scale["mean"]) / scale["deviation"])


def number(standardised: float, scale: Mapping[str, Any]) -> float:
    """The inverse, for predictions: beyond the training range by at most its own width."""
    found = standardised * scale["deviation"] + scale["mean"]
    width = scale["highest"] - scale["lowest"]
    low, high = scale["lowest"] - width, scale["highest"] + width
    return float(min(max(found, low), high))
