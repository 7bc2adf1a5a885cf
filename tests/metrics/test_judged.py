"""Several scores of one judge: asked once a row, and what becomes of rows that it fails on."""

from __future__ import annotations

from typing import Any

import pytest

from toolkit.errors import PluginError, UsageError
from toolkit.metrics import Metric, judge_metrics


def test_the_judge_is_asked_once_for_all_scores() -> None:
    asked: list[Any] = []

    def judge(prediction: str, reference: str) -> dict[str, float]:
        asked.append(prediction)
        return {"length": len(prediction), "same": float(prediction == reference)}

    length, same = judge_metrics(judge, length={"greater_is_better": False, "unit": "c"}, same={})
    assert (length.name, length.unit, same.greater_is_better) == ("length", "c", True)
    assert [length.per_example("ab", "ab"), same.per_example("ab", "ab")] == [2.0, 1.0]
    assert same.per_example("b", "ab") == 0.0 and asked == ["ab", "b"]


def test_a_judge_of_many_rows_gets_the_new_ones_together() -> None:
    batches: list[int] = []

    def judge(predictions: list[str], references: list[str]) -> list[Any]:
        batches.append(len(predictions))
        return [{"good": len(p)} if p else ValueError("nothing to judge") for p in predictions]

    (good,) = judge_metrics(judge, together=True, on_failure="leave-out", good={})
    assert good.prepare is not None
    good.prepare(["a", "bb", "a"], ["r", "r", "r"])
    good.prepare(["a", ""], ["r", "r"])
    assert batches == [2, 1] and good.per_example("bb", "r") == 2.0
    with pytest.raises(PluginError, match="failed with ValueError: nothing to judge"):
        good.per_example("", "r")
    assert good.of_row("", "r") is None


def test_a_wrong_number_of_answers_and_a_missing_score_are_said() -> None:
    (few,) = judge_metrics(lambda predictions, references: [], together=True, a={})
    with pytest.raises(PluginError, match="gave 0 answers for 1 rows"):
        few.per_example("x", "y")
    (missing,) = judge_metrics(lambda p, r: {"other": 1}, a={})
    with pytest.raises(PluginError, match=r"gave no 'a', but \{'other': 1\}"):
        missing.per_example("x", "y")


def test_a_failure_is_kept_and_not_asked_about_again() -> None:
    calls: list[int] = []

    def judge(prediction: str, reference: str) -> dict[str, float]:
        calls.append(1)
        raise TimeoutError("no answer")

    one, two = judge_metrics(judge, one={}, two={})
    for metric in (one, two, one):
        with pytest.raises(PluginError, match="TimeoutError: no answer"):
            metric.per_example("x", "y")
    assert len(calls) == 1


def test_an_unknown_policy_is_refused() -> None:
    with pytest.raises(UsageError, match="on_failure is 'skip'; it can be stop, leave-out, fall"):
        Metric("a", lambda p, r: 1.0, on_failure="skip")
