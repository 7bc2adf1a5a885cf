"""Quantized bases on the CPU: trained, saved, loaded again, asked; and nothing silently wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import Dataset, DatasetDict

from tiny_tasks import TinyPrices, price_rows
from toolkit.errors import RecipeError
from toolkit.kinds.causal_lm.model import CausalLM
from toolkit.kinds.watching import TrainingWatch
from toolkit.models import adapters, loading
from toolkit.recipe import Recipe

pytest.importorskip("bitsandbytes", reason="needs the extra quantization")

NF4 = {
    "load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "bnb_4bit_use_double_quant": True,
    "bnb_4bit_compute_dtype": "bfloat16",
}  # fmt: skip
INT8 = {"load_in_8bit": True}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Llama wide enough for blocks of 64, with two layers."""
    from transformers import LlamaConfig, LlamaForCausalLM

    from toolkit.models import number_tokenizer
    from toolkit.testing import models

    learned = number_tokenizer.train(list(models.LINES) * 4, vocabulary=1500)
    sizes = models.decoder_sizes(learned) | {"hidden_size": 128, "intermediate_size": 256}
    config = LlamaConfig(vocab_size=len(learned), bos_token_id=learned.bos_token_id, **sizes)
    return models.saved(
        tmp_path_factory.mktemp("wide") / "model", LlamaForCausalLM, config, learned
    )


def kind(model: Path, quantization: dict[str, Any], **training: Any) -> CausalLM:
    task = TinyPrices()
    task.load_state(task.fit(Dataset.from_list(price_rows())))
    fields = {
        "per_device_train_batch_size": 4, "max_steps": 3, "learning_rate": 1e-2, "bf16": False,
        "eval_strategy": "steps", "eval_steps": 3, "logging_steps": 1, "max_length": 64,
        **training,
    }  # fmt: skip
    lora = {"r": 4, "target_modules": ["q_proj", "v_proj"]}
    recipe = Recipe("t", "t", str(model), training=fields, lora=lora, quantization=quantization)
    return CausalLM(task, recipe)


@pytest.mark.slow
@pytest.mark.parametrize("quantization", [NF4, INT8], ids=["nf4", "int8"])
@pytest.mark.parametrize("checkpointing", [False, True], ids=["kept", "checkpointed"])
def test_a_quantized_base_is_trained_saved_loaded_and_asked(
    quantization: dict[str, Any], checkpointing: bool, model: Path, tmp_path: Path
) -> None:
    rows = price_rows()
    splits = DatasetDict(
        {"train": Dataset.from_list(rows[:16]), "validation": Dataset.from_list(rows[16:24])}
    )
    made = kind(model, quantization, gradient_checkpointing=checkpointing, optim="paged_adamw_8bit")
    base = made.predict(rows[:4], adapter=False)  # before training, as in every run
    weights = {type(p).__name__ for p in made.model.parameters()}
    assert weights & {"Params4bit", "Int8Params"}
    trained = made.train(
        splits, checkpoints=tmp_path / "c", adapter=tmp_path / "adapter", watch=TrainingWatch()
    )
    losses = [entry["loss"] for entry in trained.history if "loss" in entry]
    assert losses[-1] < losses[0]
    answers = made.predict(rows[:4], adapter=True)
    assert [a.numbers.mass for a in answers] != [b.numbers.mass for b in base]  # type: ignore[union-attr]
    again = kind(model, quantization)
    again.load_adapter(tmp_path / "adapter")
    for before, after in zip(answers, again.predict(rows[:4], adapter=True), strict=True):
        assert after.numbers is not None and before.numbers is not None
        assert after.numbers.mass == pytest.approx(before.numbers.mass, abs=5e-3)


def request(model: Path, quantization: dict[str, Any] | None) -> loading.LoadRequest:
    return loading.LoadRequest(
        "AutoModelForCausalLM", str(model), quantization=quantization, init={"dtype": "float32"}
    )


def test_predicting_first_leaves_the_gradients_right(model: Path) -> None:
    """Bitsandbytes repacks 4-bit weights at the first prediction on some CPUs, and a backward pass
    through the packed ones is wrong: a base that is scored before it is trained must not be.
    """
    gradients = []
    for ask_first in (False, True):
        loaded = loading.load_model(request(model, NF4))
        made = adapters.add_lora(
            loaded, {"r": 4, "target_modules": ["q_proj"], "init_lora_weights": "gaussian"},
            seed=0, task_type="CAUSAL_LM",
        )  # fmt: skip
        ids = torch.arange(5, 21)[None]
        if ask_first:
            made.eval()
            with torch.no_grad():
                made(input_ids=ids)
        made.train()
        made(input_ids=ids, labels=ids).loss.backward()
        gradients.append(
            torch.cat([p.grad.flatten() for p in made.parameters() if p.grad is not None])
        )
    assert float(gradients[0].norm()) > 0
    assert torch.allclose(gradients[0], gradients[1], rtol=1e-3, atol=1e-6)


def test_a_quantized_model_cannot_be_trained_whole(tiny_bert: Path) -> None:
    from tiny_tasks import TinyGoods
    from toolkit.kinds.sequence_classification.model import SequenceClassification

    recipe = Recipe("t", "t", str(tiny_bert), lora=None, quantization=NF4)
    with pytest.raises(RecipeError, match="cannot be trained whole"):
        SequenceClassification(TinyGoods(), recipe).check_recipe()


def test_quantization_shrinks_what_is_loaded(model: Path) -> None:
    sizes = []
    for quantization in (None, INT8, NF4):
        loaded = loading.load_model(request(model, quantization))
        layer = loaded.model.layers[0].mlp.up_proj.weight
        sizes.append(layer.numel() * layer.element_size())
    assert sizes[0] == 4 * sizes[1] == 8 * sizes[2]
