"""Models of another kind than the task needs: one sentence, before anything is loaded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from toolkit.errors import ModelError
from toolkit.models import loading, suitability
from toolkit.models.suitability import CAUSAL, CLASSES, SEQ2SEQ, SPANS

REFUSED = {
    ("bert", CAUSAL): "is an encoder",
    ("roberta", SEQ2SEQ): "is an encoder",
    ("modernbert", CAUSAL): "is an encoder",
    ("llama", SEQ2SEQ): "is a decoder, which fits a causal-lm task",
    ("t5", CAUSAL): "is an encoder–decoder, which fits a seq2seq-lm task",
    ("bart", CAUSAL): "is an encoder–decoder",
    ("mamba", CAUSAL): "a recurrent or state-space model",
    ("mamba2", CLASSES): "a recurrent or state-space model",
    ("rwkv", CAUSAL): "a recurrent or state-space model",
    ("jamba", CLASSES): "a recurrent or state-space model",
    ("gemma3", CAUSAL): "a model of images and texts",
    ("llava", CAUSAL): "a model of images and texts",
    ("qwen2_vl", SPANS): "a model of images and texts",
    ("whisper", SEQ2SEQ): "a model of speech",
    ("wav2vec2", CLASSES): "a model of speech",
    ("vit", CLASSES): "a model of images",
    ("gpt2", SEQ2SEQ): "is a decoder",
}
FIT = (
    *((kind, CAUSAL) for kind in ("llama", "gemma3_text", "qwen3_moe", "gpt2", "phi3", "smollm3")),
    *((kind, SEQ2SEQ) for kind in ("t5", "mt5", "bart")),
    *((kind, CLASSES) for kind in ("bert", "deberta-v2", "modernbert", "llama", "t5", "canine")),
    *((kind, SPANS) for kind in ("bert", "distilbert", "electra")),
)


def saved(folder: Path, **fields: Any) -> str:
    (folder / "config.json").write_text(json.dumps(fields))
    return str(folder)


@pytest.mark.parametrize(("kind", "wanted"), REFUSED)
def test_another_kind_is_refused_in_a_sentence(kind: str, wanted: str, tmp_path: Path) -> None:
    model = saved(tmp_path, model_type=kind)
    with pytest.raises(ModelError, match=REFUSED[kind, wanted]) as refused:
        suitability.require(model, wanted)
    assert " task needs " in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize(("kind", "wanted"), FIT)
def test_what_fits_passes(kind: str, wanted: str, tmp_path: Path) -> None:
    suitability.require(saved(tmp_path, model_type=kind), wanted)


def test_a_decoder_made_of_an_encoders_parts_writes(tmp_path: Path) -> None:
    suitability.require(saved(tmp_path, model_type="bert", is_decoder=True), CAUSAL)


def test_what_is_unknown_is_left_to_what_loads_it(tmp_path: Path) -> None:
    suitability.require(saved(tmp_path, model_type="of-tomorrow"), CAUSAL)
    suitability.require(str(tmp_path / "nowhere"), CAUSAL)
    own = saved(tmp_path, model_type="mamba", auto_map={"AutoModelForCausalLM": "own.Model"})
    suitability.require(own, CAUSAL, trust_remote_code=True)
    suitability.require(own, "AutoModelForTokenClassification")


def test_weights_without_a_head_that_writes_are_refused(tmp_path: Path) -> None:
    fields = {"model_type": "mistral", "architectures": ["MistralModel"]}
    with pytest.raises(ModelError, match="saved as MistralModel, without the head that writes"):
        suitability.require(saved(tmp_path, **fields, tie_word_embeddings=False), CAUSAL)
    suitability.require(saved(tmp_path, **fields, tie_word_embeddings=True), CAUSAL)
    head = {"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"]}
    suitability.require(saved(tmp_path, **head, tie_word_embeddings=False), CAUSAL)


def test_a_task_refuses_it_before_it_reads_the_tokenizer(tiny_bert: Path, tiny_t5: Path) -> None:
    from toolkit.kinds.causal_lm.model import CausalLM
    from toolkit.recipe import Recipe

    for model in (tiny_bert, tiny_t5):
        with pytest.raises(ModelError, match="a causal-lm task needs a decoder"):
            CausalLM(None, Recipe("r", "r", str(model)))  # type: ignore[arg-type]


def test_weights_that_lack_layers_are_not_filled_at_random(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    from toolkit.testing.layouts import build_layout

    place = build_layout("llama-3", tmp_path / "model")
    weights = load_file(place / "model.safetensors")
    del weights["lm_head.weight"]
    save_file(weights, place / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"lacks 1 weights \(lm_head.weight\)"):
        loading.load_model(loading.LoadRequest(CAUSAL, str(place)))
