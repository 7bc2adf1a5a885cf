"""The line that starts from a run: it makes the run's settings again, with what was changed."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from toolkit.errors import ToolkitError
from toolkit.plugins import recipes
from toolkit.runs.run import STAGES, Run
from toolkit_playground.state.start import fields, line
from toolkit_price_regression.task import PriceRegression


@pytest.fixture
def run(tmp_path: Path) -> Run:
    recipe = recipes.resolve(PriceRegression, sets=["training.max_steps=12", "lora.r=4"])
    info: dict[str, Any] = {
        "task": "price-regression",
        "recipe": recipes.as_dict(recipe),
        "source": {"data": "/data/my goods.csv", "text": ["title", "kind"], "limit": None,
                   "header": False, "near_duplicates": True},
        "seed": 3,
        "options": {"seeds": 1, "store_data": False, "allow_truncation": False,
                    "trust_remote_code": True},
    }  # fmt: skip
    made = Run.create(tmp_path, info)
    made.info["stages"] = {name: {"state": "done"} for name in STAGES}
    return made


def option(words: list[str], name: str) -> list[str]:
    return [words[i + 1] for i, word in enumerate(words) if word == name]


def test_the_line_makes_the_run_again(run: Run) -> None:
    words = shlex.split(line(run, {}))
    assert words[:3] == ["toolkit", "run", "price-regression"]
    assert option(words, "--data") == ["/data/my goods.csv"]
    assert option(words, "--text") == ["title", "kind"] and option(words, "--seed") == ["3"]
    assert {"--no-header", "--near-duplicates", "--no-store-data"} < set(words)
    assert "--trust-remote-code" not in words  # who starts it says so, not who made the run
    made = recipes.resolve(
        PriceRegression, next(iter(option(words, "--recipe")), None), sets=option(words, "--set"),
        model=next(iter(option(words, "--model")), None),
    )  # fmt: skip
    assert recipes.as_dict(made) == run.info["recipe"]


def test_what_is_changed_in_the_form_is_in_the_line(run: Run) -> None:
    names = {field.name for field in fields(run)}
    assert {"data", "model", "recipe", "seed", "training.max_steps", "lora.r"} <= names
    words = shlex.split(
        line(run, {"seed": "0", "lora.r": "64", "model": "/m/other", "limit": "9", "text": "a"})
    )
    assert option(words, "--seed") == [] and option(words, "--model") == ["/m/other"]
    assert option(words, "--text") == ["a"] and option(words, "--limit") == []  # no field of it
    assert "lora.r=64" in option(words, "--set") and "lora.r=4" not in option(words, "--set")
    assert "training.max_steps=12" in option(words, "--set")


def test_a_setting_that_is_emptied_is_the_recipes_own(run: Run) -> None:
    assert "lora.r" not in line(run, {"lora.r": ""})


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"seed": "-1"}, "--seed takes a whole number"),
        ({"seed": "x"}, "--seed takes a whole number"),
        ({"seeds": "0"}, "--seeds takes a whole number"),
        ({"data": "a\nb"}, "one line"),
        ({"data": "x" * 3000}, "at most"),
        ({"training.max_steps": "many"}, "max_steps"),
    ],
)
def test_what_the_command_would_refuse_is_refused(
    run: Run, values: dict[str, str], said: str
) -> None:
    with pytest.raises(ToolkitError, match=said):
        line(run, values)


def test_what_stands_in_a_field_is_one_word_of_the_line(run: Run) -> None:
    for value in ("$(rm -rf x)", "a; b", "'", '"', "--trust-remote-code", "&& c"):
        words = shlex.split(line(run, {"data": value}))
        assert option(words, "--data") == [value]
