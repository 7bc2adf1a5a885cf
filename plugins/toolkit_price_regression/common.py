"""What all price tasks share: rows, groups, metrics, baselines, slices and intervals.

A language model that writes the price and an encoder that measures it are two tasks on the same
rows and the same metrics, so that ``toolkit compare`` sets their runs beside each other row by row.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

from toolkit import Baseline, Metric, Row, Task

if TYPE_CHECKING:
    import numpy as np
    from datasets import Dataset, DatasetDict

    from toolkit import Source


def _rmse(squares: np.ndarray, axis: int = -1) -> Any:
    return squares.mean(axis=axis) ** 0.5


def _r2(true: np.ndarray, predicted: np.ndarray, axis: int = -1) -> Any:
    """Coefficient of determination; negative where the mean of the true prices is better."""
    residual = ((true - predicted) ** 2).sum(axis=axis)
    total = ((true - true.mean(axis=axis, keepdims=True)) ** 2).sum(axis=axis)
    return 1 - residual / (total + 1e-300)  # where all true prices are equal


METRICS: tuple[Metric, ...] = (
    Metric(
        "mae", lambda p, r: abs(p - r), greater_is_better=False,
        label="Mean absolute error", unit="$", format=".2f",
    ),
    Metric(
        "rmse", lambda p, r: (p - r) ** 2, aggregate=_rmse, greater_is_better=False,
        label="Root mean squared error", unit="$", format=".2f",
    ),
    Metric(
        "rmsle", lambda p, r: (math.log1p(p) - math.log1p(r)) ** 2, aggregate=_rmse,
        greater_is_better=False, label="Root mean squared log error",
    ),
    Metric("r2", lambda p, r: (r, p), aggregate=_r2, label="R²"),
    Metric(
        "within_20", lambda p, r: float(abs(p - r) <= 0.2 * r), label="Within 20 %",
    ),
)  # fmt: skip


DATA_OPTIONS: Mapping[str, Any] = {"rows": None, "category": None}
"""Options of all price tasks: how many rows are used at most, drawn by the seed, and the one
category they are of (``largest``: that with the most rows)."""


class PriceTask(Task):
    """Rows with a description and a price above zero, however the price is predicted."""

    columns = {
        "text": "the description",
        "price": "the price, above zero",
        "category": "the category, empty where there is none",
    }
    metrics: tuple[Metric, ...] = METRICS
    primary_metric = "mae"
    margin = 0.02
    shortens: ClassVar[str | None] = "text"
    _currency = ""

    # -- data ------------------------------------------------------------------------------------
    def load_rows(self, source: Source) -> Dataset | DatasetDict:
        from toolkit_price_regression.load import load_rows
        from toolkit_price_regression.selecting import selected

        rows = selected(load_rows(source), self.settings, source)
        self._currency = source.chosen.get("currency") or ("$" if source.synthetic else "")
        return rows

    def load_inputs(self, source: Source) -> Dataset:
        from toolkit_price_regression.load import load_inputs

        return load_inputs(source, source.chosen)

    def group(self, row: Row) -> str:
        from toolkit_price_regression.load import group

        return group(str(row["text"]))

    def learn(self, train: Dataset) -> dict[str, Any]:
        """Currency and median, and what the kind's own ``learn`` finds."""
        import numpy as np

        prices = np.asarray(train["price"], dtype=np.float64)
        facts = {"currency": self._currency, "median": float(np.median(prices))}
        return {**super().learn(train), **facts}

    def adopt(self, facts: Mapping[str, Any]) -> None:
        super().adopt(facts)
        unit = self.facts.get("currency", "")
        self.metrics = tuple(replace(m, unit=unit) if m.unit else m for m in METRICS)

    def fallback(self) -> float:
        return float(self.facts["median"])

    def reference(self, row: Row) -> float:
        return float(row["price"])

    # -- judging -----------------------------------------------------------------------------------
    def baselines(self) -> Mapping[str, Baseline]:
        from toolkit_price_regression.baselines import ladder

        return ladder()

    def slices(self) -> Mapping[str, Callable[[Row], str | None]]:
        return {"price": _price_band, "length": _length_band, "category": _category}

    def residual(self, prediction: float, reference: float) -> float:
        # Errors grow with the price, so intervals are a factor around it, not a sum.
        return abs(math.log(prediction / reference))

    def interval(self, prediction: float, width: float) -> tuple[float, float]:
        return prediction * math.exp(-width), prediction * math.exp(width)


def _price_band(row: Row) -> str:
    edges = (0, 10, 30, 100, 300, 1000, 10_000)
    for low, high in pairwise(edges):
        if row["price"] < high:
            return f"{low}–{high}"
    return f"{edges[-1]} and more"


def _length_band(row: Row) -> str:
    words = len(re.findall(r"\S+", row["text"]))
    for high in (20, 40, 80, 160):
        if words < high:
            return f"under {high} words"
    return "160 words and more"


def _category(row: Row) -> str | None:
    return row["category"] or None
