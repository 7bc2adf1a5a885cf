"""A metric for classes where some mistakes cost more than others."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from toolkit.errors import DataError, UsageError, did_you_mean
from toolkit.metrics.classification import plain
from toolkit.metrics.metric import Metric

Costs = Mapping[Any, Any]
"""What mistakes cost: ``{(true, predicted): cost}`` or ``{true: {predicted: cost}}``."""


def expected_cost(labels: Sequence[Any], costs: Costs, unit: str = "") -> Metric:
    """The mean cost of a row's prediction, where some mistakes are worse than others.

    See Elkan, "The foundations of cost-sensitive learning", IJCAI 2001. A prediction that is no
    class costs as much as the worst prediction for a row of that class.

    Args:
        labels: the classes.
        costs: what it costs to predict one class where another is true, as ``{(true, predicted):
            cost}`` or ``{true: {predicted: cost}}``; every mistake needs one. A right prediction
            costs nothing unless it is given a cost.
        unit: printed behind the figure.

    Raises:
        UsageError: a class is unknown, a mistake has no cost, or a cost is no number.
    """
    table = _costs(tuple(labels), costs)
    worst = {true: max(row.values()) for true, row in table.items()}

    def per_example(prediction: Any, reference: Any) -> float:
        true = plain(reference)
        if true not in table:
            raise DataError(
                f"expected_cost: there are no costs for {reference!r}, which is the class of a "
                f"row; the classes are {_listed(labels)}"
            )
        return table[true].get(plain(prediction), worst[true])

    return Metric(
        "expected_cost", per_example, greater_is_better=False,
        label="Mean cost", unit=unit,
        note="Mean cost: of the rows' predictions by the task's table of costs; an unreadable "
        "output costs as much as the worst prediction.",
    )  # fmt: skip


def _costs(labels: tuple[Any, ...], costs: Costs) -> dict[Any, dict[Any, float]]:
    """True class → predicted class → cost, checked and complete."""
    known = [plain(label) for label in labels]
    table: dict[Any, dict[Any, float]] = {label: {label: 0.0} for label in known}
    for true, predicted, cost in _pairs(costs):
        for label in (true, predicted):
            if label not in table:
                near = did_you_mean(str(label), map(str, known))
                raise UsageError(
                    f"costs: there is no class {label!r}{near}; there are {_listed(labels)}"
                )
        if isinstance(cost, bool) or not isinstance(cost, int | float) or not math.isfinite(cost):
            raise UsageError(
                f"costs: the cost of predicting {predicted!r} for {true!r} must be a number, "
                f"not {cost!r}"
            )
        table[true][predicted] = float(cost)
    for true in known:
        lacking = [label for label in known if label not in table[true]]
        if lacking:
            raise UsageError(f"costs: predicting {_listed(lacking)} for {true!r} has no cost")
    return table


def _pairs(costs: Costs) -> list[tuple[Any, Any, Any]]:
    """Both forms of a table of costs as (true, predicted, cost)."""
    found: list[tuple[Any, Any, Any]] = []
    for key, value in costs.items():
        if isinstance(value, Mapping):
            found += [(plain(key), plain(predicted), cost) for predicted, cost in value.items()]
        elif isinstance(key, tuple) and len(key) == 2:
            found.append((plain(key[0]), plain(key[1]), value))
        else:
            raise UsageError(
                f"costs: {key!r} must be a pair (true class, predicted class), or have a table "
                "from predicted class to cost"
            )
    return found


def _listed(labels: Sequence[Any]) -> str:
    return ", ".join(map(repr, labels))
