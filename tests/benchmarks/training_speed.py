"""Training speed against a plain TRL script, both sides in one run, alternating.

    python tests/benchmarks/training_speed.py [--rows 1600] [--rounds 3] [--model smollm2-135m]

Prints, as JSON, the median tokens per second of (a) the toolkit, (b) the plain script with the
same settings, (c) the plain script with TRL's defaults, the ratios, and the loss that the last
adapter of each has on the same held-out rows. ``--model`` takes the task's recipe for that model
instead of the embedded one; 160 rows of SmolLM2 take one to two minutes on each side, and each
loss one.
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

SMALL = "embedded:causal-lm"
BATCH = {SMALL: 32, "smollm2-135m": 8}
RATE = {SMALL: 2e-3, "smollm2-135m": 5e-4}


def toolkit_run(model: str, rows: int, epochs: float, folder: Path) -> dict[str, float]:
    """One training run of the toolkit, with plain cross-entropy as TRL has it."""
    from datasets import DatasetDict

    from toolkit.kinds.watching import TrainingWatch

    kind = make_kind(
        {"num_train_epochs": epochs, "eval_strategy": "epoch"},
        {"loss": "cross-entropy", "decoder": "greedy"},
        model,
    )
    splits = DatasetDict({"train": catalogue(rows), "validation": catalogue(16, seed=9)})
    stamps: list[float] = []
    watch = TrainingWatch(on_step=lambda step, steps, tokens: stamps.append(time.perf_counter()))
    trained = kind.train(splits, checkpoints=folder / "c", adapter=folder / "adapter", watch=watch)
    return {"seconds": trained.info["seconds"]}


def make_kind(training: dict[str, Any], task: dict[str, Any], model: str = SMALL) -> Any:
    """The price task's causal-LM kind with its recipe for a model, changed."""
    import dataclasses

    from toolkit.kinds.registry import model_class
    from toolkit_price_regression.task import PriceRegression

    price = PriceRegression()
    start = next(recipe for recipe in price.recipes if recipe.model == model)
    price.options |= {**(start.task or {}), **task}
    price.state = {"unit": 1.0, "median": 85.0, "largest_number": 999}
    recipe = dataclasses.replace(
        start,
        training={**start.training, "per_device_train_batch_size": BATCH[model],
                  "learning_rate": RATE[model], "warmup_steps": 0, **training},
        early_stopping=None,
    )  # fmt: skip
    for name in ("eval_steps", "save_steps"):
        recipe.training.pop(name, None)  # type: ignore[attr-defined]
    return model_class(price)(price, recipe)


def catalogue(rows: int, seed: int = 0) -> Any:
    """Rows of the synthetic catalogue as the task has them."""
    from datasets import Dataset

    from toolkit_price_regression.catalogue import generate

    made = [
        {"row_id": i, "text": r["text"], "price": r["price"], "category": r["category"]}
        for i, r in enumerate(generate(rows, seed), 1)
    ]
    return Dataset.from_list(made)


def plain(model: str, rows: Path, folder: Path, batch: int, tuned: bool) -> float:
    """Seconds that the plain script says its training took."""
    from toolkit.models.paths import model_path

    script = Path(__file__).with_name("plain_trl.py")
    command = [sys.executable, str(script), model_path(model), str(rows), str(folder),
               "--batch", str(batch), "--epochs", "1", "--rate", str(RATE[model])]  # fmt: skip
    if tuned:
        lora = dict(make_kind({}, {}, model).recipe.lora)
        command += ["--tuned", "--lora", json.dumps(lora)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    line = next(x for x in done.stdout.splitlines() if x.startswith("RESULT "))
    return float(json.loads(line.removeprefix("RESULT "))["seconds"])


def held_out_loss(adapter: Path, name: str) -> float:
    """Cross-entropy per labelled token on 400 rows that no side has seen."""
    import torch

    from toolkit.kinds.causal_lm.trainer import Collator, head_at, label_loss
    from toolkit.models import adapters

    kind = make_kind({}, {}, name)
    kind.load()
    model = adapters.attach_adapter(kind.model, adapter)
    encoded = [dict(row) for row in kind.tokenized(catalogue(400, seed=5))]
    collate = Collator(kind.tokenizer.pad_token_id)
    total, count = 0.0, 0
    with torch.inference_mode():
        for start in range(0, len(encoded), 64):
            batch = collate(encoded[start : start + 64])
            with head_at(model, batch["positions"]):
                logits = model(
                    input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]
                ).logits[0]
            total += float(label_loss(logits, batch))
            count += len(batch["positions"])
    return total / count


def main() -> None:
    """Alternate the three ways and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1600)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--model", choices=BATCH, default=SMALL)
    arguments = parser.parse_args()
    kind = make_kind({}, {}, arguments.model)
    train = catalogue(arguments.rows)
    tokens = sum(map(len, kind.tokenized(train)["input_ids"]))
    examples = [kind.example(row) for row in train]
    model = arguments.model
    seconds: dict[str, list[float]] = {
        "toolkit": [],
        "plain, same settings": [],
        "plain, defaults": [],
    }
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        rows = folder / "rows.jsonl"
        rows.write_text("".join(json.dumps(e) + "\n" for e in examples))
        made: dict[str, Path] = {}
        for turn in range(arguments.rounds):
            at = folder / f"ours-{turn}"
            seconds["toolkit"].append(ours_in_process(model, arguments.rows, at))
            made["toolkit"] = at / "adapter"
            at = made["plain, same settings"] = folder / f"tuned-{turn}"
            seconds["plain, same settings"].append(plain(model, rows, at, BATCH[model], True))
            at = made["plain, defaults"] = folder / f"default-{turn}"
            seconds["plain, defaults"].append(plain(model, rows, at, 8, False))
        losses = {name: held_out_loss(adapter, model) for name, adapter in made.items()}
    rates = {name: tokens / statistics.median(values) for name, values in seconds.items()}
    print(
        json.dumps(
            {
                "tokens": tokens,
                "tokens_per_second": {k: round(v) for k, v in rates.items()},
                "seconds": seconds,
                "ratio_same_settings": round(rates["toolkit"] / rates["plain, same settings"], 2),
                "ratio_defaults": round(rates["toolkit"] / rates["plain, defaults"], 2),
                "held_out_loss": {k: round(v, 3) for k, v in losses.items()},
            },
            indent=1,
        )
    )


def ours_in_process(model: str, rows: int, folder: Path) -> float:
    """The toolkit's run in a process of its own, as the plain script has one."""
    code = (
        "import sys, json; from pathlib import Path; sys.path.insert(0, sys.argv[1]);"
        "import training_speed as t;"
        "name, rows, folder = sys.argv[2:];"
        "print('RESULT ' + json.dumps(t.toolkit_run(name, int(rows), 1, Path(folder))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(Path(__file__).parent), model, str(rows), str(folder)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    line = next(x for x in done.stdout.splitlines() if x.startswith("RESULT "))
    return float(json.loads(line.removeprefix("RESULT "))["seconds"])


if __name__ == "__main__":
    main()
