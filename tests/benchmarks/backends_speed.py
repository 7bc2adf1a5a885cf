"""transformers and Unsloth on one Llama-shaped model, LoRA and QLoRA, beside a plain TRL script.

    python tests/benchmarks/backends_speed.py [--parameters 1000] [--steps 40] [--rounds 3]
    python tests/benchmarks/backends_speed.py --parameters 30 --steps 4 --rounds 1   # on a CPU

Every side trains in a process of its own, in turn, round after round, on the same random weights
(bfloat16) and the same rows; the median of the rounds counts. Tokens per second leave out the
first quarter of the steps; memory is the GPU's peak (on a CPU the process's, above what it held
before the model was loaded); utilisation and power are sampled twice a second. Unsloth is left out
where it is not installed. Prints JSON with hardware and versions, and a table.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "plugins"), str(ROOT / "tests")]

from toolkit.system import environment  # noqa: E402

environment.prepare(offline=True)

SIDES = ("plain-trl", "transformers", "unsloth")
MODES = ("lora", "qlora")
LORA = {
    "r": 16, "lora_alpha": 32, "lora_dropout": 0.0,
    "target_modules": ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
}  # fmt: skip
NF4 = {
    "load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "bnb_4bit_use_double_quant": True,
    "bnb_4bit_compute_dtype": "bfloat16",
}  # fmt: skip
WORDS = "red blue green old steel oak silk large small pair cup lamp chair desk bed".split()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parameters", type=float, default=1000, help="millions, about")
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--words", type=int, default=300, help="of a row")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--modes", nargs="*", default=MODES)
    parser.add_argument("--side", help=argparse.SUPPRESS)
    parser.add_argument("--mode", help=argparse.SUPPRESS)
    parser.add_argument("--model", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        print("RESULT " + json.dumps(SIDE[options.side](options)))
        return
    sides = [s for s in SIDES if s != "unsloth" or importlib.util.find_spec("unsloth")]
    with tempfile.TemporaryDirectory() as folder:
        build(Path(folder) / "model", options.parameters)
        results: dict[str, list[dict[str, Any]]] = {}
        for _ in range(options.rounds):
            for mode in options.modes:
                for side in sides:
                    found = in_its_own_process(options, side, mode, Path(folder) / "model")
                    results.setdefault(f"{mode} {side}", []).append(found)
    from toolkit.system.monitor import hardware, versions

    document = {
        "hardware": hardware(),
        "versions": versions(),
        "left_out": [side for side in SIDES if side not in sides],
        "results": {name: medians(rounds) for name, rounds in results.items()},
    }
    print(json.dumps(document, indent=1))
    print(table(document["results"]), file=sys.stderr)


def in_its_own_process(
    options: argparse.Namespace, side: str, mode: str, model: Path
) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, __file__, "--side", side, "--mode", mode, "--model", str(model),
         "--steps", str(options.steps), "--batch", str(options.batch),
         "--words", str(options.words)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{side} {mode}: {done.stderr[-3000:]}")
    line = next(x for x in reversed(done.stdout.splitlines()) if x.startswith("RESULT "))
    found: dict[str, Any] = json.loads(line.removeprefix("RESULT "))
    return found


def medians(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """Of each figure the median over the rounds."""
    known = [key for key in rounds[0] if all(r.get(key) is not None for r in rounds)]
    return {key: round(statistics.median(r[key] for r in rounds), 4) for key in known}


def table(results: dict[str, dict[str, Any]]) -> str:
    lines = [f"{'':<22}{'tokens/s':>10}{'peak MiB':>10}{'loss':>9}{'GPU %':>8}{'watts':>8}"]
    for name, found in results.items():
        lines.append(
            f"{name:<22}{found['tokens_per_second']:>10,.0f}{found['peak_mb']:>10,.0f}"
            f"{found['held_out_loss']:>9.4f}{found.get('gpu_percent', 0):>8.0f}"
            f"{found.get('gpu_watts', 0):>8.0f}"
        )
    return "\n".join(lines)


def build(folder: Path, millions: float) -> None:
    """Random weights of a Llama's shape in bfloat16; at 1,000 that of Llama 3.2 1B, in short."""
    import torch
    import transformers

    from toolkit.models import number_tokenizer
    from toolkit.testing import models

    learned = number_tokenizer.train(list(models.LINES) * 4, vocabulary=1500)
    large = millions >= 500
    hidden, inner, vocabulary = (2048, 8192, 32_000) if large else (256, 1024, 2_000)
    layer = 2.5 * hidden**2 + 3 * hidden * inner
    config = transformers.LlamaConfig(
        **models.decoder_sizes(learned)
        | {"hidden_size": hidden, "intermediate_size": inner, "vocab_size": vocabulary,
           "num_attention_heads": hidden // 64, "num_key_value_heads": hidden // 256,
           "num_hidden_layers": max(2, -int(-(millions * 1e6 - hidden * vocabulary) // layer)),
           "max_position_embeddings": 4096, "bos_token_id": learned.bos_token_id},
    )  # fmt: skip
    torch.manual_seed(0)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    with torch.device(device):
        model = transformers.LlamaForCausalLM(config).to(torch.bfloat16)
    model.save_pretrained(folder)
    learned.save_pretrained(folder)


def rows(count: int, words: int) -> list[dict[str, str]]:
    import random

    source = random.Random(0)
    return [
        {
            "prompt": " ".join(source.choices(WORDS, k=words)) + ":",
            "completion": " " + " ".join(source.choices(WORDS, k=words // 4)),
        }
        for _ in range(count)
    ]


# -- sides -----------------------------------------------------------------------------------------


class Clock:
    """Tokens per second without the first quarter of the steps."""

    def __init__(self, steps: int) -> None:
        self.warm = max(1, steps // 4)
        self.marks: list[tuple[int, float, int]] = []

    def __call__(self, step: int, steps: int, tokens: int) -> None:
        import torch

        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.marks.append((step, time.perf_counter(), tokens))

    def rate(self) -> float:
        later = [mark for mark in self.marks if mark[0] >= self.warm]
        (_, begun, before), (_, ended, after) = later[0], later[-1]
        return (after - before) / (ended - begun)


def measured(clock: Clock, monitor: Any, before_mb: float, loss: float) -> dict[str, Any]:
    from toolkit.system import device

    now = device.use()
    peak = now.get("gpu_memory_mb", monitor.peak_mb - before_mb)
    samples = [s for s in monitor.samples if s]
    return {
        "tokens_per_second": clock.rate(),
        "peak_mb": peak,
        "held_out_loss": loss,
        "gpu_percent": _mean(samples, "gpu_percent"),
        "gpu_watts": _mean(samples, "gpu_watts"),
    }


def _mean(samples: list[dict[str, float]], key: str) -> float | None:
    values = [sample[key] for sample in samples if key in sample]
    return statistics.fmean(values) if values else None


def sampled() -> Any:
    """A monitor that also keeps what the GPU does."""
    from toolkit.system import device
    from toolkit.system.monitor import Monitor

    class Sampled(Monitor):
        def __init__(self) -> None:
            self.samples: list[dict[str, float]] = []
            super().__init__()

        def _note(self) -> None:
            super()._note()
            self.samples.append(device.use())

    return Sampled()


def training(options: argparse.Namespace) -> dict[str, Any]:
    import torch

    return {
        "per_device_train_batch_size": options.batch, "max_steps": options.steps,
        "learning_rate": 1e-4, "warmup_steps": 0, "logging_steps": 1, "max_length": 4096,
        "gradient_checkpointing": options.mode == "qlora", "weight_decay": 0.0,
        "bf16": torch.cuda.is_available(),
        "optim": "paged_adamw_8bit" if options.mode == "qlora" else "adamw_torch_fused",
        "lr_scheduler_type": "constant", "report_to": "none",
    }  # fmt: skip


def by_toolkit(options: argparse.Namespace) -> dict[str, Any]:
    """The toolkit's own training, by one of its backends."""
    from toolkit.models import backend_choice

    backend = backend_choice.get(options.side)  # before transformers and TRL
    from datasets import Dataset, DatasetDict

    from toolkit import CausalLMTask, Metric, Recipe
    from toolkit.kinds.causal_lm.model import CausalLM
    from toolkit.kinds.watching import TrainingWatch

    class Words(CausalLMTask):
        name, summary, columns = "words", "words", {"prompt": "words"}
        metrics = (Metric("exact", lambda p, r: float(p == r)),)
        primary_metric = "exact"

        def format_example(self, row: Any) -> dict[str, Any]:
            return {"prompt": row["prompt"], "completion": row["completion"]}

        def postprocess(self, output: Any, row: Any) -> str:
            return str(output.text)

        def fallback(self) -> str:
            return ""

        def reference(self, row: Any) -> str:
            return str(row["completion"])

    made = [{"row_id": i, **row} for i, row in enumerate(rows(options.batch * 16, options.words))]
    recipe = Recipe(
        "speed", "speed", options.model,
        training={**training(options), "eval_strategy": "steps", "eval_steps": options.steps,
                  "model_init_kwargs": {"dtype": "bfloat16", "attn_implementation": "sdpa"}},
        lora=LORA, quantization=NF4 if options.mode == "qlora" else None,
        generation={"max_new_tokens": 1},
    )  # fmt: skip
    kind = CausalLM(Words(), recipe, backend=backend)
    splits = DatasetDict(
        {"train": Dataset.from_list(made[:-4]), "validation": Dataset.from_list(made[-4:])}
    )
    clock = Clock(options.steps)
    with sampled() as monitor, tempfile.TemporaryDirectory() as folder:
        before = monitor.memory_mb
        trained = kind.train(
            splits, checkpoints=Path(folder) / "c", adapter=Path(folder) / "adapter",
            watch=TrainingWatch(on_step=clock),
        )  # fmt: skip
        loss = [entry["eval_loss"] for entry in trained.history if "eval_loss" in entry][-1]
    return measured(clock, monitor, before, loss)


def by_hand(options: argparse.Namespace) -> dict[str, Any]:
    """What a user would write with TRL and PEFT alone, with the same settings."""
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import (
        AutoModelForCausalLM,
        AutoTokenizer,
        BitsAndBytesConfig,
        TrainerCallback,
    )
    from trl import SFTConfig, SFTTrainer

    made = rows(options.batch * 16, options.words)
    clock = Clock(options.steps)
    tokens = {"seen": 0}

    class Told(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            tokens["seen"] = int(options.batch * per_row * state.global_step)
            clock(state.global_step, state.max_steps, tokens["seen"])

    tokenizer = AutoTokenizer.from_pretrained(options.model)
    per_row = statistics.fmean(
        len(tokenizer(row["prompt"] + row["completion"])["input_ids"]) + 1 for row in made
    )
    with sampled() as monitor, tempfile.TemporaryDirectory() as folder:
        before = monitor.memory_mb
        extra: dict[str, Any] = {"device_map": {"": 0}} if torch.cuda.is_available() else {}
        if options.mode == "qlora":
            extra["quantization_config"] = BitsAndBytesConfig(**NF4)
        model = AutoModelForCausalLM.from_pretrained(
            options.model, dtype=torch.bfloat16, attn_implementation="sdpa", **extra
        )
        trainer = SFTTrainer(
            model=model,
            args=SFTConfig(
                output_dir=folder, use_cpu=not torch.cuda.is_available(), save_strategy="no",
                **training(options),
            ),
            train_dataset=Dataset.from_list(made[:-4]),
            eval_dataset=Dataset.from_list(made[-4:]),
            processing_class=tokenizer,
            peft_config=LoraConfig(task_type="CAUSAL_LM", **LORA),
            callbacks=[Told()],
        )  # fmt: skip
        trainer.train()
        loss = trainer.evaluate()["eval_loss"]
    return measured(clock, monitor, before, loss)


SIDE: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "plain-trl": by_hand,
    "transformers": by_toolkit,
    "unsloth": by_toolkit,
}


if __name__ == "__main__":
    main()
