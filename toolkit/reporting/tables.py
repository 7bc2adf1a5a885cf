"""Tables of the report as plain values: the gain of training, targets, cost and speed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from toolkit import formatting
from toolkit.evaluation.perplexity import PERPLEXITY
from toolkit.metrics.target import Document
from toolkit.reporting import context


def content(doc: Document) -> dict[str, Any]:
    """The values of this module by the names that the templates use."""
    return {
        "gains": gains(doc),
        "targets": targets(doc),
        "speed": speed(doc),
        "priced": priced(doc),
    }


def gains(doc: Document) -> list[dict[str, str]]:
    """Base, trained model, absolute and relative gain of each metric; empty if one is missing."""
    ours, base = context.trained(doc), context.base(doc)
    if ours is None or base is None:
        return []
    found = {
        entry["metric"]: entry
        for entry in doc["comparisons"]
        if (entry["a"], entry["b"]) == (ours, base)
    }
    lines = []
    for metric in doc["metrics"]:
        if metric["name"] in found:
            values = [doc["systems"][n]["metrics"][metric["name"]]["value"] for n in (base, ours)]
            lines.append(_line(doc, metric, values, found[metric["name"]]))
    gain = doc.get("perplexity_gain")
    if gain:
        values = [doc["systems"][n]["perplexity"]["value"] for n in (base, ours)]
        described = {
            "label": PERPLEXITY.label, "format": PERPLEXITY.format, "unit": "",
            "greater_is_better": False,
        }  # fmt: skip
        lines.append(_line(doc, described, values, gain))
    if any(doc["systems"][n]["hit_limit"] for n in (base, ours)):
        shares = [doc["systems"][n]["hit_limit"] / doc["systems"][n]["n"] for n in (base, ours)]
        lines.append(
            {
                "label": "Outputs that ended at the token limit",
                "base": f"{shares[0]:.1%}",
                "ours": f"{shares[1]:.1%}",
                "gain": formatting.signed(shares[1] - shares[0], ".1%"),
                "span": formatting.NOTHING,
                "relative": formatting.NOTHING,
                "result": "",
            }
        )
    return lines


def _line(
    doc: Document,
    metric: Mapping[str, Any],
    values: Sequence[float | None],
    compared: Mapping[str, Any],
) -> dict[str, str]:
    before, after = values
    spec, unit = metric["format"], metric["unit"]
    relative = _relative(before, after, spec)
    return {
        "label": metric["label"],
        "base": formatting.figure(before, spec, unit),
        "ours": formatting.figure(after, spec, unit),
        "gain": formatting.signed(compared["difference"], spec, unit),
        "span": formatting.signed_span(compared["low"], compared["high"], spec),
        "relative": formatting.NOTHING if relative is None else formatting.signed(relative, ".1%"),
        "result": context.result(doc, compared, greater_is_better=metric["greater_is_better"]),
    }


def _relative(before: float | None, after: float | None, spec: str) -> float | None:
    """By which share a figure changed; ``None`` where a share would say nothing.

    A ratio needs a zero that means "none of it". A figure that is below zero, such as R², has no
    such zero: from −0.5 to 1.0 it would have changed by −300 %, and be better. Nor has one that is
    printed as zero: what the ratio is then, digits decide that nobody sees.
    """
    if before is None or after is None or not (math.isfinite(before) and math.isfinite(after)):
        return None
    shown, zero = formatting.number(before, spec), formatting.number(0.0, spec)
    if before < 0 or after < 0 or shown == zero:
        return None
    return after / before - 1


def targets(doc: Document) -> list[dict[str, Any]]:
    """A row for each target: its figures as text, and in words whether it was met."""
    return [
        {
            "label": t["label"],
            "note": t["note"],
            "goal": f"{'at least' if t['at_least'] else 'at most'} "
            f"{formatting.figure(t['goal'], t['format'], t['unit'])}",
            "value": formatting.figure(t["value"], t["format"], t["unit"]),
            "span": "" if t["low"] is None else formatting.span(t["low"], t["high"], t["format"]),
            "met": t["met"],
            "result": _target_result(t),
        }
        for t in doc["targets"]
    ]


def _target_result(target: Mapping[str, Any]) -> str:
    """Whether a target was met, in words."""
    if target["met"] is None:
        return "not measured"
    if target["surely"] is None:
        return "met" if target["met"] else "not met"
    if target["met"]:
        return "met" if target["surely"] else "met, but not by all of its interval"
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
        (
            f"median latency of {found['questions']} single questions",
            _seconds(found["p50_seconds"]),
        ),
        ("95th percentile of their latency", _seconds(found["p95_seconds"])),
        (
            "questions a minute, one at a time",
            formatting.number(found["queries_per_minute"], ",.0f"),
        ),
        (
            "questions a minute, in batches",
            formatting.number(found["batched_queries_per_minute"], ",.0f"),
        ),
        ("peak memory in use", _memory(found["peak_memory_mb"])),
        ("peak memory in training", _memory(found["training_peak_memory_mb"])),
        ("training", formatting.duration(found["training_seconds"])),
    ]
    if found["kwh_per_1000"] is not None:
        rows.append(("energy of 1,000 questions", f"{1000 * found['kwh_per_1000']:.3g} Wh"))
    rows += [
        ("price of 1,000 questions here", money(found["price_per_1000"])),
        ("price of training", money(found["training_price"])),
        ("price of 1,000 questions to an API", money(found["api_price_per_1000"])),
    ]
    if found["saving"] is not None:
        rows.append(("saved against the API", formatting.number(found["saving"], ".1%")))
    return rows


def priced(doc: Document) -> bool:
    """Whether the recipe holds what prices are computed from."""
    return bool(doc["speed"]) and doc["speed"]["price_per_1000"] is not None


def _seconds(value: float) -> str:
    return f"{1000 * value:.0f} ms" if value < 1 else formatting.duration(value)


def _memory(value: float | None) -> str:
    return formatting.figure(value, ",.0f", "MB")
