"""What a model's files say before it is loaded: stop tokens, positions, vocabulary, padding."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoConfig, AutoTokenizer, GenerationConfig, PretrainedConfig

from layout_tokenizers import LAYOUTS, TURNS, byte_level, chat, gpt2, neox
from toolkit.errors import ModelError
from toolkit.models import limits
from toolkit.models.limits import Limits
from toolkit.models.loading import load_tokens

SMALL = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 4}


def files(folder: Path, tokenizer: Any, stops: Any = None, **fields: Any) -> str:
    """The files of a Llama without weights."""
    tokenizer.save_pretrained(folder)
    fields = {"vocab_size": len(tokenizer), "bos_token_id": None, **SMALL, **fields}
    AutoConfig.for_model("llama", **fields).save_pretrained(folder)
    if stops is not None:
        GenerationConfig(eos_token_id=stops).save_pretrained(folder)
    return str(folder)


# -- stop tokens -----------------------------------------------------------------------------------


@pytest.mark.parametrize("stops", [[2, 4], [4, 2, 2], 2, [2, 99_999], [2, -1]])
def test_the_models_stop_tokens_join_the_tokenizers(tmp_path: Path, stops: Any) -> None:
    tokenizer, found = load_tokens(files(tmp_path, chat(), stops))
    assert found.stops == (2, 4)
    assert tokenizer.eos_token == "<|stop|>"


def test_without_a_generation_configuration_the_models_own_counts(tmp_path: Path) -> None:
    _, found = load_tokens(files(tmp_path, chat(), eos_token_id=[2, 4]))
    assert found.stops == (2, 4)


@pytest.mark.parametrize("written", [False, True])
def test_a_word_ends_texts_only_where_somebody_wrote_so(tmp_path: Path, written: bool) -> None:
    word = chat().convert_tokens_to_ids("a")
    place = files(tmp_path, chat(), word if written else None, eos_token_id=word)
    if not written:  # as transformers saves a model whose class has a default
        config = AutoConfig.from_pretrained(place)
        GenerationConfig.from_model_config(config).save_pretrained(place)
    assert load_tokens(place)[1].stops == ((4, word) if written else (4,))


def test_the_beginning_of_texts_is_no_default_stop(tmp_path: Path) -> None:
    assert load_tokens(files(tmp_path, chat(), eos_token_id=0))[1].stops == (4,)


def test_a_tokenizer_without_an_end_takes_the_models(tmp_path: Path) -> None:
    specials = ["<|endoftext|>", "<|end|>"]
    tokenizer, found = load_tokens(files(tmp_path, byte_level(specials), [0, 1]))
    assert tokenizer.eos_token == "<|endoftext|>" and found.end(tokenizer) == 0


def test_a_model_without_any_end_is_refused_in_a_sentence(tmp_path: Path) -> None:
    tokenizer, found = load_tokens(files(tmp_path, byte_level(["<|x|>"]), eos_token_id=2))
    with pytest.raises(ModelError, match="would never end"):
        found.end(tokenizer)


def test_files_that_cannot_be_read_limit_nothing(tmp_path: Path) -> None:
    chat().save_pretrained(tmp_path)
    (tmp_path / "config.json").write_text("{")
    assert limits.read(str(tmp_path), chat()) == Limits(stops=(4,))


# -- positions -------------------------------------------------------------------------------------

YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64}


@pytest.mark.parametrize(
    ("kind", "fields", "positions"),
    [
        ("gpt2", {"n_positions": 64}, 64),
        ("gpt_neox", {"max_position_embeddings": 64}, 64),
        ("gptj", {"n_positions": 64}, 64),
        ("opt", {"max_position_embeddings": 64}, 64),
        ("phi", {"max_position_embeddings": 64}, 64),
        ("llama", {"max_position_embeddings": 64}, 64),
        ("llama", {"max_position_embeddings": 61}, 56),  # batches are padded to whole eights
        ("mistral", {"max_position_embeddings": 64, "sliding_window": 16}, 64),
        ("gemma2", {"max_position_embeddings": 64, "sliding_window": 16}, 64),
        ("qwen2", {"max_position_embeddings": 64, "rope_parameters": YARN}, 256),
        ("mpt", {"max_seq_len": 64, "attn_config": {"alibi": False}}, 64),
        ("mpt", {"max_seq_len": 64, "attn_config": {"alibi": True}}, None),
        ("bloom", {"seq_length": 64}, None),
        ("mamba", {}, None),
        ("t5", {"n_positions": 64}, None),
        ("mt5", {"max_position_embeddings": 64}, None),
        ("bart", {"max_position_embeddings": 64}, 64),
        ("bert", {"max_position_embeddings": 64}, 64),
        ("roberta", {"max_position_embeddings": 66, "pad_token_id": 1}, 64),
        ("xlm-roberta", {"max_position_embeddings": 66, "pad_token_id": 1}, 64),
        ("mpnet", {"max_position_embeddings": 66, "pad_token_id": 1}, 64),
        ("modernbert", {"max_position_embeddings": 64, "local_attention": 16}, 64),
        ("deberta-v2", {"max_position_embeddings": 64, "position_biased_input": False}, None),
    ],
)  # fmt: skip
def test_positions_of_architectures(
    kind: str, fields: dict[str, Any], positions: int | None
) -> None:
    assert limits.positions_of(AutoConfig.for_model(kind, **fields)) == positions


def test_a_decoder_has_positions_of_its_own() -> None:
    config = PretrainedConfig(
        is_encoder_decoder=True, max_encoder_position_embeddings=512,
        max_decoder_position_embeddings=64,
    )  # fmt: skip
    assert limits.positions_of(config) == 512
    assert limits._answer_positions(config) == 64


# -- vocabulary ------------------------------------------------------------------------------------


def test_a_word_without_an_embedding_is_refused(tmp_path: Path) -> None:
    tokenizer = chat()
    size = len(tokenizer)
    tokenizer.add_tokens(["oak chair"])
    read, found = load_tokens(files(tmp_path, tokenizer, vocab_size=size))
    with pytest.raises(ModelError, match="no embedding for 'oak chair'"):
        found.check_vocabulary(read, "a model")


@pytest.mark.parametrize("used", [True, False])
def test_a_control_token_without_an_embedding_is_refused_where_it_is_used(
    tmp_path: Path, used: bool
) -> None:
    tokenizer = chat()
    size = len(tokenizer)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|tool|>"]})
    if used:
        tokenizer.chat_template = TURNS.replace("<|turn|>", "<|tool|>")
    read, found = load_tokens(files(tmp_path, tokenizer, vocab_size=size))
    if used:
        with pytest.raises(ModelError, match=r"<\|tool\|>"):
            found.check_vocabulary(read, "a model")
    else:
        found.check_vocabulary(read, "a model")


def test_padding_without_an_embedding_is_replaced_and_said(tmp_path: Path) -> None:
    tokenizer = gpt2()
    size = len(tokenizer)
    tokenizer.add_special_tokens({"pad_token": "[PAD]"})
    read, found = load_tokens(files(tmp_path, tokenizer, vocab_size=size))
    assert read.pad_token_id < size
    assert "[PAD]" in found.notes[0] and f"{size:,}" in found.notes[0]
    found.check_vocabulary(read, "a model")


# -- padding ---------------------------------------------------------------------------------------

TEXTS = ("the red oak chair is 12 dollars", "a    b  c\n\td", "Say 3 twice. <|endoftext|> ünï ~")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_padding_is_no_word_and_saving_keeps_the_words(tmp_path: Path, layout: str) -> None:
    made = LAYOUTS[layout]()
    before = made(list(TEXTS))["input_ids"]
    tokenizer, found = load_tokens(files(tmp_path / "model", made))
    assert len(tokenizer) == len(made)
    assert tokenizer.pad_token_id in limits.special_ids(made)
    assert tokenizer(list(TEXTS))["input_ids"] == before
    tokenizer.save_pretrained(tmp_path / "saved")
    again = AutoTokenizer.from_pretrained(tmp_path / "saved")
    assert again(list(TEXTS))["input_ids"] == before
    shown = [again.decode(ids, skip_special_tokens=True) for ids in before]
    assert shown == [made.decode(ids, skip_special_tokens=True) for ids in before]
    assert found.end(tokenizer) == made.eos_token_id


def test_words_are_not_taken_for_padding() -> None:
    for made in (gpt2(), neox()):
        assert limits.padding_token(made, [made.eos_token_id]) is None


@pytest.mark.parametrize(
    ("specials", "chosen"),
    [
        (["<|bos|>", "<|end|>", "<|finetune_right_pad_id|>"], "<|finetune_right_pad_id|>"),
        (["<|bos|>", "<|end|>", "<|reserved_special_token_0|>"], "<|reserved_special_token_0|>"),
        (["<|bos|>", "<|end|>", "<|tool|>"], "<|bos|>"),
        (["<|end|>", "<|tool|>"], "<|tool|>"),
        (["<|end|>"], None),
    ],
)  # fmt: skip
def test_control_tokens_for_padding(specials: list[str], chosen: str | None) -> None:
    names = {"bos_token": "<|bos|>"} if "<|bos|>" in specials else {}
    tokenizer = byte_level(specials, eos_token="<|end|>", **names)
    tokenizer.add_special_tokens({"additional_special_tokens": specials})
    assert limits.padding_token(tokenizer, [tokenizer.eos_token_id]) == chosen


def test_saved_files_name_the_padding_that_was_chosen(tmp_path: Path) -> None:
    tokenizer, _ = load_tokens(files(tmp_path / "model", gpt2()))
    tokenizer.save_pretrained(tmp_path / "saved")
    saved = json.loads((tmp_path / "saved" / "tokenizer_config.json").read_text())
    assert saved["pad_token"] == saved["eos_token"] == "<|endoftext|>"
