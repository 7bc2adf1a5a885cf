"""What votes say."""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace
from typing import Any

import pytest

from toolkit.metrics.statistics import proportion
from toolkit_playground.state.store import Vote
from toolkit_playground.state.vote_statistics import (
    agreement,
    always_valid,
    duels,
    krippendorff,
    preferences,
    strengths,
    unanimity,
)

ORDER = ("base", "adapter")


def vote(left: str, right: str, choice: str, voter: str = "me", row_id: int | None = None) -> Vote:
    return Vote(voter, row_id is not None, row_id, "in", "prompt:", left, right,
                f" {left} says", f" {right} says", choice)  # fmt: skip


def test_the_sign_test_counts_sides_not_places() -> None:
    votes = [
        *[vote("base", "adapter", "right")] * 8, *[vote("adapter", "base", "left")] * 7,
        *[vote("adapter", "base", "right")] * 2, vote("base", "adapter", "tie"),
        vote("base", "adapter", "both-bad"),
    ]  # fmt: skip
    (duel,) = duels(votes, ORDER)
    assert (duel.a, duel.a_wins, duel.b_wins, duel.ties, duel.both_bad) == ("adapter", 15, 2, 1, 1)
    assert duel.share == pytest.approx(15 / 17) and duel.low < duel.share < duel.high
    # two-sided binomial: 2 * (C(17,0) + C(17,1) + C(17,2)) / 2**17
    assert duel.p == pytest.approx(2 * (1 + 17 + 136) / 2**17)


def test_undecided_votes_decide_nothing() -> None:
    (duel,) = duels([vote("base", "adapter", "tie")] * 5, ORDER)
    assert duel.decided == 0 and duel.p == 1.0 and math.isnan(duel.share)


def test_bradley_terry_finds_the_strengths_that_made_the_votes() -> None:
    # 2 : 1, 4 : 1 and 2 : 1 are the odds of strengths 0, log 2 and log 4.
    votes = [
        *[vote("a", "b", "right")] * 200, *[vote("a", "b", "left")] * 100,
        *[vote("b", "c", "right")] * 200, *[vote("b", "c", "left")] * 100,
        *[vote("a", "c", "right")] * 240, *[vote("a", "c", "left")] * 60,
    ]  # fmt: skip
    b, c = strengths(votes, ("a", "b", "c"))
    assert (b.side, c.side) == ("b", "c")
    assert b.value == pytest.approx(math.log(2), abs=0.02)
    assert c.value == pytest.approx(math.log(4), abs=0.02)
    assert b.low < math.log(2) < b.high < c.high and b.high - b.low < 0.6


def test_two_sides_need_no_strengths_and_a_clean_sweep_stays_finite() -> None:
    assert strengths([vote("base", "adapter", "left")], ORDER) == []
    swept = [vote("a", "b", "right")] * 9 + [vote("b", "c", "right")] * 9
    assert all(math.isfinite(s.high) for s in strengths(swept, ("a", "b", "c")))


def test_agreement_of_two_who_filled_in_the_sheet() -> None:
    one = [vote("base", "adapter", c, "one", i) for i, c in enumerate(("left", "right") * 5)]
    # The other saw the sides the other way round, and agrees on eight of ten.
    flipped = {"left": "right", "right": "left"}
    two = [
        vote("adapter", "base", flipped[v.choice] if i < 8 else v.choice, "two", i)
        for i, v in enumerate(one)
    ]
    (found,) = agreement(one + two)
    assert (found.a, found.b, found.rows, found.share) == ("one", "two", 10, 0.8)
    assert found.kappa == pytest.approx(0.6)


TRAINED = replace(
    vote("base", "adapter", "left", row_id=None), split="train", example='"prompt:"', written=True
)


def test_preferences_are_prompts_without_special_tokens() -> None:
    talk = [{"role": "user", "content": "hello"}]
    found = preferences(
        [
            TRAINED,
            replace(TRAINED, choice="right", split="own"),
            replace(TRAINED, example=json.dumps(talk)),
        ]
    )
    assert found.pairs == [
        {"prompt": "prompt:", "chosen": " base says", "rejected": " adapter says"},
        {"prompt": "prompt:", "chosen": " adapter says", "rejected": " base says"},
        {
            "prompt": talk,
            "chosen": [{"role": "assistant", "content": " base says"}],
            "rejected": [{"role": "assistant", "content": " adapter says"}],
        },
    ]
    assert not found.left_out


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"choice": "tie"}, "undecided"), ({"choice": "both-bad"}, "undecided"),
        ({"right_text": " base says"}, "undecided"), ({"split": "test"}, "on test rows"),
        ({"split": "validation"}, "on validation rows"), ({"split": ""}, "earlier version"),
        ({"split": "calibration"}, "on calibration rows"), ({"written": False}, "no text"),
        ({"left_cut": True}, "the limit has cut"), ({"right_cut": True}, "the limit has cut"),
    ],
)  # fmt: skip
def test_what_must_not_be_trained_on_is_left_out_and_counted(
    changes: dict[str, Any], reason: str
) -> None:
    found = preferences([replace(TRAINED, **changes)] * 2)
    assert found.pairs == [] and list(found.left_out.values()) == [2]
    assert reason in next(iter(found.left_out))


def test_agreement_of_many_is_krippendorffs_alpha() -> None:
    # K. Krippendorff, "Computing Krippendorff's alpha-reliability" (2011), examples A and C.
    one, two = "0100000010", "1110010000"
    assert krippendorff(list(zip(one, two, strict=True))) == pytest.approx(0.095, abs=5e-4)
    four = ("123321412...", "1233224125.3", ".3332342251.", "12332441251.")
    units = [[reader[i] for reader in four if reader[i] != "."] for i in range(12)]
    alpha = krippendorff([unit for unit in units if len(unit) > 1])
    assert alpha == pytest.approx(0.743, abs=5e-4)
    assert math.isnan(krippendorff([["a", "a"], ["a", "a"]]))
    votes = [vote("base", "adapter", "left", who, 1) for who in ("ann", "bob", "cy")]
    votes += [vote("base", "adapter", "right", who, 2) for who in ("ann", "bob")]
    found = unanimity(votes)
    assert found is not None and (found.voters, found.rows, found.alpha) == (3, 2, 1.0)
    assert unanimity([vote("base", "adapter", "left", "ann", 1)]) is None


def test_an_interval_that_is_looked_at_all_the_time_still_holds() -> None:
    """Of many courses of votes few ever leave the true share outside; Wilson's are left by more."""
    draw = random.Random(1)
    for true in (0.5, 0.8):
        missed = fixed = 0
        for _ in range(200):
            won = 0
            outside = outside_fixed = False
            for count in range(1, 121):
                won += draw.random() < true
                low, high = always_valid(won, count)
                assert 0 <= low <= won / count <= high <= 1
                outside |= not low <= true <= high
                wilson = proportion(won, count)
                outside_fixed |= not wilson.low <= true <= wilson.high
            missed, fixed = missed + outside, fixed + outside_fixed
        assert missed <= 16 and fixed > 2 * missed  # 10 expected at most, of 200
    assert always_valid(0, 0) == (0, 1)
    assert always_valid(0, 40)[0] == 0 and always_valid(0, 40)[1] < 0.2
    assert always_valid(40, 40)[1] == 1 and always_valid(40, 40)[0] > 0.8
