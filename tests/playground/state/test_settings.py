"""What was set for a run: ``--set`` with it leads from the recipe to the run's settings again."""

from __future__ import annotations

from typing import Any

import pytest

from toolkit.plugins import recipes
from toolkit_playground.state.settings import changed, differences, recipe_of, written
from toolkit_price_regression.task import PriceRegression

SETS = [
    "training.max_steps=12", "training.learning_rate=0.009", "training.bf16=false",
    "training.report_to=none", "lora.r=4", "lora.target_modules=[q_proj, v_proj]",
    "training.model_init_kwargs.dtype=float32", "task.sigma=0.2", 'training.run_name="a b, $(c)"',
    'generation.stop_strings=["x", "y\\n"]',
]  # fmt: skip


def test_what_differs_leads_from_the_recipe_to_the_run() -> None:
    plain = recipes.resolve(PriceRegression)
    there = recipes.changed(
        plain, [s.replace("[q_proj, v_proj]", '["q_proj", "v_proj"]') for s in SETS]
    )
    found = differences(recipes.as_dict(there), recipes.as_dict(plain))
    assert len(found) >= len(SETS) - 2  # those that the recipe has itself are no difference
    assert recipes.as_dict(recipes.changed(plain, found)) == recipes.as_dict(there)
    assert differences(recipes.as_dict(plain), recipes.as_dict(plain)) == []


@pytest.mark.parametrize(
    "value",
    ["plain", "none", "true", "with blank", 'quo"te', "1e5", "", True, 3, 0.001, None,
     ["a", "b"], {"a": "none", "b": {"c": 1}}],
)  # fmt: skip
def test_a_value_is_read_back_as_it_is(value: Any) -> None:
    found = recipes.changed(recipes.resolve(PriceRegression), [f"generation.x={written(value)}"])
    assert found.generation["x"] == value and type(found.generation["x"]) is type(value)


def test_a_recipe_of_an_unknown_name_counts_as_changed_from_the_first() -> None:
    first = recipes.as_dict(recipes.resolve(PriceRegression))
    assert recipe_of(PriceRegression, {"name": "mine"}) == first


def test_where_the_task_is_not_installed_its_command_says_what_was_set(library: Any) -> None:
    run = library.given[0]
    run.info["command"] = "toolkit run mine.py --set lora.r=4 --seed 3 --set training.max_steps=9"
    assert changed(run) == ["lora.r=4", "training.max_steps=9"]
