"""Spans marked in a text, for the report: the predicted span, the right ones, and their overlap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

AROUND = 260
"""Characters shown on either side of the marks, as a context may be as long as a book."""

Stretch = tuple[int, int]


def marked(
    context: str, right: Sequence[Stretch], predicted: Stretch | None
) -> list[dict[str, Any]]:
    """The context around the marks, in pieces: ``{"text", "right", "predicted"}``.

    Args:
        context: the text.
        right: any number of right spans, each as its first character and the one after its last.
        predicted: the predicted span, if any.
    """
    stretches = [*right, *([predicted] if predicted else [])]
    low = max(0, min((start for start, _ in stretches), default=0) - AROUND)
    high = min(len(context), max((end for _, end in stretches), default=AROUND) + AROUND)
    edges = {low, high, *(min(max(at, low), high) for stretch in stretches for at in stretch)}
    pieces = [
        {
            "text": context[start:end],
            "right": any(a <= start and end <= b for a, b in right),
            "predicted": predicted is not None and predicted[0] <= start and end <= predicted[1],
        }
        for start, end in pairwise(sorted(edges))
    ]
    if low > 0:
        pieces.insert(0, {"text": "… ", "right": False, "predicted": False})
    if high < len(context):
        pieces.append({"text": " …", "right": False, "predicted": False})
    return pieces


def of_row(line: Mapping[str, Any], context: str) -> dict[str, Any] | None:
    """The marks and the likeliest spans of a prediction line; ``None`` if its answer is no span."""
    answer, right = line["prediction"], line["reference"]
    if not (isinstance(answer, Mapping) and isinstance(right, Mapping) and "starts" in right):
        return None
    golds = [
        (start, start + len(text))
        for start, text in zip(right["starts"], right["texts"], strict=True)
    ]
    predicted = (answer["start"], answer["end"]) if answer.get("text") else None
    detail = line.get("detail") or {}
    return {
        "pieces": marked(context, golds, predicted),
        "spans": [(s["text"], s["probability"]) for s in detail.get("spans", ())],
        "no_answer": detail.get("no_answer"),
    }
