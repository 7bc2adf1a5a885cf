"""Training by another recipe than the kind's own: it is an argument, and nothing is left behind."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset, DatasetDict

from tiny_tasks import TinyGoods, TinyPrices, price_rows
from toolkit.kinds import fit
from toolkit.kinds.base import TaskModel
from toolkit.kinds.causal_lm.model import CausalLM
from toolkit.kinds.registry import model_class
from toolkit.kinds.watching import TrainingWatch
from toolkit.models import backend, loading
from toolkit.recipe import Recipe
from toolkit.system import precision

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


@pytest.mark.parametrize("pays", [True, False])
def test_a_processor_without_bfloat16_trains_in_float32(
    tiny_llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pays: bool
) -> None:
    monkeypatch.setattr(precision, "bfloat16_pays", lambda: pays)
    for training, wanted in (({"bf16": True}, True), ({}, True), ({"bf16": False}, False)):
        made = Recipe("tiny", "tiny", str(tiny_llama), training=training, lora={"r": 4})
        task = TinyPrices()
        model = CausalLM(task, made)
        assert fit.arguments(model, made, tmp_path).bf16 == (wanted and pays)
        assert (CausalLM.computes_in(made, gpu=True) == "bfloat16") == wanted
        quantized = dataclasses.replace(made, quantization={"load_in_4bit": True})
        assert (CausalLM.computes_in(quantized, gpu=False) == "bfloat16") == wanted


def test_what_the_gpu_did_is_summed_up() -> None:
    log = [
        {"loss": 1.0, "gpu_memory_mb": 900.0, "gpu_percent": 80.0, "gpu_watts": 300.0},
        {"loss": 0.9, "gpu_memory_mb": 950.0, "gpu_percent": 90.0, "gpu_watts": 310.0},
        {"eval_loss": 0.8},
    ]
    wanted = {"gpu_peak_memory_mb": 950.0, "gpu_percent": 85.0, "gpu_watts": 305.0}
    assert fit.gpu_use(log) == wanted
    assert fit.gpu_use([{"loss": 1.0, "gpu_memory_mb": 9.0}]) == {"gpu_peak_memory_mb": 9.0}
    assert fit.gpu_use([{"loss": 1.0}]) == {}
