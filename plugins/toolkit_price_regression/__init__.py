"""Price regression: the plugin that predicts a price from a product description."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from toolkit import hookimpl

if TYPE_CHECKING:
    from toolkit import Task


@hookimpl
def register_tasks(register: Callable[[type[Task]], None]) -> None:
    """Register the two tasks of this plugin."""
    from toolkit_price_regression.encoder import PriceRegressionEncoder
    from toolkit_price_regression.task import PriceRegression

    register(PriceRegression)
    register(PriceRegressionEncoder)
