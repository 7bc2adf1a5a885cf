"""The tokenizer of the embedded models: byte-level BPE in which every number to 999 is one token.

Digits never merge with what stands around them, ``$`` stands alone, and longer numbers are cut
into groups of three from the right (``1250`` is ``1`` and ``250``), so a model sees a price as one
symbol and a decoder can read the whole distribution over prices from one forward pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tokenizers import Regex, Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer
from transformers import PreTrainedTokenizerFast

PAD, BOS, EOS = "<pad>", "<s>", "</s>"
NUMBERS = r"[0-9]{1,3}(?=(?:[0-9]{3})*(?![0-9]))"
MAX_LENGTH = 1024


def _pre_tokenizer() -> pre_tokenizers.PreTokenizer:
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(NUMBERS), behavior="isolated"),
            pre_tokenizers.Split("$", behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )


def train(
    texts: Iterable[str], vocabulary: int = 2560, *, extra: Sequence[str] = ()
) -> PreTrainedTokenizerFast:
    """A tokenizer of ``vocabulary`` tokens: special ones, bytes, numbers, and merges from texts.

    Args:
        texts: what the merges are trained on; digits in them are ignored.
        vocabulary: tokens in all, without the extra ones.
        extra: further special tokens, such as the sentinels of T5.
    """
    learned = Tokenizer(BPE())
    learned.pre_tokenizer = _pre_tokenizer()
    numbers = 100 + 1000
    trainer = BpeTrainer(
        vocab_size=vocabulary - numbers,
        special_tokens=[PAD, BOS, EOS],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    # Without digits: all merges of digits are added below.
    learned.train_from_iterator((_without_digits(text) for text in texts), trainer)
    vocabulary_, merges = _with_numbers(learned)
    # A number is looked up whole: by merges alone "203" would become "2" and "03".
    tokenizer = Tokenizer(BPE(vocab=vocabulary_, merges=merges, ignore_merges=True))
    tokenizer.pre_tokenizer = _pre_tokenizer()
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        bos_token=BOS,
        eos_token=EOS,
        padding_side="right",
        model_max_length=MAX_LENGTH,
        clean_up_tokenization_spaces=False,
        **({"additional_special_tokens": list(extra)} if extra else {}),
    )


def _without_digits(text: str) -> str:
    return "".join(character for character in text if not character.isdigit())


def _with_numbers(learned: Tokenizer) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """The learned vocabulary and merges, with a token for each run of two or three digits."""
    import json

    model = json.loads(learned.to_str())["model"]
    vocabulary: dict[str, int] = dict(model["vocab"])
    merges = [(left, right) for left, right in model["merges"]]
    for width in (2, 3):
        for number in range(10**width):
            digits = f"{number:0{width}d}"
            vocabulary[digits] = len(vocabulary)
            merges.append((digits[:-1], digits[-1]))
    return vocabulary, merges
