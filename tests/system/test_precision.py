"""Layers in bfloat16: where the machine has it, and never over weights in float16."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.system import precision


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_a_model_of_any_type_computes_within_the_context(
    dtype: str, tiny_llama: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    monkeypatch.setattr(precision, "bfloat16_pays", lambda: True)
    model = AutoModelForCausalLM.from_pretrained(tiny_llama, dtype=getattr(torch, dtype)).eval()
    ids = torch.tensor([[3, 4, 5, 6]])
    with torch.inference_mode():
        plain = model(input_ids=ids).logits.float()
        with precision.autocast_layers(model):
            found = model(input_ids=ids).logits.float()
        with precision.autocast(model):
            whole = model(input_ids=ids).logits.float()
    assert torch.allclose(found, plain, atol=0.1 * float(plain.abs().max()))
    assert torch.equal(found, plain) == (dtype != "float32")
    assert torch.equal(whole, plain) == (dtype != "float32")
