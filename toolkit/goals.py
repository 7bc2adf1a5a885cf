"""Two tables of the report as plain values: targets, and cost and speed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from toolkit import wording

Document = Mapping[str, Any]


def targets(doc: Document) -> list[dict[str, Any]]:
    """A row a target, with its figures as text and with whether it was met in words."""
    return [
        {
            "label": t["label"],
            "note": t["note"],
            "goal": f"{'at least' if t['at_least'] else 'at most'} "
            f"{wording.figure(t['goal'], t['format'], t['unit'])}",
            "value": wording.figure(t["value"], t["format"], t["unit"]),
            "span": "" if t["low"] is None else wording.span(t["low"], t["high"], t["format"]),
            "met": t["met"],
            "says": _says(t),
        }
        for t in doc["targets"]
    ]


def _says(target: Mapping[str, Any]) -> str:
    if target["met"] is None:
        return "not measured"
    if target["surely"] is None:
        return "met" if target["met"] else "not met"
    if target["met"]:
        return "met" if target["surely"] else "met, within the interval's doubt"
    return "not met"


def speed(doc: Document) -> list[tuple[str, str]]:
    """The table of cost and speed; empty where nothing was measured."""
    found = doc["speed"]
    if not found:
        return []
    currency = found["currency"]

    def money(value: float | None) -> str:
        return "not known" if value is None else f"{currency}{value:.4g}"

    rows = [
        (f"latency, half of {found['questions']} single questions", _seconds(found["p50_seconds"])),
        ("latency, 95 % of them", _seconds(found["p95_seconds"])),
        ("questions a minute, one by one", wording.number(found["queries_per_minute"], ",.0f")),
        ("in batches", wording.number(found["batched_queries_per_minute"], ",.0f")),
        ("peak memory in use", _memory(found["peak_memory_mb"])),
        ("peak memory in training", _memory(found["training_peak_memory_mb"])),
        ("training", wording.duration(found["training_seconds"])),
    ]
    if found["kwh_per_1000"] is not None:
        rows.append(("energy of 1,000 questions", f"{1000 * found['kwh_per_1000']:.3g} Wh"))
    rows += [
        ("price of 1,000 questions here", money(found["price_per_1000"])),
        ("price of training", money(found["training_price"])),
        ("price of 1,000 questions to an API", money(found["api_price_per_1000"])),
    ]
    if found["saving"] is not None:
        rows.append(("saved against the API", wording.number(found["saving"], ".1%")))
    return rows


def priced(doc: Document) -> bool:
    """Whether the user has set what a price needs."""
    return bool(doc["speed"]) and doc["speed"]["price_per_1000"] is not None


def _seconds(value: float) -> str:
    return f"{1000 * value:.0f} ms" if value < 1 else wording.duration(value)


def _memory(value: float | None) -> str:
    return wording.figure(value, ",.0f", "MB")
