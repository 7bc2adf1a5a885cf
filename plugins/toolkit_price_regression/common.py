"""What all price tasks share: rows, groups, metrics, baselines, slices and intervals.

A language model that writes the price and an encoder that measures it are two tasks on the same
rows and the same metrics, so that ``toolkit compare`` sets their runs beside each other row by row.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

from toolkit import Baseline, Metric, Row, Target, Task
from toolkit.metrics import mae, r2, rmse, root_mean

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

    from toolkit import Source
    from toolkit.data import Profile

DATA_OPTIONS: Mapping[str, Any] = {"rows": None, "category": None, "mask_target": False}
"""Options of all price tasks: how many rows are used at most, drawn by the seed; the one category
they are of (``largest``: that with the most rows); whether amounts of money in the descriptions
are replaced, so that no model can copy the price from there."""

METRICS: tuple[Metric, ...] = (
    mae(unit="$", format_spec=".2f"),
    rmse(unit="$", format_spec=".2f"),
    Metric(
        "rmsle", lambda p, r: (math.log1p(p) - math.log1p(r)) ** 2, aggregate=root_mean,
        greater_is_better=False, label="Root mean squared log error",
    ),
    r2(),
    Metric(
        "within_20", lambda p, r: float(abs(p - r) <= 0.2 * r), label="Within 20 %",
    ),
)  # fmt: skip
"""The unit is that of the catalogue; a task shows the currency of its own data."""


DOLLARS = "$"
TARGETS: tuple[Target, ...] = (
    Target.metric(
        "Mean absolute error, the guide's fine-tuned Llama 3.1 8B", 47.0, "mae", at_least=False,
        format=".2f", unit=DOLLARS,
        note="the guide's figure is of its own 400,000 offers; on other rows it is a mark",
    ),
    Target.metric(
        "Mean absolute error, what the guide asks for next", 40.0, "mae", at_least=False,
        format=".2f", unit=DOLLARS, note="the same rows; its goal for a search of settings",
    ),
)  # fmt: skip
"""The figures of the guide that the recipes follow, in dollars."""


class PriceTask(Task):
    """Rows with a description and a price above zero, however the price is predicted."""

    # -- data ------------------------------------------------------------------------------------
    columns = {
        "text": "the description",
        "price": "the price, above zero",
        "category": "the category, empty where there is none",
    }
    truncate: ClassVar[str | None] = "text"
    surely: ClassVar[float] = 0.0
    """How surely a file of prices is proposed to be this task's; one of them goes first."""

    @classmethod
    def recognises(cls, found: Mapping[str, Profile]) -> float:
        from toolkit_price_regression.recognising import recognises

        return min(cls.surely, recognises(found))

    def load_rows(self, source: Source) -> Dataset | DatasetDict:
        from toolkit_price_regression import load

        rows = load.load_rows(source, mask_target=bool(self.options["mask_target"]))
        return load.selected(rows, self.options, source)

    def load_inputs(self, source: Source) -> Dataset:
        from toolkit_price_regression import load

        masked = bool(self.options["mask_target"])
        return load.load_inputs(source, source.chosen, mask_target=masked)

    def group(self, row: Row) -> str:
        from toolkit_price_regression.load import group

        return group(str(row["text"]))

    def fit(self, train: Dataset) -> dict[str, Any]:
        """The median, and what the kind's own ``fit`` finds."""
        import numpy as np

        prices = np.asarray(train["price"][:], dtype=np.float64)
        return {**super().fit(train), "median": float(np.median(prices))}

    def load_state(self, state: Mapping[str, Any]) -> None:
        super().load_state(state)
        unit = self.state.get("currency", "")
        self.metrics = tuple(replace(m, unit=unit) if m.unit else m for m in METRICS)

    # -- prediction ------------------------------------------------------------------------------
    def fallback(self) -> float:
        return float(self.state["median"])

    def residual(self, prediction: float, reference: float) -> float:
        # Errors grow with the price, so intervals are a factor around it, not a sum.
        return abs(math.log(prediction / reference))

    def interval(self, prediction: float, width: float) -> tuple[float, float]:
        return prediction * math.exp(-width), prediction * math.exp(width)

    # -- metrics ---------------------------------------------------------------------------------
    metrics: tuple[Metric, ...] = METRICS
    primary_metric = "mae"
    margin = 0.02

    def reference(self, row: Row) -> float:
        return float(row["price"])

    def targets(self) -> Sequence[Target]:
        return TARGETS if self.metric().unit == DOLLARS else ()

    def slices(self) -> Mapping[str, Callable[[Row], str | None]]:
        return {"price": _price_band, "length": _length_band, "category": _category}

    # -- baselines -------------------------------------------------------------------------------
    def baselines(self) -> Mapping[str, Baseline]:
        from toolkit_price_regression.baselines import ladder

        return ladder()


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
