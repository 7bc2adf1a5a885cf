"""Merging for good: the merged model is the adapter's, also where ends are tied."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

from toolkit.errors import ModelError
from toolkit.models import merging

IDS = torch.tensor([[5, 9, 12, 7]])


def adapted(folder: Path, *, tied: bool = False, **fields: Any) -> Any:
    """A tiny model with an adapter that changes it."""
    torch.manual_seed(0)
    base = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    if tied:
        base.config.tie_word_embeddings = True
        base.tie_weights()
    config = LoraConfig(task_type="CAUSAL_LM", r=4, **fields)
    peft = get_peft_model(base, config)
    for name, parameter in peft.named_parameters():
        if "lora_B" in name or "lora_embedding_B" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    return peft.eval()


def logits(model: Any) -> torch.Tensor:
    with torch.inference_mode():
        found: torch.Tensor = model(input_ids=IDS).logits
    return found


def test_a_merged_model_gives_the_adapters_logits(tiny_llama: Path) -> None:
    peft = adapted(tiny_llama, target_modules=["q_proj", "v_proj", "down_proj"])
    before = logits(peft)
    merged = merging.merge(peft)
    assert not any("lora" in name for name, _ in merged.named_parameters())
    assert torch.allclose(logits(merged), before, atol=1e-5)


@pytest.mark.filterwarnings("ignore:Model has `tie_word_embeddings=True`")
@pytest.mark.parametrize("end", ["lm_head", "embed_tokens"])
def test_an_adapter_on_one_of_two_tied_ends_stays_on_it(
    end: str, tiny_llama: Path, tmp_path: Path
) -> None:
    peft = adapted(tiny_llama, tied=True, target_modules=[end])
    before = logits(peft)
    merged = merging.merge(peft)
    assert torch.allclose(logits(merged), before, atol=1e-5)
    merged.save_pretrained(tmp_path)
    read = AutoModelForCausalLM.from_pretrained(tmp_path)
    assert not read.config.tie_word_embeddings
    assert torch.allclose(logits(read), before, atol=1e-5)


def test_weights_are_rounded_once(tiny_llama: Path) -> None:
    peft = adapted(tiny_llama, target_modules=["q_proj"])
    layer = peft.get_base_model().model.layers[0].self_attn.q_proj
    wanted = layer.get_base_layer().weight + layer.get_delta_weight("default")
    merged = merging.merge(peft, "bfloat16")
    assert merged.dtype == torch.bfloat16
    assert merged.model.layers[0].self_attn.q_proj.weight.equal(wanted.to(torch.bfloat16))


@pytest.mark.filterwarnings("ignore:`lora_bias=True` was passed")  # PEFT's word on the first one
def test_what_cannot_be_merged_is_refused(tiny_llama: Path) -> None:
    with pytest.raises(ModelError, match=r"has a bias on .*q_proj"):
        merging.merge(adapted(tiny_llama, target_modules=["q_proj"], lora_bias=True))
    peft = adapted(tiny_llama, target_modules=["q_proj"])
    peft.get_base_model().model.layers[0].self_attn.q_proj.lora_B.default.weight.data.fill_(
        float("nan")
    )
    with pytest.raises(ModelError, match="cannot be merged"):
        merging.merge(peft)
    peft.get_base_model().is_quantized = True
    with pytest.raises(ModelError, match="unquantized"):
        merging.merge(peft)
