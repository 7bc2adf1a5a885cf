"""Names that differ between the versions of transformers."""

from __future__ import annotations

import dataclasses
import warnings
from pathlib import Path

import pytest
import torch
import transformers

from toolkit import Recipe
from toolkit.system import upstream

ROOT = Path(__file__).parents[2]


@dataclasses.dataclass
class Old:
    gradient_checkpointing: bool = False
    learning_rate: float = 0.0


@dataclasses.dataclass
class New(Old):
    activation_checkpointing: bool | None = None


def test_fields_bear_the_names_that_are_installed() -> None:
    fields = {"gradient_checkpointing": True, "learning_rate": 1.0}
    assert upstream.training_fields(Old, fields) == fields
    wanted = {"activation_checkpointing": True, "learning_rate": 1.0}
    assert upstream.training_fields(New, fields) == wanted


def test_the_installed_arguments_take_them_without_a_warning(tmp_path: Path) -> None:
    cls = transformers.TrainingArguments
    fields = {
        "output_dir": str(tmp_path), "use_cpu": True, "gradient_checkpointing": True,
        "gradient_checkpointing_kwargs": {"use_reentrant": False},
    }  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = cls(**upstream.training_fields(cls, fields))
    assert made.gradient_checkpointing is True
    assert made.gradient_checkpointing_kwargs == {"use_reentrant": False}


def test_a_cache_goes_in_and_comes_out(tiny_llama: Path) -> None:
    model = transformers.AutoModelForCausalLM.from_pretrained(tiny_llama).eval()
    ids = torch.tensor([[5, 6, 7, 8]])
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("error")
        whole = model(input_ids=ids).logits[:, -1]
        begun = upstream.cache_of(model(input_ids=ids[:, :3], use_cache=True))
        ended = model(input_ids=ids[:, 3:], use_cache=True, **upstream.cached(begun)).logits[:, -1]
    assert torch.allclose(whole, ended, atol=1e-5)


def test_layers_are_checkpointed_and_no_more(tiny_llama: Path) -> None:
    model = transformers.AutoModelForCausalLM.from_pretrained(tiny_llama)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        upstream.checkpoint_layers(model, {"use_reentrant": False})
        assert any(getattr(m, "gradient_checkpointing", False) for m in model.modules())
        upstream.keep_activations(model)
        assert not any(getattr(m, "gradient_checkpointing", False) for m in model.modules())


@pytest.mark.parametrize("suffix", ["", "_kwargs"])
def test_a_recipe_may_use_the_newer_name(suffix: str) -> None:
    recipe = Recipe("r", "r", "m", training={f"activation_checkpointing{suffix}": True})
    assert recipe.training == {f"gradient_checkpointing{suffix}": True}


def test_the_old_names_are_in_one_place() -> None:
    """Elsewhere they would be right with one version of transformers and warn with the other."""
    names = ("past_key_values", "gradient_checkpointing_enable", "gradient_checkpointing_disable")
    found = [
        (place.name, name)
        for place in (ROOT / "toolkit").rglob("*.py")
        for name in names
        if name in place.read_text(encoding="utf-8") and place.name != "upstream.py"
    ]
    assert found == []
