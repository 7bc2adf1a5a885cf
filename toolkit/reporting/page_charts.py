"""The charts of the report's page: which ones are drawn, and from which figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolkit import formatting
from toolkit.metrics.target import Document
from toolkit.reporting import charts, examples, run_details, svg, training_charts
from toolkit.reporting.charts import Mark
from toolkit.reporting.context import (
    base,
    covered_target,
    described,
    in_order,
    named_baseline,
    rivals,
    trained,
)
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
    shown = _Shown(doc, described(doc), in_order(doc), rivals(doc))
    drawings = {
        "ladder": _ladder(shown),
        "coverage": _coverage(shown, covered_target(doc)),
        "learning": _learning(shown),
        "clouds": _clouds(doc, systems),
        "slices": _slices(shown),
        "lengths": _lengths(preflight),
    }
    if svg.left_out():
        return {n: [] for n, chart in drawings.items() if chart and n not in ("clouds", "lengths")}
    return {name: [chart(False), chart(True)] for name, chart in drawings.items() if chart}


@dataclass(frozen=True)
class _Shown:
    """What several charts show of ``metrics.json``.

    Args:
        doc: ``metrics.json``.
        metric: its primary metric.
        names: all systems, in the order of the ladder.
        rivals: the systems that are compared by slice.
    """

    doc: Document
    metric: Mapping[str, Any]
    names: Sequence[str]
    rivals: Sequence[str]

    @property
    def made_up(self) -> str:
        """A remark on generated data: a chart may be cut out of its page."""
        return "SYNTHETIC data" if self.doc["synthetic"] else ""

    @property
    def title(self) -> str:
        """The primary metric with its unit, as the name of an axis."""
        parts = (self.metric["label"], self.metric["unit"], self.made_up)
        return ", ".join(part for part in parts if part)


def _ladder(shown: _Shown) -> Drawing | None:
    found = _marks(shown)
    return (lambda narrow: charts.forest(found, shown.title, narrow=narrow)) if found else None


def _coverage(shown: _Shown, target: float | None) -> Drawing | None:
    found = _coverage_marks(shown)
    title = ", ".join(filter(None, ["Share of test rows inside their interval", shown.made_up]))
    if not found:
        return None
    return lambda narrow: charts.forest(
        found, title, narrow=narrow, target=target, spec=".0%", name="coverage"
    )


def _learning(shown: _Shown) -> Drawing | None:
    doc, metric = shown.doc, shown.metric
    found, epochs = training_charts.curves(doc), training_charts.epoch_ends(doc["history"])
    if not found:
        return None
    return lambda narrow: training_charts.learning(
        found,
        metric["label"],
        metric["unit"],
        shown.made_up,
        epochs=epochs,
        chosen=doc["training"].get("best_step"),
        narrow=narrow,
    )


def _clouds(doc: Document, systems: Sequence[System]) -> Drawing | None:
    if doc.get("confusion"):  # for classes the page shows the confusion matrix
        return None
    found = examples.clouds(systems, [trained(doc), base(doc)])
    return (lambda narrow: charts.predicted_true(found, narrow=narrow)) if found else None


def _slices(shown: _Shown) -> Drawing | None:
    found = _slice_marks(shown)
    return (lambda narrow: charts.by_slice(found, shown.title, narrow=narrow)) if found else None


def _lengths(preflight: Mapping[str, Any]) -> Drawing | None:
    found = run_details.lengths(preflight)
    return (lambda narrow: training_charts.lengths(*found, narrow=narrow)) if found else None


# -- figures as marks ------------------------------------------------------------------------------
def _marks(shown: _Shown) -> list[Mark]:
    """The ladder's chart."""
    metric = shown.metric
    found = []
    for name in shown.names:
        entry = shown.doc["systems"][name]["metrics"][metric["name"]]
        if entry["value"] is not None:
            found.append(_mark(shown.doc, name, entry, metric["format"], metric["unit"]))
    return found


def _coverage_marks(shown: _Shown) -> list[Mark]:
    """How often each system's intervals hold the truth."""
    found = []
    for name in shown.names:
        entry = shown.doc["systems"][name]["interval"]
        if entry and entry["coverage"] is not None:
            as_value = {"value": entry["coverage"], "low": entry["low"], "high": entry["high"]}
            found.append(_mark(shown.doc, name, as_value, ".1%"))
    return found


def _slice_marks(shown: _Shown) -> dict[str, dict[str, list[Mark]]]:
    """Slice → part → the rivals' figures; parts that are too small are not drawn."""
    doc, metric = shown.doc, shown.metric
    by_slice: dict[str, dict[str, list[Mark]]] = {}
    for name, parts in doc["slices"].items():
        for part, found in parts.items():
            drawn = [
                _mark(doc, system, found["systems"][system], metric["format"], metric["unit"])
                for system in shown.rivals
                if system in found["systems"] and found["systems"][system]["value"] is not None
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
        strong=name == named_baseline(doc),
    )
