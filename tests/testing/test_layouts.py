"""The zoo's models: each loads as published ones do, and is what its family is."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoConfig, AutoTokenizer

from toolkit.errors import PluginError, UsageError
from toolkit.testing import layout_tokenizers
from toolkit.testing.layouts import LAYOUTS, build_layout

TEXT = "Price is $1250, a red cup."


@pytest.mark.parametrize("name", LAYOUTS)
def test_tokenizers_are_read_as_they_were_made(name: str, tmp_path: Path) -> None:
    layout = LAYOUTS[name]
    place = build_layout(name, tmp_path / name)
    made, read = layout.tokenizer(), AutoTokenizer.from_pretrained(place)
    assert read(TEXT)["input_ids"] == made(TEXT)["input_ids"]
    assert read.chat_template == made.chat_template
    lost = layout.family == "wordpiece"  # capitals
    text = read.decode(read(TEXT)["input_ids"], skip_special_tokens=True)
    assert text.replace(" ", "") == (TEXT.lower() if lost else TEXT).replace(" ", "")
    config = AutoConfig.from_pretrained(place)
    assert config.model_type == layout.model_type
    assert len(read) <= config.get_text_config().vocab_size


def test_digits_are_tokens_by_the_familys_rule() -> None:
    def of(family: str) -> list[str]:
        special = ["<unk>", "[UNK]", "<pad>"]
        return list(layout_tokenizers.make(family, special).encode("$1250").tokens)

    for family in ("byte-level-digits", "sentencepiece", "sentencepiece-bare"):
        assert of(family)[-4:] == ["1", "2", "5", "0"]
    assert of("byte-level-thousands")[-2:] == ["125", "0"]
    assert any(len(token.lstrip("Ġ▁$#")) == 2 for token in of("byte-level"))


def test_bytes_of_unknown_letters_come_back() -> None:
    for family in ("byte-level", "sentencepiece"):
        learned = layout_tokenizers.make(family, ["<unk>", "<s>"])
        assert learned.decode(learned.encode("日本").ids).strip() == "日本"


def test_ends_are_several_where_the_family_has_several(tmp_path: Path) -> None:
    from transformers import GenerationConfig

    place = build_layout("llama-3-instruct", tmp_path / "model")
    assert len(GenerationConfig.from_pretrained(place).eos_token_id) == 3


def test_weights_follow_from_the_seed_alone(tmp_path: Path) -> None:
    state = torch.get_rng_state()
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        build_layout("qwen3", tmp_path / name, seed=seed)
    a, b, c = ((tmp_path / n / "model.safetensors").read_bytes() for n in "abc")
    assert a == b != c
    assert torch.equal(state, torch.get_rng_state())


def test_unknown_names_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="did you mean 'qwen3'"):
        build_layout("qwen33", tmp_path)
    with pytest.raises(PluginError, match="no family"):
        layout_tokenizers.make("letters", ["<unk>"])
