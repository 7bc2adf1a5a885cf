"""Made-up rows with several answers each: topics of messages, and numbers of recipes."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

TOPICS = {
    "billing": ("the invoice is wrong", "I was charged twice", "my refund is missing"),
    "delivery": ("the parcel is late", "the driver left it outside", "nothing has arrived"),
    "login": ("my password fails", "I cannot sign in", "the account is locked"),
}


def label_rows(count: int = 120) -> list[dict[str, Any]]:
    """Messages with none, one or several of three topics; some topics are rarer than others."""
    chance = random.Random(0)
    rows = []
    for number in range(count):
        topics = [t for t, share in zip(TOPICS, (0.6, 0.4, 0.2), strict=True)
                  if chance.random() < share]  # fmt: skip
        said = [chance.choice(TOPICS[topic]) for topic in topics] or ["thanks for the quick help"]
        rows.append({"text": f"Order {number}: {', '.join(said)}.", "labels": topics})
    return rows


def number_rows(count: int = 120) -> list[dict[str, Any]]:
    """Dishes with their minutes and their calories, of which both follow from the text."""
    chance = random.Random(1)
    rows = []
    for number in range(count):
        minutes, eggs = chance.choice((5, 10, 20, 40)), chance.randint(1, 6)
        rows.append(
            {
                "text": f"Dish {number}: fry {eggs} eggs for {minutes} minutes.",
                "minutes": float(minutes),
                "kcal": 90.0 * eggs + chance.randint(0, 9),
            }
        )
    return rows


def write_csv(path: Path, rows: Sequence[dict[str, Any]], separator: str = "; ") -> Path:
    """Rows as a CSV file, lists as texts between separators."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        for row in rows:
            writer.writerow(
                {k: separator.join(v) if isinstance(v, list) else v for k, v in row.items()}
            )
    return path


def write_jsonl(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    """Rows as JSON lines, lists as lists."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
