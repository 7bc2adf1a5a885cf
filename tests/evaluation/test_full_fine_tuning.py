"""What a run took beside estimates for training all parameters."""

from __future__ import annotations

import pytest

from toolkit.evaluation import full_fine_tuning
from toolkit.reporting import run_details

INFO = {
    "recipe": {"training": {}},
    "training": {
        "parameters_trained": 1_000, "parameters_total": 1_000_000, "seconds": 60.0,
        "tokens_per_second": 900.0, "checkpoint_mb": 0.5,
    },
}  # fmt: skip
PREFLIGHT = {
    "memory": {
        "training_peak_mb": 40.0,
        "full": {"parameters": 999_000, "training_peak_mb": 60.0, "checkpoint_mb": 4.0},
    }
}


def test_a_small_adapter_saves_a_third_of_the_time():
    found = full_fine_tuning.beside(INFO, PREFLIGHT)
    assert found["seconds"]["full"] == pytest.approx(90, rel=0.01)
    assert found["tokens_per_second"]["full"] == pytest.approx(600, rel=0.01)
    assert found["memory_mb"] == {"run": 40.0, "full": 60.0}
    assert found["checkpoint_mb"] == {"run": 0.5, "full": 4.0}


def test_an_adapter_as_large_as_its_model_saves_nothing_and_checkpointing_saves_less():
    assert full_fine_tuning.times_longer(100, 100, checkpointing=False) == 1
    assert full_fine_tuning.times_longer(0, 100, checkpointing=True) == pytest.approx(8 / 6)


@pytest.mark.parametrize(
    ("info", "preflight"),
    [
        (INFO, {}),  # an older run, or one whose memory was not estimated
        (INFO, {"memory": {"training_peak_mb": 40.0, "full": None}}),  # all parameters are trained
        ({**INFO, "training": None}, PREFLIGHT),  # nothing was trained
    ],
)
def test_without_its_parts_there_is_no_comparison(info, preflight):
    assert full_fine_tuning.beside(info, preflight) is None


def test_the_report_says_that_it_is_an_estimate_and_shows_both_figures():
    doc = {"full_fine_tuning": full_fine_tuning.beside(INFO, PREFLIGHT)}
    (title,) = [t for t in run_details.surroundings(INFO, doc) if "all parameters" in t]
    assert "estimated" in title
    table = run_details.surroundings(INFO, doc)[title]
    lines = {name: text.replace("\N{NO-BREAK SPACE}", " ") for name, text in table}
    assert "60 MB" in lines["peak memory"] and "40 MB" in lines["peak memory"]
    assert "4.0 MB" in lines["checkpoint"] and "0.5 MB" in lines["checkpoint"]
    assert not run_details.surroundings(INFO, {})[title]  # an older metrics.json
