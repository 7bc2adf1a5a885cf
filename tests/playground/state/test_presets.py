"""Presets: named values of the sampling controls."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from toolkit_playground.state.presets import PRESETS, Preset, measured, told
from toolkit_playground.state.writing import sampling


def engine(**generation: Any) -> Any:
    run = SimpleNamespace(info={"seed": 7, "recipe": {"generation": generation}})
    return SimpleNamespace(text_model=SimpleNamespace(answer_room=24), run=run)


def test_as_measured_has_the_settings_of_the_run() -> None:
    found = measured(engine())
    assert (found.new_tokens, found.seed, found.preset, found.further) == (24, 7, Preset(0.0), ())
    drawn = measured(engine(do_sample=True, temperature=0.6, top_k=20, repetition_penalty=1.2))
    assert drawn.preset == Preset(0.6, 1.0, 20, 1.2)
    assert measured(engine(do_sample=True)).preset == Preset(1.0, 1.0, 50)
    assert measured(engine(temperature=0.6)).preset == Preset(0.0)  # greedy all the same
    beams = measured(engine(num_beams=4, no_repeat_ngram_size=3))
    assert beams.further == ("num_beams=4", "no_repeat_ngram_size=3")
    assert measured(engine(num_beams=1)).further == ()


def test_every_preset_is_one_that_the_controls_can_have() -> None:
    for name, one in PRESETS.items():
        made = sampling(64, one.temperature, one.top_p, one.top_k, one.penalty)
        assert made.generation["do_sample"] is (name != "Greedy") and told(name, one)
