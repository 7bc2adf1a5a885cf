"""How fast a trained model answers, how much memory it takes, and what that costs.

Latency is that of single questions, one after the other; throughput in batches is that of the held-
out rows. Prices are computed from figures that the user sets in the recipe's ``[cost]`` section;
without them the table states that they are missing.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from toolkit.system.monitor import Monitor

if TYPE_CHECKING:
    from toolkit.kinds.base import TaskModel
    from toolkit.runs.predictions import System
    from toolkit.task import Row

QUESTIONS = 40
"""Single questions that are timed; the first ones warm up and do not count."""
WARM_UP = 4
MOST_SECONDS, FEWEST = 120.0, 5
"""Where single answers take long, timing ends after so many seconds, but not before so many
questions."""


def measure(
    kind: TaskModel,
    rows: Sequence[Row],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Any]:
    """Time predictions of single rows by a model with its adapter, and sample its memory.

    Args:
        kind: the model, with its adapter loaded.
        rows: held-out rows, of which evenly spaced ones are predicted.
        progress: is called with the questions done and all of them.

    Returns:
        The seconds of each prediction, and the peak of the process's memory in MiB.
    """
    step = max(1, len(rows) // QUESTIONS)
    timed = [*rows[:WARM_UP], *rows[::step][:QUESTIONS]]
    seconds: list[float] = []
    with Monitor() as monitor:
        for number, row in enumerate(timed, 1):
            started = time.perf_counter()
            kind.predict([row], adapter=True)
            seconds.append(time.perf_counter() - started)
            progress(number, len(timed))
            if sum(seconds) > MOST_SECONDS and number >= WARM_UP + FEWEST:
                break
    return {
        "single_seconds": [round(s, 5) for s in seconds[WARM_UP:]],
        "peak_memory_mb": round(monitor.peak_mb, 1),
    }


def of_api(systems: Sequence[System]) -> float | None:
    """The price of a thousand answers of the API that a run has asked; ``None``: not known."""
    prices = ((system.entry.get("api") or {}).get("price_per_1000") for system in systems)
    return next((price for price in prices if price is not None), None)


def table(info: Mapping[str, Any], ours: System | None, api: float | None = None) -> dict[str, Any]:
    """The ``speed`` of ``metrics.json``; empty where nothing was measured.

    Args:
        info: ``run.json``.
        ours: the trained system with its predictions; ``None`` where nothing was trained.
        api: the price of a thousand answers of an API, where it was measured; a recipe's own
            figure goes before it.
    """
    measured = info.get("speed") or {}
    single = sorted(measured.get("single_seconds") or [])
    if not single or ours is None:
        return {}
    answered = sum(len(rows) for rows in ours.splits.values())
    batched = ours.entry.get("predict_seconds")
    training = info.get("training") or {}
    cost = (info.get("recipe") or {}).get("cost") or {}
    if api is not None:
        cost = {"api_price_per_query": api / 1000, **cost}
    rate = 60 * answered / batched if batched else None
    return {
        "questions": len(single),
        "p50_seconds": statistics.median(single),
        "p95_seconds": _quantile(single, 0.95),
        "queries_per_minute": 60 / statistics.fmean(single),
        "batched_queries_per_minute": rate,
        "peak_memory_mb": measured.get("peak_memory_mb"),
        "training_peak_memory_mb": training.get("peak_memory_mb"),
        "training_seconds": training.get("seconds"),
        **prices(cost, statistics.fmean(single), training.get("seconds")),
    }


def prices(
    cost: Mapping[str, Any], seconds: float, training_seconds: float | None
) -> dict[str, Any]:
    """Energy (kWh) and prices of a thousand questions and of training, where figures are set.

    Args:
        cost: the recipe's ``[cost]``.
        seconds: the mean time of a question.
        training_seconds: the time of the training; ``None``: unknown.
    """
    watts, hourly = cost.get("watts"), cost.get("machine_price_per_hour")
    kwh = None if watts is None else watts / 1000 * seconds * 1000 / 3600
    price = _price_per_hour(cost)
    local = None if price is None else price * seconds * 1000 / 3600
    api = cost.get("api_price_per_query")
    per_thousand = None if api is None else 1000 * api
    return {
        "currency": cost.get("currency", "$"),
        "watts": watts,
        "machine_price_per_hour": hourly,
        "kwh_per_1000": kwh,
        "price_per_1000": local,
        "api_price_per_1000": per_thousand,
        "saving": 1 - local / per_thousand if local is not None and per_thousand else None,
        "training_price": None
        if price is None or training_seconds is None
        else price * training_seconds / 3600,
    }


def _price_per_hour(cost: Mapping[str, Any]) -> float | None:
    """Machine and electricity; ``None`` where neither is known."""
    parts = []
    if cost.get("machine_price_per_hour") is not None:
        parts.append(float(cost["machine_price_per_hour"]))
    if cost.get("watts") is not None and cost.get("price_per_kwh") is not None:
        parts.append(float(cost["watts"]) / 1000 * float(cost["price_per_kwh"]))
    return sum(parts) if parts else None


def _quantile(ordered: Sequence[float], share: float) -> float:
    import numpy as np

    return float(np.quantile(ordered, share))
