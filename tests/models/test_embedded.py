"""The model in the package: there, small, offline, and able to use numbers."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from examples.embedded_models import build
from toolkit.models import embedded


def test_an_unknown_name_says_which_there_are() -> None:
    with pytest.raises(KeyError, match="causal-lm"):
        embedded.path("llama")


def test_missing_weights_say_how_to_build_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(embedded.NAMES, "other", "nowhere")
    with pytest.raises(FileNotFoundError, match="build other"):
        embedded.path("other")


def test_the_path_costs_no_heavy_import() -> None:
    code = (
        "import sys; from toolkit.models.embedded import path; path();"
        "print([m for m in ('torch', 'transformers', 'tokenizers', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_card_says_plainly_what_it_is() -> None:
    card = (embedded.path() / "README.md").read_text()
    assert "toy" in card
    assert "generated" in card


def test_it_is_small_and_loads_in_bfloat16() -> None:
    folder = embedded.path()
    assert (folder / "model.safetensors").stat().st_size < 8_000_000
    model = AutoModelForCausalLM.from_pretrained(folder, dtype="auto")
    assert model.dtype == torch.bfloat16
    assert 2_500_000 < model.num_parameters() < 4_000_000
    assert model.config.max_position_embeddings == 1024


def test_it_prices_goods_of_its_own_world() -> None:
    """As its card says, give or take; the error of a constant there is about 100."""
    words = AutoTokenizer.from_pretrained(embedded.path())
    model = AutoModelForCausalLM.from_pretrained(embedded.path(), dtype=torch.float32)
    assert build.price_error(model, words, 128) < 10


def test_it_ends_after_the_price() -> None:
    words = AutoTokenizer.from_pretrained(embedded.path())
    model = AutoModelForCausalLM.from_pretrained(embedded.path(), dtype=torch.float32)
    prompt = "How much does this cost to the nearest dollar?\n\nA red tent.\n\nPrice is $"
    inputs = words(prompt, return_tensors="pt")
    made = model.generate(**inputs, max_new_tokens=8)[0, inputs["input_ids"].shape[1] :]
    assert words.decode(made[:1]).isdigit()
    assert made[1] == words.eos_token_id
