"""A zoo: tiny random models with the layout of real ones.

``build_layout("gemma-2-it", folder)`` writes a model of two layers, 64 wide, whose configuration,
tokenizer, chat template, special tokens, ``generation_config`` and number format are those of the
family, in small: windows of attention are a few dozen tokens, experts are four. What breaks with a
family's real models mostly breaks with this one too, in seconds. Weights are random, so answers are
noise; a few dozen steps of LoRA teach one sixteen rows by heart.

:data:`LAYOUTS` lists them; :mod:`toolkit.testing.layout_tokenizers` makes their tokenizers,
:mod:`toolkit.testing.chat_templates` holds their templates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from toolkit.errors import UsageError, did_you_mean
from toolkit.testing.layout import LONGEST, Kind, Layout

__all__ = ["LAYOUTS", "Layout", "build_layout"]


# -- the configurations ----------------------------------------------------------------------------
def _decoder(**fields: Any) -> dict[str, Any]:
    """The fields of most decoders and encoders, with others over them."""
    return {
        "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
        "num_attention_heads": 4, "max_position_embeddings": LONGEST, **fields,
    }  # fmt: skip


def _grouped(**fields: Any) -> dict[str, Any]:
    """As :func:`_decoder`, with two heads of the queries to each head of the keys."""
    return _decoder(num_key_value_heads=2, **fields)


_LLAMA_3_ROPE = {
    "rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0,
    "high_freq_factor": 4.0, "original_max_position_embeddings": 128,
}  # fmt: skip
_T5 = {
    "d_model": 64, "d_kv": 16, "d_ff": 128, "num_layers": 2, "num_heads": 4,
    "decoder_start_token_id": 0,
}  # fmt: skip
_GATED = {"feed_forward_proj": "gated-gelu", "tie_word_embeddings": False}
_BART = {
    "d_model": 64, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4,
    "decoder_attention_heads": 4, "encoder_ffn_dim": 128, "decoder_ffn_dim": 128,
    "max_position_embeddings": LONGEST, "decoder_start_token_id": 2, "forced_eos_token_id": 2,
}  # fmt: skip
_DEBERTA = {
    "type_vocab_size": 0, "relative_attention": True, "position_buckets": 64,
    "norm_rel_ebd": "layer_norm", "share_att_key": True, "pos_att_type": ["p2c", "c2p"],
    "max_relative_positions": -1, "position_biased_input": False,
}  # fmt: skip

# -- the tokenizers --------------------------------------------------------------------------------
_LLAMA_3_TOKENS = (
    "<|begin_of_text|>", "<|end_of_text|>", "<|finetune_right_pad_id|>", "<|start_header_id|>",
    "<|end_header_id|>", "<|eom_id|>", "<|eot_id|>", "<|python_tag|>",
)  # fmt: skip
_QWEN_TOKENS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
_THINK = ("<think>", "</think>")
_QWEN_ROLES = {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"}
_GEMMA_ROLES = {
    "bos_token": "<bos>", "eos_token": "<eos>", "pad_token": "<pad>", "unk_token": "<unk>",
}  # fmt: skip
_LLAMA_2_ROLES = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
_GPT_2_ROLES = dict.fromkeys(("bos_token", "eos_token", "unk_token"), "<|endoftext|>")
_BERT_ROLES = {
    "cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]", "unk_token": "[UNK]",
    "mask_token": "[MASK]",
}  # fmt: skip
_ROBERTA_ROLES = {
    "bos_token": "<s>", "eos_token": "</s>", "sep_token": "</s>", "cls_token": "<s>",
    "unk_token": "<unk>", "pad_token": "<pad>", "mask_token": "<mask>",
}  # fmt: skip
_BERT_FRAME = ("[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1")
_SAMPLED = {"do_sample": True, "temperature": 0.7, "top_p": 0.9}


def _llama_2(model_type: str = "llama", *further: str, **changes: Any) -> Layout:
    """Llama 2's tokenizer, which Mistral's models have too, with further special tokens."""
    fields = _grouped(**changes.pop("fields", {}))
    return Layout(
        "causal-lm", model_type, fields, "sentencepiece", ("<unk>", "<s>", "</s>", *further),
        _LLAMA_2_ROLES, frame=("<s> $A", "<s> $A <s> $B:1"), tokenizer_class="LlamaTokenizer",
        **changes,
    )  # fmt: skip


def _llama_3(**changes: Any) -> Layout:
    fields = _grouped(rope_parameters=_LLAMA_3_ROPE)
    roles = {"bos_token": "<|begin_of_text|>", "eos_token": "<|end_of_text|>"}
    made = Layout(
        "causal-lm", "llama", fields, "byte-level-thousands", _LLAMA_3_TOKENS, roles,
        frame=("<|begin_of_text|> $A", "<|begin_of_text|> $A <|begin_of_text|> $B:1"),
    )  # fmt: skip
    return replace(made, **changes)


def _qwen(model_type: str, **changes: Any) -> Layout:
    """Qwen's tokenizer; what ends a turn is its EOS in models that chat."""
    fields = _grouped(**changes.pop("fields", {}))
    made = Layout(
        "causal-lm", model_type, fields, "byte-level-digits", _QWEN_TOKENS, _QWEN_ROLES, rows=64,
        tokenizer_class="Qwen2Tokenizer", ends=("<|im_end|>", "<|endoftext|>"),
        sampling=_SAMPLED,
    )  # fmt: skip
    return replace(made, **changes)


def _gemma(model_type: str, **fields: Any) -> Layout:
    special = ("<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "<start_of_turn>", "<end_of_turn>")
    sizes = _grouped(head_dim=32, sliding_window=32, **fields)
    return Layout(
        "causal-lm", model_type, sizes, "sentencepiece-bare", special, _GEMMA_ROLES,
        frame=("<bos> $A", "<bos> $A <bos> $B:1"), tokenizer_class="GemmaTokenizer",
        template="gemma2", ends=("<eos>", "<end_of_turn>"), sampling={"do_sample": True},
    )  # fmt: skip


def _gpt_2(model_type: str, fields: Mapping[str, Any], **changes: Any) -> Layout:
    """GPT-2's tokenizer: one special token for everything, and none to pad with."""
    made = Layout(
        "causal-lm", model_type, fields, "byte-level", ("<|endoftext|>",), _GPT_2_ROLES,
        dtype="float16",
    )  # fmt: skip
    return replace(made, **changes)


def _t5(model_type: str, **fields: Any) -> Layout:
    return Layout(
        "seq2seq-lm", model_type, {**_T5, **fields}, "unigram", ("<pad>", "</s>", "<unk>"),
        {"eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"},
        frame=("$A </s>", "$A </s> $B </s>"), tokenizer_class="T5Tokenizer", rows=128,
        added=tuple(f"<extra_id_{number}>" for number in range(100)), dtype="float32",
    )  # fmt: skip


def _bert(model_type: str, fields: Mapping[str, Any], **changes: Any) -> Layout:
    special = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
    made = Layout(
        "encoder", model_type, fields, "wordpiece", special, _BERT_ROLES, frame=_BERT_FRAME,
        tokenizer_class="BertTokenizer", dtype="float32",
    )  # fmt: skip
    return replace(made, **changes)


def _roberta(kind: Kind, model_type: str, fields: Mapping[str, Any], name: str) -> Layout:
    return Layout(
        kind, model_type, fields, "byte-level-first",
        ("<s>", "<pad>", "</s>", "<unk>", "<mask>"), _ROBERTA_ROLES,
        frame=("<s> $A </s>", "<s> $A </s> </s> $B </s>"), tokenizer_class=name, dtype="float32",
    )  # fmt: skip


_PHI_3_ENDS = ("<|endoftext|>", "<|assistant|>", "<|end|>")
_EXPERTS = {"num_local_experts": 4, "sliding_window": None}

LAYOUTS: dict[str, Layout] = {
    "llama-2": _llama_2(dtype="float16"),
    "llama-2-chat": _llama_2(dtype="float16", template="llama2", sampling=_SAMPLED),
    "llama-3": _llama_3(),
    "llama-3-instruct": _llama_3(
        roles={"bos_token": "<|begin_of_text|>", "eos_token": "<|eot_id|>"},
        template="llama3", ends=("<|end_of_text|>", "<|eom_id|>", "<|eot_id|>"),
        sampling=_SAMPLED,
    ),
    "qwen2.5": _qwen(
        "qwen2", roles={"eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>"},
        template="qwen2.5", ends=("<|endoftext|>",), sampling={},
        fields={"tie_word_embeddings": True},
    ),
    "qwen2.5-instruct": _qwen("qwen2", template="qwen2.5", fields={"tie_word_embeddings": True}),
    "qwen3": _qwen(
        "qwen3", added=_THINK, template="qwen3",
        fields={"head_dim": 32, "tie_word_embeddings": True},
    ),
    "qwen3-moe": _qwen(
        "qwen3_moe", added=_THINK, template="qwen3",
        fields={"head_dim": 32, "num_experts": 4, "num_experts_per_tok": 2,
                "moe_intermediate_size": 64},
    ),
    "gemma-2-it": _gemma(
        "gemma2", attn_logit_softcapping=50.0, final_logit_softcapping=30.0,
        layer_types=["sliding_attention", "full_attention"],
    ),
    "gemma-3-it": _gemma(
        "gemma3_text", layer_types=["sliding_attention", "full_attention"], query_pre_attn_scalar=32
    ),
    "mistral-instruct": _llama_2(
        "mistral", "[INST]", "[/INST]", "[TOOL_CALLS]", "[AVAILABLE_TOOLS]",
        "[/AVAILABLE_TOOLS]", "[TOOL_RESULTS]", "[/TOOL_RESULTS]",
        template="mistral-v3", fields={"sliding_window": None},
    ),
    "mixtral-instruct": _llama_2("mixtral", template="mistral-v1", fields=_EXPERTS),
    "phi-2": _gpt_2(
        "phi", _decoder(partial_rotary_factor=0.5), tokenizer_class="CodeGenTokenizer", rows=64
    ),
    "phi-3": Layout(
        "causal-lm", "phi3", _decoder(sliding_window=64), "sentencepiece",
        ("<unk>", "<s>", "</s>", "<|endoftext|>", "<|assistant|>", "<|system|>", "<|end|>",
         "<|user|>"),
        {"bos_token": "<s>", "eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>",
         "unk_token": "<unk>"},
        tokenizer_class="LlamaTokenizer", template="phi3", ends=_PHI_3_ENDS,
    ),
    "gpt2": _gpt_2(
        "gpt2", {"n_embd": 64, "n_layer": 2, "n_head": 4, "n_positions": LONGEST},
        tokenizer_class="GPT2Tokenizer", dtype="float32",
    ),
    "gpt-neox": _gpt_2(
        "gpt_neox", _decoder(), special=("<|endoftext|>", "<|padding|>"),
        tokenizer_class="GPTNeoXTokenizer", rows=64,
    ),
    "olmo2": Layout(
        "causal-lm", "olmo2", _decoder(), "byte-level-thousands", ("<|endoftext|>", "<|pad|>"),
        {**_GPT_2_ROLES, "pad_token": "<|pad|>"}, tokenizer_class="GPT2Tokenizer",
        template="olmo2",
    ),
    "smollm2-instruct": Layout(
        "causal-lm", "llama", _grouped(tie_word_embeddings=True), "byte-level-digits",
        _QWEN_TOKENS,
        {"bos_token": "<|im_start|>", "eos_token": "<|im_end|>", "unk_token": "<|endoftext|>",
         "pad_token": "<|im_end|>"},
        template="chatml-system",
    ),
    "smollm3": _llama_3(
        model_type="smollm3", fields=_grouped(tie_word_embeddings=True),
        special=(*_LLAMA_3_TOKENS, "<|im_start|>", "<|im_end|>"), added=_THINK,
        roles={"eos_token": "<|im_end|>"}, frame=None, template="think-always",
        ends=("<|im_end|>",),
    ),
    "granite-instruct": Layout(
        "causal-lm", "granite",
        _grouped(embedding_multiplier=4.0, attention_multiplier=0.25, residual_multiplier=0.5,
                 logits_scaling=2.0, tie_word_embeddings=True),
        "byte-level-digits",
        ("<|end_of_text|>", "<fim_prefix>", "<|start_of_role|>", "<|end_of_role|>",
         "<|tool_call|>"),
        dict.fromkeys(("bos_token", "eos_token", "pad_token", "unk_token"), "<|end_of_text|>"),
        tokenizer_class="GPT2Tokenizer", template="granite",
    ),
    "t5": _t5("t5"),
    "flan-t5": _t5("t5", **_GATED),
    "mt5": _t5("mt5", **_GATED),
    "bart": _roberta("seq2seq-lm", "bart", _BART, "BartTokenizer"),
    "bert": _bert("bert", _decoder()),
    "distilbert": _bert(
        "distilbert",
        {"dim": 64, "n_layers": 2, "n_heads": 4, "hidden_dim": 128,
         "max_position_embeddings": LONGEST},
        tokenizer_class="DistilBertTokenizer",
    ),
    "roberta": _roberta(
        "encoder", "roberta", _decoder(max_position_embeddings=LONGEST + 2, type_vocab_size=1),
        "RobertaTokenizer",
    ),
    "deberta-v3": _bert(
        "deberta-v2", _decoder(**_DEBERTA), family="unigram",
        special=("[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"),
        tokenizer_class="DebertaV2Tokenizer",
    ),
    "modernbert": _bert(
        "modernbert", _decoder(local_attention=64, cls_token_id=None, sep_token_id=None),
        family="byte-level",
        special=("<|endoftext|>", "[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"),
        tokenizer_class=None,
    ),
    "electra": _bert(
        "electra", _decoder(embedding_size=64), tokenizer_class="ElectraTokenizer",
        auto_class="AutoModel",
    ),
}  # fmt: skip
"""The layouts by name: decoders, encoder–decoders, encoders."""


def build_layout(name: str, folder: Path, seed: int = 0) -> Path:
    """Write a tiny random model of a layout, with its tokenizer; returns the folder.

    Args:
        name: one of :data:`LAYOUTS`.
        folder: where it is put; made if it is not there.
        seed: of the weights. The state of torch's random generator stays as it is.

    Raises:
        UsageError: there is no such layout.
    """
    if name not in LAYOUTS:
        raise UsageError(
            f"there is no layout {name!r}{did_you_mean(name, LAYOUTS)}; there are "
            f"{', '.join(LAYOUTS)}"
        )
    LAYOUTS[name].save(Path(folder), seed)
    return Path(folder)
