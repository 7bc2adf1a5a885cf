"""The verdict from comparisons alone: both tests, all baselines, few groups, and its sentences."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest

from judging_fixtures import METRICS
from toolkit.evaluation import verdict_sentence as words
from toolkit.evaluation.standing import Rival, clear, standing
from toolkit.evaluation.verdict import Verdict, decide
from toolkit.metrics import Metric, statistics
from toolkit.metrics.statistics import FEW_GROUPS, Comparison

ACCURACY = Metric("accuracy", lambda p, r: float(p == r), label="Accuracy", format=".3f")
MAE = METRICS[0]
NO_INTERVAL = (math.nan, math.nan)


def rival(
    name: str = "x",
    ends: tuple[float, float] = (0.1, 0.3),
    p: float = 0.001,
    *,
    difference: float | None = None,
    value: float = 0.5,
    n: int = 200,
    groups: int | None = None,
    note: str = "",
    baseline: bool = True,
) -> Rival:
    middle = sum(ends) / 2 if difference is None else difference
    return Rival(name, value, Comparison(middle, *ends, p, groups, note), n, baseline)


def answer(*rivals: Rival, **changes: Any) -> Verdict:
    n = max((r.n for r in rivals), default=200)
    return decide(ACCURACY, 0.7, rivals, **{"margin": 0.0, "n": n, **changes})


# -- one rival -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("low", "high", "greater", "p", "expected"),
    [
        (0.5, 1.5, True, 0.01, "beats"),
        (0.5, 1.5, False, 0.01, "beaten"),
        (-1.5, -0.5, False, 0.01, "beats"),
        (-1.5, -0.5, True, 0.01, "beaten"),
        (-0.1, 1.5, True, 0.01, "open"),  # the test alone decides nothing
        (0.5, 1.5, True, 0.125, "open"),  # nor does the interval
        (-1.5, -0.5, True, 0.05, "open"),
        (0.5, 1.5, True, math.nan, "open"),
        (0.01, 0.15, True, 0.01, "equal"),
        (-0.15, 0.1, False, 0.8, "equal"),
    ],
)
def test_standing(low: float, high: float, greater: bool, p: float, expected: str) -> None:
    metric = dataclasses.replace(MAE, greater_is_better=greater)
    assert standing(metric, rival(ends=(low, high), p=p, value=10.0), margin=0.02) == expected


@pytest.mark.parametrize(
    ("n", "groups", "p", "expected"),
    [
        (200, 12, 0.001, 1),
        (200, 12, 0.06, 0),
        (12, None, 0.001, 1),  # rows count as groups where there are none
        (200, FEW_GROUPS, 0.001, 0),  # enough groups, so an interval is needed
        (200, None, 0.001, 0),
    ],
)
def test_without_an_interval_only_an_exact_test_on_few_groups_decides(
    n: int, groups: int | None, p: float, expected: int
) -> None:
    compared = rival(ends=NO_INTERVAL, difference=0.2, p=p, groups=groups).compared
    assert clear(compared, n) == expected
    assert clear(dataclasses.replace(compared, difference=-0.2), n) == -expected


def test_few_groups_are_never_equal() -> None:
    few = rival(ends=(-0.001, 0.001), p=0.9, groups=FEW_GROUPS - 1)
    assert standing(ACCURACY, few, margin=0.1) == "open"
    enough = rival(ends=(-0.001, 0.001), p=0.9, groups=FEW_GROUPS)
    assert standing(ACCURACY, enough, margin=0.1) == "equal"


@pytest.mark.parametrize(
    ("ends", "note", "expected"),
    [
        ((-0.001, 0.001), "", "equal"),
        ((-0.001, 0.001), "the groups are very unequal", "open"),
        ((0.0, 0.0), "the two are equal on every row", "equal"),
    ],
)
def test_an_interval_that_may_not_hold_shows_no_equality(
    ends: tuple[float, float], note: str, expected: str
) -> None:
    assert standing(ACCURACY, rival(ends=ends, p=0.9, note=note), margin=0.1) == expected


# -- all baselines -------------------------------------------------------------------------------
BASE = rival("base", baseline=False)


def test_one_undecided_baseline_of_many_leaves_the_answer_open() -> None:
    clear_ones = [rival(f"weak-{i}", ends=(0.2, 0.4), value=0.4) for i in range(5)]
    found = answer(BASE, *clear_ones, rival("knn", ends=(-0.02, 0.06), p=0.4, value=0.3))
    assert found.worth_it is None and found.against == "knn"
    assert found.sentence == (
        "Cannot tell with 200 test rows: the adapter's accuracy of 0.700 is not clearly different "
        "from that of the baseline knn (0.020 higher, 95 % interval of the difference −0.020 to "
        "0.060), though 0.200 (0.100 to 0.300) higher than that of the base model."
    )
    assert answer(BASE, *clear_ones).worth_it is True


def test_a_baseline_that_is_better_decides_against_all_others() -> None:
    found = answer(
        BASE,
        rival("open", ends=(-0.1, 0.1), p=0.9),
        rival("better", ends=(-0.3, -0.1), value=0.9),
        rival("a-little-better", ends=(-0.2, -0.05), value=0.82),
        best_baseline="open",
    )
    assert (found.worth_it, found.against, found.best_baseline) == (False, "better", "open")
    assert (
        "0.200 (0.100 to 0.300) lower than that of the strongest of 3 baselines, better, though"
        in (found.sentence)
    )
    assert (
        "Nor does the adapter beat a-little-better (better), open (not clearly different)."
        in found.caveats
    )


def test_the_base_model_must_be_beaten_too() -> None:
    base = rival("base", ends=(-0.1, 0.1), p=0.9, baseline=False)
    found = answer(base, rival("knn"))
    assert found.worth_it is None and found.against == "knn"
    assert "not clearly different from that of the base model" in found.sentence
    assert found.sentence.endswith(
        "though 0.200 (0.100 to 0.300) higher than that of the baseline knn."
    )


def test_significant_by_the_interval_alone_is_said() -> None:
    found = answer(BASE, rival("knn", ends=(0.01, 0.05), p=0.125))
    assert found.worth_it is None
    assert (
        "interval of the difference 0.010 to 0.050, but p = 0.12 in the paired test)"
        in found.sentence
    )


def test_with_no_true_difference_worth_it_is_rare_however_many_baselines_there_are() -> None:
    """Berger's theorem on a hard case: one equal rival among several that are far behind."""
    rng, wins = np.random.default_rng(7), 0
    for trial in range(60):
        ours = rng.normal(0, 1, 60)
        rivals = []
        for number, shift in enumerate((0.0, -5.0, -5.0)):
            theirs = rng.normal(shift, 1, 60)
            compared = statistics.paired(ACCURACY, ours, theirs, resamples=200, seed=trial)
            rivals.append(Rival(f"{number}", float(theirs.mean()), compared, 60))
        wins += answer(*rivals).worth_it is True
    assert wins <= 5  # 2.5 % of 60 is 1.5; more than 5 has a chance of 0.4 %


# -- without an interval -------------------------------------------------------------------------
def test_a_comparison_without_an_interval_cannot_decide_and_says_why() -> None:
    note = "a few residuals make up most of the figure"
    found = answer(BASE, rival("knn", NO_INTERVAL, 0.001, difference=0.2, note=note))
    assert found.worth_it is None
    assert "(0.200 higher, p = 0.001, no interval)" in found.sentence
    assert found.sentence.endswith("A few residuals make up most of the figure.")
    assert not any("residuals" in caveat for caveat in found.caveats)


def test_what_an_interval_does_not_hold_for_is_a_caveat() -> None:
    found = answer(BASE, rival("knn", note="one group holds half of the rows"))
    assert found.worth_it is True
    assert "One group holds half of the rows." in found.caveats


def test_an_undefined_difference_decides_nothing() -> None:
    nothing = rival("knn", NO_INTERVAL, math.nan, difference=math.nan)
    found = answer(BASE, nothing)
    assert found.worth_it is None and "the difference has no figure" in found.sentence


# -- few groups ----------------------------------------------------------------------------------
def test_few_groups_are_explained() -> None:
    open_ = rival("knn", NO_INTERVAL, 0.07, difference=0.2, groups=8)
    found = answer(BASE, open_, groups=8)
    assert found.sentence.startswith("Cannot tell with 200 test rows of 8 groups: ")
    (told,) = [caveat for caveat in found.caveats if "independent" in caveat]
    assert told.startswith("The test rows hold 8 groups that are independent. Below 20 no interval")
    assert "nothing can be shown" not in told
    assert "smallest p that it can give is 0.062: nothing can be shown" in str(words.few(100, 5))
    assert words.few(100, None) is None and words.few(100, FEW_GROUPS) is None
    assert "19 rows" in str(words.few(19, None))


def test_an_exact_test_over_few_groups_may_decide() -> None:
    strong = [
        rival(name, NO_INTERVAL, 0.002, difference=0.2, groups=12, baseline=name != "base")
        for name in ("base", "knn")
    ]
    found = answer(*strong, groups=12)
    assert found.worth_it is True
    assert (
        "0.200 (p = 0.002 in the exact test over 12 groups, no interval) higher" in found.sentence
    )
    assert any("12 groups that are independent" in caveat for caveat in found.caveats)


# -- training that ended early -------------------------------------------------------------------
EARLY = words.unfinished(
    {"share": 0.1449, "minutes_needed": 23.2, "reason": "the limit of 4 minutes"}
)


def test_a_model_that_was_hardly_trained_is_not_called_not_worth_it() -> None:
    assert EARLY == (
        "Training ended after 14 % of its schedule (the limit of 4 minutes); about 24 more minutes "
        "would finish it."
    )
    worse = rival("tfidf", ends=(-0.4, -0.2), value=0.9)
    assert answer(BASE, worse).worth_it is False
    found = answer(BASE, worse, unfinished=EARLY, synthetic=True)
    assert found.worth_it is None and found.unfinished == EARLY
    assert found.sentence.startswith(
        "Cannot tell yet, on SYNTHETIC data: training ended after 14 % of its schedule (the limit "
        "of 4 minutes); about 24 more minutes would finish it. So far the adapter's accuracy of "
        "0.700 is 0.300 (0.200 to 0.400) lower than that of"
    )


def test_open_stays_open_and_worth_it_stays_worth_it_where_training_ended_early() -> None:
    found = answer(BASE, rival("knn", ends=(-0.1, 0.1), p=0.9), unfinished=EARLY)
    assert found.sentence.startswith("Cannot tell yet: ")
    better = answer(BASE, rival("knn"), unfinished=EARLY)
    assert better.worth_it is True and better.unfinished is None
    assert EARLY in better.caveats


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (None, None),
        ({}, None),
        ({"share": 0.999, "minutes_needed": None, "reason": ""},
         "Training ended after 99 % of its schedule."),
        ({"share": 1.0, "minutes_needed": 0.2, "reason": "validation was still improving."},
         "Training ended after 100 % of its schedule (validation was still improving); about 1 "
         "more minute would finish it."),
    ],
)  # fmt: skip
def test_the_sentence_on_training_that_ended_early(found: Any, sentence: str | None) -> None:
    assert words.unfinished(found) == sentence


def test_nothing_to_compare_with() -> None:
    found = answer()
    assert found.worth_it is None and found.against is None
    assert "neither a base model nor a baseline" in found.sentence
