"""Small tokenizers that cut numbers as real families' do, and tiny random models of them."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any

import torch

SIZE = 420
LINES = (
    "How much does this cost to the nearest dollar?", "red cup, pack of 2\nPrice is $14",
    "a blue lamp with a green chair and a white desk", "the bed is 460 dollars, or 1,250.00",
    *(f"Price is ${price}" for price in range(1, 1000, 7)), "!\"#$%&'()*+,-./:;<=>?@ 0123456789",
)  # fmt: skip
WORDS = r"[^\r\n\p{L}\p{N}]?\p{L}+|NUMBER| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+"
SPACE = "▁"
SIZES = {
    "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
    "max_position_embeddings": 256, "initializer_range": 0.3,
}  # fmt: skip


def byte_level(number: str | None) -> Any:
    """Byte-level BPE; ``number``: the pattern of a number that is cut off, else GPT-2's rule."""
    from tokenizers import Regex, Tokenizer, decoders, pre_tokenizers
    from tokenizers.models import BPE
    from tokenizers.trainers import BpeTrainer

    learned = Tokenizer(BPE())
    parts = [pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=number is None)]
    if number is not None:
        cut = pre_tokenizers.Split(Regex(WORDS.replace("NUMBER", number)), "isolated")
        parts.insert(0, cut)
    learned.pre_tokenizer = pre_tokenizers.Sequence(parts)
    learned.decoder = decoders.ByteLevel()
    threes = [str(n) for n in range(1000)] * 20 if number == r"\p{N}{1,3}" else []
    trainer = BpeTrainer(
        vocab_size=SIZE + 1000 * bool(threes),
        special_tokens=["<|end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    learned.train_from_iterator([*LINES, *threes], trainer)
    return learned


def sentencepiece(*, prefix: bool) -> Any:
    """BPE with byte fallback; ``prefix``: a text begins with a space of its own."""
    from tokenizers import Regex, Tokenizer, decoders, normalizers, pre_tokenizers
    from tokenizers.models import BPE
    from tokenizers.trainers import BpeTrainer

    learned = Tokenizer(BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    learned.normalizer = normalizers.Replace(" ", SPACE)
    learned.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(rf"{SPACE}?[^{SPACE}\d]+|{SPACE}"), "isolated"),
            pre_tokenizers.Digits(individual_digits=True),
        ]
    )
    special = ["<unk>", "<s>", "<|end|>"]
    trainer = BpeTrainer(
        vocab_size=SIZE,
        special_tokens=[*special, *(f"<0x{byte:02X}>" for byte in range(256))],
        show_progress=False,
    )
    learned.train_from_iterator(LINES, trainer)
    document = json.loads(learned.to_str()) | {
        "added_tokens": [], "pre_tokenizer": None, "normalizer": None
    }  # fmt: skip
    learned = Tokenizer.from_str(json.dumps(document))
    learned.add_special_tokens(special)
    before = [normalizers.Prepend(SPACE)] if prefix else []
    learned.normalizer = normalizers.Sequence([*before, normalizers.Replace(" ", SPACE)])
    after = [decoders.Strip(" ", 1, 0)] if prefix else []
    learned.decoder = decoders.Sequence(
        [decoders.Replace(SPACE, " "), decoders.ByteFallback(), decoders.Fuse(), *after]
    )
    return learned


LAYOUTS: dict[str, tuple[Callable[[], Any], str, dict[str, Any]]] = {
    "llama-3": (lambda: byte_level(r"\p{N}{1,3}"), "llama", {"num_key_value_heads": 2}),
    "olmo2": (lambda: byte_level(r"\p{N}{1,3}"), "olmo2", {}),
    "qwen": (lambda: byte_level(r"\p{N}"), "qwen2", {"num_key_value_heads": 2}),
    "gemma": (
        lambda: sentencepiece(prefix=False), "gemma", {"num_key_value_heads": 1, "head_dim": 8}
    ),
    "mistral": (
        lambda: sentencepiece(prefix=True), "mistral",
        {"sliding_window": None, "num_key_value_heads": 2},
    ),
    "phi-3": (lambda: sentencepiece(prefix=True), "phi3", {"sliding_window": 8}),
    "gpt2": (
        lambda: byte_level(None), "gpt2",
        {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 256},
    ),
}  # fmt: skip
"""Name → its tokenizer, its architecture, what else its configuration has."""


@functools.cache
def tokenizer_of(name: str) -> Any:
    from transformers import PreTrainedTokenizerFast

    ends = {"eos_token": "<|end|>", "pad_token": "<|end|>"}
    return PreTrainedTokenizerFast(tokenizer_object=LAYOUTS[name][0](), **ends)


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
