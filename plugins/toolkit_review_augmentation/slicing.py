"""Slices of the test and challenge rows, and targets for robustness, speed and cost."""

from __future__ import annotations

from toolkit import Row, Target
from toolkit_review_augmentation import texts
from toolkit_review_augmentation.reviews import CHANGED

CHANCE = "accuracy; the original project asks for no complete failure: no worse than chance"
SET = "needs prices in [cost], as in --set cost.watts=65"
COST = (
    Target.speed("Latency, 95 % of questions", 1.5, "p95_seconds", at_least=False, unit="s"),
    Target.speed("Questions a minute", 50, "queries_per_minute", format=".0f"),
    Target.speed(
        "Memory in training",
        4_096,
        "training_peak_memory_mb",
        at_least=False,
        format=",.0f",
        unit="MB",
        note="the original project's limit for a GPU; measured for the whole process",
    ),
    Target.speed(
        "Memory in use",
        2_048,
        "peak_memory_mb",
        at_least=False,
        format=",.0f",
        unit="MB",
        note="the original project's limit for a GPU; measured for the whole process, including "
        "memory that training has left in it",
    ),
    Target.speed(
        "Price of training", 1.0, "training_price", at_least=False, format=".2g", note=SET
    ),
    Target.speed(
        "Price of 1,000 questions", 1.0, "price_per_1000", at_least=False, format=".2g", note=SET
    ),
    Target.speed("Saved against an API", 0.95, "saving", format=".1%", note=SET),
)
"""The original project's targets for speed, memory and cost."""
TARGETS = (
    Target.drop(
        "Drop between categories", 0.10, "category",
        note="from the best category to the worst, on the primary metric",
    ),
    Target.drop(
        "Drop between lengths", 0.10, "length",
        note="the original project asks for consistent performance, read here as 10 %",
    ),
    Target.drop(
        "Drop on changed text", 0.10, "changed text",
        note="typos, case, missing punctuation, against the same reviews unchanged",
    ),
    *COST,
)  # fmt: skip
"""The original project's targets for robustness, speed and cost, for metrics to maximize."""
STARS = (
    *(
        Target.spread(
            f"Error between {plural}", 0.1 * (5 - 1), slice_name, unit="stars", format=".2f",
            note="largest mean error less the smallest; 10 % of the four stars from 1 to 5",
        )
        for plural, slice_name in (("categories", "category"), ("lengths", "length"))
    ),
    Target.spread(
        "Error between changed texts", 0.1 * (5 - 1), "changed text", unit="stars", format=".2f",
        note="typos, case, missing punctuation and the same reviews unchanged",
    ),
    Target.spread(
        "Error between sentiment classes", 0.05 * (5 - 1), "sentiment class", unit="stars",
        format=".2f", note="5 % of the four stars from 1 to 5",
    ),
    Target.worst(
        "Edge cases, worst kind", 1.6, "edge case", at_least=False, unit="stars", format=".2f",
        note="mean error; a guess among five stars is wrong by 1.6 on average",
    ),
    *COST,
)  # fmt: skip
"""The same for a task whose primary metric is the error in stars."""


def category(row: Row) -> str | None:
    """The product's category; ``None`` for challenge rows."""
    return (row["category"] or None) if not row["suite"] else None


def length(row: Row, column: str) -> str | None:
    """The review's length in words and marks, in the ranges of the original project."""
    if row["suite"]:
        return None
    tokens = texts.count_tokens(row[column])
    if tokens < 50:
        return "under 50 tokens"
    return "50–200 tokens" if tokens <= 200 else "over 200 tokens"


def edge_case(row: Row) -> str | None:
    """What makes a hand-written edge case hard; ``None`` for other rows."""
    suite = str(row["suite"])
    return None if not suite or suite.startswith(CHANGED) else suite


def changed(row: Row) -> str | None:
    """How a test review was changed; "clean" for its unchanged copy, ``None`` for other rows."""
    suite = str(row["suite"])
    return suite.removeprefix(CHANGED) if suite.startswith(CHANGED) else None
