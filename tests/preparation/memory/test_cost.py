"""What recipes take, here and on GPUs by name; and the recipe that comes after an embedded one."""

from __future__ import annotations

import dataclasses
import json

import pytest

from cli_runner import CommandLine
from real_recipes import NAMES, REAL
from toolkit import Recipe, Task
from toolkit.plugins import discovery
from toolkit.preparation.memory import cost, hardware, stored


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


def test_time_follows_rows_checkpointing_and_what_is_trained() -> None:
    machine = hardware.GPUS[1]
    recipe = Recipe("r", "r", "m", training={"num_train_epochs": 1}, lora={"r": 8})
    whole = dataclasses.replace(recipe, lora=None)
    again = dataclasses.replace(
        recipe, training={**recipe.training, "gradient_checkpointing": True}
    )
    base = hardware.seconds(machine, recipe, 10**9, 1000, 100)
    assert base == pytest.approx(4 * 1e14 / (machine.speed * hardware.USED))
    assert hardware.seconds(machine, recipe, 10**9, 3000, 100) == pytest.approx(3 * base)
    assert hardware.seconds(machine, whole, 10**9, 1000, 100) == pytest.approx(1.5 * base)
    assert hardware.seconds(machine, again, 10**9, 1000, 100) == pytest.approx(1.5 * base)


def test_a_recipe_price_goes_before_the_machine_price() -> None:
    machine = hardware.GPUS[1]
    assert hardware.price(machine, {}, 7200) == pytest.approx(0.20)
    assert hardware.price(machine, {"machine_price_per_hour": 1.5}, 7200) == pytest.approx(3.0)
    assert hardware.price(hardware.GPUS[0], {}, 7200) is None


def test_after_an_embedded_run_the_next_recipe_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    task = discovery.load().tasks["price-regression"]
    said = cost.next_recipe(task, task.recipes[0])
    assert said is not None
    assert "--recipe llama-3.1-8b-qlora" in said and "GiB" in said
    none = hardware.Machine("this machine", 8 * hardware.GIB, 1e11, gpu=False)
    monkeypatch.setattr(hardware, "this", lambda **_: none)
    assert "this machine has no GPU" in str(cost.next_recipe(task, task.recipes[0]))
    h100 = hardware.Machine("NVIDIA H100", 79 * hardware.GIB, 1e15)
    monkeypatch.setattr(hardware, "this", lambda **_: h100)
    assert "this machine has that (NVIDIA H100)" in str(cost.next_recipe(task, task.recipes[0]))
    small = hardware.Machine("GTX 1060", 6 * hardware.GIB, 4e12)
    monkeypatch.setattr(hardware, "this", lambda **_: small)
    assert "GTX 1060 has 6 GiB" in str(cost.next_recipe(task, task.recipes[0]))


def test_after_a_run_on_a_real_model_nothing_is_named() -> None:
    task, recipe = REAL[0]
    assert cost.next_recipe(task, recipe) is None
