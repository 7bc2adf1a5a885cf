"""Further systems of a language model: an ensemble of checkpoints, and rows prepared first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import Dataset, DatasetDict

from tiny_tasks import TinyOffers, TinyPrices, price_rows
from toolkit.errors import RecipeError, RunError
from toolkit.kinds import checkpoint_ensemble
from toolkit.kinds.causal_lm.model import CausalLM
from toolkit.kinds.seq2seq_lm.model import Seq2SeqLM
from toolkit.kinds.watching import TrainingWatch
from toolkit.recipe import Recipe
from toolkit.task import RowTransform


class Staged:
    """Mixed before a task: answers a shouted offer as a system of its own."""

    def row_transforms(self) -> dict[str, RowTransform]:
        return {"loud": RowTransform(lambda row: {"text": row["text"].upper()}, "in capitals")}


class StagedOffers(Staged, TinyOffers):
    options = {**TinyOffers.options, "ensemble": 2}


def rows(n: int, start: int = 0) -> Dataset:
    made = price_rows()[start : start + n]
    return Dataset.from_list(
        [{"row_id": r["row_id"], "text": r["text"], "sentence": f"{r['text']}!"} for r in made]
    )


def make(model: Path) -> Seq2SeqLM:
    fields: dict[str, Any] = {
        "per_device_train_batch_size": 4, "max_steps": 6, "eval_strategy": "steps",
        "eval_steps": 2, "learning_rate": 0.05, "logging_steps": 1, "max_length": 96,
        "max_target_length": 32, "save_total_limit": 1,
    }  # fmt: skip
    lora = {"r": 4, "lora_alpha": 8, "target_modules": ["q", "v"]}
    return Seq2SeqLM(StagedOffers(), Recipe("t", "t", str(model), training=fields, lora=lora))


@pytest.fixture(scope="module")
def loaded(tiny_t5: Path, tmp_path_factory: pytest.TempPathFactory) -> Seq2SeqLM:
    folder = tmp_path_factory.mktemp("variants")
    kind = make(tiny_t5)
    splits = DatasetDict({"train": rows(32), "validation": rows(8, 40)})
    kind.train(
        splits, checkpoints=folder / "checkpoints", adapter=folder / "adapter",
        watch=TrainingWatch(),
    )  # fmt: skip
    kind.load_adapter(folder / "adapter")
    return kind


def delta(kind: Seq2SeqLM, name: str) -> torch.Tensor:
    """An adapter's update of one layer's weights."""
    layer = next(m for n, m in kind.model.named_modules() if n.endswith("SelfAttention.q"))
    return layer.get_delta_weight(name).detach().clone()


def test_the_ensemble_is_the_mean_of_the_members_updates(
    loaded: Seq2SeqLM, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = next(tmp_path_factory.getbasetemp().glob("variants*/adapter"))
    found = checkpoint_ensemble.kept(folder, 2)
    # transformers keeps the best checkpoint and the newest.
    assert len(found) == 2 and found[-1].name == "checkpoint-6"
    for place in found:
        loaded.model.load_adapter(str(place), adapter_name=f"again-{place.name}")
    mean = sum(delta(loaded, f"again-{place.name}") for place in found) / 2
    for place in found:
        loaded.model.delete_adapter(f"again-{place.name}")
    loaded.select("default")
    assert torch.allclose(delta(loaded, "ensemble"), mean, atol=1e-6)
    assert not torch.allclose(delta(loaded, "ensemble"), delta(loaded, "default"), atol=1e-6)


def test_the_ensemble_and_the_adapter_answer_differently(loaded: Seq2SeqLM) -> None:
    asked = [dict(row) for row in rows(16, 20)]
    single = loaded.target_losses(asked, adapter=True)
    with loaded.as_variant("ensemble"):
        together = loaded.target_losses(asked, adapter=True)
    assert [a for a, _ in single] != pytest.approx([b for b, _ in together], rel=1e-4)
    assert loaded.model.active_adapter == "default"
    assert loaded.target_losses(asked, adapter=True) == single


def test_a_row_transform_changes_what_the_adapter_reads(loaded: Seq2SeqLM) -> None:
    asked = [dict(row) for row in rows(6)]
    shouted = [{**row, "text": row["text"].upper()} for row in asked]
    with loaded.as_variant("loud"):
        staged = [out.text for out in loaded.predict(asked, adapter=True)]
        losses = loaded.target_losses(asked, adapter=True)
    assert staged == [out.text for out in loaded.predict(shouted, adapter=True)]
    assert losses == loaded.target_losses(shouted, adapter=True)
    assert losses != loaded.target_losses(asked, adapter=True)


def test_further_systems_are_named_with_what_they_are(loaded: Seq2SeqLM) -> None:
    assert loaded.variants(adapter=False) == {}
    assert loaded.variants(adapter=True) == {
        "loud": "in capitals",
        "ensemble": "2 checkpoints of one training, mean of their updates",
    }


@pytest.mark.parametrize("value", [1, -1, "two"])
def test_a_wrong_number_of_members_is_refused(value: Any) -> None:
    task = StagedOffers()
    task.options["ensemble"] = value
    with pytest.raises(RecipeError, match=r"task\.ensemble is"):
        checkpoint_ensemble.wanted(task, Recipe("t", "t", "m"))


def test_an_ensemble_of_one_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="saved 0 checkpoint"):
        checkpoint_ensemble.keep(tmp_path, tmp_path / "adapter", 2)
    with pytest.raises(RunError, match="holds no members"):
        checkpoint_ensemble.kept(tmp_path, 2)


def test_losses_are_those_of_the_model_itself(tiny_t5: Path, tiny_llama: Path) -> None:
    """Row by row, without padding, against transformers' own mean loss."""
    offers = [dict(row) for row in rows(5)]
    causal = CausalLM(TinyPrices(), Recipe("t", "t", str(tiny_llama), training={"max_length": 96}))
    priced = price_rows()[:5]
    for kind, asked in ((make(tiny_t5), offers), (causal, priced)):
        found = kind.target_losses(asked, adapter=False)
        for row, (loss, tokens) in zip(asked, found, strict=True):
            ids, labels = kind.renderer.example(kind.example(row))
            with torch.inference_mode():
                own = kind.model(input_ids=torch.tensor([ids]), labels=torch.tensor([labels])).loss
            assert tokens == sum(label != -100 for label in labels)
            assert loss / tokens == pytest.approx(float(own), rel=1e-4)
