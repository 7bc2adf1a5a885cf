"""The list of runs as HTML: all that people choose by, and nobody's HTML."""

from __future__ import annotations

from hostile_run import PAYLOAD, injected
from toolkit_playground.rendering.run_picker import MOST_SETTINGS, picker
from toolkit_playground.state.run_list import Choice


def one(run: str, **values: object) -> Choice:
    plain = {"when": "2026-01-01 10:00", "task": "prices", "model": "llama", "place": "/m/llama",
             "verdict": "worth it", "figure": "12.35 $", "metric": "Error"}  # fmt: skip
    return Choice(run, **{**plain, **values})  # type: ignore[arg-type]


def test_the_chosen_run_stands_on_top_and_all_runs_behind_it() -> None:
    found = picker([one("a"), one("b", settings=("lora.r=4",))], "b")
    assert found.count('class="tk-pick"') == 2 and found.count("aria-current") == 1
    assert '<span class="tk-now" data-run="b">' in found
    assert "lora.r=4" in found and "as the recipe has it" in found and "2 runs" in found
    assert picker([one("a")], "gone").count("aria-current") == 1
    assert "No finished run yet" in picker([], None)


def test_many_settings_are_counted() -> None:
    sets = tuple(f"task.x{i}={i}" for i in range(MOST_SETTINGS + 3))
    assert "and 3 more" in picker([one("a", settings=sets)], "a")


def test_menus_hold_each_value_once() -> None:
    found = picker([one("a"), one("b"), one("c", task="notes")], "a")
    assert found.count("<option>prices</option>") == 1 and "<option>notes</option>" in found


def test_what_stands_in_a_run_stays_text() -> None:
    names = ("when", "task", "model", "place", "verdict", "figure", "metric")
    found = picker([one(PAYLOAD, **dict.fromkeys(names, PAYLOAD), settings=(PAYLOAD,))], PAYLOAD)
    assert not injected(found)
