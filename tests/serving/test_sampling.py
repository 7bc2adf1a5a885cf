"""Sampling for each text of a batch: the right distribution, and a seed that decides alone."""

from __future__ import annotations

import collections
import math

import pytest
import scipy.stats
import torch

from toolkit_serving.sampling import Sampling, TokenScores

SCORES = torch.tensor([2.0, 1.0, 0.0, -1.0, -30.0])


def drawn(sampling: Sampling, count: int) -> list[int]:
    state = TokenScores(sampling)
    return [int(state(SCORES.clone()).argmax()) for _ in range(count)]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_tokens_come_as_often_as_the_softmax_says(temperature: float) -> None:
    found = collections.Counter(drawn(Sampling(temperature, seed=1), 4000))
    wanted = torch.softmax(SCORES.double() / temperature, 0).tolist()
    seen = [found[token] for token in range(4)]
    expected = [4000 * share for share in wanted[:4]]
    scale = sum(seen) / sum(expected)
    assert scipy.stats.chisquare(seen, [scale * one for one in expected]).pvalue > 0.001
    assert found[4] == 0


def test_top_p_keeps_the_fewest_tokens_that_reach_it() -> None:
    shares = torch.softmax(SCORES, 0).tolist()  # 0.64, 0.24, 0.09, 0.03
    assert set(drawn(Sampling(1.0, top_p=shares[0] - 0.01, seed=2), 200)) == {0}
    assert set(drawn(Sampling(1.0, top_p=shares[0] + 0.01, seed=2), 400)) == {0, 1}
    assert set(drawn(Sampling(1.0, top_p=0.95, seed=2), 800)) == {0, 1, 2}


def test_a_seed_decides() -> None:
    one, same, other = (drawn(Sampling(1.0, seed=seed), 30) for seed in (5, 5, 6))
    assert one == same != other
    assert len({tuple(drawn(Sampling(1.0), 30)) for _ in range(4)}) > 1
    assert drawn(Sampling(1.0, seed=-1), 5) == drawn(Sampling(1.0, seed=2**63 - 1), 5)


def test_greedy_scores_stay_as_they_are_and_are_told() -> None:
    state = TokenScores(Sampling(top=2))
    assert torch.equal(state(SCORES.clone()), SCORES) and not state.plain
    state.chosen(0)
    (kept,) = state.scored
    shares = torch.softmax(SCORES, 0).tolist()
    assert kept.token == 0 and kept.logprob == pytest.approx(math.log(shares[0]), abs=1e-5)
    assert [token for token, _ in kept.top] == [0, 1]
    assert TokenScores(Sampling()).plain
