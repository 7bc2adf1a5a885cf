"""Scores of entities as SemEval 2013 (task 9.1) defines them, counted by nervaluate.

``strict`` asks for the right place and label, ``exact`` for the place, ``ent_type`` for a place
that overlaps and the label; ``partial`` gives half a point for a place that overlaps.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from toolkit import Metric, MissingExtra

if TYPE_CHECKING:
    import numpy as np

SCHEMES = {
    "strict": "F1 of entities",
    "exact": "F1 of places",
    "ent_type": "F1 of labels on overlapping places",
    "partial": "F1 with half points",
}
HALF = ("partial", "ent_type")
"""The schemes that count what is partly right by half."""


def entity_metrics(labels: Sequence[str]) -> tuple[Metric, ...]:
    """F1 by each scheme over all entities and rows that are right; F1 of each label as details.

    Args:
        labels: the labels; entities of others are wrong by every scheme.
    """
    whole = tuple(
        Metric(
            f"{scheme}_f1", partial(_counts, tuple(labels), scheme), _f1, label=label,
            counts=_rows_with_entities,
        )
        for scheme, label in SCHEMES.items()
    )  # fmt: skip
    each = tuple(
        Metric(
            f"strict_f1_{_key(label)}", partial(_counts, (label,), "strict"), _f1,
            label=f"F1 of {label}", detail=True, counts=_rows_with_entities,
        )
        for label in labels
    )  # fmt: skip
    rows = Metric("rows_right", _all_right, label="Rows with all entities right")
    return (*whole, rows, *each)


def _all_right(prediction: Any, reference: Any) -> float:
    """Whether a row has the right entities and no others."""
    found, true = (
        {(one["start"], one["end"], one["label"]) for one in entities or ()}
        for entities in (prediction, reference)
    )
    return float(found == true)


def _key(label: str) -> str:
    return "_".join("".join(c if c.isalnum() else " " for c in label.lower()).split())


def _counts(
    labels: Sequence[str], scheme: str, prediction: Any, reference: Any
) -> tuple[float, float, float]:
    """Points, entities that are predicted and entities that there are, of one row."""
    found = [one for one in prediction or () if one["label"] in labels]
    true = [one for one in reference or () if one["label"] in labels]
    if not found or not true:
        return 0.0, float(len(found)), float(len(true))
    result = _evaluated(true, found, list(labels))[scheme]
    points = result.correct + (0.5 * result.partial if scheme in HALF else 0.0)
    return float(points), float(result.actual), float(result.possible)


def _evaluated(true: Sequence[Any], found: Sequence[Any], labels: list[str]) -> Any:
    try:
        from nervaluate import Evaluator
    except ImportError as error:
        raise MissingExtra("The scores of entities", "token-classification") from error

    def spans(entities: Sequence[Any]) -> list[dict[str, Any]]:
        # nervaluate's ends are inclusive.
        return [{"label": e["label"], "start": e["start"], "end": e["end"] - 1} for e in entities]

    results: Any = Evaluator([spans(true)], [spans(found)], tags=labels, loader="dict").evaluate()
    return results["overall"]


def _f1(points: np.ndarray, actual: np.ndarray, possible: np.ndarray, axis: int = -1) -> Any:
    import numpy as np

    total = actual.sum(axis=axis) + possible.sum(axis=axis)
    return np.where(total > 0, 2 * points.sum(axis=axis) / np.maximum(total, 1), 0.0)


def _rows_with_entities(points: np.ndarray, actual: np.ndarray, possible: np.ndarray) -> Any:
    import numpy as np

    return np.array([(actual + possible > 0).sum()])
