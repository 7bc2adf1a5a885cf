"""Merged weights are used where they give the same logits, and numbers are numbers."""

from __future__ import annotations

import pytest
import torch

from toolkit.errors import ModelError
from toolkit.models import agreement


def test_logits_that_are_no_numbers_name_whose_they_are() -> None:
    fine, broken = torch.zeros(2, 3), torch.full((2, 3), float("nan"))
    agreement.check_numbers(fine, fine)
    with pytest.raises(ModelError, match="its training diverged"):
        agreement.check_numbers(broken, fine)
    with pytest.raises(ModelError, match="the base itself gives"):
        agreement.check_numbers(broken, broken)
