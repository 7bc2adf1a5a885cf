"""Test rows counted by true and predicted class."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from toolkit.metrics.classification import nearest

if TYPE_CHECKING:
    from toolkit.runs.predictions import System


def confusion(
    system: System, categories: Sequence[Any], category: Callable[[Any], Any | None] = lambda v: v
) -> list[list[int]]:
    """Test rows by true class (lines) and predicted class (columns).

    A prediction between two ordered classes counts as the nearer one; a prediction that is not a
    class is counted in none of the columns.

    Args:
        system: the system whose test rows are counted.
        categories: the classes, in the order of lines and columns.
        category: a prediction or a reference → the class that it belongs to.
    """
    number = {category: i for i, category in enumerate(categories)}
    counts = [[0] * len(categories) for _ in categories]
    for row in system.rows():
        true = number.get(category(row["reference"]))
        predicted = number.get(as_category(category(row["prediction"]), number))
        if true is not None and predicted is not None:
            counts[true][predicted] += 1
    return counts


def as_category(prediction: Any, categories: Mapping[Any, int]) -> Any:
    """The class of a prediction; a number that is no class is rounded to a whole one."""
    if prediction in categories or not isinstance(prediction, int | float):
        return prediction
    return nearest(prediction)
