"""Two rows at once: the same product, only for the layers it is meant for, and for its time."""

from __future__ import annotations

import pytest
import torch

from toolkit.kinds.few_rows import few_rows


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toolkit.kinds.few_rows.LARGE", 16)


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
    with pytest.raises(RuntimeError, match="shapes"), few_rows(layer):
        layer(torch.zeros(2, 3))
    assert "forward" not in vars(layer)
