"""The recipes have the settings of the original projects, and train as many parameters."""

from __future__ import annotations

import pytest

from toolkit_summarization.claim_task import FLAN_T5, ClaimReport
from toolkit_summarization.task import PHI2, Summarization


def test_phi_2_has_the_settings_of_the_original_project():
    """Its document 2, "Training Metrics - Detailed Tables"."""
    assert PHI2.model == "microsoft/phi-2"
    assert PHI2.quantization == {
        "load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "bnb_4bit_use_double_quant": True,
        "bnb_4bit_compute_dtype": "float16",
    }  # fmt: skip
    assert PHI2.lora == {
        "r": 16, "lora_alpha": 32, "lora_dropout": 0.05, "bias": "none",
        "target_modules": ["q_proj", "k_proj", "v_proj", "dense", "fc1", "fc2"],
    }  # fmt: skip
    training = PHI2.training
    assert training["num_train_epochs"] == 3
    assert training["per_device_train_batch_size"] == training["per_device_eval_batch_size"] == 2
    assert training["gradient_accumulation_steps"] == 8
    assert training["learning_rate"] == 2e-4
    assert training["lr_scheduler_type"] == "cosine"
    assert training["warmup_steps"] == training["eval_steps"] == training["save_steps"] == 100
    assert training["optim"] == "paged_adamw_8bit"
    assert training["weight_decay"] == 0.01 and training["max_grad_norm"] == 1.0
    assert training["fp16"] is True
    assert training["max_length"] == 1126
    assert training["eval_strategy"] == training["save_strategy"] == "steps"
    assert training["save_total_limit"] == 3 and training["logging_steps"] == 25


def test_flan_t5_has_the_settings_of_the_original_project():
    """Its document 3, "FLAN-T5 Fine-Tuning Configuration"."""
    assert FLAN_T5.model == "google/flan-t5-base"
    assert FLAN_T5.quantization is None
    assert FLAN_T5.lora == {
        "r": 8, "lora_alpha": 32, "lora_dropout": 0.1, "target_modules": ["q", "v"],
    }  # fmt: skip
    training = FLAN_T5.training
    assert training["learning_rate"] == 2e-5
    assert training["per_device_train_batch_size"] == 4
    assert training["gradient_accumulation_steps"] == 1
    assert training["num_train_epochs"] == 3
    assert training["warmup_steps"] == training["logging_steps"] == 100
    assert training["weight_decay"] == 0.01
    assert training["max_length"] == 128 and training["max_target_length"] == 256
    assert training["optim"] == "adamw_torch" and training["lr_scheduler_type"] == "linear"
    assert training["fp16"] is True and training["gradient_checkpointing"] is False
    assert training["eval_strategy"] == training["save_strategy"] == "epoch"
    assert training["save_total_limit"] == 2


@pytest.mark.parametrize(
    ("task", "name"), [(Summarization, "phi-2-qlora"), (ClaimReport, "flan-t5-base-lora")]
)
def test_the_installed_argument_classes_know_every_field(task, name):
    from toolkit.plugins import recipes

    resolved = recipes.resolve(task, recipe=name)
    assert resolved.name == name


def test_the_best_checkpoint_is_chosen_by_rouge_l():
    assert Summarization.primary_metric == ClaimReport.primary_metric == "rougeL"
    assert ClaimReport().metric().greater_is_better


def counted(model, lora, task_type):
    from peft import LoraConfig, get_peft_model

    peft = get_peft_model(model, LoraConfig(task_type=task_type, **lora))
    trained = sum(p.numel() for p in peft.parameters() if p.requires_grad)
    return trained, sum(p.numel() for p in peft.parameters()) - trained


def test_lora_on_phi_2_trains_as_many_parameters_as_were_counted():
    """23.6 million, not the original project's 4.2; the whole model has 2.78 billion."""
    import torch
    from transformers import PhiConfig, PhiForCausalLM

    config = PhiConfig(
        vocab_size=51_200, hidden_size=2_560, intermediate_size=10_240, num_hidden_layers=32,
        num_attention_heads=32, partial_rotary_factor=0.4,
    )  # fmt: skip
    with torch.device("meta"):
        trained, total = counted(PhiForCausalLM(config), PHI2.lora, "CAUSAL_LM")
    assert trained == pytest.approx(23.6e6, rel=2e-3)
    assert total == pytest.approx(2.78e9, rel=1e-2)


def test_lora_on_flan_t5_base_trains_less_than_half_a_percent():
    """0.88 million of 223: r 8 on q and v of the 36 attentions of twelve and twelve layers.

    transformers 5.17 ties the head of every T5 to its embeddings; untied it has 248 million, which
    the original project rounds to 250.
    """
    import torch
    from transformers import T5Config, T5ForConditionalGeneration

    config = T5Config(
        vocab_size=32_128, d_model=768, d_kv=64, d_ff=2_048, num_layers=12, num_heads=12,
        feed_forward_proj="gated-gelu", tie_word_embeddings=False,
    )  # fmt: skip
    with torch.device("meta"):
        trained, total = counted(T5ForConditionalGeneration(config), FLAN_T5.lora, "SEQ_2_SEQ_LM")
    assert trained == 36 * 2 * 8 * (768 + 768)
    assert total == pytest.approx(222.9e6, rel=2e-3)
