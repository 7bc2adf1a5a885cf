"""Comparing base and adapter against the adapter alone: memory and time, on one random model.

    python tests/benchmarks/comparing.py [--rounds 5] [--tokens 48]

The model is a Llama with random weights and more than 200 million parameters, in float32. Memory is
the peak of a process of its own, less what it had before loading; time is the median of alternating
runs in one process, both writing the same number of tokens. Prints JSON; exits with 1 where
comparing takes more than 1.1 times the memory or 1.4 times the time.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from toolkit.system import environment

environment.prepare(offline=True)

MEMORY, SECONDS = 1.1, 1.4
PROMPT_TOKENS = 96


def build(folder: Path) -> int:
    """Save the random model; gives its parameters."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from toolkit.models import number_tokenizer

    learned = number_tokenizer.train(["red cup, pack of 2 for 14 dollars"] * 20, vocabulary=1500)
    torch.manual_seed(0)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=32_000, hidden_size=1024, intermediate_size=2816, num_hidden_layers=14,
            num_attention_heads=16, num_key_value_heads=16, max_position_embeddings=1024,
            tie_word_embeddings=True, eos_token_id=learned.eos_token_id,
            pad_token_id=learned.pad_token_id, bos_token_id=learned.bos_token_id,
        )
    )  # fmt: skip
    model.save_pretrained(folder)
    learned.save_pretrained(folder)
    return int(sum(p.numel() for p in model.parameters()))


def load(folder: Path) -> Any:
    """The kind with that base and a fresh adapter whose weights are not zero."""
    import torch

    sys.path.insert(0, str(Path(__file__).parents[1]))
    from tiny_tasks import TinyColours
    from toolkit.kinds.causal_lm.model import CausalLM
    from toolkit.models import adapters
    from toolkit.recipe import Recipe

    recipe = Recipe("random", "", str(folder), training={"max_length": None})
    kind = CausalLM(TinyColours(), recipe)
    kind.load()
    lora = {"r": 16, "target_modules": "all-linear"}
    kind.model = adapters.add_lora(kind.model, lora, seed=0, task_type="CAUSAL_LM").eval()
    with torch.no_grad():
        for name, weights in kind.model.named_parameters():
            if "lora_B" in name:
                weights.normal_(0, 0.02)
    kind.model.requires_grad_(False)
    kind.has_adapter = True
    return kind


def alone(kind: Any, tokens: int) -> None:
    """The adapter by itself, active, as anybody would generate with it."""
    from toolkit.kinds.language.generate import generate

    prompt = list(range(5, 5 + PROMPT_TOKENS))
    settings = {"max_new_tokens": tokens, "min_new_tokens": tokens}
    (out,) = generate(kind.model, kind.tokenizer, [prompt], generation=settings)
    assert out.tokens == tokens


def compared(kind: Any, tokens: int) -> None:
    """Base and adapter at once, followed token by token as the page does."""
    from toolkit.kinds.base import BASE
    from toolkit.kinds.watching import Watch

    prompt = list(range(5, 5 + PROMPT_TOKENS))
    settings = {"max_new_tokens": tokens, "min_new_tokens": tokens}
    heard: list[list[int]] = [[], []]
    watch = Watch(on_token=lambda index, token: heard[index].append(token))
    outs = kind.write_texts([prompt, prompt], [BASE, "default"], generation=settings, watch=watch)
    assert [out.tokens for out in outs] == [tokens, tokens] and heard[0] != heard[1]


WAYS = {"alone": alone, "compared": compared}


def peak(folder: Path, way: str, tokens: int) -> float:
    """Peak memory of a process that only does that, less what it had before loading, in MiB."""
    done = subprocess.run(
        [sys.executable, __file__, "--way", way, "--model", str(folder), "--tokens", str(tokens)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return float(done.stdout)


def measure_peak(folder: Path, way: str, tokens: int) -> None:
    """What such a process does: both figures from the kernel's own account."""
    import peft  # noqa: F401  what is imported counts as before loading
    import torch  # noqa: F401
    import transformers  # noqa: F401
    from transformers import LlamaForCausalLM  # noqa: F401

    from toolkit.kinds.causal_lm import model as _  # noqa: F401

    before = _status("VmRSS")
    kind = load(folder)
    WAYS[way](kind, tokens)
    sys.stdout.write(f"{_status('VmHWM') - before:.1f}\n")


def _status(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) / 1024 for line in lines if line.startswith(name + ":"))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tokens", type=int, default=48)
    parser.add_argument("--way", choices=sorted(WAYS))
    parser.add_argument("--model", type=Path)
    arguments = parser.parse_args()
    if arguments.way:
        measure_peak(arguments.model, arguments.way, arguments.tokens)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        parameters = build(folder)
        memory = {way: peak(folder, way, arguments.tokens) for way in WAYS}
        kind = load(folder)
        seconds: dict[str, list[float]] = {way: [] for way in WAYS}
        for round_ in range(arguments.rounds + 1):
            for way, run in WAYS.items():
                started = time.perf_counter()
                run(kind, arguments.tokens)
                if round_:  # the first warms up
                    seconds[way].append(time.perf_counter() - started)
    medians = {way: statistics.median(found) for way, found in seconds.items()}
    ratios = {
        "memory": memory["compared"] / memory["alone"],
        "seconds": medians["compared"] / medians["alone"],
    }
    print(json.dumps({
        "parameters": parameters, "tokens": arguments.tokens, "peak_mib": memory,
        "seconds": {way: round(value, 3) for way, value in medians.items()},
        "ratios": {name: round(value, 3) for name, value in ratios.items()},
        "allowed": {"memory": MEMORY, "seconds": SECONDS},
    }, indent=1))  # fmt: skip
    sys.exit(int(ratios["memory"] > MEMORY or ratios["seconds"] > SECONDS))


if __name__ == "__main__":
    main()
