"""Minutes: the schedule is fitted to them, and what they cut is recorded as unfinished."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from datasets import Dataset, DatasetDict

from kinds import test_stopping as stopping
from kinds.question_answering import test_question_answering as answers
from kinds.sequence_classification import test_sequence_classification as texts
from tiny_tasks import price_rows
from toolkit.decoding import primary_values
from toolkit.kinds import schedule
from toolkit.kinds.schedule import TimeBudget, spaced, unfinished
from toolkit.kinds.watching import TrainingWatch


class Clock:
    """A clock on which each step of training takes the same time, whatever machine it runs on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, step: float) -> None:
        self.now, self.step = 1000.0, step
        fake = SimpleNamespace(perf_counter=lambda: self.now)
        monkeypatch.setattr(schedule, "time", fake)

    def tick(self, *_: Any) -> None:
        self.now += self.step


@pytest.fixture
def timed(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock(monkeypatch, 1.0)
    ended = TimeBudget.on_step_end

    def on_step_end(self: Any, *arguments: Any, **keywords: Any) -> None:
        clock.tick()
        ended(self, *arguments, **keywords)

    monkeypatch.setattr(TimeBudget, "on_step_end", on_step_end)
    return clock


def classifier(model: Path, minutes: float | None, **training: Any) -> Any:
    fields = {"max_steps": 40, "eval_steps": 40, "learning_rate": 1e-3, "warmup_steps": 0.1,
              "lr_scheduler_type": "cosine", "logging_steps": 1}  # fmt: skip
    stopping = None if minutes is None else {"minutes": minutes}
    return texts.made(model, training=fields | training, early_stopping=stopping)


def train(kind: Any, place: Path, watch: TrainingWatch | None = None) -> Any:
    splits = DatasetDict({"train": texts.rows(64), "validation": texts.rows(24, seed=1)})
    return kind.train(
        splits, checkpoints=place / "c", adapter=place / "adapter", watch=watch or TrainingWatch()
    )


def rates(trained: Any) -> dict[int, float]:
    return {e["step"]: e["learning_rate"] for e in trained.history if "learning_rate" in e}


def test_warm_up_and_decay_are_fitted_to_the_minutes(
    tiny_bert: Path, tmp_path: Path, timed: Clock
) -> None:
    notes: list[str] = []
    kind = classifier(tiny_bert, 20 / 60)  # 20 of 40 steps of a second
    trained = train(kind, tmp_path, TrainingWatch(on_note=notes.append))
    ((at, total),) = trained.info["fitted_schedule"]
    assert 15 <= total <= 20 and trained.info["steps"] == total == trained.info["max_steps"]
    assert (trained.info["planned_steps"], trained.info["stopped_early"]) == (40, True)
    found = rates(trained)
    assert found[total] < 0.05 * max(found.values()) < found[at]  # the decay reaches its end
    assert len(notes) == 1 and "planned steps" in notes[0] and f"about {total}" in notes[0]


def test_where_the_limit_is_far_nothing_changes(
    tiny_bert: Path, tmp_path: Path, timed: Clock
) -> None:
    trained = [train(classifier(tiny_bert, m, max_steps=8), tmp_path / str(m)) for m in (None, 60)]
    assert rates(trained[0]) == rates(trained[1])
    assert "fitted_schedule" not in trained[1].info and "unfinished" not in trained[1].info
    name = "adapter_model.safetensors"
    first, second = ((tmp_path / m / "adapter" / name).read_bytes() for m in ("None", "60"))
    assert first == second


def test_a_resumed_training_keeps_the_fitted_schedule(
    tiny_bert: Path, tmp_path: Path, timed: Clock
) -> None:
    whole = train(classifier(tiny_bert, 20 / 60, eval_steps=6), tmp_path / "whole")

    def die(step: int, steps: int, tokens: int) -> None:
        if step == 8:
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        train(
            classifier(tiny_bert, 20 / 60, eval_steps=6),
            tmp_path / "cut",
            TrainingWatch(on_step=die),
        )
    resumed = train(classifier(tiny_bert, 20 / 60, eval_steps=6), tmp_path / "cut")
    assert resumed.info["resumed_from_step"] == 6
    assert resumed.info["fitted_schedule"] == whole.info["fitted_schedule"]
    assert resumed.info["steps"] == whole.info["steps"]
    after = {step: rate for step, rate in rates(whole).items() if step > 6}
    assert {s: r for s, r in rates(resumed).items() if s > 6} == after
    for name in ("adapter_model.safetensors", "toolkit.json"):
        first, second = ((tmp_path / p / "adapter" / name).read_bytes() for p in ("whole", "cut"))
        assert first == second, name


def test_a_schedule_that_follows_the_loss_is_only_cut(
    tiny_bert: Path, tmp_path: Path, timed: Clock
) -> None:
    kind = classifier(tiny_bert, 10 / 60, lr_scheduler_type="reduce_lr_on_plateau", warmup_steps=0)
    info = train(kind, tmp_path).info
    assert info["steps"] <= 10 and info["unfinished"]["share"] <= 0.25


def encoder(model: Path, kind: str) -> tuple[Any, Any, Any]:
    """A model of that task with a time limit, its training rows, and its validation rows."""
    training = {"max_steps": 40, "eval_steps": 10, "learning_rate": 0.3}
    limit = {"minutes": 24 / 60}
    if kind == "answers":
        recipe = replace(answers.recipe(model, **training), early_stopping=limit)
        made = answers.QuestionAnswering(answers.Colours(), recipe)
        return made, answers.rows(48), answers.rows(24, seed=1)
    task = {"classes": texts.Wood, "stars": texts.Stars, "price": texts.Price}[kind]
    made = texts.made(model, task, training=training, early_stopping=limit)
    return made, texts.rows(64), texts.rows(24, seed=1)


@pytest.mark.parametrize("kind", ["classes", "stars", "price", "answers"])
def test_a_slow_machine_ends_at_or_above_the_base_and_says_what_was_trained(
    tiny_bert: Path, tmp_path: Path, timed: Clock, kind: str
) -> None:
    timed.step = 4.0  # a quarter of the speed
    made, rows, validation = encoder(tiny_bert, kind)
    info = made.train(
        DatasetDict({"train": rows, "validation": validation}), checkpoints=tmp_path / "c",
        adapter=tmp_path / "adapter", watch=TrainingWatch(),
    ).info  # fmt: skip
    held = [dict(row) for row in validation]
    best = max if made.task.metric().greater_is_better else min
    adapter, base = (
        best(primary_values(made.task, made.predict(held, adapter=on), held).values())
        for on in (True, False)
    )
    assert adapter == pytest.approx(best(adapter, base), rel=1e-5)
    assert info["unfinished"]["share"] == info["steps"] / 40 < 0.2
    assert info["unfinished"]["minutes_needed"] is not None
    assert "time limit" in info["unfinished"]["reason"]


def case(scores: list[float], **changes: Any) -> Any:
    fields = {"steps": 20, "max_steps": 20, "planned": 100, "epoch": 10.0, "by_time": True,
              "greater_is_better": True, "seconds": 60.0}  # fmt: skip
    return unfinished(scores, **(fields | changes))


def test_what_the_time_limit_cut_is_unfinished_until_a_plateau() -> None:
    found = case([0.5, 0.6])
    assert found["share"] == 0.2 and found["minutes_needed"] == 4.0
    assert case([0.6, 0.5])["share"] == 0.2  # one evaluation shows no plateau
    assert case([0.5, 0.7, 0.6, 0.6]) is None
    assert case([0.5, 0.4, 0.3], greater_is_better=False)["share"] == 0.2
    assert case([0.3, 0.4, 0.5], greater_is_better=False) is None


def test_a_training_that_climbs_back_to_the_head_that_it_began_with_is_unfinished() -> None:
    assert case([85.05, 120.47, 92.32], greater_is_better=False)["share"] == 0.2
    assert case([0.9, 0.5, 0.6, 0.7])["share"] == 0.2
    assert case([0.9, 0.7, 0.6, 0.7]) is None
    assert "patience" in case([0.9, 0.5, 0.6, 0.7], by_time=False, max_steps=100)["reason"]
    assert case([0.9, 0.5, 0.6], by_time=False, planned=20, epoch=80.0)["share"] == 0.25


def test_the_evaluation_after_the_last_step_is_no_second_one() -> None:
    assert spaced([(0, 0.94), (94, 0.16), (188, 0.19), (189, 0.19)]) == [0.94, 0.16, 0.19]
    assert spaced([(0, 0.94), (94, 0.16), (188, 0.19)]) == [0.94, 0.16, 0.19]
    assert spaced([(0, 85.0), (100, 120.0), (166, 92.0)]) == [85.0, 120.0, 92.0]
    assert spaced([]) == []


def test_patience_ends_a_finished_training_and_not_one_that_improves() -> None:
    by_patience = {"by_time": False, "max_steps": 100}
    assert case([0.5, 0.7, 0.6, 0.6], **by_patience) is None
    assert case([0.5, 0.7, 0.6], **by_patience) is None
    assert "patience" in case([0.5, 0.6, 0.61], **by_patience)["reason"]


def test_steps_below_an_epoch_are_unfinished_while_validation_improves() -> None:
    done = {"by_time": False, "planned": 20}
    assert case([0.5, 0.6], epoch=80.0, **done)["share"] == 0.25
    assert case([0.6, 0.5], epoch=80.0, **done) is None
    assert case([0.5, 0.6], epoch=20.0, **done) is None
    assert case([0.5, 0.6], by_time=True, planned=20, epoch=5.0) is None  # all steps were done


def test_minutes_hold_for_language_models_too(
    tiny_llama: Path, tmp_path: Path, timed: Clock
) -> None:
    rows = price_rows()
    splits = DatasetDict(
        {"train": Dataset.from_list(rows[:60]), "validation": Dataset.from_list(rows[60:])}
    )
    made = stopping.kind(tiny_llama, splits, early_stopping={"minutes": 8 / 60})
    info = stopping.trained(made, splits, tmp_path).info
    assert info["planned_steps"] == 12 and info["steps"] <= 8 and info["fitted_schedule"]
    assert info["stopped_early"]


def test_a_refitted_rate_is_that_of_a_schedule_of_so_many_steps() -> None:
    from transformers import TrainingArguments, get_scheduler

    weight = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=0.1)
    made = get_scheduler("linear", optimizer, num_warmup_steps=10, num_training_steps=100)
    for _ in range(6):
        optimizer.step()
        made.step()
    args = TrainingArguments("x", lr_scheduler_type="linear", warmup_steps=0.1, report_to="none")
    schedule.refit(SimpleNamespace(lr_scheduler=made, args=args), 20)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.1 * 14 / 18)
    assert made.get_last_lr() == [optimizer.param_groups[0]["lr"]]
