"""Spans marked in a text, for the report: what was said, what is right, and where both agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

AROUND = 260
"""Characters shown on either side of the marks: a context may hold a book."""

Stretch = tuple[int, int]


def marked(context: str, right: Sequence[Stretch], said: Stretch | None) -> list[dict[str, Any]]:
    """The context in pieces, ``{"text", "right", "said"}``, cut to the surroundings of the marks.

    Args:
        context: the text.
        right: stretches of characters that are right, any number.
        said: the stretch that was answered, if any.
    """
    stretches = [*right, *([said] if said else [])]
    low = max(0, min((start for start, _ in stretches), default=0) - AROUND)
    high = min(len(context), max((end for _, end in stretches), default=AROUND) + AROUND)
    edges = {low, high, *(min(max(at, low), high) for stretch in stretches for at in stretch)}
    pieces = [
        {
            "text": context[start:end],
            "right": any(a <= start and end <= b for a, b in right),
            "said": said is not None and said[0] <= start and end <= said[1],
        }
        for start, end in pairwise(sorted(edges))
    ]
    if low > 0:
        pieces.insert(0, {"text": "… ", "right": False, "said": False})
    if high < len(context):
        pieces.append({"text": " …", "right": False, "said": False})
    return pieces


def of_row(line: Mapping[str, Any], context: str) -> dict[str, Any] | None:
    """A prediction line whose answer is a span: its marks, and the likeliest spans.

    ``None`` for answers of another form.
    """
    said, right = line["prediction"], line["reference"]
    if not (isinstance(said, Mapping) and isinstance(right, Mapping) and "starts" in right):
        return None
    golds = [
        (start, start + len(text))
        for start, text in zip(right["starts"], right["texts"], strict=True)
    ]
    found = (said["start"], said["end"]) if said.get("text") else None
    detail = line.get("detail") or {}
    return {
        "pieces": marked(context, golds, found),
        "spans": [(s["text"], s["probability"]) for s in detail.get("spans", ())],
        "no_answer": detail.get("no_answer"),
    }
