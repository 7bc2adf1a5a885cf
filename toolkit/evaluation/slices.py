"""Parts of the test rows, such as one category or one range of lengths, scored alone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from toolkit.data.splits import CHALLENGE
from toolkit.metrics import statistics
from toolkit.metrics.metric import Metric
from toolkit.metrics.statistics import as_json
from toolkit.runs.predictions import System, grouping

SMALLEST_PART = 10
"""Parts of a slice with fewer rows get no figures: their intervals would show nothing."""


RowKey = tuple[str, int]
"""Split and number of a row."""


def slices(found: Sequence[System], metric: Metric) -> dict[str, dict[str, Any]]:
    """The primary metric of every system in every part of every slice.

    A part that is too small keeps its ``n`` and has no systems.
    """
    parts: dict[str, dict[str, list[RowKey]]] = {}
    for split in ("test", CHALLENGE):
        for row in max((s.rows(split) for s in found), key=len):
            for name, part in (row.get("slices") or {}).items():
                if part is not None:
                    parts.setdefault(name, {}).setdefault(part, []).append((split, row["row_id"]))
    return {
        name: {part: _part(found, metric, of[part]) for part in in_order(of)}
        for name, of in parts.items()
    }


def _part(found: Sequence[System], metric: Metric, keys: Sequence[RowKey]) -> dict[str, Any]:
    figures = {}
    enough = len(keys) >= SMALLEST_PART
    for system in found if enough else ():
        lines = [
            rows[row_id]
            for split, row_id in keys
            if row_id in (rows := system.splits.get(split, {}))
        ]
        values = [line["metrics"][metric.name] for line in lines]
        if sum(value is not None for value in values) >= SMALLEST_PART:
            result = statistics.interval(metric, values, groups=grouping(lines))
            figures[system.name] = as_json(result)
    return {"n": len(keys), "systems": figures}


def in_order(parts: Mapping[str, Sequence[RowKey]]) -> list[str]:
    """Bands by their first number ("under 30" before "30-100"), other parts by size."""
    firsts = {part: re.search(r"\d[\d,]*(?:\.\d+)?", part) for part in parts}
    if not all(firsts.values()):
        return sorted(parts, key=lambda part: (-len(parts[part]), part))

    def place(part: str) -> tuple[float, bool]:
        found = firsts[part]
        assert found is not None
        return float(found.group().replace(",", "")), found.start() == 0

    return sorted(parts, key=place)
