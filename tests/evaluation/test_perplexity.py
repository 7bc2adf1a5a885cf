"""Perplexity and the table of what training gained, and the results beside the adapter."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from toolkit.evaluation import perplexity as gains
from toolkit.evaluation import trainer_results
from toolkit.reporting import tables
from toolkit.runs.predictions import System


def system(name: str, losses: list[Any]) -> System:
    rows = {i: {"target_loss": loss, "metrics": {}} for i, loss in enumerate(losses)}
    return System(name, name, {}, {"test": rows})


def test_perplexity_is_per_token_not_per_row() -> None:
    found = gains.perplexity(system("base", [[2.0, 1], [1.0, 9]]))
    assert found and found["value"] == pytest.approx(math.exp(3.0 / 10))
    assert gains.perplexity(system("base", [[2.0, 1], None])) is None


def test_the_gain_is_paired() -> None:
    random = np.random.default_rng(0)
    hard = random.uniform(1, 60, 80)
    base = system("base", [[loss, 10] for loss in hard])
    ours = system("adapter", [[loss - 0.5, 10] for loss in hard])
    gain = gains.perplexity_gain(ours, base)
    assert gain and gain["high"] < 0 and (gain["a"], gain["b"]) == ("adapter", "base")
    assert gains.perplexity_gain(ours, None) is None


def document(**changes: Any) -> dict[str, Any]:
    def one(role: str, rouge: float, perplexity: float, hit: int) -> dict[str, Any]:
        return {
            "role": role, "n": 50, "hit_limit": hit, "predict_seconds": 2.0,
            "metrics": {"rouge1": {"value": rouge}},
            "perplexity": {"value": perplexity, "low": 1.0, "high": 2.0},
        }  # fmt: skip

    compared = {"a": "adapter", "b": "base", "difference": 0.3, "low": 0.2, "high": 0.4, "p": 0.01}
    return {
        "metrics": [{"name": "rouge1", "label": "ROUGE-1", "format": ".3f", "unit": "",
                     "greater_is_better": True}],
        "systems": {"base": one("base", 0.2, 8.0, 10), "adapter": one("adapter", 0.5, 2.0, 0)},
        "comparisons": [{**compared, "metric": "rouge1"}],
        "perplexity_gain": {**compared, "difference": -6.0, "low": -7.0, "high": -5.0},
        **changes,
    }  # fmt: skip


def test_the_table_has_absolute_and_relative_gains() -> None:
    rouge, perplexity, limit = tables.gains(document())
    assert (rouge["base"], rouge["ours"], rouge["gain"]) == ("0.200", "0.500", "+0.300")
    assert rouge["relative"] == "+150.0%" and rouge["result"] == "better"
    assert perplexity["gain"] == "−6.00" and perplexity["result"] == "better"
    assert (limit["base"], limit["ours"]) == ("20.0%", "0.0%")


@pytest.mark.parametrize(
    ("before", "after", "relative"),
    [
        (0.2, 0.5, "+150.0%"),
        (0.5, 0.0, "−100.0%"),
        (-0.464, 0.928, "–"),  # R²: "−300.0%, better" stood here
        (0.3, -0.1, "–"),
        (0.0, 0.4, "–"),
        (0.0004, 0.4, "–"),  # printed as 0.000
        (0.001, 0.3, "+29900.0%"),
        (float("nan"), 0.3, "–"),
        (0.2, float("nan"), "–"),
        (None, 0.3, "–"),
    ],
)
def test_a_relative_gain_is_only_told_of_figures_with_a_zero(
    before: float | None, after: float | None, relative: str
) -> None:
    found = document()
    found["systems"]["base"]["metrics"]["rouge1"]["value"] = before
    found["systems"]["adapter"]["metrics"]["rouge1"]["value"] = after
    assert tables.gains(found)[0]["relative"] == relative


def test_without_a_base_there_is_no_table() -> None:
    found = document()
    del found["systems"]["base"]
    assert tables.gains(found) == []


def test_the_results_have_the_form_of_trainers() -> None:
    found = trainer_results.figures(document(), "adapter")
    assert found["test_rouge1"] == 0.5 and found["test_samples"] == 50
    assert found["test_loss"] == pytest.approx(math.log(2.0))
    assert found["test_samples_per_second"] == 25.0
