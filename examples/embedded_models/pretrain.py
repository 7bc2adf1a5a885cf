"""Pre-training of the embedded causal LM in plain PyTorch: on two cores, or on a GPU.

The loss is cross-entropy, except on the price of an advertisement, where the target is spread
over the neighbouring numbers: a Gaussian in log price. So the model learns the order of the number
tokens, and a price that is nearly right costs little, unlike with cross-entropy alone (regression-
aware training: arXiv 2501.19383, arXiv 2506.06657).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from random import Random
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, IterableDataset, get_worker_info
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from examples.embedded_models.corpus import documents
from examples.embedded_models.corpus_ads import MARK

SIGMA = 0.15
"""Width of the smoothed target, in the logarithm of the price."""
PRICE_WEIGHT = 15.0
"""Weight of an advertisement's price token: it is one in sixty, and the one that matters."""
LONGEST = 640
CHUNK = 20_000


class Batch(NamedTuple):
    """Documents of similar length, padded to the longest."""

    ids: Tensor
    prices: Tensor
    """The price where the token is a price, else 0."""


class Settings(NamedTuple):
    """Settings of a training run; it ends after ``minutes``, ``tokens`` or the first of both."""

    minutes: float | None = None
    tokens: int | None = None
    batch_tokens: int = 4096
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    warmup: float = 0.02
    seed: int = 0
    optimizer: str = "muon"
    """``muon``, or ``adamw`` for all weights: in tiny batches less than half the time a step."""
    compile: bool = False
    """Whether to compile the model: a fifth faster on two cores, after a minute or two."""
    workers: int = 0
    """Processes that generate batches; a GPU trains faster than one process generates text."""


def make_model(tokenizer: PreTrainedTokenizerFast, **changes: Any) -> LlamaForCausalLM:
    """An untrained Llama of about three million parameters."""
    shape: dict[str, Any] = {
        "hidden_size": 192,
        "num_hidden_layers": 6,
        "intermediate_size": 512,
        "num_attention_heads": 3,
        "num_key_value_heads": 3,
        **changes,
    }
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        attention_bias=False,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        initializer_range=0.05,
        attn_implementation="eager",  # faster than SDPA's backward on a CPU at these lengths
        **shape,
    )
    return LlamaForCausalLM(config)


def encode(
    texts: list[str], tokenizer: PreTrainedTokenizerFast
) -> list[tuple[list[int], list[int]]]:
    """For each document its tokens with EOS, and for each token its price (0: no price)."""
    pieces = [text.split(MARK) for text in texts]
    flat = tokenizer([piece for parts in pieces for piece in parts])["input_ids"]
    encoded, at = [], 0
    for parts in pieces:
        ids: list[int] = []
        prices: list[int] = []
        for index, part in enumerate(parts):
            ids += flat[at]
            after_mark = [0] * len(flat[at])
            if index:
                # A piece behind the mark begins with the number, which is one token.
                digits = part[: next((i for i, c in enumerate(part) if not c.isdigit()), len(part))]
                after_mark[0] = int(digits)
            prices += after_mark
            at += 1
        encoded.append(([*ids, tokenizer.eos_token_id], [*prices, 0]))
    return encoded


def batches(tokenizer: PreTrainedTokenizerFast, tokens: int, seed: int) -> Iterator[Batch]:
    """Endless batches of about ``tokens`` tokens; no document is ever seen twice.

    Documents are not packed but batched by length: as in fine-tuning, each starts at position 0
    and sees nothing of another, and little is lost to padding. There are few shapes of batches,
    because a CPU prepares its bfloat16 kernels anew for each.
    """
    random = Random(seed)
    waiting: dict[int, list[tuple[list[int], list[int]]]] = {}
    while True:
        ready: list[Batch] = []
        for ids, prices in encode(list(documents(CHUNK, random.getrandbits(62))), tokenizer):
            step = 8 if len(ids) <= 128 else 32
            length = min(LONGEST, math.ceil(len(ids) / step) * step)
            group = waiting.setdefault(length, [])
            group.append((ids[:length], prices[:length]))
            if len(group) >= max(1, tokens // length):
                ready.append(_pad(group, length, tokenizer.pad_token_id))
                del waiting[length]
        random.shuffle(ready)
        yield from ready


def _pad(group: list[tuple[list[int], list[int]]], length: int, pad: int) -> Batch:
    ids = torch.full((len(group), length), pad)
    prices = torch.zeros((len(group), length), dtype=torch.long)
    for row, (tokens, values) in enumerate(group):
        ids[row, : len(tokens)] = torch.tensor(tokens)
        prices[row, : len(values)] = torch.tensor(values)
    return Batch(ids, prices)


class _Endless(IterableDataset[Any]):
    """Endless batches; each worker process has a random seed of its own."""

    def __init__(self, make: Callable[[int], Iterator[Any]], seed: int) -> None:
        self.make, self.seed = make, seed

    def __iter__(self) -> Iterator[Any]:
        worker = get_worker_info()
        return self.make(self.seed if worker is None else self.seed * 1000 + worker.id)


def made_ahead(make: Callable[[int], Iterator[Any]], settings: Settings) -> Iterable[Any]:
    """The batches that ``make`` generates from a seed, in worker processes if there are any.

    Workers take turns, so the same settings give the same batches in the same order.
    """
    if not settings.workers:
        return make(settings.seed)
    return DataLoader(
        _Endless(make, settings.seed), batch_size=None, num_workers=settings.workers,
        prefetch_factor=4,
    )  # fmt: skip


class PriceTarget:
    """The smoothed targets: for each price the probabilities of the numbers from 0 to 999."""

    def __init__(
        self, tokenizer: PreTrainedTokenizerFast, sigma: float = SIGMA, device: Any = "cpu"
    ) -> None:
        numbers = tokenizer.convert_tokens_to_ids([str(n) for n in range(1000)])
        logs = torch.log(torch.arange(1, 1000).float())
        weights = torch.exp(-0.5 * ((logs[:, None] - logs[None, :]) / sigma) ** 2)
        self.rows = torch.zeros(1000, 1000)
        self.rows[1:, 1:] = weights / weights.sum(1, keepdim=True)
        self.rows[0, 0] = 1.0
        self.numbers, self.rows = torch.tensor(numbers, device=device), self.rows.to(device)

    def loss(self, log_probabilities: Tensor, prices: Tensor) -> Tensor:
        """Cross-entropy against the smoothed targets, one value for each price."""
        return -(log_probabilities[:, self.numbers] * self.rows[prices]).sum(1)


def batch_loss(
    body: Callable[[Tensor], Tensor], head: Tensor, batch: Batch, target: PriceTarget, pad: int
) -> Tensor:
    """The weighted mean of the losses of all tokens of a batch."""
    hidden = body(batch.ids)
    # Every position is scored, also padding: a fixed shape is faster than fewer rows.
    logits = (hidden @ head.T).flatten(0, 1)
    labels = functional.pad(batch.ids[:, 1:], (0, 1), value=pad).flatten()
    prices = functional.pad(batch.prices[:, 1:], (0, 1)).flatten()
    scores = functional.log_softmax(logits.float(), dim=-1)
    losses = -scores.gather(1, labels[:, None]).squeeze(1)
    common, priced = (labels != pad) & (prices == 0), prices > 0
    special = target.loss(scores[priced], prices[priced])
    return ((losses * common).sum() + PRICE_WEIGHT * special.sum()) / (
        common.sum() + PRICE_WEIGHT * priced.sum()
    )


def moved(batch: Any, device: Any) -> Any:
    """A batch (a named tuple of tensors), moved to a device."""
    return type(batch)(*(part.to(device) for part in batch))


def schedule(done: float, peak: float, warmup: float) -> float:
    """The learning rate when the share ``done`` of the training is over."""
    if done < warmup:
        return peak * (done + 1e-3) / (warmup + 1e-3)
    left = (done - warmup) / (1 - warmup)
    return peak * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, left))))


def make_optimizers(
    model: Any, masters: list[Tensor], settings: Settings
) -> list[torch.optim.Optimizer]:
    """Muon (Jordan 2024) for the layers' matrices, AdamW for embeddings and norms.

    Muon's updates are scaled to the size of AdamW's, so that one learning rate serves both.
    """
    matrices: list[Tensor] = []
    embeddings: list[Tensor] = []
    vectors: list[Tensor] = []
    for (name, _), master in zip(model.named_parameters(), masters, strict=True):
        if master.ndim < 2:
            vectors.append(master)
        else:
            # T5 calls its embeddings "shared", and has some for relative positions.
            looked_up = any(part in name for part in ("embed", "shared", "relative_attention"))
            (embeddings if looked_up else matrices).append(master)
    adamw = torch.optim.AdamW(
        [
            {"params": embeddings, "weight_decay": settings.weight_decay},
            {"params": vectors, "weight_decay": 0.0},
        ],
        lr=settings.learning_rate,
        betas=(0.9, 0.97),
        fused=True,
    )
    if settings.optimizer == "adamw":
        adamw.add_param_group({"params": matrices, "weight_decay": settings.weight_decay})
        return [adamw]
    muon = torch.optim.Muon(
        matrices,
        lr=settings.learning_rate,
        weight_decay=settings.weight_decay,
        adjust_lr_fn="match_rms_adamw",
    )
    return [muon, adamw]


def train(
    model: LlamaForCausalLM,
    tokenizer: PreTrainedTokenizerFast,
    settings: Settings,
    report: Callable[[dict[str, float]], None] = lambda _: None,
    snapshot: Callable[[LlamaForCausalLM], None] = lambda _: None,
    every_seconds: float = 300.0,
) -> LlamaForCausalLM:
    """Train the causal LM; arguments and result as of :func:`optimise`."""
    target = PriceTarget(tokenizer, device=model.device)
    pad = tokenizer.pad_token_id

    def run(ids: Tensor) -> Tensor:
        hidden: Tensor = model.model(input_ids=ids, use_cache=False).last_hidden_state
        return hidden

    body = torch.compile(run, dynamic=True) if settings.compile else run
    optimise(
        model,
        made_ahead(partial(batches, tokenizer, settings.batch_tokens), settings),
        loss=lambda batch: batch_loss(body, model.lm_head.weight, batch, target, pad),
        counted=lambda batch: int((batch.ids != pad).sum()),
        settings=settings,
        report=report,
        snapshot=lambda: snapshot(model),
        every_seconds=every_seconds,
    )
    return model


def optimise(
    model: Any,
    stream: Iterable[Any],
    *,
    loss: Callable[[Any], Tensor],
    counted: Callable[[Any], int],
    settings: Settings,
    report: Callable[[dict[str, float]], None] = lambda _: None,
    snapshot: Callable[[], None] = lambda: None,
    every_seconds: float = 300.0,
) -> None:
    """Train until the minutes or the tokens are used up; the model ends in bfloat16.

    The weights that compute are bfloat16, the ones that the optimizer keeps are float32: on a CPU
    with bfloat16 instructions this is faster than automatic casting, and as stable.

    Args:
        model: a transformers model in float32, on the device that trains.
        stream: batches without an end.
        loss: a batch's loss.
        counted: tokens of a batch.
        settings: how long, how fast, from which seed.
        report: called every fifty steps with step, tokens, loss, seconds and speed.
        snapshot: called every ``every_seconds``.
        every_seconds: see above.
    """
    if settings.minutes is None and settings.tokens is None:
        raise ValueError("say how long to train: minutes, tokens or both")
    masters = [p.detach().clone().float() for p in model.parameters()]
    model.to(torch.bfloat16)
    model.config.use_cache = False
    weights = list(model.parameters())
    optimizers = make_optimizers(model, masters, settings)
    started = saved = time.monotonic()
    tokens = 0
    recent: list[float] = []
    for step, batch in enumerate(stream, start=1):
        seconds = time.monotonic() - started
        done = max(
            seconds / 60 / settings.minutes if settings.minutes else 0.0,
            tokens / settings.tokens if settings.tokens else 0.0,
        )
        if done >= 1:
            break
        for group in (group for one in optimizers for group in one.param_groups):
            group["lr"] = schedule(done, settings.learning_rate, settings.warmup)
        value = loss(moved(batch, model.device))
        value.backward()
        for master, weight in zip(masters, weights, strict=True):
            master.grad = weight.grad.float() if weight.grad is not None else None
            weight.grad = None
        torch.nn.utils.clip_grad_norm_(masters, 1.0)
        for optimizer in optimizers:
            optimizer.step()
        with torch.no_grad():
            torch._foreach_copy_([*weights], masters)
        tokens += counted(batch)
        recent = [*recent[-49:], value.item()]
        if step % 50 == 0:
            seconds = time.monotonic() - started
            report({"step": step, "tokens": tokens, "loss": sum(recent) / len(recent),
                    "seconds": seconds, "done": done,
                    "tokens_per_second": tokens / seconds})  # fmt: skip
        if time.monotonic() - saved > every_seconds:
            snapshot()
            saved = time.monotonic()
    model.config.use_cache = True
