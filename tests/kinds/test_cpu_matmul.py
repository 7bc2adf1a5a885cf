"""Two rows at once: the same product, only for the layers it is meant for, and for its time."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from toolkit.kinds.cpu_matmul import few_rows


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toolkit.kinds.cpu_matmul.LARGE", 16)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(2, 1, 7), (2, 7), (1, 2, 7), (1, 1, 7), (4, 1, 7), (2, 5, 7)])
def test_the_product_is_the_same(shape: tuple[int, ...], bias: bool) -> None:
    torch.manual_seed(0)
    layer = torch.nn.Linear(7, 5, bias=bias)
    x = torch.randn(shape)
    usual = layer(x)
    with few_rows(layer):
        assert torch.allclose(layer(x), usual, atol=1e-6) and layer(x).shape == usual.shape
    assert "forward" not in vars(layer)


def test_other_layers_stay_as_they_are() -> None:
    class Own(torch.nn.Linear):
        pass

    half, little = torch.nn.Linear(4, 4).to(torch.bfloat16), torch.nn.Linear(3, 5)
    model = torch.nn.Sequential(Own(4, 4), half, little)
    with few_rows(model):
        assert all("forward" not in vars(layer) for layer in model)


def test_layers_are_given_back_when_something_goes_wrong() -> None:
    layer = torch.nn.Linear(4, 4)
    with pytest.raises(RuntimeError, match="shape"), few_rows(layer):
        layer(torch.zeros(2, 3))
    assert "forward" not in vars(layer)


def test_a_mixed_batch_is_what_peft_makes_of_it() -> None:
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(0)
    config = LoraConfig(r=2, target_modules=["0", "1"], lora_bias=True)
    model: Any = get_peft_model(
        torch.nn.Sequential(torch.nn.Linear(7, 6), torch.nn.Linear(6, 5)), config
    )
    model.add_adapter("other", LoraConfig(r=3, target_modules=["1"], use_rslora=True))
    for name, weights in model.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(weights)
    model.eval()
    x = torch.randn(5, 3, 7)
    names = ["__base__", "default", "default", "other", "__base__"]
    with torch.no_grad():
        usual = model(x, adapter_names=names)
        with few_rows(model):
            ours = model(x, adapter_names=names)
        alone = torch.cat([model(x[i : i + 1], adapter_names=[n]) for i, n in enumerate(names)])
    assert torch.allclose(ours, usual, atol=1e-5) and torch.allclose(ours, alone, atol=1e-5)
    assert not torch.allclose(ours[1], ours[0], atol=1e-2)
    assert all("_mixed_batch_forward" not in vars(layer) for layer in model.modules())
