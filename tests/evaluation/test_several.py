"""Holm's correction for several models that are judged at once."""

from __future__ import annotations

import numpy as np
import pytest

from toolkit.evaluation import several
from toolkit.evaluation.verdict import Verdict
from toolkit.metrics.statistics import Comparison
from toolkit.runs.predictions import System


def test_adjusted_p_values_are_holms() -> None:
    # The example of R's help page of p.adjust's method, computed by hand.
    assert several.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert several.holm([0.5]) == [0.5]
    assert several.holm([0.9, 0.8]) == [1.0, 1.0]


def test_one_false_claim_among_many_is_as_rare_as_of_one() -> None:
    random = np.random.default_rng(0)
    false = [min(several.holm(random.random(8).tolist())) < 0.05 for _ in range(4000)]
    assert np.mean(false) == pytest.approx(0.05, abs=0.012)


def _systems(*trained: str) -> list[System]:
    roles = {"base": "base", "cheap": "baseline", **dict.fromkeys(trained, "adapter")}
    return [System(name, role, {}, {}) for name, role in roles.items()]


def _worth(p: float) -> dict[str, Comparison]:
    return {name: Comparison(0.1, 0.05, 0.15, p) for name in ("base", "cheap", "a", "b")}


def _judge(systems: object, compared: object) -> Verdict:
    return Verdict(True, "Worth it: the adapter's accuracy is higher.", None, 0.0)


def test_a_claim_rests_on_its_weakest_comparison() -> None:
    compared = _worth(0.001) | {"cheap": Comparison(0.1, 0.0, 0.2, 0.04)}
    assert several.claim(_systems("a"), compared) == 0.04
    assert several.claim(_systems("a"), {}) == 1.0


def test_what_may_be_chance_is_not_called_worth_it() -> None:
    found = several.judged(_systems("a", "b"), {"a": _worth(0.03), "b": _worth(0.04)}, _judge)
    for verdict, p in found.values():
        assert verdict.worth_it is None and p == pytest.approx(0.06)
        assert "2 models were judged at once" in verdict.sentence
    found = several.judged(_systems("a", "b"), {"a": _worth(0.001), "b": _worth(0.04)}, _judge)
    assert [verdict.worth_it for verdict, _ in found.values()] == [True, True]
    assert "a (worth it), b (worth it)" in several.caveats(found, "a")[0]
