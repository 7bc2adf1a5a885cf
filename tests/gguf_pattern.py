"""A small GGUF file of SmolLM2's layout, as the base of tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from toolkit.models import gguf_conversion

TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}"
    "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SIZES = {"block_count": 2, "context_length": 512, "embedding_length": 32,
         "feed_forward_length": 64, "attention.head_count": 4, "attention.head_count_kv": 2,
         "rope.dimension_count": 8}  # fmt: skip


def write_pattern(place: Path) -> None:
    """A GGUF file of a random Llama, whose tokenizer is of SmolLM2's layout."""
    from gguf import GGUFWriter
    from tokenizers import pre_tokenizers

    words = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    words += [*sorted(pre_tokenizers.ByteLevel.alphabet()), "Ġt", "he", "Ġthe"]
    writer = GGUFWriter(str(place), "llama")
    for name, value in SIZES.items():
        writer.add_uint32(f"llama.{name}", value)
    writer.add_uint32("llama.vocab_size", len(words))
    writer.add_float32("llama.rope.freq_base", 10_000.0)
    writer.add_float32("llama.attention.layer_norm_rms_epsilon", 1e-5)
    writer.add_string("tokenizer.ggml.model", "gpt2")
    writer.add_string("tokenizer.ggml.pre", gguf_conversion.LAYOUT)
    writer.add_array("tokenizer.ggml.tokens", words)
    writer.add_array("tokenizer.ggml.token_type", [3] * 3 + [1] * (len(words) - 3))
    writer.add_array("tokenizer.ggml.merges", ["Ġ t", "h e", "Ġt he"])
    for name, value in (("bos", 1), ("eos", 2), ("padding", 2), ("unknown", 0)):
        writer.add_uint32(f"tokenizer.ggml.{name}_token_id", value)
    writer.add_string("tokenizer.chat_template", TEMPLATE)
    random = np.random.default_rng(0)
    width, inner, shared = 32, 64, 16
    shapes: dict[str, tuple[int, ...]] = {
        "token_embd.weight": (len(words), width), "output_norm.weight": (width,)
    }  # fmt: skip
    for layer in range(2):
        shapes |= {
            f"blk.{layer}.{name}.weight": shape
            for name, shape in {
                "attn_norm": (width,), "ffn_norm": (width,), "attn_q": (width, width),
                "attn_k": (shared, width), "attn_v": (shared, width),
                "attn_output": (width, width), "ffn_gate": (inner, width),
                "ffn_up": (inner, width), "ffn_down": (width, inner),
            }.items()
        }  # fmt: skip
    for name, shape in shapes.items():
        values = random.normal(size=shape) * 0.3 if len(shape) > 1 else np.ones(shape)
        writer.add_tensor(name, values.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
