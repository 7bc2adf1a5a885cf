"""What is said of sides beside each other: correct, nearer, equal, and never more than that."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from toolkit import Metric
from toolkit.metrics import whole_set_metric
from toolkit_playground.rendering.comparison import judged


def readings(metric: Metric, *found: Any, parsed: bool = True, others: Any = ()) -> Any:
    task = SimpleNamespace(
        metric=lambda: metric, metrics=(metric, *others), reference=lambda row: row["price"]
    )
    side = SimpleNamespace(task=task, label="base")
    return [
        SimpleNamespace(side=side, answer={"prediction": one, "parsed": parsed, "raw": None})
        for one in found
    ]


ERROR = Metric(
    "mae", per_example=lambda found, true: abs(found - true), greater_is_better=False,
    label="mean absolute error", unit="$",
)  # fmt: skip
EXACT = Metric(
    "exact", per_example=lambda found, true: float(found == true), greater_is_better=True,
    label="exact match",
)  # fmt: skip
OVERLAP = Metric(
    "overlap", per_example=lambda found, true: found / true, greater_is_better=True, label="overlap"
)


F1 = Metric("f1", per_example=lambda found, true: (found, true), aggregate=lambda *parts: 0.0)
WHOLE = whole_set_metric("share", lambda found, true: 0.0)


@pytest.mark.parametrize(
    ("metric", "found", "words"),
    [
        (ERROR, (178.0, 200.0), ("nearer", "")),
        (ERROR, (22.0, 178.0), ("equal", "equal")),
        (ERROR, (100.0, 178.0), ("correct", "")),
        (ERROR, (178.0,), ("",)),
        (EXACT, (100.0, 3.0), ("correct", "not correct")),
        (EXACT, (1.0, 3.0), ("not correct", "not correct")),
        (OVERLAP, (50.0, 20.0), ("nearer", "")),
        (OVERLAP, (100.0, 20.0), ("correct", "")),
    ],
)  # fmt: skip
def test_words_of_verdicts(
    metric: Metric, found: tuple[float, ...], words: tuple[str, ...]
) -> None:
    for page, word in zip(judged(readings(metric, *found), {"price": 100.0}), words, strict=True):
        said = page.split(">", 1)[1]
        assert ("✓" in page) == (word == "correct") and ("✗" in page) == (word == "not correct")
        assert "right" not in said
        for other in ("nearer", "equal"):
            assert (other in said) == (word == other)
        if word.endswith("correct"):
            assert word in said


@pytest.mark.parametrize("primary", [F1, WHOLE])
def test_where_the_primary_metric_is_of_all_rows_the_first_of_single_rows_judges(
    primary: Metric,
) -> None:
    row = {"price": 100.0}
    pages = judged(readings(primary, 100.0, 3.0, others=(EXACT, ERROR)), row)
    assert ["✓" in page for page in pages] == [True, False] and "not correct" in pages[1]
    assert not any("correct" in page for page in judged(readings(primary, 100.0, 3.0), row))


def test_what_cannot_be_read_is_said() -> None:
    (page,) = judged(readings(ERROR, 5.0, parsed=False), {"price": 100.0})
    assert "unreadable, so the fallback counts" in page
