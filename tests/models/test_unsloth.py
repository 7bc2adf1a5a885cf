"""One run with each backend in the environment that has Unsloth, and its adapter read by PEFT.

``.ci/run`` makes that environment and runs this file in it, with TRL 1.14.2, the newest that
Unsloth takes; where Unsloth is not installed these tests are skipped.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cli_runner import command, environment, goods, write_csv
from toolkit.runs.files import read_jsonl

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("unsloth") is None,
        reason="Unsloth is not installed here; .ci/run makes an environment that has it",
    ),
]

OPTIONS = {
    "training.max_steps": 6, "training.eval_steps": 3, "training.save_steps": 3,
    "training.logging_steps": 1, "training.bf16": "false", "training.max_length": 128,
    "training.per_device_train_batch_size": 4, "training.learning_rate": 0.01,
    "lora.lora_dropout": 0.0,
    # At the recipe's 20 four rows a step differ by more than six steps learn.
    "task.rank_weight": 1,
}  # fmt: skip


def run(folder: Path, model: Path, backend: str, *more: str) -> Path:
    data = folder / "goods.csv"
    if not data.is_file():
        write_csv(data, goods(rows=120))
    where = folder / backend
    command(
        folder, "run", "price-regression", "--data", str(data), "--model", str(model),
        "--runs", str(where), "--backend", backend, *more,
        *(f"--set={name}={value}" for name, value in OPTIONS.items()),
    )  # fmt: skip
    (made,) = (where / "price-regression").iterdir()
    return made


def read(run: Path, name: str) -> Any:
    return json.loads((run / name).read_text())


def lines(run: Path, system: str) -> list[dict[str, Any]]:
    return read_jsonl(run / f"predictions/{system}.jsonl")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, tiny_llama: Path) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("backends")
    return {name: run(folder, tiny_llama, name) for name in ("transformers", "unsloth", "auto")}


def test_each_run_took_the_backend_it_was_told(runs: dict[str, Path]) -> None:
    taken = {name: read(run, "run.json")["backend"] for name, run in runs.items()}
    assert taken["transformers"] == {"name": "transformers", "reason": "as requested"}
    assert taken["unsloth"] == {"name": "unsloth", "reason": "as requested"}
    assert taken["auto"]["name"] == "unsloth"
    assert "knows llama models" in taken["auto"]["reason"]


def test_both_backends_train_alike(runs: dict[str, Path]) -> None:
    curves = [read(runs[name], "history.json") for name in ("transformers", "unsloth")]
    losses = [[entry["loss"] for entry in curve if "loss" in entry] for curve in curves]
    assert losses[1] == pytest.approx(losses[0], rel=1e-3)
    assert losses[0][-1] < losses[0][0]
    trained = {read(run, "run.json")["training"]["parameters_trained"] for run in runs.values()}
    assert len(trained) == 1


def test_plain_peft_gets_the_answers_of_an_adapter_that_unsloth_trained(
    runs: dict[str, Path], tiny_llama: Path
) -> None:
    """Read by another process, in which Unsloth is never imported."""
    code = (
        "import sys, json\n"
        "from toolkit.system import environment; environment.prepare(offline=True)\n"
        "from pathlib import Path\n"
        "from toolkit.runs import Run, read_jsonl\n"
        "from toolkit.pipeline.predict import open_run\n"
        f"run = Run.open(Path({str(runs['unsloth'])!r}))\n"
        "task, kind = open_run(run)\n"
        "rows = [r for r in read_jsonl(run.data / 'heldout.jsonl') if r['split'] == 'test']\n"
        "said = [(r['row_id'], o.text, o.numbers.probabilities.tolist())\n"
        "        for r, o in zip(rows, kind.predict(rows, adapter=True))]\n"
        "assert 'unsloth' not in sys.modules\n"
        "from peft import PeftModel\n"
        "from transformers import AutoModelForCausalLM\n"
        f"plain = AutoModelForCausalLM.from_pretrained({str(tiny_llama)!r})\n"
        f"plain = PeftModel.from_pretrained(plain, str(run.adapter)).eval()\n"
        "import torch\n"
        "ids = torch.tensor([kind.prompt(rows[0])])\n"
        "with torch.inference_mode():\n"
        "    ours = kind.model(input_ids=ids).logits; theirs = plain(input_ids=ids).logits\n"
        "print(json.dumps({'said': said, 'difference': float((ours - theirs).abs().max())}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["difference"] < 1e-5
    stored = {
        line["row_id"]: line["raw"]
        for line in lines(runs["unsloth"], "adapter")
        if line["split"] == "test"
    }
    assert {row: text for row, text, _ in found["said"]} == stored
    assert any(max(shares) > 0 for _, _, shares in found["said"])


def test_verifying_an_unsloth_run_finds_no_difference(runs: dict[str, Path]) -> None:
    done = command(
        runs["unsloth"].parent, "report", str(runs["unsloth"]), "--verify", "--sample", "16"
    )
    assert "no difference" in done.stdout


def test_a_run_that_is_resumed_takes_the_same_backend(runs: dict[str, Path]) -> None:
    folder = runs["auto"].parent
    info = read(runs["auto"], "run.json")
    for stage in ("score", "report"):
        info["stages"].pop(stage)
    (runs["auto"] / "run.json").write_text(json.dumps(info))
    command(folder, "resume", str(runs["auto"]))
    assert read(runs["auto"], "run.json")["backend"]["name"] == "unsloth"


def test_four_bits_with_unsloth(tmp_path: Path) -> None:
    import sized_models

    pytest.importorskip("bitsandbytes")
    model = sized_models.make("llama", tmp_path / "model", 30)
    nf4 = {"load_in_4bit": "true", "bnb_4bit_quant_type": "nf4"}
    made = run(
        tmp_path, model, "unsloth", "--limit", "60",
        *(f"--set=quantization.{name}={value}" for name, value in nf4.items()),
    )  # fmt: skip
    info = read(made, "run.json")
    assert info["recipe"]["quantization"]["load_in_4bit"] is True
    assert info["training"]["steps"] == OPTIONS["training.max_steps"]
    assert info["training"]["best_step"] > 0
