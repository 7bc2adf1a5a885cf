"""What a model's files say of its limits, before it is loaded: stop tokens, positions, vocabulary.

A chat model ends its turn with another token than the one that its tokenizer calls the end of the
sequence, often with one of several (``eos_token_id`` of ``generation_config.json`` is then a list).
Whoever stops at the tokenizer's alone lets such a model ramble to the limit of new tokens.
:class:`Limits` holds the one set that ends a text, in training, prediction and playground.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from toolkit.errors import ModelError

POSITIONS = (
    "max_position_embeddings", "max_encoder_position_embeddings", "n_positions", "max_seq_len",
    "max_sequence_length", "n_ctx",
)  # fmt: skip
"""Names under which configurations keep the number of positions; the first one found counts."""
OFFSET = frozenset(
    "camembert data2vec-text esm ibert layoutlmv3 longformer luke markuplm mluke mpnet roberta "
    "roberta-prelayernorm xlm-roberta xlm-roberta-xl xmod".split()
)
"""``model_type`` of models whose first position comes after the padding token's id."""
UNLIMITED = 100_000
"""Tokenizers without a limit report a number larger than this."""


@dataclass(frozen=True)
class Limits:
    """What bounds the texts of one model and its tokenizer.

    Args:
        stops: ids of the tokens that end a text, ascending; empty where nothing is known to.
        positions: tokens that the model has positions for, prompt and answer together (of an
            encoder–decoder: those it reads); ``None``: its positions are relative, or unknown.
        answer_positions: those of an encoder–decoder's answer; ``None`` as above, and for all
            other models.
        rows: tokens that the embeddings know; ``None``: unknown.
        notes: what was changed in the tokenizer because of them, as sentences.
    """

    stops: tuple[int, ...] = ()
    positions: int | None = None
    answer_positions: int | None = None
    rows: int | None = None
    notes: tuple[str, ...] = ()

    def end(self, tokenizer: Any) -> int:
        """The token that training puts behind a text: the tokenizer's own end, else a stop token.

        Raises:
            ModelError: there is neither.
        """
        own = tokenizer.eos_token_id
        if own is not None:
            return int(own)
        if not self.stops:
            raise ModelError(
                "neither the tokenizer nor the model's generation_config.json names an "
                "end-of-sequence token, so a text would never end: set eos_token in "
                "tokenizer_config.json, or take another model"
            )
        return self.stops[0]

    def check_vocabulary(self, tokenizer: Any, model: str) -> None:
        """Refuse a tokenizer with tokens that the embeddings lack and that a row may have.

        Control tokens that nothing uses may be missing, such as the sentinels that T5's tokenizer
        always has: no text of the data becomes one.

        Raises:
            ModelError: with the first such token.
        """
        if self.rows is None:
            return
        used = {
            *_used_ids(tokenizer),
            *(set(range(self.rows, len(tokenizer))) - special_ids(tokenizer)),
        }
        missing = sorted(i for i in used if i >= self.rows)
        if missing:
            text = tokenizer.convert_ids_to_tokens(missing[0])
            raise ModelError(
                f"the tokenizer of {model!r} has {len(tokenizer):,} tokens and the model embeds "
                f"{self.rows:,}: it has no embedding for {text!r} (number {missing[0]:,}); give "
                "the tokenizer that belongs to the model, or resize the model's embeddings and "
                "save it again"
            )


def read(path: str, tokenizer: Any, *, trust_remote_code: bool = False) -> Limits:
    """The limits of a model, from its configuration files; no weights are loaded.

    Args:
        path: a folder or Hub id, as ``from_pretrained`` takes it.
        tokenizer: the model's tokenizer.
        trust_remote_code: as for loading the model.

    Returns:
        what is known; files that are missing or cannot be read limit nothing, because loading the
        model will say what is wrong with them.
    """
    from transformers import AutoConfig, GenerationConfig

    config = generation = None
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, ImportError):
        config = AutoConfig.from_pretrained(path, trust_remote_code=trust_remote_code)
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        generation = GenerationConfig.from_pretrained(path)
    return _made(tokenizer, generation, config)


def of_model(model: Any, tokenizer: Any) -> Limits:
    """The limits of a model in memory, with or without adapters."""
    return _made(tokenizer, getattr(model, "generation_config", None), model.config)


def _made(tokenizer: Any, generation: Any, config: Any) -> Limits:
    if config is None:
        return Limits(stops_of(tokenizer, generation, None))
    text = config.get_text_config()
    rows = getattr(text, "vocab_size", None)
    return Limits(
        stops=stops_of(tokenizer, generation, text),
        positions=positions_of(text),
        answer_positions=_answer_positions(text) if config.is_encoder_decoder else None,
        rows=rows if isinstance(rows, int) and rows > 0 else None,
    )


def stops_of(tokenizer: Any, generation: Any, config: Any) -> tuple[int, ...]:
    """The ids of the tokens that end a text, ascending.

    Args:
        tokenizer: its own end is always one.
        generation: the model's ``GenerationConfig``, or ``None``.
        config: the model's configuration, used where the former names no token; or ``None``.
    """
    value = getattr(generation, "eos_token_id", None)
    written = value is not None and not getattr(generation, "_from_model_config", False)
    if value is None:
        value = getattr(config, "eos_token_id", None)
    known = [i for i in ids_of(value) if i < len(tokenizer) and tokenizer.convert_ids_to_tokens(i)]
    if not written and not isinstance(value, list | tuple):
        # Nobody wrote this one for generation: it may be the default of the model's class, which
        # means a word, or the beginning of a text, in another tokenizer.
        starts = {tokenizer.bos_token_id, tokenizer.cls_token_id, tokenizer.mask_token_id}
        known = [i for i in known if i in special_ids(tokenizer) - starts]
    return tuple(sorted({*known, *ids_of(tokenizer.eos_token_id)}))


def ids_of(value: Any) -> list[int]:
    """Token ids, which configurations hold one by one or in a list; others are left out."""
    found = value if isinstance(value, list | tuple | set) else [value]
    return [i for i in found if isinstance(i, int) and not isinstance(i, bool) and i >= 0]


def special_ids(tokenizer: Any) -> set[int]:
    """The ids of a tokenizer's control tokens: what decoding leaves out as no part of a text."""
    return {*tokenizer.all_special_ids, *(i for i, t in added(tokenizer).items() if t.special)}


def _used_ids(tokenizer: Any) -> set[int]:
    """The control tokens that texts get: those around every text, and those of the template."""
    template = str(tokenizer.chat_template or "")
    written = {
        i for i in special_ids(tokenizer) if str(tokenizer.convert_ids_to_tokens(i)) in template
    }
    around = (tokenizer.bos_token_id, tokenizer.eos_token_id, *tokenizer("a")["input_ids"])
    return {i for i in around if i is not None} | written


def added(tokenizer: Any) -> dict[int, Any]:
    """The tokens that a tokenizer finds in a text before it reads words, by their ids."""
    return dict(getattr(tokenizer, "added_tokens_decoder", {}))


def positions_of(config: Any) -> int | None:
    """The number of tokens that a configuration has positions for; ``None``: no limit.

    Rotary positions count too, although such a model computes something beyond them: it was never
    trained there. Sliding windows are no limit, nor are positions that are relative.
    """
    if _relative(config):
        return None
    found = next((n for name in POSITIONS if (n := _number(config, name))), None)
    if found is None:
        return None
    if getattr(config, "model_type", "") in OFFSET:
        found -= (getattr(config, "pad_token_id", None) or 0) + 1
    return _whole(max(found, _stretched(config)))


def _whole(positions: int) -> int:
    """Whole eights of positions: batches are padded to them, and padding takes positions too."""
    return max(positions // 8 * 8, min(positions, 8))


def _answer_positions(config: Any) -> int | None:
    if _relative(config):
        return None
    own = _number(config, "max_decoder_position_embeddings")
    return positions_of(config) if own is None else _whole(own)


def _relative(config: Any) -> bool:
    """Whether positions are distances between tokens, of which there is no largest."""
    buckets = getattr(config, "relative_attention_num_buckets", None)
    if buckets and getattr(config, "model_type", "") != "mpnet":  # which has both
        return True
    if getattr(config, "alibi", False) or _field(getattr(config, "attn_config", None), "alibi"):
        return True
    return getattr(config, "position_biased_input", True) is False


def _stretched(config: Any) -> int:
    """Positions of a rotary scaling that names its original number and factor; 0: none."""
    scaling = getattr(config, "rope_parameters", None) or getattr(config, "rope_scaling", None)
    factor, original = (
        _field(scaling, name) for name in ("factor", "original_max_position_embeddings")
    )
    numbers = isinstance(factor, int | float) and isinstance(original, int | float)
    return int(factor * original) if numbers else 0


def _number(config: Any, name: str) -> int | None:
    found = getattr(config, name, None)
    return found if isinstance(found, int) and found > 0 else None


def _field(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else getattr(value, name, None)


def smallest(*limits: int | None) -> int | None:
    """The smallest of several limits, of which ``None`` is none."""
    return min((limit for limit in limits if limit is not None), default=None)


def tokenizer_limit(tokenizer: Any) -> int | None:
    """The most tokens that a tokenizer's files allow; ``None``: they name no limit."""
    able = int(tokenizer.model_max_length)
    return able if able < UNLIMITED else None


def padding_token(tokenizer: Any, stops: Iterable[int], rows: int | None = None) -> str | None:
    """A control token to pad with that ends no text; ``None`` where every one of them does.

    Padding is masked wherever it is used. It must all the same be no word: transformers turns a
    padding token into a special one, which a saved tokenizer then no longer reads out of a text.

    Args:
        tokenizer: the tokenizer.
        stops: ids of the tokens that end a text.
        rows: tokens that the model embeds; ``None``: all.
    """
    specials = special_ids(tokenizer) - set(stops)
    specials = {i for i in specials if rows is None or i < rows}
    texts = {i: str(tokenizer.convert_ids_to_tokens(i)) for i in sorted(specials)}
    unknown, start = tokenizer.unk_token_id, tokenizer.bos_token_id
    for suits in (
        lambda i: "pad" in texts[i].lower(),
        lambda i: i == unknown,
        lambda i: "reserved" in texts[i] or "unused" in texts[i],
        lambda i: i == start,
        lambda i: True,
    ):
        if chosen := next((texts[i] for i in texts if suits(i)), None):
            return chosen
    return None
