"""Tiny random models whose tokenizers cut numbers as those of real families do."""

from __future__ import annotations

import functools
from typing import Any

import torch

from toolkit.testing.layout_tokenizers import make

SIZES = {
    "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
    "max_position_embeddings": 256, "initializer_range": 0.3,
}  # fmt: skip

LAYOUTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "llama-3": ("byte-level-thousands", "llama", {"num_key_value_heads": 2}),
    "olmo2": ("byte-level-thousands", "olmo2", {}),
    "qwen": ("byte-level-digits", "qwen2", {"num_key_value_heads": 2}),
    "gemma": (
        "sentencepiece-bare", "gemma", {"num_key_value_heads": 1, "head_dim": 8}
    ),
    "mistral": (
        "sentencepiece", "mistral",
        {"sliding_window": None, "num_key_value_heads": 2},
    ),
    "phi-3": ("sentencepiece", "phi3", {"sliding_window": 8}),
    "gpt2": (
        "byte-level", "gpt2",
        {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 256},
    ),
}  # fmt: skip
"""Name → its family of tokenizers, its architecture, what else its configuration has."""
SPECIAL = ["<unk>", "<s>", "<|end|>"]


@functools.cache
def tokenizer_of(name: str) -> Any:
    from transformers import PreTrainedTokenizerFast

    ends = {"eos_token": "<|end|>", "pad_token": "<|end|>"}
    return PreTrainedTokenizerFast(tokenizer_object=make(LAYOUTS[name][0], SPECIAL), **ends)


@functools.cache
def model_of(name: str, attention: str = "sdpa") -> Any:
    """A random model of a layout, in float32."""
    from transformers import AutoConfig, AutoModelForCausalLM

    tokenizer = tokenizer_of(name)
    _, architecture, fields = LAYOUTS[name]
    end = tokenizer.eos_token_id
    sizes = {} if architecture == "gpt2" else SIZES
    config = AutoConfig.for_model(
        architecture,
        **{
            "vocab_size": len(tokenizer), "eos_token_id": end, "pad_token_id": end,
            "bos_token_id": end, **sizes, **fields,
        },
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        made = AutoModelForCausalLM.from_config(config, attn_implementation=attention)
    return made.float().eval()
