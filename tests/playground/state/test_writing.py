"""Sampling settings from the page's controls."""

from __future__ import annotations

import pytest

from toolkit.errors import UsageError
from toolkit_playground.state.writing import Sampling, sampling


def test_sampling_is_greedy_unless_asked_and_nonsense_is_refused() -> None:
    assert sampling(10, 0, 1, 0, 1, None) == Sampling({
        "max_new_tokens": 10, "num_beams": 1, "do_sample": False, "repetition_penalty": 1.0,
    }, seed=0)  # fmt: skip
    sampled = sampling(10, 0.7, 0.9, 40, 1.2, 7)
    assert (sampled.seed, sampled.new_tokens) == (7, 10)
    assert sampled.generation["do_sample"] and sampled.generation["repetition_penalty"] == 1.2
    for wrong in ((0, 0, 1, 0, 1), (10**6, 0, 1, 0, 1), (5, -1, 1, 0, 1), (5, 1, 0, 0, 1)):
        with pytest.raises(UsageError):
            sampling(*wrong)
