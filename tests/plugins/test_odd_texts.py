"""Baselines on files of odd texts: no word, one word, no two alike; none of them breaks a run."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from toolkit import Source
from toolkit.preparation.prepare import prepare
from toolkit_price_regression.task import PriceRegression
from toolkit_review_augmentation.classifying import ReviewSentiment
from toolkit_summarization.claim_task import ClaimReport
from toolkit_summarization.task import Summarization

TEXTS: dict[str, Callable[[int], str]] = {
    "numbers": lambda n: str(1000 + n),
    "codes": lambda n: f"x{n:06d}q",
    "marks": lambda n: "!" * (n + 1),
    "emoji": lambda n: "😀" * (n % 70 + 1) + "🎉" * (n // 70 + 1),
    "characters": lambda n: chr(0x4E00 + n),
    "stop words": lambda n: "the a of " * (n % 40 + 1) + "is it " * (n // 40 + 1),
    "lines": lambda n: f"{n}\n\n.\n{n * 7}",
}
TARGETS: dict[type, Callable[[str, int], Any]] = {
    Summarization: lambda text, n: text[: max(1, len(text) // 2)] + "y",
    ClaimReport: lambda text, n: f"{text} k",
    PriceRegression: lambda text, n: n + 1,
    ReviewSentiment: lambda text, n: ("negative", "neutral", "positive")[n % 3],
}


@pytest.mark.parametrize("task", TARGETS, ids=lambda task: task.name)
@pytest.mark.parametrize("kind", TEXTS)
@pytest.mark.parametrize("number", [60, 240])
def test_baselines_take_odd_texts(tmp_path: Path, task: type, kind: str, number: int) -> None:
    with (tmp_path / "a.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["text", "target"])
        for n in range(number):
            text = TEXTS[kind](n)
            table.writerow([text, TARGETS[task](text, n)])
    made = task()
    source = Source(data=str(tmp_path / "a.csv"), text=("text",), target="target")
    splits = prepare(made, source).splits
    for name, fit in made.baselines().items():
        if "embedding" not in name:
            predicted = fit(splits["train"])(splits["test"])
            assert len(predicted) == len(splits["test"]), name
