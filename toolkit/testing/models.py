"""Tiny random models, one for each kind of task: two layers, 32 wide, made in a second.

Their tokenizers know every byte or every letter, so that they can read any task's rows. They are
not trained and their outputs are noise: a run with one shows that a task works, not how well.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.errors import PluginError
from toolkit.kinds.registry import model_class

if TYPE_CHECKING:
    from toolkit.task import Task

LINES = (
    "How much does this cost to the nearest dollar?",
    "red cup, pack of 2\nPrice is $14",
    "a blue lamp with a green chair and a white desk",
    "the bed is 460 dollars, which colour is it?",
)
"""Text that the tokenizers are trained on."""
HIDDEN = 32
LONGEST = 512
"""The longest input of the models, in tokens."""


def tiny(task: type[Task], folder: Path) -> Path:
    """A folder below ``folder`` with a tiny model of the task's kind; made by the first call."""
    from toolkit.kinds.encoder.model import Encoder

    kind = model_class(task)
    name = kind.auto_class
    if name not in MAKERS and not issubclass(kind, Encoder):
        raise PluginError(
            f"there is no tiny model of {task.__name__}'s kind ({name}); give run() a model"
        )
    place = folder / name
    if not (place / "config.json").is_file():
        MAKERS.get(name, bert)(place, LINES)
    return place


def llama(folder: Path, lines: Sequence[str] = LINES) -> Path:
    """A Llama whose tokenizer has a token for every number from 0 to 999."""
    from transformers import LlamaConfig, LlamaForCausalLM

    from toolkit.models import number_tokenizer

    learned = number_tokenizer.train(list(lines) * 4, vocabulary=1500)
    config = LlamaConfig(
        vocab_size=len(learned),
        num_key_value_heads=2,
        bos_token_id=learned.bos_token_id,
        **decoder_sizes(learned),
    )
    return saved(folder, LlamaForCausalLM, config, learned)


def qwen(folder: Path, lines: Sequence[str] = LINES) -> Path:
    """A Qwen2 whose tokenizer has a chat template and splits numbers."""
    from transformers import Qwen2Config, Qwen2ForCausalLM

    learned = _digit_tokenizer(lines)
    config = Qwen2Config(vocab_size=len(learned), num_key_value_heads=2, **decoder_sizes(learned))
    return saved(folder, Qwen2ForCausalLM, config, learned)


def t5(folder: Path, lines: Sequence[str] = LINES) -> Path:
    """A T5 whose tokenizer is that of :func:`llama`."""
    from transformers import T5Config, T5ForConditionalGeneration

    from toolkit.models import number_tokenizer

    learned = number_tokenizer.train(list(lines) * 4, vocabulary=1500)
    config = T5Config(
        vocab_size=len(learned),
        d_model=HIDDEN,
        d_kv=HIDDEN // 4,
        d_ff=2 * HIDDEN,
        num_layers=2,
        num_heads=4,
        decoder_start_token_id=learned.pad_token_id,
        eos_token_id=learned.eos_token_id,
        pad_token_id=learned.pad_token_id,
    )
    return saved(folder, T5ForConditionalGeneration, config, learned)


def letters(lines: Sequence[str] = LINES) -> Any:
    """BERT's tokenizer whose word pieces are the letters and the words of ``lines``."""
    from transformers import BertTokenizer

    letters = sorted({*string.ascii_lowercase, *string.digits, *string.punctuation, "é", "ü"})
    words = sorted({word for line in lines for word in line.lower().split() if word.isalpha()})
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocabulary = [*special, *letters, *(f"##{letter}" for letter in letters), *words]
    vocabulary = list(dict.fromkeys(vocabulary))
    learned = BertTokenizer(vocab={token: i for i, token in enumerate(vocabulary)})
    learned.model_max_length = LONGEST
    return learned


def bert(folder: Path, lines: Sequence[str] = LINES) -> Path:
    """A BERT without a head, whose word pieces are characters and words."""
    from transformers import BertConfig, BertModel

    learned = letters(lines)
    config = BertConfig(
        vocab_size=len(learned),
        hidden_size=HIDDEN,
        intermediate_size=2 * HIDDEN,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=LONGEST,
    )
    return saved(folder, BertModel, config, learned)


def distilbert(folder: Path, lines: Sequence[str] = LINES) -> Path:
    """A DistilBERT without a head, with the tiny BERT's tokenizer."""
    from transformers import DistilBertConfig, DistilBertModel

    learned = letters(lines)
    config = DistilBertConfig(
        vocab_size=len(learned), dim=HIDDEN, hidden_dim=2 * HIDDEN, n_layers=2, n_heads=4,
        max_position_embeddings=LONGEST,
    )  # fmt: skip
    return saved(folder, DistilBertModel, config, learned)


def phi(folder: Path, lines: Sequence[str] = LINES) -> Path:
    """A Phi with the tiny Qwen's tokenizer, which splits numbers."""
    from transformers import PhiConfig, PhiForCausalLM

    learned = _digit_tokenizer(lines)
    fields = decoder_sizes(learned) | {"tie_word_embeddings": False}
    config = PhiConfig(vocab_size=len(learned), bos_token_id=None, **fields)
    return saved(folder, PhiForCausalLM, config, learned)


ARCHITECTURES: dict[str, Callable[[Path, Sequence[str]], Path]] = {
    "llama": llama,
    "qwen2": qwen,
    "phi": phi,
    "t5": t5,
    "bert": bert,
    "distilbert": distilbert,
}
"""Functions that make a tiny model, by its architecture (``model_type``)."""

MAKERS: dict[str, Callable[[Path, Sequence[str]], Path]] = {
    "AutoModelForCausalLM": llama,
    "AutoModelForSeq2SeqLM": t5,
    "AutoModelForSequenceClassification": bert,
    "AutoModelForQuestionAnswering": bert,
}
"""Functions that make a tiny model, by the class that loads it."""


def decoder_sizes(tokenizer: Any) -> dict[str, Any]:
    """The fields that the configurations of decoders share."""
    return {
        "hidden_size": HIDDEN,
        "intermediate_size": 2 * HIDDEN,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "max_position_embeddings": LONGEST,
        "tie_word_embeddings": True,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }


def saved(folder: Path, model: Any, config: Any, tokenizer: Any) -> Path:
    """Save a random model of a class and configuration with its tokenizer; returns the folder."""
    import torch

    state = torch.get_rng_state()
    torch.manual_seed(0)
    model(config).save_pretrained(folder)
    torch.set_rng_state(state)  # a test's random numbers must not depend on this
    tokenizer.save_pretrained(folder)
    return folder


def _digit_tokenizer(lines: Sequence[str]) -> Any:
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
    learned.train_from_iterator(list(lines) * 4, trainer)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=learned, eos_token=end, pad_token=pad)
    tokenizer.chat_template = (
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    return tokenizer
