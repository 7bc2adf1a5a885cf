"""Build an embedded model from scratch.

    python -m examples.embedded_models.build causal-lm --minutes 35

Text, tokenizer and weights are all made by this package: nothing is downloaded. With ``--tokens``
the result is the same every time on one machine with the same versions; with ``--minutes`` training
goes as far as the machine gets in that time. A GPU is used where there is one.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import torch
from tokenizers.processors import TemplateProcessing
from transformers import (
    GenerationConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    T5ForConditionalGeneration,
)

from examples.embedded_models import pretrain, pretrain_pairs
from examples.embedded_models.corpus import documents, plain
from examples.embedded_models.corpus_ads import MARK, QUESTION, describe, draw_offer
from examples.embedded_models.corpus_pairs import COPYING, SENTINELS, pairs
from toolkit.models import number_tokenizer
from toolkit.models.embedded import NAMES

TOKENIZER_DOCUMENTS = 20_000


def build_tokenizer(number: int = TOKENIZER_DOCUMENTS) -> PreTrainedTokenizerFast:
    """The tokenizer, from documents that training does not see."""
    return number_tokenizer.train(plain(document) for document in documents(number, seed=99))


def build_pair_tokenizer(number: int = TOKENIZER_DOCUMENTS) -> PreTrainedTokenizerFast:
    """The encoder–decoder's tokenizer: it appends EOS as T5's does, and has T5's sentinels."""
    texts = (" ".join(pair) for pair in pairs(number, seed=99))
    words = number_tokenizer.train(texts, 3072, extra=SENTINELS)
    end = words.eos_token
    words.backend_tokenizer.post_processor = TemplateProcessing(
        single=f"$A {end}", pair=f"$A $B {end}", special_tokens=[(end, words.eos_token_id)]
    )
    return words


def save(model: Any, words: PreTrainedTokenizerFast, folder: Path) -> None:
    """Write the files that ``from_pretrained`` reads, in bfloat16, all of them or none."""
    unfinished = folder.with_name(folder.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    cached, model.config.use_cache = model.config.use_cache, True
    model.generation_config = GenerationConfig(
        do_sample=False,
        pad_token_id=words.pad_token_id,
        bos_token_id=words.bos_token_id,
        eos_token_id=words.eos_token_id,
        decoder_start_token_id=getattr(model.config, "decoder_start_token_id", None),
    )
    model.save_pretrained(unfinished)
    words.save_pretrained(unfinished)
    model.config.use_cache = cached
    folder.mkdir(parents=True, exist_ok=True)
    for file in unfinished.iterdir():
        file.replace(folder / file.name)
    unfinished.rmdir()


def price_error(
    model: LlamaForCausalLM, words: PreTrainedTokenizerFast, number: int = 384
) -> float:
    """Mean absolute error, on new advertisements, of the price distribution's mean."""
    random = Random(4321)
    offers = [draw_offer(random) for _ in range(number)]
    texts = [f"{QUESTION}\n\n{describe(offer, random)}\n\nPrice is ${MARK}" for offer in offers]
    prices = torch.tensor([offer.price for offer in offers]).float()
    numbers = torch.tensor(words.convert_tokens_to_ids([str(n) for n in range(1000)]))
    errors = []
    for at in range(0, number, 64):
        batch = words([plain(text) for text in texts[at : at + 64]], padding=True,
                      return_tensors="pt").to(model.device)  # fmt: skip
        last = batch["attention_mask"].sum(1) - 1
        with torch.no_grad():
            hidden = model.model(input_ids=batch["input_ids"], use_cache=False).last_hidden_state
            logits = hidden[torch.arange(len(last)), last] @ model.lm_head.weight.T
        share = logits[:, numbers].float().softmax(-1).cpu()
        errors.append((share @ torch.arange(1000.0) - prices[at : at + 64]).abs())
    return float(torch.cat(errors).mean())


Report = Callable[[dict[str, float]], None]


def _build(
    folder: Path,
    settings: pretrain.Settings,
    start: Path | None,
    architecture: Any,
    make: Callable[[], tuple[PreTrainedTokenizerFast, Any]],
    judge: Callable[[Any, PreTrainedTokenizerFast], Callable[[], dict[str, float]]],
    train: Callable[[Any, PreTrainedTokenizerFast, Report, Callable[[], None]], None],
    every: int,
) -> None:
    """Continue from ``start`` or make a new model, train it, print its progress, and save it.

    Args:
        folder: where the model and, during training, its snapshots are saved.
        settings: of the training.
        start: the folder of a model saved before; its tokenizer is kept.
        architecture: the class that loads it.
        make: makes a tokenizer and an untrained model, where there is no ``start``.
        judge: returns a function that measures the model on new texts.
        train: trains; it gets the functions that report progress and save a snapshot.
        every: steps between two measurements.
    """
    torch.manual_seed(settings.seed)
    if start:
        words = PreTrainedTokenizerFast.from_pretrained(start)
        model = architecture.from_pretrained(
            start, dtype=torch.float32, attn_implementation="eager"
        )
    else:
        words, model = make()
    model.to("cuda" if torch.cuda.is_available() else "cpu")
    print(f"{sum(p.numel() for p in model.parameters()):,} parameters, {len(words):,} tokens")
    measure = judge(model, words)

    def told(state: dict[str, float]) -> None:
        print(json.dumps({key: round(value, 3) for key, value in state.items()}), flush=True)

    def report(state: dict[str, float]) -> None:
        if state["step"] % every == 0:
            state = {**state, **measure()}
        if state["step"] % 50 == 0:
            told(state)

    train(model, words, report, lambda: save(model, words, folder))
    save(model, words, folder)
    told(measure())
    print(f"saved in {folder}")


def build_causal_lm(folder: Path, settings: pretrain.Settings, start: Path | None = None) -> None:
    """Train tokenizer and model, and save them in ``folder``, with snapshots during training.

    With ``start`` training continues from a model saved before, and keeps its tokenizer.
    """

    def make() -> tuple[PreTrainedTokenizerFast, Any]:
        words = build_tokenizer()
        return words, pretrain.make_model(words)

    _build(
        folder, settings, start, LlamaForCausalLM, make,
        lambda model, words: lambda: {"price_mae": price_error(model, words)},
        lambda model, words, report, snapshot: pretrain.train(
            model, words, settings, report, lambda _: snapshot()
        ),
        every=250,
    )  # fmt: skip


def build_seq2seq_lm(
    folder: Path,
    settings: pretrain.Settings,
    start: Path | None = None,
    copying: float = COPYING,
    longest: tuple[int, int] = pretrain_pairs.LONGEST,
    look_around: bool = False,
) -> None:
    """As :func:`build_causal_lm`, for the encoder–decoder.

    ``copying`` and ``longest`` select its pairs, see :func:`pretrain_pairs.batches`; with
    ``look_around`` the heads of ``start`` get the biases that :func:`pretrain_pairs.look_around`
    gives to a new model.
    """

    def make() -> tuple[PreTrainedTokenizerFast, Any]:
        words = build_pair_tokenizer()
        return words, pretrain_pairs.make_model(words)

    def train(
        model: Any, words: PreTrainedTokenizerFast, report: Report, snapshot: Callable[[], None]
    ) -> None:
        if look_around:
            pretrain_pairs.look_around(model)
        pretrain_pairs.train(model, words, settings, report, snapshot, copying, longest)

    _build(
        folder, settings, start, T5ForConditionalGeneration, make, pretrain_pairs.judge, train,
        every=500,
    )  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m examples.embedded_models.build", description=__doc__
    )
    parser.add_argument("name", choices=sorted(NAMES))
    parser.add_argument("--out", type=Path, help="where to write (default: into the package)")
    parser.add_argument("--minutes", type=float, help="how long to train (default: 35)")
    parser.add_argument("--tokens", type=int, help="how many tokens to train on")
    parser.add_argument("--start", type=Path, help="a saved model to go on from")
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--batch-tokens", type=int, default=4096)
    parser.add_argument("--warmup", type=float, default=0.02, help="share of the training")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--optimizer", choices=("muon", "adamw"), default="muon")
    parser.add_argument("--copying", type=float, default=COPYING,
                        help="share of pairs that only copy (seq2seq-lm)")  # fmt: skip
    parser.add_argument("--longest", type=int, nargs=2, metavar=("INPUT", "TARGET"),
                        default=pretrain_pairs.LONGEST,
                        help="tokens of the longest pair (seq2seq-lm)")  # fmt: skip
    parser.add_argument("--look-around", action="store_true",
                        help="turn heads of --start to their neighbours (seq2seq-lm)")  # fmt: skip
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--workers", type=int, default=0,
                        help="processes that write the text (with a GPU: six or more)")  # fmt: skip
    options = parser.parse_args(arguments)
    minutes = 35.0 if options.minutes is None and options.tokens is None else options.minutes
    torch.set_num_threads(options.threads)
    folder = options.out or Path(__file__).parent / NAMES[options.name]
    settings = pretrain.Settings(
        minutes=minutes,
        tokens=options.tokens,
        learning_rate=options.learning_rate,
        batch_tokens=options.batch_tokens,
        warmup=options.warmup,
        seed=options.seed,
        optimizer=options.optimizer,
        workers=options.workers,
    )
    if options.name == "causal-lm":
        build_causal_lm(folder, settings, options.start)
    else:
        build_seq2seq_lm(
            folder, settings, options.start, options.copying, tuple(options.longest),
            options.look_around,
        )  # fmt: skip


if __name__ == "__main__":
    main()
