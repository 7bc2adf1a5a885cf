"""What ends training early: patience and minutes; and that the best weights are the ones kept."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from datasets import Dataset, DatasetDict

from fed_judge import feed
from tiny_tasks import TinyPrices, price_rows
from toolkit.errors import RecipeError, UsageError
from toolkit.kinds import fit
from toolkit.kinds.causal_lm.model import CausalLM
from toolkit.kinds.trainer import ranked
from toolkit.kinds.watching import TrainingWatch
from toolkit.plugins import recipes
from toolkit.recipe import Recipe

CURVE = [0.5, 0.3, 0.4, 0.6, 0.2, 0.1]
"""The error on validation at each evaluation: the second is the best within a patience of two."""


@pytest.fixture
def splits() -> DatasetDict:
    made = price_rows()
    return DatasetDict(
        {"train": Dataset.from_list(made[:60]), "validation": Dataset.from_list(made[60:])}
    )


def kind(model: Path, splits: DatasetDict, **changes: Any) -> CausalLM:
    task = TinyPrices()
    task.load_state(task.fit(splits["train"]))
    fields = {"per_device_train_batch_size": 4, "max_steps": 12, "eval_strategy": "steps",
              "eval_steps": 2, "learning_rate": 5e-3, "bf16": False}  # fmt: skip
    lora = {"r": 4, "target_modules": "all-linear"}
    return CausalLM(task, Recipe("tiny", "tiny", str(model), training=fields, lora=lora, **changes))


def trained(made: CausalLM, splits: DatasetDict, folder: Path) -> Any:
    return made.train(
        splits, checkpoints=folder / "checkpoints", adapter=folder / "adapter",
        watch=TrainingWatch(),
    )  # fmt: skip


def weights(model: Any) -> list[torch.Tensor]:
    return [p.detach().clone() for n, p in model.named_parameters() if "lora" in n]


def test_patience_ends_training_and_the_best_weights_are_kept(
    tiny_llama: Path, tmp_path: Path, splits: DatasetDict, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged = feed(monkeypatch, CURVE, weights)
    made = kind(tiny_llama, splits, early_stopping={"early_stopping_patience": 2})
    info = trained(made, splits, tmp_path).info
    assert len(judged) == 4  # 0.5, 0.3, then twice no better
    assert (info["steps"], info["best_step"], info["stopped_early"]) == (8, 4, True)
    kept = weights(made.model)
    assert all(torch.equal(a, b) for a, b in zip(kept, judged[1][1], strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(kept, judged[3][1], strict=True))


def test_minutes_end_training_with_a_last_evaluation(
    tiny_llama: Path, tmp_path: Path, splits: DatasetDict
) -> None:
    made = kind(tiny_llama, splits, early_stopping={"minutes": 0.0})
    found = trained(made, splits, tmp_path)
    assert (found.info["steps"], found.info["stopped_early"]) == (1, True)
    assert [e["step"] for e in found.history if "eval_mae" in e] == [1]
    assert (tmp_path / "adapter" / "adapter_model.safetensors").is_file()


def test_minutes_count_from_the_beginning_of_training(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(fit.time, "perf_counter", lambda: clock[0])
    budget = fit.TimeBudget(60)
    control = SimpleNamespace(should_training_stop=False, should_evaluate=False, should_save=False)
    budget.on_train_begin(None, None, control)
    clock[0] = 159.0
    budget.on_step_end(None, None, control)
    assert not control.should_training_stop
    clock[0] = 161.0
    budget.on_step_end(None, None, control)
    assert control.should_training_stop and control.should_evaluate and control.should_save


def test_a_resumed_training_has_the_minutes_that_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(fit.time, "perf_counter", lambda: clock[0])
    control = SimpleNamespace(should_training_stop=False, should_evaluate=False, should_save=False)
    first = fit.TimeBudget(60)
    first.on_train_begin(None, None, control)
    clock[0] = 150.0
    kept = SimpleNamespace(max_steps=9, stateful_callbacks={"TimeBudget": first.state()})
    clock[0] = 1000.0
    second = fit.TimeBudget(60)
    second.on_train_begin(None, kept, control)
    clock[0] = 1009.0
    second.on_step_end(None, None, control)
    assert not control.should_training_stop
    clock[0] = 1011.0
    second.on_step_end(None, None, control)
    assert control.should_training_stop and second.over


def test_minutes_of_the_command_line_are_shared_by_the_trainings() -> None:
    from toolkit.cli.data_options import within

    recipe = recipes.changed(Recipe("r", "", "m"), within(30, 3))
    assert recipe.early_stopping == {"minutes": 10}
    patient = Recipe("r", "", "m", early_stopping={"early_stopping_patience": 2})
    assert recipes.changed(patient, within(0.5)).early_stopping == {
        "early_stopping_patience": 2, "minutes": 0.5,
    }  # fmt: skip
    assert within(None) == []
    for wrong in (0, -1, float("nan"), float("inf")):
        with pytest.raises(UsageError, match="--minutes"):
            within(wrong)


@pytest.mark.parametrize("minutes", [0, -1, float("nan"), "ten", True])
def test_minutes_that_are_none_are_refused(minutes: Any) -> None:
    from trl import SFTConfig

    with pytest.raises(RecipeError, match="minutes"):
        recipes.check(Recipe("r", "", "m", early_stopping={"minutes": minutes}), SFTConfig, {})


def test_minutes_are_a_field_of_early_stopping_and_others_are_refused() -> None:
    from trl import SFTConfig

    good = Recipe("r", "", "m", early_stopping={"minutes": 2})
    recipes.check(good, SFTConfig, {})
    with pytest.raises(RecipeError, match="minute"):
        recipes.check(Recipe("r", "", "m", early_stopping={"minute": 2}), SFTConfig, {})
    with pytest.raises(RecipeError, match="watt"):
        recipes.check(Recipe("r", "", "m", cost={"watt": 2}), SFTConfig, {})


@pytest.mark.parametrize("greater", [True, False])
def test_the_lower_loss_breaks_a_tie_and_nothing_else(greater: bool) -> None:
    def value(metric: float, loss: float) -> float:
        found = ranked({"eval_loss": loss, "eval_f1": metric}, "eval_f1", greater=greater)[
            "eval_f1"
        ]
        return found if greater else -found

    better = 0.9 if greater else 0.1
    assert value(0.5, 0.1) > value(0.5, 0.2) > value(0.5, 50.0)
    assert value(better, 9.0) > value(0.5, 0.0)
    assert value(1e6, 0.1) > value(1e6, 0.2) > value(1e6 - 1 if greater else 1e6 + 1, 0.0)
    assert ranked({"eval_f1": 0.5}, "eval_f1", greater=greater) == {"eval_f1": 0.5}
    without = {"eval_loss": math.nan, "eval_f1": 0.5}
    assert ranked(without, "eval_f1", greater=greater)["eval_f1"] == 0.5


def test_of_checkpoints_that_are_all_right_the_surest_is_kept(
    tiny_llama: Path, tmp_path: Path, splits: DatasetDict, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed(monkeypatch, [1.0] * 6)
    found = trained(kind(tiny_llama, splits), splits, tmp_path)
    losses = {e["step"]: e["eval_loss"] for e in found.history if "eval_loss" in e}
    assert len(losses) == 6 and found.info["best_metric"] == 1.0
    assert found.info["best_step"] == min(losses, key=lambda step: losses[step])
