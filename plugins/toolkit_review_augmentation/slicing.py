"""Parts of the test and stress rows that robustness is looked at in, and targets on them."""

from __future__ import annotations

from toolkit import Row, Target
from toolkit_review_augmentation import texts
from toolkit_review_augmentation.reviews import CHANGED

CHANCE = "accuracy; the seed asks for no complete failure, which is to be no worse than chance"
TARGETS = (
    Target.drop(
        "Drop between categories", 0.10, "category",
        note="from the best category to the worst, on the primary metric",
    ),
    Target.drop(
        "Drop between lengths", 0.10, "length",
        note="the seed asks for consistent performance; 10 % is this project's reading of it",
    ),
    Target.drop(
        "Drop on changed text", 0.10, "changed text",
        note="typos, case, missing punctuation, against the same reviews unchanged",
    ),
    Target.speed("Latency, 95 % of questions", 1.5, "p95_seconds", at_least=False, unit="s"),
    Target.speed("Questions a minute", 50, "queries_per_minute", format=".0f"),
)  # fmt: skip
"""The seed's targets on robustness and speed."""


def category(row: Row) -> str | None:
    """The product's category, of rows that are not stress rows."""
    return (row["category"] or None) if not row["suite"] else None


def length(row: Row, column: str) -> str | None:
    """Words and marks of the review, in the seed's bands."""
    if row["suite"]:
        return None
    tokens = texts.count_tokens(row[column])
    if tokens < 50:
        return "under 50 tokens"
    return "50–200 tokens" if tokens <= 200 else "over 200 tokens"


def edge_case(row: Row) -> str | None:
    """What makes a hand-written case hard."""
    suite = str(row["suite"])
    return None if not suite or suite.startswith(CHANGED) else suite


def changed(row: Row) -> str | None:
    """How a test review was changed; "clean" for its unchanged copy."""
    suite = str(row["suite"])
    return suite.removeprefix(CHANGED) if suite.startswith(CHANGED) else None
