"""Adapters of every form of PEFT's: scored from merged weights as beside them, and saved whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel

from toolkit.errors import ModelError
from toolkit.models import adapters, base_weights, embedded

FORMS: dict[str, dict[str, Any]] = {
    "layers": {"target_modules": "all-linear"},
    "tied head": {"target_modules": ["q_proj", "lm_head"]},
    "tied embeddings": {"target_modules": ["q_proj", "embed_tokens"]},
    "both ends": {"target_modules": ["q_proj", "embed_tokens", "lm_head"]},
    "both ends kept tied": {
        "target_modules": ["q_proj", "embed_tokens"], "ensure_weight_tying": True,
    },
    "some tokens": {"target_modules": ["q_proj"], "trainable_token_indices": [3, 4, 5]},
    "weight decomposed": {"target_modules": "all-linear", "use_dora": True},
    "rank stabilised": {"target_modules": "all-linear", "use_rslora": True},
    "of several ranks": {"target_modules": ["q_proj", "v_proj"], "rank_pattern": {"q_proj": 8}},
    "of several scales": {"target_modules": ["q_proj", "v_proj"], "alpha_pattern": {"v_proj": 3}},
    "whole embeddings": {"target_modules": ["q_proj"], "modules_to_save": ["embed_tokens"]},
    "whole head": {"target_modules": ["q_proj"], "modules_to_save": ["lm_head"]},
    "whole embeddings kept tied": {
        "target_modules": ["q_proj"], "modules_to_save": ["embed_tokens"],
        "ensure_weight_tying": True,
    },
    "some tokens and the head": {
        "target_modules": ["q_proj", "lm_head"], "trainable_token_indices": [3, 4, 5],
    },
    "principal values": {"target_modules": "all-linear", "init_lora_weights": "pissa"},
    "principal values, rank stabilised": {
        "target_modules": ["q_proj", "v_proj"], "init_lora_weights": "pissa_niter_4",
        "use_rslora": True, "rank_pattern": {"q_proj": 2}, "alpha_pattern": {"v_proj": 3},
    },
    "orthonormal": {"target_modules": "all-linear", "init_lora_weights": "olora"},
    "orthogonal": {"target_modules": "all-linear", "init_lora_weights": "orthogonal"},
    "minor values": {"target_modules": "all-linear", "init_lora_weights": "mica"},
}  # fmt: skip


def base() -> Any:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(embedded.path("causal-lm"), dtype=torch.float32)


@pytest.mark.filterwarnings("ignore:Model has `tie_word_embeddings=True`")  # of plain PEFT
@pytest.mark.parametrize("form", FORMS)
def test_an_adapter_gives_the_same_merged_beside_and_read_again(form: str, tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    ids = torch.randint(5, 500, (2, 12), generator=torch.Generator().manual_seed(0))

    def logits(model: Any) -> Any:
        with torch.inference_mode():
            return model(input_ids=ids).logits

    untouched = base().eval()
    weights = {name: value.clone() for name, value in untouched.state_dict().items()}
    plain = logits(untouched)
    fields = {"r": 4, "lora_alpha": 16, **FORMS[form]}
    model = adapters.add_lora(untouched, fields, seed=0, task_type="CAUSAL_LM").eval()
    torch.manual_seed(1)
    with torch.no_grad():
        for _, weight in model.named_parameters():
            if weight.requires_grad:
                weight.add_(torch.randn_like(weight) * 0.05)
    beside = logits(model)
    assert float((beside - plain).abs().max()) > 0.01
    with adapters.merged(model):
        torch.testing.assert_close(logits(model), beside, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(logits(model), beside, rtol=0, atol=0)
    with base_weights.untouched(model):
        torch.testing.assert_close(logits(model), plain, rtol=0, atol=0)

    tokenizer = AutoTokenizer.from_pretrained(embedded.path("causal-lm"))
    adapters.save_adapter(model, tokenizer, tmp_path / "adapter", {"model": "embedded:causal-lm"})
    again = adapters.attach_adapter(base(), tmp_path / "adapter")
    torch.testing.assert_close(logits(again), beside, rtol=1e-4, atol=1e-4)
    with base_weights.untouched(again):
        torch.testing.assert_close(logits(again), plain, rtol=0, atol=0)
    by_peft = PeftModel.from_pretrained(base(), str(tmp_path / "adapter")).eval()
    torch.testing.assert_close(logits(by_peft), beside, rtol=1e-4, atol=1e-4)
    for used in (model, again):
        for name, value in base_weights.removed(used).state_dict().items():
            assert torch.equal(value, weights[name]), name


@pytest.mark.filterwarnings("ignore:The following (rank|alpha)_pattern keys")  # PEFT of experts
def test_experts_in_one_weight_have_no_dropout_and_a_note_says_so() -> None:
    from transformers import MixtralConfig, MixtralForCausalLM

    config = MixtralConfig(
        vocab_size=64, hidden_size=32, intermediate_size=64, num_hidden_layers=1,
        num_attention_heads=4, num_key_value_heads=2, num_local_experts=4,
    )  # fmt: skip
    fields = {"r": 4, "target_modules": "all-linear", "lora_dropout": 0.1}
    model = adapters.add_lora(MixtralForCausalLM(config), fields, seed=0, task_type="CAUSAL_LM")
    assert model.peft_config["default"].lora_dropout == 0
    (note,) = adapters.notes(model, fields)
    assert note.startswith("lora.lora_dropout is 0 instead of 0.1: ")
    attention = {"r": 4, "target_modules": ["q_proj"], "lora_dropout": 0.1}
    kept = adapters.add_lora(MixtralForCausalLM(config), attention, seed=0, task_type="CAUSAL_LM")
    assert kept.peft_config["default"].lora_dropout == 0.1
    assert not adapters.notes(kept, attention)


@pytest.mark.parametrize("named", [["no_such_proj"], r".*layers\.(1[5-9])\..*_proj"])
def test_layers_that_are_not_there_are_refused_with_what_to_set(named: Any) -> None:
    fields = {"r": 4, "target_modules": named}
    with pytest.raises(ModelError, match=r"--set lora\.target_modules=all-linear") as refused:
        adapters.add_lora(base(), fields, seed=0, task_type="CAUSAL_LM")
    assert "Please" not in str(refused.value)
