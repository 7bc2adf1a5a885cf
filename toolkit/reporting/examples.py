"""Single rows for the report: the worst and the best, and all of them as points of a chart."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from toolkit import formatting
from toolkit.reporting import span_highlights
from toolkit.reporting.charts import Cloud
from toolkit.runs.predictions import TRAINED, System

SHOWN = 20
"""How many rows are shown as worst, and as many as best."""
_SHORT = 40
"""Columns of at most this many characters (such as a category) go into the line below the text."""
LONGEST = 900
"""The most characters shown of one text, as a row may hold a megabyte."""


def clouds(found: Sequence[System], names: Sequence[str | None]) -> list[Cloud]:
    """Predicted and true values of the named systems whose predictions are numbers."""
    charts = []
    for system in found:
        rows = system.rows()
        pairs = [(row["reference"], row["prediction"]) for row in rows]
        if system.name in names and all(formatting.is_number(v) for pair in pairs for v in pair):
            true, predicted = zip(*pairs, strict=True)
            charts.append(Cloud(system.name, system.role, true, predicted))
    return sorted(charts, key=lambda cloud: cloud.role in TRAINED)


def examples(
    doc: Mapping[str, Any], system: System | None, heldout: Sequence[Mapping[str, Any]]
) -> dict[str, list[dict[str, Any]]]:
    """The rows with the worst and with the best figures, with their texts.

    Args:
        doc: ``metrics.json``.
        system: the trained system; ``None`` where nothing was trained.
        heldout: the held-out rows; empty where the run does not store them.
    """
    if system is None:
        return {}
    rows = system.rows()
    metric = ranking(doc, rows)
    if metric is None:
        return {}
    name, sign = metric["name"], -1 if metric["greater_is_better"] else 1
    ordered = sorted(rows, key=lambda row: (-sign * row["metrics"][name], row["row_id"]))
    shown = max(1, min(SHOWN, len(rows) // 2))
    sources = {row["row_id"]: row for row in heldout if row["split"] == "test"}
    return {
        "worst": [_example(row, metric, sources.get(row["row_id"])) for row in ordered[:shown]],
        "best": [
            _example(row, metric, sources.get(row["row_id"]))
            for row in reversed(ordered[len(ordered) - shown :])
        ],
    }


def ranking(doc: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The metric by which single rows are ranked: the primary one where it has a number for each.

    Args:
        doc: ``metrics.json``.
        rows: a system's prediction lines.

    Returns:
        the metric's object of ``metrics.json``, of the first other one where the primary one has
        none; ``None`` where no metric has a number for each row.
    """
    for metric in sorted(doc["metrics"], key=lambda m: m["name"] != doc["primary_metric"]):
        if not metric.get("whole") and all(
            formatting.is_number(row["metrics"].get(metric["name"])) for row in rows
        ):
            return dict(metric)
    return None


def _example(
    row: Mapping[str, Any], metric: Mapping[str, Any], source: Mapping[str, Any] | None
) -> dict[str, Any]:
    columns = {k: v for k, v in (source or {}).items() if isinstance(v, str) and v}
    columns.pop("split", None)
    marks = span_highlights.of_row(row, columns["context"]) if "context" in columns else None
    if marks:
        columns.pop("context")  # it is shown with its marks
    # The question is shown above a marked text, however short it is.
    question = ["question"] if marks and "question" in columns else []
    long = question or [k for k, v in columns.items() if len(v) > _SHORT] or list(columns)[:1]
    interval = None
    if row.get("low") is not None:
        interval = formatting.span(row["low"], row["high"], "")
    return {
        "row_id": row["row_id"],
        "texts": [(k, formatting.clipped(columns[k], LONGEST)) for k in long],
        "short": [v for k, v in columns.items() if k not in long],
        "marks": marks,
        "reference": as_text(row["reference"]),
        "prediction": as_text(row["prediction"]),
        "interval": interval,
        "parsed": row.get("parsed", True),
        "raw": formatting.clipped(str(row["raw"]), 80) if row.get("raw") is not None else None,
        "figure": formatting.figure(
            row["metrics"][metric["name"]], metric["format"], metric["unit"]
        ),
    }


def as_text(value: Any) -> str:
    """A prediction or a reference of any task as text, of at most 300 characters."""
    if formatting.is_number(value):
        return formatting.number(value)
    if isinstance(value, Mapping) and ("text" in value or "texts" in value):
        texts = [value["text"]] if "text" in value else list(dict.fromkeys(value["texts"]))
        value = " / ".join(text for text in texts if text) or "no answer"
    return formatting.clipped(
        value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), 300
    )
