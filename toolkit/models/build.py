"""Build an embedded model again: ``python -m toolkit.models.build causal-lm --minutes 35``.

Text, tokenizer and weights all come from this package: nothing is downloaded. With ``--tokens``
the run is repeatable on the same machine and versions; with ``--minutes`` it takes what the
machine manages in that time.
"""

# ruff: noqa: T201 (a build script talks)

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import torch
from transformers import GenerationConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from toolkit.models import NAMES, pretrain, tokenizer
from toolkit.models.corpus import documents, plain
from toolkit.models.corpus_ads import MARK, QUESTION, describe, draw_offer

TOKENIZER_DOCUMENTS = 20_000


def build_tokenizer(number: int = TOKENIZER_DOCUMENTS) -> PreTrainedTokenizerFast:
    """The tokenizer, from documents that training does not see."""
    return tokenizer.train(plain(document) for document in documents(number, seed=99))


def save(model: LlamaForCausalLM, words: PreTrainedTokenizerFast, folder: Path) -> None:
    """Write what ``from_pretrained`` reads, in bfloat16, whole or not at all."""
    unfinished = folder.with_name(folder.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    cached, model.config.use_cache = model.config.use_cache, True
    model.generation_config = GenerationConfig(
        do_sample=False,
        pad_token_id=words.pad_token_id,
        bos_token_id=words.bos_token_id,
        eos_token_id=words.eos_token_id,
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
    """Mean absolute error of the mean of the price distribution on new advertisements."""
    from random import Random

    random = Random(4321)
    offers = [draw_offer(random) for _ in range(number)]
    texts = [f"{QUESTION}\n\n{describe(offer, random)}\n\nPrice is ${MARK}" for offer in offers]
    prices = torch.tensor([offer.price for offer in offers]).float()
    numbers = torch.tensor(words.convert_tokens_to_ids([str(n) for n in range(1000)]))
    errors = []
    for at in range(0, number, 64):
        batch = words([plain(text) for text in texts[at : at + 64]], padding=True,
                      return_tensors="pt")  # fmt: skip
        last = batch["attention_mask"].sum(1) - 1
        with torch.no_grad():
            hidden = model.model(input_ids=batch["input_ids"], use_cache=False).last_hidden_state
            logits = hidden[torch.arange(len(last)), last] @ model.lm_head.weight.T
        share = logits[:, numbers].float().softmax(-1)
        errors.append((share @ torch.arange(1000.0) - prices[at : at + 64]).abs())
    return float(torch.cat(errors).mean())


def build_causal_lm(folder: Path, settings: pretrain.Settings, start: Path | None = None) -> None:
    """Train tokenizer and model, and write them; snapshots go there on the way.

    With ``start`` the training goes on from a model saved before, and keeps its tokenizer.
    """
    torch.manual_seed(settings.seed)
    if start:
        words = PreTrainedTokenizerFast.from_pretrained(start)
        model = LlamaForCausalLM.from_pretrained(
            start, dtype=torch.float32, attn_implementation="eager"
        )
    else:
        words = build_tokenizer()
        model = pretrain.make_model(words)
    print(f"{sum(p.numel() for p in model.parameters()):,} parameters, {len(words):,} tokens")

    def report(state: dict[str, float]) -> None:
        if state["step"] % 250 == 0:
            state["price_mae"] = price_error(model, words)
        if state["step"] % 50 == 0:
            print(json.dumps({key: round(value, 3) for key, value in state.items()}), flush=True)

    pretrain.train(model, words, settings, report, lambda now: save(now, words, folder))
    save(model, words, folder)
    print(f"price error on new advertisements: {price_error(model, words):.1f}; saved in {folder}")


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m toolkit.models.build", description=__doc__)
    parser.add_argument("name", choices=sorted(NAMES))
    parser.add_argument("--out", type=Path, help="where to write (default: into the package)")
    parser.add_argument("--minutes", type=float, help="how long to train (default: 35)")
    parser.add_argument("--tokens", type=int, help="how many tokens to train on")
    parser.add_argument("--start", type=Path, help="a saved model to go on from")
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args(arguments)
    minutes = 35.0 if options.minutes is None and options.tokens is None else options.minutes
    torch.set_num_threads(options.threads)
    folder = options.out or Path(__file__).parent / NAMES[options.name]
    settings = pretrain.Settings(
        minutes=minutes,
        tokens=options.tokens,
        learning_rate=options.learning_rate,
        seed=options.seed,
    )
    build_causal_lm(folder, settings, options.start)


if __name__ == "__main__":
    main()
