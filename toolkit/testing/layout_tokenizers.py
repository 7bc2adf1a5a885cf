"""Small tokenizers of the families that real models have, trained on text of this package.

They differ where real ones differ: what a digit is, whether a text begins with a space of its own,
what is done with letters that they do not know, and which tokens are special.

| name | like that of | digits |
|---|---|---|
| ``byte-level`` | GPT-2, Phi-2, NeoX | merge as any text does |
| ``byte-level-first`` | RoBERTa, BART | the same, with the special tokens at the first ids |
| ``byte-level-digits`` | Qwen, SmolLM2, Granite | one token each |
| ``byte-level-thousands`` | Llama 3, OLMo 2, SmolLM3 | every number from 0 to 999 is a token |
| ``sentencepiece`` | Llama 2, Mistral, Phi-3 | one token each; unknown letters become bytes |
| ``sentencepiece-bare`` | Gemma | the same, without a space before the text |
| ``unigram`` | T5, mT5, DeBERTa-v3 | merge; unknown letters are lost |
| ``wordpiece`` | BERT, DistilBERT, ELECTRA | merge; letters become lower-case |

A family with its special tokens is trained once a process; each call of :func:`make` gives a copy.
"""

from __future__ import annotations

import functools
import json
import string
from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import Any

from toolkit.errors import PluginError

SIZE = 700
"""Tokens of a vocabulary, about: 256 bytes, letters, and what is merged."""
THOUSANDS = r"\p{N}{1,3}"
WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|NUMBER| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""The rule by which Llama 3 and Qwen cut a text into words; ``NUMBER`` is where they differ."""
SPACE = "▁"


@functools.cache
def texts() -> tuple[str, ...]:
    """What the tokenizers learn from: general sentences, offers with prices, other alphabets."""
    general = files("toolkit.pipeline").joinpath("general_text.txt").read_text(encoding="utf-8")
    offers = [
        f"{colour} {good}, pack of {pieces}\nPrice is ${price}"
        for colour in ("red", "blue", "green", "white")
        for good, price in (("cup", 14), ("lamp", 31), ("chair", 85), ("desk", 240), ("bed", 460))
        for pieces in (1, 2, 3, 5)
    ]
    prices = [f"Price is ${price}" for price in range(1, 1000, 7)]
    letters = (
        f"{string.ascii_uppercase} {string.ascii_lowercase} {string.digits} {string.punctuation}"
    )
    return (*general.splitlines(), *offers, *prices, letters, "café naïve façade Straße über señor")


def make(family: str, special: Sequence[str]) -> Any:
    """A fresh copy of a family's ``tokenizers.Tokenizer``.

    Args:
        family: a name of the table above.
        special: its special tokens; the first have the first ids in ``sentencepiece``, ``unigram``
            and ``wordpiece``, in the others the last ones.

    Raises:
        PluginError: there is no such family.
    """
    from tokenizers import Tokenizer

    if family not in FAMILIES:
        raise PluginError(f"there is no family {family!r}; there are {', '.join(FAMILIES)}")
    return Tokenizer.from_str(_trained(family, tuple(special)))


@functools.cache
def _trained(family: str, special: tuple[str, ...]) -> str:
    return str(FAMILIES[family](special).to_str())


def _byte_level(special: Sequence[str], *, number: str | None = None, first: bool = False) -> Any:
    """Byte-level BPE.

    Args:
        special: the special tokens.
        number: the pattern of a number that is cut off; ``None``: GPT-2's rule.
        first: whether special tokens have the first ids; else they stand after the others.
    """
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, pre_tokenizers
    from tokenizers.models import BPE
    from tokenizers.trainers import BpeTrainer

    learned = Tokenizer(BPE())
    bytes_of = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=number is None)
    learned.pre_tokenizer = bytes_of
    if number is not None:
        cut = pre_tokenizers.Split(Regex(WORDS.replace("NUMBER", number)), "isolated")
        learned.pre_tokenizer = pre_tokenizers.Sequence([cut, bytes_of])
    learned.decoder = decoders.ByteLevel()
    # Numbers are repeated so often that each of them becomes a token before any word does.
    numbers = [str(n) for n in range(1000)] * 40 if number == THOUSANDS else []
    trainer = BpeTrainer(
        vocab_size=SIZE + (1000 if numbers else 0),
        special_tokens=list(special) if first else [],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    learned.train_from_iterator([*texts(), *numbers], trainer)
    learned.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in special])
    return learned


def _sentencepiece(special: Sequence[str], *, prefix: bool) -> Any:
    """BPE with byte fallback, spaces as ``▁``; ``prefix``: a text begins with a space."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, normalizers, pre_tokenizers
    from tokenizers.models import BPE
    from tokenizers.trainers import BpeTrainer

    learned = Tokenizer(BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    learned.normalizer = normalizers.Replace(" ", SPACE)
    # SentencePiece keeps words and digits apart while it learns; what it has learned needs no cuts.
    learned.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(rf"{SPACE}?[^{SPACE}\d]+|{SPACE}"), "isolated"),
            pre_tokenizers.Digits(individual_digits=True),
        ]
    )
    trainer = BpeTrainer(
        vocab_size=SIZE,
        special_tokens=[*special, *(f"<0x{byte:02X}>" for byte in range(256))],
        show_progress=False,
    )
    learned.train_from_iterator(texts(), trainer)
    learned = _without_specials(learned)
    learned.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in special])
    before = [normalizers.Prepend(SPACE)] if prefix else []
    learned.normalizer = normalizers.Sequence([*before, normalizers.Replace(" ", SPACE)])
    after = [decoders.Strip(" ", 1, 0)] if prefix else []
    learned.decoder = decoders.Sequence(
        [decoders.Replace(SPACE, " "), decoders.ByteFallback(), decoders.Fuse(), *after]
    )
    return learned


def _without_specials(learned: Any) -> Any:
    """The model alone: for the trainer bytes are special tokens, which decoding would skip."""
    from tokenizers import Tokenizer

    document = json.loads(learned.to_str())
    return Tokenizer.from_str(
        json.dumps(document | {"added_tokens": [], "pre_tokenizer": None, "normalizer": None})
    )


def _unigram(special: Sequence[str]) -> Any:
    """Unigram, as T5 has it; spaces and line breaks become one space."""
    from tokenizers import Regex, Tokenizer, decoders, normalizers, pre_tokenizers
    from tokenizers.models import Unigram
    from tokenizers.trainers import UnigramTrainer

    learned = Tokenizer(Unigram())
    learned.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " ")]
    )
    learned.pre_tokenizer = pre_tokenizers.Metaspace(replacement=SPACE, prepend_scheme="always")
    learned.decoder = decoders.Metaspace(replacement=SPACE, prepend_scheme="always")
    unknown = next(token for token in special if "unk" in token.lower())
    trainer = UnigramTrainer(
        vocab_size=SIZE, special_tokens=list(special), unk_token=unknown, show_progress=False
    )
    learned.train_from_iterator(texts(), trainer)
    return learned


def _wordpiece(special: Sequence[str]) -> Any:
    """WordPiece of lower-case letters, as in ``bert-base-uncased``."""
    from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers
    from tokenizers.models import WordPiece
    from tokenizers.trainers import WordPieceTrainer

    learned = Tokenizer(WordPiece(unk_token="[UNK]"))
    learned.normalizer = normalizers.BertNormalizer(lowercase=True)
    learned.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    learned.decoder = decoders.WordPiece()
    trainer = WordPieceTrainer(vocab_size=SIZE, special_tokens=list(special), show_progress=False)
    learned.train_from_iterator(texts(), trainer)
    return learned


FAMILIES: dict[str, Callable[[Sequence[str]], Any]] = {
    "byte-level": _byte_level,
    "byte-level-first": functools.partial(_byte_level, first=True),
    "byte-level-digits": functools.partial(_byte_level, number=r"\p{N}"),
    "byte-level-thousands": functools.partial(_byte_level, number=THOUSANDS),
    "sentencepiece": functools.partial(_sentencepiece, prefix=True),
    "sentencepiece-bare": functools.partial(_sentencepiece, prefix=False),
    "unigram": _unigram,
    "wordpiece": _wordpiece,
}
"""Functions that train a tokenizer, by the family's name."""


def framed(tokenizer: Any, single: str, pair: str) -> Any:
    """Put special tokens around texts, in place; returns the tokenizer.

    Args:
        tokenizer: of :func:`make`.
        single: for one text, such as ``<s> $A``.
        pair: for two, such as ``[CLS] $A [SEP] $B:1 [SEP]:1``.
    """
    from tokenizers import processors

    used = {token.partition(":")[0] for token in f"{single} {pair}".split() if token[0] != "$"}
    tokenizer.post_processor = processors.TemplateProcessing(
        single, pair, [(token, tokenizer.token_to_id(token)) for token in sorted(used)]
    )
    return tokenizer
