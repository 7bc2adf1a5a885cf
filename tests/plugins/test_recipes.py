"""Recipes: named, from a file, changed on the command line; what upstream lacks is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tiny_tasks import SMALL, TinyGoods, TinyPrices
from toolkit import Recipe
from toolkit.errors import RecipeError, UsageError
from toolkit.plugins import recipe_values
from toolkit.plugins.recipes import (
    SECTIONS,
    as_dict,
    check,
    from_dict,
    of,
    options_of_flags,
    resolve,
)


def set_(*items: str) -> Recipe:
    return resolve(TinyPrices, sets=items)


def check_upstream(recipe: Recipe) -> None:
    from trl import SFTConfig

    check(recipe, SFTConfig, TinyPrices.options)


# -- by name ---------------------------------------------------------------------------------------


def test_the_first_recipe_is_the_default() -> None:
    assert resolve(TinyPrices) is SMALL
    assert resolve(TinyPrices, "small") is SMALL


def test_an_unknown_name_is_told_with_the_nearest() -> None:
    with pytest.raises(RecipeError, match="did you mean 'small'"):
        resolve(TinyPrices, "smal")


def test_the_model_can_be_another() -> None:
    assert resolve(TinyPrices, model="some/model") == replace(SMALL, model="some/model")


# -- options of the task ---------------------------------------------------------------------------


def test_a_flag_sets_the_option_that_the_task_has() -> None:
    class Masking(TinyPrices):
        options = {**TinyPrices.options, "mask_target": False}

    sets = options_of_flags(Masking, ["--mask-target"])
    assert resolve(Masking, sets=sets).task == {**SMALL.task, "mask_target": True}
    assert options_of_flags(TinyPrices, []) == []
    with pytest.raises(UsageError, match=r"--mend sets the option task\.repair, which the task"):
        options_of_flags(Masking, ["--mend"])


# -- --set -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("3", 3),
        ("1e-3", 1e-3),
        (".5", 0.5),
        ("-2.", -2.0),
        ("true", True),
        ("False", False),
        ("none", None),
        ("null", None),
        ("adamw_torch", "adamw_torch"),
        ('"3"', "3"),
        ('["q_proj", "v_proj"]', ["q_proj", "v_proj"]),
        ("{a = 1}", {"a": 1}),
        ("", ""),
        ("a=b", "a=b"),
    ],
)
def test_values_are_read_as_toml_or_as_words(raw: str, value: Any) -> None:
    found = set_(f"training.x={raw}").training["x"]
    assert found == value
    assert type(found) is type(value)


def test_set_changes_a_field_and_nothing_else() -> None:
    changed = set_("lora.r=32")
    assert changed.lora == {**SMALL.lora, "r": 32}  # type: ignore[dict-item]
    assert changed.training == SMALL.training
    assert SMALL.lora is not None and SMALL.lora["r"] == 4


def test_later_sets_win() -> None:
    assert set_("lora.r=1", "lora.r=2").lora["r"] == 2  # type: ignore[index]


def test_set_reaches_into_tables() -> None:
    changed = set_("training.model_init_kwargs.dtype=float32", "training.model_init_kwargs.x=1")
    assert changed.training["model_init_kwargs"] == {"dtype": "float32", "x": 1}


def test_set_makes_a_section_that_was_none() -> None:
    assert set_("quantization.load_in_4bit=true").quantization == {"load_in_4bit": True}


@pytest.mark.parametrize("item", ["lora", "lora=1", "lora.=1", "=1", "r=32"])
def test_a_set_that_is_no_assignment_says_how_to_write_it(item: str) -> None:
    with pytest.raises(UsageError, match=r"write section\.field=value"):
        set_(item)


def test_an_unknown_section_is_told_with_the_nearest() -> None:
    with pytest.raises(RecipeError, match="did you mean 'lora'"):
        set_("lorra.r=3")


def test_a_field_of_what_is_no_table_is_refused() -> None:
    with pytest.raises(RecipeError, match="target_modules is 'all-linear' and has no fields"):
        set_("lora.target_modules.q_proj=true")


# -- files -----------------------------------------------------------------------------------------


def file(folder: Path, content: str) -> str:
    path = folder / "mine.toml"
    path.write_text(content, encoding="utf-8")
    return str(path)


def test_a_file_names_a_model_and_fields(tmp_path: Path) -> None:
    path = file(tmp_path, 'model = "some/model"\n[training]\nlearning_rate = 1e-4\n[lora]\nr = 8\n')
    found = resolve(TinyPrices, path, sets=["lora.r=9"])
    assert (found.name, found.model) == ("mine", "some/model")
    assert found.training == {"learning_rate": 1e-4}
    assert found.lora == {"r": 9}


def test_a_file_that_is_its_own_base_is_refused(tmp_path: Path) -> None:
    one, two = tmp_path / "one.toml", tmp_path / "two.toml"
    one.write_text(f'base = "{two}"\n')
    two.write_text(f'base = "{one}"\n')
    with pytest.raises(RecipeError, match="its own base"):
        resolve(TinyPrices, str(one))


def test_a_file_changes_a_base_recipe(tmp_path: Path) -> None:
    found = resolve(TinyPrices, file(tmp_path, 'base = "small"\n[training]\nbf16 = true\n'))
    assert found.model == SMALL.model
    assert found.training == {**SMALL.training, "bf16": True}
    assert found.lora == SMALL.lora


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('model = "x"\n[trainig]\n', "did you mean 'training'"),
        ("[training]\n", "neither a model nor a base"),
        ('base = "smal"\n', "did you mean 'small'"),
        ('model = "x"\nlora = 3\n', r"\[lora\] must be a table"),
        ("model = 3\n", "model must be a text"),
        ("base = 3\n", "base must be a text"),
        ("model = \n", "not a readable TOML file"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path: Path, content: str, said: str) -> None:
    with pytest.raises(RecipeError, match=said) as error:
        resolve(TinyPrices, file(tmp_path, content))
    assert "mine.toml" in str(error.value) or "smal" in content


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no recipe file"):
        resolve(TinyPrices, str(tmp_path / "absent.toml"))
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(RecipeError, match="not a readable TOML file"):
        resolve(TinyPrices, str(tmp_path / "folder.toml"))
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RecipeError, match="not a readable TOML file"):
        resolve(TinyPrices, str(tmp_path / "bytes.toml"))


# -- what upstream knows ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("section", "wrong", "meant"),
    [
        ("training", "learning_rat", "learning_rate"),
        ("lora", "lora_alfa", "lora_alpha"),
        ("quantization", "load_in_4bits", "load_in_4bit"),
        ("generation", "max_new_token", "max_new_tokens"),
        ("early_stopping", "early_stoping_patience", "early_stopping_patience"),
        ("task", "sigmaa", "sigma"),
    ],
)
def test_a_misspelt_field_is_refused_with_the_nearest(section: str, wrong: str, meant: str) -> None:
    assert section in SECTIONS
    with pytest.raises(RecipeError, match=f"{section}.{wrong}: .* did you mean '{meant}'"):
        check_upstream(set_(f"{section}.{wrong}=1"))
    check_upstream(set_(f"{section}.{meant}={'true' if section == 'quantization' else 1}"))


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ("training.seed=3", "use --seed"),
        ("training.output_dir=x", "run directory decides"),
        ("training.eval_strategy=no", "best score"),
        ("generation.max_length=64", "no such field"),
    ],
)
def test_what_the_toolkit_decides_cannot_be_set(item: str, said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        check_upstream(set_(item))


def test_every_recipe_of_the_price_task_is_known_upstream() -> None:
    from trl import SFTConfig

    from toolkit_price_regression.task import PriceRegression

    for recipe in PriceRegression.recipes:
        check(recipe, SFTConfig, PriceRegression.options)


def test_a_recipe_comes_back_from_its_values() -> None:
    assert from_dict(as_dict(SMALL)) == SMALL


@pytest.mark.parametrize("strategy", ["wrapped", "bfd_split"])
def test_packing_that_cuts_or_mixes_rows_is_refused(strategy: str) -> None:
    check_upstream(set_("training.packing=true"))
    with pytest.raises(RecipeError, match="cuts rows or mixes them"):
        check_upstream(set_("training.packing=true", f"training.packing_strategy={strategy}"))


# -- the recipe for SmolLM2 ------------------------------------------------------------------------
class Plain(TinyPrices):
    """A task whose first recipe is called as those for the embedded model are."""

    recipes = (replace(SMALL, name="embedded"),)


class Own(Plain):
    recipes = (
        *Plain.recipes,
        Recipe("smollm2-135m", "its own", "smollm2-135m", training={"max_length": 77}),
    )


def test_every_causal_lm_task_has_a_recipe_for_smollm2_with_its_own_answers() -> None:
    found = resolve(TinyPrices, "smollm2-135m")
    assert found.model == found.name == "smollm2-135m"
    assert found.generation == SMALL.generation and found.task == SMALL.task
    assert found.rows["test"] < 1000
    check_upstream(found)
    assert [one.name for one in of(TinyPrices)] == [SMALL.name, "smollm2-135m"]
    assert of(Own) == Own.recipes


def test_kinds_that_it_does_not_fit_have_none() -> None:
    with pytest.raises(RecipeError, match="no recipe 'smollm2-135m'"):
        resolve(TinyGoods, "smollm2-135m")


def test_the_model_alone_takes_its_recipe_instead_of_the_embedded_models() -> None:
    assert resolve(Own, model="smollm2-135m").training == {"max_length": 77}
    assert resolve(Plain, model="smollm2-135m").rows
    assert resolve(Plain, model="some/model").name == "embedded"


def test_a_recipe_that_somebody_wrote_keeps_its_settings_on_that_model() -> None:
    assert resolve(TinyPrices, model="smollm2-135m") == replace(SMALL, model="smollm2-135m")
    assert resolve(Own, "embedded", model="smollm2-135m").training == SMALL.training


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ("rows.tset=20", "did you mean 'test'"),
        ("rows.test=3", "rows.test must be a number from 10, not 3"),
        ("rows.train=0.5", "rows.train must be a number from 20"),
        ("rows.challenge=0", "rows.challenge must be a number from 1"),
    ],
)
def test_numbers_of_rows_are_checked(item: str, said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        check_upstream(set_(item))


@pytest.mark.parametrize("start", ["pissa", "pissa_niter_16", True])
def test_starts_of_lora_with_a_number_in_their_name(start: Any) -> None:
    """PEFT declares it as ``pissa_niter_[number of iters]``."""
    recipe_values.check_lora({"init_lora_weights": start})


@pytest.mark.parametrize(
    "start", ["pissa_niter_", "pissa_niter_x", "pissa_niter_[number of iters]"]
)
def test_starts_of_lora_without_their_number(start: str) -> None:
    with pytest.raises(RecipeError, match="init_lora_weights"):
        recipe_values.check_lora({"init_lora_weights": start})
