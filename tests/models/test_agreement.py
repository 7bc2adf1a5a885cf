"""Merged weights are used where they give the same logits, and numbers are numbers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from peft import LoraConfig, get_peft_model

from toolkit.errors import ModelError
from toolkit.models import agreement


def test_logits_that_are_no_numbers_name_whose_they_are() -> None:
    fine, broken = torch.zeros(2, 3), torch.full((2, 3), float("nan"))
    agreement.check_numbers(fine, fine)
    with pytest.raises(ModelError, match="its training diverged"):
        agreement.check_numbers(broken, fine)
    with pytest.raises(ModelError, match="the base itself gives"):
        agreement.check_numbers(broken, broken)


@pytest.fixture
def trained_in_bfloat16(tiny_llama: Path) -> Iterator[Any]:
    """A model with an adapter, as accelerate has it while it is trained in bfloat16."""
    base = transformers.AutoModelForCausalLM.from_pretrained(tiny_llama, dtype="float32")
    model = get_peft_model(base, LoraConfig(r=8, target_modules="all-linear", lora_alpha=64))
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                weight.normal_(std=0.3)
    AcceleratorState._reset_state(True)
    yield Accelerator(mixed_precision="bf16", cpu=True).prepare_model(model.eval())
    AcceleratorState._reset_state(True)


def test_in_a_training_in_bfloat16_a_right_merge_is_right(trained_in_bfloat16: Any) -> None:
    model = trained_in_bfloat16
    ids = torch.arange(5, 25)[None]

    def logits() -> torch.Tensor:
        with torch.inference_mode():
            found: torch.Tensor = model(input_ids=ids).logits
            return found

    wrapped, before = model.forward, logits()
    assert agreement.merges_exactly(model, logits)
    assert model.forward == wrapped and torch.equal(logits(), before)
    layer = next(m for m in model.modules() if hasattr(m, "lora_A") and len(m.lora_A))
    merge = layer.merge

    def wrong(*arguments: Any, **keywords: Any) -> None:
        merge(*arguments, **keywords)
        layer.base_layer.weight.data.mul_(50)

    layer.merge = wrong
    assert not agreement.merges_exactly(model, logits)
