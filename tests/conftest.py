"""What all tests share: a quiet offline environment, and two tiny random models."""

from __future__ import annotations

import os

from toolkit import environment

environment.prepare(offline=True)  # before anything imports transformers or datasets
os.environ.pop("TOOLKIT_RUNS", None)

from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import pytest  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

# The same examples every time, and no limit of time on a machine that has other things to do.
settings.register_profile(
    "steady", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("steady")

LINES = [
    "How much does this cost to the nearest dollar?",
    "red cup, pack of 2\nPrice is $14",
    "a blue lamp with a green chair and a white desk",
    "the bed is 460 dollars, which colour is it?",
]
HIDDEN = 32


@pytest.fixture(scope="session")
def tiny_llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Llama of two layers; its tokenizer has a token for every number from 0 to 999."""
    from transformers import LlamaConfig, LlamaForCausalLM

    from toolkit.models import tokenizer

    learned = tokenizer.train(LINES * 4, vocabulary=1500)
    config = LlamaConfig(
        vocab_size=len(learned),
        num_key_value_heads=2,
        bos_token_id=learned.bos_token_id,
        **_sizes(learned),
    )
    return _saved(
        tmp_path_factory.mktemp("models") / "tiny-llama", LlamaForCausalLM, config, learned
    )


@pytest.fixture(scope="session")
def tiny_qwen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Qwen2 of two layers, whose tokenizer has a chat template and splits numbers."""
    from transformers import Qwen2Config, Qwen2ForCausalLM

    learned = _digit_tokenizer()
    config = Qwen2Config(vocab_size=len(learned), num_key_value_heads=2, **_sizes(learned))
    return _saved(
        tmp_path_factory.mktemp("models") / "tiny-qwen", Qwen2ForCausalLM, config, learned
    )


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random BERT of two layers without a head, whose word pieces are characters and words."""
    import string

    from transformers import BertConfig, BertModel, BertTokenizer

    letters = sorted({*string.ascii_lowercase, *string.digits, *string.punctuation, "é", "ü"})
    words = sorted({word for line in LINES for word in line.lower().split() if word.isalpha()})
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocabulary = [*special, *letters, *(f"##{letter}" for letter in letters), *words]
    vocabulary = list(dict.fromkeys(vocabulary))
    learned = BertTokenizer(vocab={token: i for i, token in enumerate(vocabulary)})
    learned.model_max_length = 128
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=HIDDEN,
        intermediate_size=2 * HIDDEN,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=128,
        hidden_dropout_prob=0.1,
    )
    return _saved(tmp_path_factory.mktemp("models") / "tiny-bert", BertModel, config, learned)


def _sizes(tokenizer: Any) -> dict[str, Any]:
    return {
        "hidden_size": HIDDEN,
        "intermediate_size": 2 * HIDDEN,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "max_position_embeddings": 512,
        "tie_word_embeddings": True,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }


def _saved(folder: Path, model: Any, config: Any, tokenizer: Any) -> Path:
    import torch

    torch.manual_seed(0)
    model(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _digit_tokenizer() -> Any:
    """Byte-level BPE in which every digit is a token of its own, as Qwen's is."""
    from tokenizers import Tokenizer, decoders, pre_tokenizers
    from tokenizers.models import BPE
    from tokenizers.trainers import BpeTrainer
    from transformers import PreTrainedTokenizerFast

    end, pad, start = "<|im_end|>", "<|endoftext|>", "<|im_start|>"
    learned = Tokenizer(BPE())
    learned.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    learned.decoder = decoders.ByteLevel()
    trainer = BpeTrainer(
        vocab_size=320,
        special_tokens=[pad, start, end],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    learned.train_from_iterator(LINES * 4, trainer)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=learned, eos_token=end, pad_token=pad)
    tokenizer.chat_template = (
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    return tokenizer
