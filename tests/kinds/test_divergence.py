"""A training whose numbers end stops at once, and says at which step, on which rows, and why."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import DatasetDict

from kinds.causal_lm import test_causal_lm as decoders
from kinds.question_answering import test_question_answering as spans
from kinds.seq2seq_lm import test_seq2seq_lm as pairs
from kinds.sequence_classification import test_sequence_classification as texts
from toolkit.errors import ModelError
from toolkit.kinds import divergence
from toolkit.kinds.causal_lm.model import CausalLM
from toolkit.kinds.divergence import Circumstances, Guard
from toolkit.kinds.watching import TrainingWatch

NOW = Circumstances(rate=2e-4, clipping=1.0, half=False, half_weights=False, steps=7)


# -- the sentence ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "learning_rate=2e-05"),
        ({"rate": 1e30}, "learning rate of 1e+30: train anew"),
        ({"rate": 1e30, "clipping": 0.0}, "without gradient clipping"),
        ({"half": True}, "training.fp16=false"),
        ({"half_weights": True}, "dtype=bfloat16"),
        ({"steps": 0}, "the base itself"),
        ({"steps": 0, "whole": False}, "learning rate"),
    ],
)
def test_the_likely_cause_follows_from_the_training(change: dict[str, Any], said: str) -> None:
    assert said in divergence.cause(dataclasses.replace(NOW, **change))


def test_rows_without_labels_are_the_cause() -> None:
    assert "no row of the batch has a label" in divergence.cause(NOW, labels=0)


def test_many_rows_are_counted() -> None:
    assert (
        divergence.named([str(i) for i in range(1, 12)]) == "rows 1, 2, 3, 4, 5, 6, 7, 8 and 3 more"
    )
    assert divergence.named(["4"]) == "row 4" and divergence.named([]) == "the rows of this batch"


def test_rows_are_found_alone_in_a_pack_and_behind_a_shared_beginning() -> None:
    rows = [
        {"row_id": "a", "input_ids": [1, 5, 6]},
        {"row_id": "b", "input_ids": [1, 5, 7, 8]},
        {"row_id": "c", "input_ids": [2, 9]},
    ]
    assert divergence.ids_of(rows, [[2, 9], [1, 5, 6]]) == ["a", "c"]
    assert divergence.ids_of(rows, [[1, 5, 7, 8, 2, 9]]) == ["b", "c"]  # packed
    assert divergence.ids_of(rows, [[1, 5, 6, 7, 8]]) == ["a", "b"]  # joined
    assert divergence.ids_of([{"input_ids": [2, 9]}], [[2, 9]]) == ["1"]


def batch() -> dict[str, torch.Tensor]:
    return {"input_ids": torch.tensor([[2, 9, 0]]), "attention_mask": torch.tensor([[1, 1, 0]])}


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_guard_stops_at_a_loss_and_at_a_gradient(value: float) -> None:
    guard = Guard([{"row_id": 3, "input_ids": [2, 9]}], lambda: NOW)
    guard.begin(batch())
    guard.loss(1.0, 2)
    with pytest.raises(ModelError, match=r"step 8: the norm of the gradients is \w+ on row 3; "):
        guard.norm(value)
    with pytest.raises(ModelError, match=r"step 8: the loss is \w+ on row 3; "):
        guard.loss(value, 2)
    with pytest.raises(ModelError, match=r"step 7: the loss on validation is \w+ on row 5; "):
        guard.validation(value, [{"row_id": 5}])


def test_float16_may_look_for_its_scale_and_not_for_ever() -> None:
    half = dataclasses.replace(NOW, half=True)
    guard = Guard([], lambda: half)
    for _ in range(3):
        for _ in range(divergence.SKIPPED):
            guard.norm(float("inf"))
        guard.norm(1.0)
    for _ in range(divergence.SKIPPED):
        guard.norm(float("inf"))
    with pytest.raises(ModelError, match="float16"):
        guard.norm(float("inf"))


# -- in training -----------------------------------------------------------------------------------
WILD = {"learning_rate": 1e30, "max_grad_norm": 0.0, "max_steps": 12, "eval_steps": 12}


def decoder(folder: Path, **training: Any) -> tuple[Any, Any]:
    return CausalLM(decoders.Guess(), decoders.recipe(folder, training=training)), decoders


def pair(folder: Path, **training: Any) -> tuple[Any, Any]:
    if training["learning_rate"] > 1:
        training["learning_rate"] = 3e38  # a T5's norms and ReLU bear 1e30
    return pairs.make(folder, **training), pairs


def classifier(folder: Path, **training: Any) -> tuple[Any, Any]:
    return texts.made(folder, training=training), texts


def reader(folder: Path, **training: Any) -> tuple[Any, Any]:
    return spans.made(folder, **training), spans


@pytest.mark.parametrize(
    ("make", "model"),
    [(decoder, "tiny_llama"), (pair, "tiny_t5"), (classifier, "tiny_bert"), (reader, "tiny_bert")],
)
def test_every_kind_stops_and_goes_on_with_other_settings(
    make: Any, model: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    folder = request.getfixturevalue(model)
    kind, of = make(folder, **WILD)
    rows = of.rows(32)
    splits = DatasetDict({"train": rows, "validation": rows.select(range(8))})
    places = {"checkpoints": tmp_path / "c", "adapter": tmp_path / "adapter"}
    with pytest.raises(ModelError, match=r"stopped at step \d+: .*; the likely cause") as raised:
        kind.train(splits, **places, watch=TrainingWatch())
    said = str(raised.value)
    assert "without gradient clipping" in said and "toolkit resume --set" in said
    named = said.partition(" on row")[2].partition(";")[0].removeprefix("s").split(" and ")[0]
    assert {int(one) for one in named.split(",")} <= set(rows["row_id"])
    assert not (tmp_path / "adapter").exists()

    kind, _ = make(folder, learning_rate=1e-3)
    trained = kind.train(
        splits, checkpoints=tmp_path / "d", adapter=tmp_path / "adapter", watch=TrainingWatch()
    )
    assert trained.info["steps"] == 4


def test_a_base_without_numbers_is_said_before_it_is_trained(
    tiny_llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, of = decoder(tiny_llama)
    kind.load()
    with torch.no_grad():
        kind.model.model.norm.weight.fill_(float("nan"))
    splits = DatasetDict({"train": of.rows(16), "validation": of.rows(8, seed=1)})
    with pytest.raises(ModelError, match=r"step 1: the loss is nan on rows .*; nothing has been"):
        kind.train(
            splits, checkpoints=tmp_path / "c", adapter=tmp_path / "a", watch=TrainingWatch()
        )
