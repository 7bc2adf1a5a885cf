"""Every recipe for a real model: one step, saved, loaded again and judged, on a tiny random model
of its own architecture, on the CPU; and each of its settings says where it comes from.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from cli_runner import CommandLine
from real_recipes import NAMES, REAL
from toolkit import Recipe, Task
from toolkit.plugins.recipes import SECTIONS
from toolkit.preparation.memory.estimation import _Measured
from toolkit.preparation.memory.meta_model import configuration
from toolkit.testing import models

OPTIONS = {
    "training.max_steps": 1, "training.eval_strategy": "steps", "training.eval_steps": 1,
    "training.save_steps": 1, "training.save_strategy": "steps", "training.max_length": 512,
    "generation.max_new_tokens": 4, "training.warmup_steps": 0, "training.learning_rate": 0.05,
}  # fmt: skip
ROWS = {"price-regression": 60}
"""Rows of each split, where 24 are too few: all its splits are drawn from one table."""


def test_the_recipes_of_all_five_systems_are_there() -> None:
    names = {recipe.name for _, recipe in REAL}
    assert {"llama-3.1-8b-qlora", "llama-3.1-8b-qlora-t4", "llama-3.1-8b-qlora-a100"} <= names
    assert {"tinyllama-1.1b", "distilbert-lora", "bert-base-full"} <= names
    assert {"phi-2-qlora", "flan-t5-base-lora"} <= names


@pytest.mark.parametrize(("task", "recipe"), REAL, ids=NAMES)
def test_every_setting_says_where_it_comes_from(task: type[Task], recipe: Recipe) -> None:
    fields = {
        f"{section}.{name}" for section in SECTIONS for name in getattr(recipe, section) or {}
    }
    assert fields | {"model"} == set(recipe.sources)
    assert all(recipe.sources.values())


@pytest.mark.slow
@pytest.mark.usefixtures("no_charts")
@pytest.mark.parametrize(("task", "recipe"), REAL, ids=NAMES)
def test_a_recipe_trains_saves_loads_and_is_judged(
    task: type[Task],
    recipe: Recipe,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    rungs = task.baselines
    monkeypatch.setattr(task, "baselines", lambda self: dict(list(rungs(self).items())[:1]))
    if recipe.quantization:
        pytest.importorskip("bitsandbytes", reason="4-bit recipes need the extra quantization")
    real = configuration(recipe.model)
    architecture = real.model_type
    if isinstance((recipe.lora or {}).get("target_modules"), str):
        # A pattern may name some of the layers: the tiny model has as many as the real one.
        sizes = models.decoder_sizes
        layers = {"num_hidden_layers": real.num_hidden_layers}
        monkeypatch.setattr(models, "decoder_sizes", lambda learned: sizes(learned) | layers)
    model = models.ARCHITECTURES[architecture](tmp_path / "model", models.LINES)
    options: dict[str, Any] = dict(OPTIONS)
    if "max_target_length" in recipe.training:
        options["training.max_target_length"] = 512  # tiny tokenizers cut words small
    if architecture in ("bert", "distilbert"):
        del options["generation.max_new_tokens"]
    sets = [f"--set={name}={value}" for name, value in options.items()]
    cli = CommandLine(capsys, monkeypatch)
    done = cli(
        "run", task.name, "--recipe", recipe.name, "--model", model,
        "--limit", str(ROWS.get(task.name, 24)), "--runs", tmp_path / "runs", *sets,
    )  # fmt: skip
    assert done.code == 0, done.err[-3000:]
    (run,) = (tmp_path / "runs" / task.name).iterdir()
    info = json.loads((run / "run.json").read_text())
    assert info["training"]["steps"] == 1
    assert info["recipe"]["quantization"] == recipe.quantization
    assert info["backend"]["name"] == "transformers"
    ours = "full" if recipe.lora is None else "adapter"
    metrics = json.loads((run / "metrics.json").read_text())
    assert {ours, "base"} <= set(metrics["systems"])
    # Loaded by itself once more, it answers as it did in the run.
    verified = cli("report", run, "--verify", "--sample", "8", "--runs", tmp_path / "runs")
    assert verified.code == 0, verified.err[-3000:]


def test_the_sizes_that_are_kept_are_those_of_the_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parameters as their makers count them, in millions."""
    from toolkit.preparation import memory

    # They are counted before anything is computed: no step of these large models is needed.
    monkeypatch.setattr(_Measured, "_step", lambda self, live: (0, 0))
    monkeypatch.setattr(_Measured, "_score", lambda self, live: 0)

    counted = {
        ("price-regression", "llama-3.1-8b-qlora"): (27.26, 8030),
        ("review-augmentation", "tinyllama-1.1b"): (12.62, 1100),
        ("review-sentiment", "bert-base-full"): (109.48, 109.48),
        ("summarization", "phi-2-qlora"): (23.59, 2780),
        ("claim-report", "flan-t5-base-lora"): (0.885, 247.6),
        ("question-answering", "distilbert-lora"): (0.296, 66.4),
    }
    for task, recipe in REAL:
        if (task.name, recipe.name) not in counted:
            continue
        trained, total = counted[task.name, recipe.name]
        found = memory.estimate(task, recipe, memory.Shape(64, 4)).parameters
        assert found[0] / 1e6 == pytest.approx(trained, rel=2e-3)
        assert (found[1] - (0 if recipe.lora is None else found[0])) / 1e6 == pytest.approx(
            total, rel=5e-3
        )


def test_a_recipe_keeps_its_sources_through_run_json() -> None:
    from toolkit.plugins.recipes import as_dict, from_dict

    recipe: Any = REAL[0][1]
    assert from_dict(json.loads(json.dumps(as_dict(recipe)))).sources == recipe.sources
    assert dataclasses.replace(recipe, name="other").sources == recipe.sources
