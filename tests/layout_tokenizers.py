"""Small tokenizers of the layouts that real models have, and models whose answers are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

LINES = ("Mark 4 as old: was 4 now 5", "the red oak chair is 12 dollars", "Say 3 twice. 3 3") * 4
TURNS = (
    "{{ bos_token or '' }}{% for m in messages %}<|turn|>{{ m.role }}\n{{ m.content | trim }}"
    "<|end|>\n{% endfor %}{% if add_generation_prompt %}<|turn|>assistant\n{% endif %}"
)
"""A chat template whose end of turn is not the tokenizer's end."""


def byte_level(specials: Sequence[str], words: Sequence[str] = (), **names: str) -> Any:
    """As GPT-2, Llama 3 and Qwen have it; ``words`` are added tokens that are no special ones."""
    from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers
    from tokenizers.models import BPE
    from tokenizers.trainers import BpeTrainer

    learned = Tokenizer(BPE())
    learned.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    learned.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = BpeTrainer(
        vocab_size=320, special_tokens=list(specials), initial_alphabet=alphabet,
        show_progress=False,
    )  # fmt: skip
    learned.train_from_iterator(LINES, trainer)
    learned.add_tokens([AddedToken(word, normalized=False) for word in words])
    return _wrapped(learned, names)


def sentence_piece(specials: Sequence[str], **names: str) -> Any:
    """As Llama 2 has it: a blank before each text, bytes for unknown characters, and BOS."""
    from tokenizers import Tokenizer, decoders, normalizers, processors
    from tokenizers.models import BPE
    from tokenizers.trainers import BpeTrainer

    learned = Tokenizer(BPE(byte_fallback=True, unk_token="<unk>"))
    learned.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    learned.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(),
         decoders.Strip(" ", 1, 0)]
    )  # fmt: skip
    letters = [chr(code) for code in range(33, 127)]
    trainer = BpeTrainer(
        vocab_size=400, special_tokens=list(specials), initial_alphabet=letters,
        show_progress=False,
    )  # fmt: skip
    learned.train_from_iterator(LINES, trainer)
    bos = names["bos_token"]
    learned.post_processor = processors.TemplateProcessing(
        single=f"{bos} $A", special_tokens=[(bos, learned.token_to_id(bos))]
    )
    return _wrapped(learned, names)


def unigram(specials: Sequence[str], **names: str) -> Any:
    """As T5 has it: Unicode is normalized, and the end of the sequence is behind each text."""
    from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers, processors
    from tokenizers.models import Unigram
    from tokenizers.trainers import UnigramTrainer

    learned = Tokenizer(Unigram())
    learned.normalizer = normalizers.NFKC()
    learned.pre_tokenizer = pre_tokenizers.Metaspace()
    learned.decoder = decoders.Metaspace()
    letters = [chr(code) for code in range(33, 127)]
    trainer = UnigramTrainer(
        vocab_size=200, special_tokens=list(specials), unk_token="<unk>", initial_alphabet=letters,
        show_progress=False,
    )  # fmt: skip
    learned.train_from_iterator(LINES, trainer)
    end = names["eos_token"]
    learned.post_processor = processors.TemplateProcessing(
        single=f"$A {end}", special_tokens=[(end, learned.token_to_id(end))]
    )
    return _wrapped(learned, names)


def _wrapped(learned: Any, names: Mapping[str, str]) -> Any:
    from transformers import PreTrainedTokenizerFast

    fields = dict(names)
    template = fields.pop("chat_template", None)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=learned, **fields)
    tokenizer.chat_template = template
    return tokenizer


def gpt2() -> Any:
    """One special token for everything."""
    end = "<|endoftext|>"
    return byte_level([end], eos_token=end, bos_token=end, unk_token=end)


def neox() -> Any:
    """Added tokens that are words, behind the vocabulary."""
    end = "<|endoftext|>"
    return byte_level([end], ["    ", "  "], eos_token=end, bos_token=end, unk_token=end)


def llama2() -> Any:
    return sentence_piece(
        ["<unk>", "<s>", "</s>"], unk_token="<unk>", bos_token="<s>", eos_token="</s>"
    )


def chat() -> Any:
    """An end of turn that only the generation configuration names."""
    specials = ["<|text|>", "<|turn|>", "<|end|>", "<|pad|>", "<|stop|>"]
    return byte_level(
        specials, eos_token="<|stop|>", bos_token="<|text|>", pad_token="<|pad|>",
        chat_template=TURNS,
    )  # fmt: skip


def smollm() -> Any:
    """BOS is the mark of a turn, and padding is the end."""
    specials = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    template = TURNS.replace("{{ bos_token or '' }}", "").replace("<|turn|>", "<|im_start|>")
    return byte_level(
        specials, eos_token="<|im_end|>", bos_token="<|im_start|>", pad_token="<|im_end|>",
        unk_token="<|endoftext|>", chat_template=template.replace("<|end|>", "<|im_end|>"),
    )  # fmt: skip


def t5() -> Any:
    return unigram(
        ["<pad>", "</s>", "<unk>"], pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    )


LAYOUTS = {
    "gpt2": gpt2, "neox": neox, "llama2": llama2, "chat": chat, "smollm": smollm, "t5": t5,
}  # fmt: skip
"""Functions that make a tokenizer, by the layout."""


def written(
    folder: Path, tokenizer: Any, after: Mapping[int, int], *, stops: Any = None, **config: Any
) -> Any:
    """A Llama whose next token depends on the last one alone, saved with its tokenizer.

    Args:
        folder: where to save it.
        tokenizer: its tokenizer.
        after: token → the token that it writes then; 0 after all others.
        stops: ``eos_token_id`` of its ``generation_config.json``.
        config: further fields of its configuration.
    """
    import torch
    from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

    size = len(tokenizer)
    hidden = -(-size // 8) * 8
    model = LlamaForCausalLM(
        LlamaConfig(
            **{
                "vocab_size": size, "hidden_size": hidden, "intermediate_size": 8,
                "num_hidden_layers": 1, "num_attention_heads": 4, "num_key_value_heads": 4,
                "max_position_embeddings": 256, "tie_word_embeddings": False,
                "bos_token_id": None, "eos_token_id": None, **config,
            }
        )
    )  # fmt: skip
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.fill_(1.0) if "norm" in name else weight.zero_()
        model.model.embed_tokens.weight[:, :size] = torch.eye(size)
        head = torch.zeros(size, hidden)
        head[0, :size] = 1.0
        for token, following in after.items():
            head[:, token] = 0
            head[following, token] = 1.0
        model.lm_head.weight.copy_(head)
    model.generation_config = GenerationConfig(eos_token_id=stops)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return model.eval()
