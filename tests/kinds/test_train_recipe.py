"""Training by another recipe than the kind's own: it is an argument, and nothing is left behind."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset, DatasetDict

from tiny_tasks import TinyGoods, TinyPrices, price_rows
from toolkit.kinds.base import TaskModel, TrainingWatch
from toolkit.kinds.registry import model_class
from toolkit.models import backend, loading
from toolkit.recipe import Recipe

FIELDS = {"per_device_train_batch_size": 4, "max_steps": 6, "eval_strategy": "steps",
          "eval_steps": 2, "learning_rate": 5e-3, "bf16": False}  # fmt: skip
LORA = {"r": 4, "target_modules": "all-linear"}


def splits() -> DatasetDict:
    made = price_rows()
    return DatasetDict(
        {"train": Dataset.from_list(made[:60]), "validation": Dataset.from_list(made[60:])}
    )


@pytest.mark.parametrize(("task", "model"), [(TinyPrices, "tiny_llama"), (TinyGoods, "tiny_bert")])
def test_a_kind_trains_by_the_recipe_it_is_given_and_keeps_its_own(
    task: Any, model: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    held, ready = splits(), task()
    ready.load_state(ready.fit(held["train"]))
    folder = str(request.getfixturevalue(model))
    training = {**FIELDS, "max_length": 64}
    own = Recipe("tiny", "tiny", folder, training=training, lora=LORA)
    kind: TaskModel = model_class(task)(ready, own)
    short = dataclasses.replace(own, training={**training, "max_steps": 2})
    saved = dataclasses.replace(short, early_stopping={"minutes": 0.0})
    found = [
        kind.train(
            held, recipe=recipe, checkpoints=tmp_path / str(number),
            adapter=tmp_path / f"adapter-{number}", watch=TrainingWatch(),
        )
        for number, recipe in enumerate((short, saved, None))
    ]  # fmt: skip
    assert [one.info["steps"] for one in found] == [2, 1, 6]
    assert kind.recipe is own


def test_a_backend_receives_one_request_for_the_model(tiny_llama: Path) -> None:
    requests: list[loading.LoadRequest] = []

    class Counting(backend.Transformers):
        def load(self, request: loading.LoadRequest) -> Any:
            requests.append(request)
            return super().load(request)

    training = {**FIELDS, "max_length": 48, "model_init_kwargs": {"dtype": "float32"}}
    recipe = Recipe("tiny", "tiny", str(tiny_llama), training=training, lora=LORA)
    kind = model_class(TinyPrices)(TinyPrices(), recipe, backend=Counting())
    kind.load()
    kind.load()
    assert requests == [
        loading.LoadRequest(
            "AutoModelForCausalLM", str(tiny_llama), init={"dtype": "float32"}, max_length=48
        )
    ]
    assert not kind.model.training
