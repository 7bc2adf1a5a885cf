"""Scoring prices in batches against one ``generate`` per example, in one run, alternating.

    python tests/benchmarks/scoring_speed.py [--rows 256] [--rounds 3]

Both sides use the same model with the same adapter, which is trained in a few seconds at the start,
so that answers end where a trained model ends them. Each side computes as it does by default: the
loop in the weights' float32, the toolkit in bfloat16 where the machine does so itself. Prints, as
JSON, seconds of both ways, their ratio, and how many greedy answers are equal.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from toolkit.system import environment

environment.prepare(offline=True)


def by_hand(model: Any, tokenizer: Any, prompts: list[str]) -> list[str]:
    """The usual loop."""
    answers = []
    for prompt in prompts:
        inputs = tokenizer(prompt, return_tensors="pt")
        out = model.generate(**inputs, max_new_tokens=8, do_sample=False)
        answers.append(
            tokenizer.decode(out[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
        )
    return answers


def main() -> None:
    """Alternate both ways on the embedded model and print the medians."""
    import sys

    from datasets import DatasetDict

    from toolkit.kinds.watching import TrainingWatch

    sys.path.insert(0, str(Path(__file__).parent))
    from training_speed import catalogue, make_kind

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    settings = {"num_train_epochs": 1, "eval_strategy": "epoch"}, {"decoder": "greedy"}
    with tempfile.TemporaryDirectory() as temporary:
        adapter = Path(temporary) / "adapter"
        splits = DatasetDict({"train": catalogue(960, seed=3), "validation": catalogue(16, seed=9)})
        make_kind(*settings).train(
            splits,
            checkpoints=Path(temporary) / "checkpoints",
            adapter=adapter,
            watch=TrainingWatch(),
        )
        kind = make_kind(*settings)  # training leaves wrappers round a model
        kind.load_adapter(adapter)
    rows = [dict(row) for row in catalogue(arguments.rows)]
    prompts = [kind.example(row)["prompt"] for row in rows]
    batched: list[float] = []
    loop: list[float] = []
    equal = 0
    for _ in range(arguments.rounds):
        started = time.perf_counter()
        outputs = kind.predict(rows, adapter=True)
        batched.append(time.perf_counter() - started)
        started = time.perf_counter()
        answers = by_hand(kind.model, kind.tokenizer, prompts)
        loop.append(time.perf_counter() - started)
        equal = sum(o.text == a for o, a in zip(outputs, answers, strict=True))
    print(
        json.dumps(
            {
                "rows": len(rows),
                "batched_seconds": round(statistics.median(batched), 3),
                "loop_seconds": round(statistics.median(loop), 3),
                "ratio": round(statistics.median(loop) / statistics.median(batched), 1),
                "equal_greedy_answers": equal,
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
