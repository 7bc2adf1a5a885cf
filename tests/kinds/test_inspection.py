"""What a model reads, and the logits that its answers begin with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tiny_tasks import TinyColours, price_rows
from toolkit.kinds import inspection
from toolkit.kinds.registry import model_class
from toolkit.plugins import recipes


@pytest.fixture(scope="module")
def rows() -> list[dict[str, object]]:
    return [{**row, "colour": str(row["text"]).split()[0]} for row in price_rows()[:20]]


def test_logits_are_those_of_the_first_token_behind_each_prompt(
    rows: list[dict[str, object]], tiny_qwen: Path
) -> None:
    kind = model_class(TinyColours)(
        TinyColours(), recipes.resolve(TinyColours, model=str(tiny_qwen))
    )
    kind.load()
    found = inspection.answer_logits(kind, rows, adapter=False)
    assert len(found) == len(rows) > inspection.AT_ONCE
    for row, logits in zip(rows, found, strict=True):
        (ids,) = inspection.read_tokens(kind, row)
        with torch.inference_mode():
            alone = kind.model(input_ids=torch.tensor([ids])).logits[0, -1].numpy()
        assert np.allclose(logits, alone, atol=1e-4)
