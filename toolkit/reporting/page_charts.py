"""The charts of the report's page: which ones are drawn, and from which figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from toolkit import formatting
from toolkit.metrics.target import Document
from toolkit.reporting import charts, examples, run_details, svg, training_charts
from toolkit.reporting.charts import Mark
from toolkit.reporting.context import base, covered_target, described, in_order, rivals, trained
from toolkit.runs.predictions import System

Drawing = Callable[[bool], str]
"""Draws a chart: for a phone where the argument is true, else for a wide screen."""


def draw(
    doc: Document, systems: Sequence[System], preflight: Mapping[str, Any]
) -> dict[str, list[str]]:
    """Name → the chart for a wide screen and for a phone; a chart without data is absent.

    Where charts cannot be drawn (:func:`toolkit.reporting.svg.left_out`), the charts that stand
    beside text or a table of the same data are empty lists, and those that stand alone are absent.

    Args:
        doc: ``metrics.json``.
        systems: the systems with their predictions.
        preflight: ``data/preflight.json``.
    """
    drawings = {
        "ladder": _ladder(doc),
        "coverage": _coverage(doc),
        "learning": _learning(doc),
        "clouds": _clouds(doc, systems),
        "slices": _slices(doc),
        "lengths": _lengths(preflight),
    }
    if svg.left_out():
        return {n: [] for n, chart in drawings.items() if chart and n not in ("clouds", "lengths")}
    return {name: [chart(False), chart(True)] for name, chart in drawings.items() if chart}


def _made_up(doc: Document) -> str:
    """A remark on generated data for the chart itself, as it may be copied out of its page."""
    return "SYNTHETIC data" if doc["synthetic"] else ""


def _title(doc: Document) -> str:
    """The primary metric with its unit, as the name of an axis."""
    metric = described(doc)
    return ", ".join(part for part in (metric["label"], metric["unit"], _made_up(doc)) if part)


def _ladder(doc: Document) -> Drawing | None:
    found, title = marks(doc), _title(doc)
    return (lambda narrow: charts.forest(found, title, narrow=narrow)) if found else None


def _coverage(doc: Document) -> Drawing | None:
    found = coverage_marks(doc)
    title = ", ".join(filter(None, ["Share of test rows inside their interval", _made_up(doc)]))
    if not found:
        return None
    return lambda narrow: charts.forest(
        found, title, narrow=narrow, target=covered_target(doc), spec=".0%", name="coverage"
    )


def _learning(doc: Document) -> Drawing | None:
    found, metric = training_charts.curves(doc), described(doc)
    if not found:
        return None
    return lambda narrow: training_charts.learning(
        found,
        metric["label"],
        metric["unit"],
        _made_up(doc),
        epochs=training_charts.epoch_ends(doc["history"]),
        chosen=doc["training"].get("best_step"),
        narrow=narrow,
    )


def _clouds(doc: Document, systems: Sequence[System]) -> Drawing | None:
    if doc.get("confusion"):  # for classes the page shows the confusion matrix
        return None
    found = examples.clouds(systems, [trained(doc), base(doc)])
    return (lambda narrow: charts.predicted_true(found, narrow=narrow)) if found else None


def _slices(doc: Document) -> Drawing | None:
    found, title = slice_marks(doc), _title(doc)
    return (lambda narrow: charts.by_slice(found, title, narrow=narrow)) if found else None


def _lengths(preflight: Mapping[str, Any]) -> Drawing | None:
    found = run_details.lengths(preflight)
    return (lambda narrow: training_charts.lengths(*found, narrow=narrow)) if found else None


# -- figures as marks ------------------------------------------------------------------------------
def marks(doc: Document) -> list[Mark]:
    """The marks of the ladder's chart."""
    metric = described(doc)
    found = []
    for name in in_order(doc):
        entry = doc["systems"][name]["metrics"][metric["name"]]
        if entry["value"] is not None:
            found.append(_mark(doc, name, entry, metric["format"], metric["unit"]))
    return found


def coverage_marks(doc: Document) -> list[Mark]:
    """The share of test rows whose true value each system's intervals hold."""
    found = []
    for name in in_order(doc):
        entry = doc["systems"][name]["interval"]
        if entry and entry["coverage"] is not None:
            as_value = {"value": entry["coverage"], "low": entry["low"], "high": entry["high"]}
            found.append(_mark(doc, name, as_value, ".1%"))
    return found


def slice_marks(doc: Document) -> dict[str, dict[str, list[Mark]]]:
    """Slice → part → a mark for each system; parts with too few rows are left out."""
    metric = described(doc)
    by_slice: dict[str, dict[str, list[Mark]]] = {}
    for name, parts in doc["slices"].items():
        for part, found in parts.items():
            drawn = [
                _mark(doc, system, found["systems"][system], metric["format"], metric["unit"])
                for system in rivals(doc)
                if system in found["systems"]
            ]
            if drawn:
                label = f"{formatting.clipped(part, 24)}\n{formatting.count(found['n'], 'row')}"
                by_slice.setdefault(name, {})[label] = drawn
    return by_slice


def _mark(doc: Document, name: str, entry: Mapping[str, Any], spec: str, unit: str = "") -> Mark:
    value = formatting.figure(entry["value"], spec, unit)
    return Mark(
        name=name,
        role=doc["systems"][name]["role"],
        value=entry["value"],
        low=entry["low"],
        high=entry["high"],
        text=f"{value} ({formatting.span(entry['low'], entry['high'], spec)})",
        strong=name == doc["verdict"]["best_baseline"],
    )
