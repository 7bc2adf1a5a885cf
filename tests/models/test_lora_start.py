"""Adapters that start from the base's weights: what is fixed stays, what cannot be is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from toolkit.errors import ModelError, RecipeError
from toolkit.models import adapters, lora_start
from toolkit.models.loading import LoadRequest, load_model

Made = Any


def made(folder: Path, **fields: Any) -> Any:
    base = load_model(LoadRequest("AutoModelForCausalLM", str(folder), init={"dtype": "float32"}))
    given = {"r": 4, "lora_alpha": 8, "target_modules": ["q_proj"], **fields}
    return adapters.add_lora(base, given, seed=0, task_type="CAUSAL_LM")


def first_layer(model: Any) -> Any:
    return model.base_model.model.model.layers[0].self_attn.q_proj


def test_the_start_is_pefts_own(tiny_qwen: Path) -> None:
    from peft import LoraConfig, get_peft_model

    for init in ("pissa", "olora"):
        ours = first_layer(made(tiny_qwen, init_lora_weights=init))
        base = load_model(
            LoadRequest("AutoModelForCausalLM", str(tiny_qwen), init={"dtype": "float32"})
        )
        theirs = first_layer(
            get_peft_model(
                base,
                LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj"], init_lora_weights=init),
            )
        )
        product = ours.lora_B["default"].weight[:, :4] @ ours.lora_A["default"].weight[:4]
        expected = theirs.lora_B["default"].weight @ theirs.lora_A["default"].weight
        torch.testing.assert_close(product, expected, rtol=1e-4, atol=1e-5)
        assert ours.scaling["default"] == theirs.scaling["default"]


def test_a_step_trains_the_first_half_alone_whatever_the_optimizer_does(tiny_qwen: Path) -> None:
    model = made(tiny_qwen, init_lora_weights="pissa")
    layer = first_layer(model)
    down, up = layer.lora_A["default"].weight, layer.lora_B["default"].weight
    before = down.detach().clone(), up.detach().clone()
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=0.01, weight_decay=0.5)
    start = lora_start.of(model)
    assert start is not None
    start.take()
    ids = torch.randint(5, 60, (2, 8))
    model(input_ids=ids, labels=ids).loss.backward()
    assert not down.grad[4:].any() and not up.grad[:, 4:].any() and down.grad[:4].any()
    optimizer.step()
    assert not torch.equal(down[4:], before[0][4:])  # the decay
    start.hold()
    assert torch.equal(down[4:], before[0][4:]) and torch.equal(up[:, 4:], before[1][:, 4:])
    assert not torch.equal(down[:4], before[0][:4])
    assert adapters.parameter_counts(model)[0] == sum(p.numel() for p in trained) // 2


def test_a_note_says_how_it_is_stored(tiny_qwen: Path) -> None:
    fields = {"init_lora_weights": "pissa"}
    assert "rank 8" in adapters.notes(made(tiny_qwen, **fields), fields)[0]
    assert not adapters.notes(made(tiny_qwen), {})


@pytest.mark.parametrize("init", ["eva", "corda", "lora_ga", "loftq"])
def test_a_start_from_more_than_the_weights_is_refused(tiny_qwen: Path, init: str) -> None:
    with pytest.raises(RecipeError, match=f"init_lora_weights={init} starts from"):
        made(tiny_qwen, init_lora_weights=init)


@pytest.mark.parametrize(
    ("fields", "why"), [({"target_modules": ["embed_tokens"]}, "none"), ({"r": 64}, "lower lora.r")]
)
def test_a_layer_that_cannot_be_split_is_refused(
    tiny_qwen: Path, fields: dict[str, Any], why: str
) -> None:
    with pytest.raises(ModelError, match=why):
        made(tiny_qwen, init_lora_weights="pissa", **fields)
