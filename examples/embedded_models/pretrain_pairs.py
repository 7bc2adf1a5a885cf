"""Pre-training of the embedded encoder–decoder: T5's architecture on pairs of input and target.

Optimizers, schedule and loop are those of :mod:`examples.embedded_models.pretrain`; the
loss is plain cross-entropy on the target.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from random import Random
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional
from transformers import PreTrainedTokenizerFast, T5Config, T5ForConditionalGeneration

from examples.embedded_models import corpus_copies, corpus_records, pretrain
from examples.embedded_models.corpus_pairs import COPYING, pairs

LONGEST = (320, 224)
"""Tokens of the longest input and of the longest target."""
CHUNK = 8_000
IGNORED = -100
NEIGHBOUR = 8.0
"""The bias by which a head attends to a neighbour; larger than other tokens' scores at first."""


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
    return look_around(T5ForConditionalGeneration(config))


def look_around(model: T5ForConditionalGeneration) -> T5ForConditionalGeneration:
    """Set position biases so that some heads attend to a neighbouring token from the start.

    To copy from the input, the decoder searches it for the token that it has just written; the
    state it needs is the next one, and that can be found only if encoder states contain the token
    before theirs. Biases begin near 0 and Adam moves each by about the learning rate a step:
    without this, after 1,500 steps no head of the encoder attended to the token before, and
    nothing was copied.
    """
    encoder, decoder = (
        stack.block[0].layer[0].SelfAttention.relative_attention_bias.weight
        for stack in (model.encoder, model.decoder)
    )
    after = model.config.relative_attention_num_buckets // 2
    with torch.no_grad():
        # One token before, two, the next one, three before; the decoder sees no later tokens.
        for head, bucket in enumerate((1, 2, after + 1, 3)[: encoder.shape[1] - 1]):
            encoder[bucket, head] = NEIGHBOUR
        for head, bucket in enumerate((1, 2, 3)[: decoder.shape[1] - 1]):
            decoder[bucket, head] = NEIGHBOUR
    return model


def batches(
    tokenizer: PreTrainedTokenizerFast,
    tokens: int,
    seed: int,
    copying: float = COPYING,
    longest: tuple[int, int] = LONGEST,
) -> Iterator[PairBatch]:
    """Endless batches of about ``tokens`` tokens of both sides; no pair is ever seen twice.

    Args:
        tokenizer: what encodes both sides.
        tokens: the tokens of a batch.
        seed: of all random draws.
        copying: the share of pairs that are pure copying.
        longest: tokens of the longest input and of the longest target; others are left out.
    """
    random = Random(seed)
    waiting: dict[tuple[int, int], list[tuple[list[int], list[int]]]] = {}
    while True:
        ready: list[PairBatch] = []
        inputs, targets = zip(*pairs(CHUNK, random.getrandbits(62), copying), strict=True)
        encoded = zip(tokenizer([*inputs])["input_ids"], tokenizer([*targets])["input_ids"],
                      strict=True)  # fmt: skip
        for ids, labels in encoded:
            if len(ids) > longest[0] or len(labels) > longest[1]:
                continue
            # Few different shapes, because a CPU prepares its kernels anew for each.
            shape = _rounded(len(ids)), _rounded(len(labels))
            group = waiting.setdefault(shape, [])
            group.append((ids, labels))
            if len(group) >= max(1, tokens // sum(shape)):
                ready.append(_padded(group, shape, tokenizer.pad_token_id))
                del waiting[shape]
        random.shuffle(ready)
        yield from ready


def _rounded(length: int) -> int:
    step = 16 if length <= 64 else 32
    return step * math.ceil(length / step)


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


def restated(
    model: T5ForConditionalGeneration,
    tokenizer: PreTrainedTokenizerFast,
    drawn: Sequence[tuple[str, Sequence[str]]],
) -> float:
    """The share of values that the model writes word for word, greedily.

    Args:
        model: the model, in any precision.
        tokenizer: its tokenizer.
        drawn: inputs, each with the values that its text has to contain.
    """
    # Padding here and not while encoding, which would be saved as a setting of the tokenizer.
    encoded = tokenizer([source for source, _ in drawn])
    batch = tokenizer.pad(encoded, return_tensors="pt").to(model.device)
    with torch.no_grad():
        made = model.generate(
            input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], use_cache=True,
            max_new_tokens=LONGEST[1], do_sample=False,
        )  # fmt: skip
    texts = tokenizer.batch_decode(made, skip_special_tokens=True)
    found = [value in text for text, (_, values) in zip(texts, drawn, strict=True)
             for value in values]  # fmt: skip
    return sum(found) / len(found)


def judge(
    model: T5ForConditionalGeneration, tokenizer: PreTrainedTokenizerFast, number: int = 32
) -> Callable[[], dict[str, float]]:
    """A function that measures the model on pairs that training does not see.

    It returns the loss and the shares of values that the model writes word for word: ``read_out``
    for plain fields, ``stated`` for records, whose text has other words around the values.
    """
    random = Random(4321)
    held_out = [
        pretrain.moved(batch, model.device)
        for batch in itertools.islice(batches(tokenizer, 2048, seed=4321), 12)
    ]
    read = [corpus_copies.reading(random) for _ in range(number)]
    told = [corpus_records.stating(random) for _ in range(number)]

    def measure() -> dict[str, float]:
        with torch.no_grad():
            losses = [batch_loss(model, batch, tokenizer.pad_token_id) for batch in held_out]
        return {
            "held_out_loss": float(torch.stack(losses).mean()),
            "read_out": restated(model, tokenizer, [(one[0], one[2]) for one in read]),
            "stated": restated(model, tokenizer, [(one[0], one[2]) for one in told]),
        }

    return measure


def train(
    model: T5ForConditionalGeneration,
    tokenizer: PreTrainedTokenizerFast,
    settings: pretrain.Settings,
    report: Callable[[dict[str, float]], None] = lambda _: None,
    snapshot: Callable[[], None] = lambda: None,
    copying: float = COPYING,
    longest: tuple[int, int] = LONGEST,
) -> None:
    """Train on endless pairs; see :func:`batches` and :func:`pretrain.optimise`."""
    model.train()
    pad = tokenizer.pad_token_id
    pretrain.optimise(
        model,
        pretrain.made_ahead(
            partial(batches, tokenizer, settings.batch_tokens, copying=copying, longest=longest),
            settings,
        ),
        loss=lambda batch: batch_loss(model, batch, pad),
        counted=lambda batch: counted(batch, pad),
        settings=settings,
        report=report,
        snapshot=snapshot,
    )


def counted(batch: PairBatch, pad: int) -> int:
    """The number of tokens of both sides, without padding."""
    return int((batch.ids != pad).sum() + (batch.labels != IGNORED).sum())
