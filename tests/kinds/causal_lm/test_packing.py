"""Packed rows: the same loss and gradients as padded ones, nothing cut, nothing mixed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from datasets import Dataset, DatasetDict

from tiny_tasks import TinyPrices, price_rows
from toolkit.errors import RecipeError
from toolkit.kinds.causal_lm import packing
from toolkit.kinds.causal_lm.model import CausalLM
from toolkit.kinds.causal_lm.trainer import Collator, summed_loss
from toolkit.kinds.watching import TrainingWatch
from toolkit.recipe import Recipe


def kind(model: Path, attention: str = "sdpa", **training: Any) -> CausalLM:
    task = TinyPrices()
    task.load_state(task.fit(Dataset.from_list(price_rows())))
    fields = {
        "per_device_train_batch_size": 2, "max_steps": 3, "eval_strategy": "steps",
        "eval_steps": 3, "logging_steps": 1, "learning_rate": 5e-3, "bf16": False,
        "max_length": 96,
        "model_init_kwargs": {"attn_implementation": attention, "dtype": "float32"},
        **training,
    }  # fmt: skip
    lora = {"r": 4, "target_modules": "all-linear"}
    return CausalLM(task, Recipe("t", "t", str(model), training=fields, lora=lora))


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("smoothed", [False, True])
def test_packed_rows_have_the_loss_and_the_gradients_of_padded_ones(
    tiny_llama: Path, attention: str, smoothed: bool
) -> None:
    made = kind(tiny_llama, attention)
    made.load()
    rows = made.tokenized(Dataset.from_list(price_rows()[:12]))
    lengths = np.array([[len(ids) for ids in rows["input_ids"]]])
    sequences, totals = packing.packed(rows, lengths, 96)
    assert len(sequences) < len(rows) and totals.sum() == lengths.sum() and totals.max() <= 96

    targets = None
    if smoothed:
        from toolkit.kinds.causal_lm.number_loss import SmoothedTargets

        targets = SmoothedTargets(made.renderer, "a cup\nPrice is $", made.task, 0.15)
    collate = Collator(made.tokenizer.pad_token_id, targets)
    found = []
    for held in (rows, sequences):
        batch = collate([dict(row) for row in held])
        made.model.zero_grad()
        loss, count, _ = summed_loss(made.model, made.model, batch)
        loss.backward()
        gradient = torch.cat([p.grad.flatten() for p in made.model.parameters()])
        found.append((float(loss.detach()), count, gradient))
    (padded, n, before), (packed, m, after) = found
    assert n == m
    assert packed == pytest.approx(padded, rel=1e-5)
    assert float((before - after).norm() / before.norm()) < 1e-4


def test_without_their_positions_packed_rows_would_differ(tiny_llama: Path) -> None:
    made = kind(tiny_llama)
    made.load()
    rows = made.tokenized(Dataset.from_list(price_rows()[:6]))
    sequences, _ = packing.packed(rows, np.array([[len(i) for i in rows["input_ids"]]]), 96)
    batch = Collator(made.tokenizer.pad_token_id)([dict(row) for row in sequences])
    with torch.inference_mode():
        exact = float(summed_loss(made.model, made.model, batch)[0])
        del batch["visible"]
        mixed = float(summed_loss(made.model, made.model, batch)[0])
    assert abs(exact - mixed) > 1e-3


def test_all_rows_are_there_whole_and_once() -> None:
    lengths = np.array([30, 7, 64, 12, 12, 50, 3, 3, 61])
    members = packing.packs(lengths, 64)
    assert sorted(i for several in members for i in several) == list(range(len(lengths)))
    assert all(lengths[several].sum() <= 64 for several in members)
    assert len(members) <= 5


def test_variants_are_packed_alike() -> None:
    lengths = np.array([[4, 6, 3], [5, 4, 3]])
    rows = Dataset.from_dict(
        {
            "input_ids": [[w] * n for w, one in enumerate(lengths) for n in one],
            "labels": [[w] * n for w, one in enumerate(lengths) for n in one],
        }
    )
    sequences, totals = packing.packed(rows, lengths, 12)
    assert totals.shape[0] == 2 and len(sequences) == totals.size
    half = len(sequences) // 2
    assert {t for ids in sequences["input_ids"][:half] for t in ids} == {0}
    assert [len(ids) for ids in sequences["input_ids"]] == totals.ravel().tolist()


def test_a_packed_recipe_trains_on_fewer_sequences(tiny_llama: Path, tmp_path: Path) -> None:
    rows = price_rows()
    splits = DatasetDict(
        {"train": Dataset.from_list(rows[:40]), "validation": Dataset.from_list(rows[40:56])}
    )
    trained = kind(tiny_llama, packing=True, max_steps=-1, num_train_epochs=1).train(
        splits, checkpoints=tmp_path / "c", adapter=tmp_path / "adapter", watch=TrainingWatch()
    )
    assert trained.info["rows"] == 40
    assert trained.info["steps"] < 20  # of two sequences each; two rows each would be 20
    assert (tmp_path / "adapter" / "adapter_model.safetensors").is_file()


def test_a_model_that_would_mix_rows_is_refused(tiny_llama: Path) -> None:
    made = kind(tiny_llama)
    made.load()
    made.model.config.layer_types = ["full_attention", "linear_attention"]
    with pytest.raises(RecipeError, match="see one another"):
        packing.check(made.model)
