"""Pre-training of the embedded encoder–decoder: T5's architecture on pairs of input and target.

Optimizers, schedule and loop are those of :mod:`toolkit.models.pretrain`; the loss is plain
cross-entropy on the target.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from random import Random
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional
from transformers import PreTrainedTokenizerFast, T5Config, T5ForConditionalGeneration

from toolkit.models.corpus_pairs import pairs

LONGEST_INPUT, LONGEST_TARGET = 224, 128
CHUNK = 8_000
IGNORED = -100


class PairBatch(NamedTuple):
    """Pairs of similar lengths, each side padded to its longest."""

    ids: Tensor
    """Inputs, shape (pairs, input tokens)."""
    labels: Tensor
    """Targets, shape (pairs, target tokens), padded with -100."""


def make_model(tokenizer: PreTrainedTokenizerFast, **changes: Any) -> T5ForConditionalGeneration:
    """An untrained T5 of about four million parameters, with FLAN-T5's gated feed-forward."""
    shape: dict[str, Any] = {
        "d_model": 192,
        "d_kv": 32,
        "num_heads": 6,
        "d_ff": 448,
        "num_layers": 3,
        "num_decoder_layers": 3,
        **changes,
    }
    config = T5Config(
        vocab_size=len(tokenizer),
        feed_forward_proj="gated-gelu",
        dropout_rate=0.0,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        decoder_start_token_id=tokenizer.pad_token_id,
        attn_implementation="eager",  # faster than SDPA's backward on a CPU at these lengths
        **shape,
    )
    return T5ForConditionalGeneration(config)


def batches(tokenizer: PreTrainedTokenizerFast, tokens: int, seed: int) -> Iterator[PairBatch]:
    """Endless batches of about ``tokens`` tokens of both sides; no pair is ever seen twice."""
    random = Random(seed)
    waiting: dict[tuple[int, int], list[tuple[list[int], list[int]]]] = {}
    while True:
        ready: list[PairBatch] = []
        inputs, targets = zip(*pairs(CHUNK, random.getrandbits(62)), strict=True)
        encoded = zip(tokenizer([*inputs])["input_ids"], tokenizer([*targets])["input_ids"],
                      strict=True)  # fmt: skip
        for ids, labels in encoded:
            if len(ids) > LONGEST_INPUT or len(labels) > LONGEST_TARGET:
                continue
            # Few shapes: a CPU prepares its kernels anew for each.
            shape = _rounded(len(ids)), _rounded(len(labels))
            group = waiting.setdefault(shape, [])
            group.append((ids, labels))
            if len(group) >= max(1, tokens // sum(shape)):
                ready.append(_padded(group, shape, tokenizer.pad_token_id))
                del waiting[shape]
        random.shuffle(ready)
        yield from ready


def _rounded(length: int) -> int:
    return 32 * math.ceil(length / 32)


def _padded(
    group: list[tuple[list[int], list[int]]], shape: tuple[int, int], pad: int
) -> PairBatch:
    ids = torch.full((len(group), shape[0]), pad)
    labels = torch.full((len(group), shape[1]), IGNORED)
    for row, (source, target) in enumerate(group):
        ids[row, : len(source)] = torch.tensor(source)
        labels[row, : len(target)] = torch.tensor(target)
    return PairBatch(ids, labels)


def batch_loss(model: T5ForConditionalGeneration, batch: PairBatch, pad: int) -> Tensor:
    """The mean cross-entropy of the targets' tokens."""
    logits = model(
        input_ids=batch.ids,
        attention_mask=(batch.ids != pad).long(),
        decoder_input_ids=functional.pad(batch.labels[:, :-1].clamp(min=0), (1, 0), value=pad),
        use_cache=False,
    ).logits
    return functional.cross_entropy(
        logits.float().flatten(0, 1), batch.labels.flatten(), ignore_index=IGNORED
    )


def counted(batch: PairBatch, pad: int) -> int:
    """Tokens of both sides without padding."""
    return int((batch.ids != pad).sum() + (batch.labels != IGNORED).sum())
