"""How a training step of SmolLM2 gets its memory on a processor, each way in a process of its own.

    python tests/benchmarks/pages.py [--rounds 2] [--steps 5]

Prints, as JSON, the median seconds of a step on 8 rows of 128 tokens and the most memory, for large
pages (``THP_MEM_ALLOC_ENABLE`` of PyTorch, which the toolkit leaves alone: they were slower) on and
off, and for freed memory that is given back at once (:func:`toolkit.models.malloc.settle`) or kept.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time

WAYS = {
    "large pages": (True, False), "usual pages": (False, False),
    "large pages, given back": (True, True), "usual pages, given back": (False, True),
}  # fmt: skip
"""The name of a way → whether pages are large, and whether freed memory is given back."""


def steps(count: int, *, back: bool) -> None:
    """Train on random rows, in bfloat16 and with the layers of the recipe."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    from toolkit import model_path
    from toolkit.kinds.causal_lm.smollm2 import SMOLLM2
    from toolkit.models import malloc

    model = AutoModelForCausalLM.from_pretrained(
        model_path(SMOLLM2.model), dtype=torch.bfloat16, attn_implementation="eager"
    )
    malloc.let_go(model)
    if back:
        malloc.LARGE = 1
        malloc.settle(model)
    model = get_peft_model(model, LoraConfig(**SMOLLM2.lora, task_type="CAUSAL_LM"))
    trained = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-4)
    ids = torch.randint(5, 40_000, (8, 128), generator=torch.Generator().manual_seed(0))
    seconds = []
    for _ in range(count):
        started = time.perf_counter()
        model(input_ids=ids, labels=ids).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        seconds.append(time.perf_counter() - started)
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    print("RESULT " + json.dumps([statistics.median(seconds[1:]), used]))


def main() -> None:
    """Alternate the ways and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--back", choices=("yes", "no"), help="one way, in this process")
    given = parser.parse_args()
    if given.back:
        steps(given.steps, back=given.back == "yes")
        return
    found: dict[str, list[list[float]]] = {name: [] for name in WAYS}
    for _ in range(given.rounds):
        for name, (large, back) in WAYS.items():
            done = subprocess.run(
                [sys.executable, __file__, "--steps", str(given.steps), "--back",
                 "yes" if back else "no"],
                env={**os.environ, "THP_MEM_ALLOC_ENABLE": "1" if large else "0"},
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            line = next(x for x in done.stdout.splitlines() if x.startswith("RESULT "))
            found[name].append(json.loads(line.removeprefix("RESULT ")))
    medians = {
        name: [round(statistics.median(values), 2) for values in zip(*runs, strict=True)]
        for name, runs in found.items()
    }
    print(json.dumps({name: {"seconds": s, "MB": mb} for name, (s, mb) in medians.items()}))


if __name__ == "__main__":
    main()
