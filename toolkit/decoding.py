"""From a model's outputs to predictions: running a task's decoders, and decoders for numbers.

A language model that writes a price gives a whole distribution over numbers, of which greedy text
is only the mode. Averaging the three most probable numbers by their probability is the "improved
approach" of the guide that the price recipes follow; the median is the best point under absolute
error, the mean under squared error (Lukasik et al., "Regression-aware inference with LLMs", 2024,
arXiv:2403.04182).
"""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from toolkit.runs.predictions import tuned_values

if TYPE_CHECKING:
    import numpy as np

    from toolkit.task import Row, Task

# A hyphen is a minus sign only where no word or number precedes it: "10-12" has no negative number.
_NUMBER = re.compile(r"(?:(?<![\w.,)])-(?=\d))?(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)")


def first_number(text: str) -> float | None:
    """The first number in a text, or ``None`` (``"about 1,250 dollars"`` → 1250.0)."""
    found = _NUMBER.search(text)
    number = float(found.group().replace(",", "")) if found else math.inf
    return number if math.isfinite(number) else None  # a very long run of digits overflows


_CONTINUED = re.compile(r"\d|,(?:\d|$)")
_GROUP = 3


def continues(digits: str, behind: str) -> bool:
    """Whether a text behind the digits of a whole number may belong to the same number.

    It agrees with :func:`first_number`: where nothing continues, the number's whole part is what
    the digits say. Further digits continue it, and so does a comma behind up to three of them, even
    if what follows the comma is not known yet. Decimals leave the whole part as it is, so that a
    point ends it, as do spaces, signs and words (``1250.00``, ``1250 dollars``).

    Args:
        digits: those of the number.
        behind: the text behind them, or as much of it as is known.
    """
    found = _CONTINUED.match(behind)
    return found is not None and (found[0][0] != "," or len(digits) <= _GROUP)


def top_k_mean(values: np.ndarray, probabilities: np.ndarray, k: int) -> float:
    """Mean of the ``k`` most probable values, weighted by their probabilities.

    Args:
        values: the numbers, shape (n,).
        probabilities: of each number, shape (n,).
        k: how many values count.
    """
    import numpy as np

    best = np.argsort(-probabilities, kind="stable")[:k]
    return float(np.average(values[best], weights=probabilities[best]))


def mean(values: np.ndarray, probabilities: np.ndarray) -> float:
    """Mean of the distribution, renormalised over the values; both arrays of shape (n,)."""
    import numpy as np

    return float(np.average(values, weights=probabilities))


def median(values: np.ndarray, probabilities: np.ndarray) -> float:
    """Weighted median, between the two neighbours where the cumulated probability crosses 1/2.

    Both arrays have the shape (n,).
    """
    import numpy as np

    order = np.argsort(values, kind="stable")
    values, probabilities = values[order], probabilities[order]
    # Each value stands for the middle of its own probability, so that the median of a smooth
    # distribution lies between two numbers and not always on one.
    cumulated = (np.cumsum(probabilities) - probabilities / 2) / probabilities.sum()
    return float(np.interp(0.5, cumulated, values))


COVERED = 0.98
"""What a distribution must cover of all that the model may write, for its decoders to be chosen."""


def covered(outputs: Sequence[Any]) -> list[float]:
    """What the number distribution of each output covers; outputs without one are left out."""
    found = (getattr(output, "numbers", None) for output in outputs)
    return [float(numbers.covered) for numbers in found if numbers is not None]


def withheld(task: Task, shares: Sequence[float]) -> frozenset[str]:
    """The decoders that read a distribution of which too much is not known.

    Args:
        task: the task whose decoders they are.
        shares: what was covered of each validation row; empty: nothing is known about it.
    """
    if not shares or statistics.median(shares) >= COVERED:
        return frozenset()
    names = set(task.decoders())
    found = names & set(getattr(task, "distribution_decoders", ()))
    return frozenset(found if found < names else ())


def decode_all(
    task: Task, outputs: Sequence[Any], rows: Sequence[Row], tuned: Mapping[str, Any]
) -> dict[str, list[Any | None]]:
    """The predictions of each of the task's decoders; ``None`` where an output cannot be read.

    Args:
        task: the task whose decoders are used.
        outputs: a model's outputs.
        rows: the rows that they belong to.
        tuned: what :meth:`~toolkit.Task.tune` returned for the system that gave the outputs.
    """
    return {
        name: [decoder(output, row, tuned) for output, row in zip(outputs, rows, strict=True)]
        for name, decoder in task.decoders().items()
    }


def decode_as(
    task: Task, entry: Mapping[str, Any], outputs: Sequence[Any], rows: Sequence[Row]
) -> list[Any | None]:
    """The predictions of a run's system from new outputs, by its decoder and its tuned values.

    Args:
        task: the run's task.
        entry: the system's entry in ``systems.json``; empty for the task's first decoder.
        outputs: a model's outputs.
        rows: the rows that they belong to.
    """
    decoders, tuned = task.decoders(), tuned_values(entry)
    decoder = decoders[entry.get("decoder") or next(iter(decoders))]
    return [decoder(output, row, tuned) for output, row in zip(outputs, rows, strict=True)]


def or_fallback(task: Task, predictions: Sequence[Any | None]) -> list[Any]:
    """Unreadable predictions replaced by the task's declared fallback."""
    return [task.fallback() if p is None else p for p in predictions]


def primary_values(
    task: Task,
    outputs: Sequence[Any],
    rows: Sequence[Row],
    tuned: Mapping[str, Any] | None = None,
) -> dict[str, float]:
    """The task's primary metric for each of its decoders that may be chosen, see :func:`withheld`.

    Args:
        task: the task whose decoders and metric are used.
        outputs: a model's outputs on validation rows.
        rows: these rows.
        tuned: what :meth:`~toolkit.Task.tune` returned for the model; ``None``: tune on these rows.
    """
    if tuned is None:
        tuned = task.tune(outputs, rows)
    metric = task.metric()
    left_out = withheld(task, covered(outputs))
    references = [task.reference(row) for row in rows]
    return {
        name: metric.value(
            [
                metric.of_row(prediction, reference)
                for prediction, reference in zip(
                    or_fallback(task, predictions), references, strict=True
                )
            ]
        )
        for name, predictions in decode_all(task, outputs, rows, tuned).items()
        if name not in left_out
    }
