"""The ranked probability score of a number's distribution."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from datasets import Dataset, DatasetDict
from hypothesis import given, settings
from hypothesis import strategies as st

from tiny_tasks import TinyPrices, price_rows
from toolkit.errors import RecipeError
from toolkit.kinds.causal_lm.model import CausalLM
from toolkit.kinds.causal_lm.number_loss import NumberScale, ranked_score
from toolkit.kinds.causal_lm.sequences import number_scale
from toolkit.kinds.causal_lm.trainer import label_loss
from toolkit.kinds.watching import TrainingWatch
from toolkit.recipe import Recipe

NUMBERS = np.array([1.0, 2.0, 4.0, 5.0, 10.0, 40.0])
SCALE = NumberScale(np.array([7, 3, 9, 4, 1, 12]), np.log(NUMBERS), 1.0)


def score(probabilities: Any, truth: int, scale: NumberScale = SCALE) -> float:
    """The score of one number: ``truth`` is its place on the scale."""
    logits = torch.full((1, 14), 3.0)  # other tokens' logits change nothing
    logits[0, scale.ids] = torch.log(torch.tensor(probabilities, dtype=torch.float32))
    columns = scale.columns(np.array([scale.ids[truth]]))
    return float(ranked_score(logits, {k: torch.from_numpy(v) for k, v in columns.items()}))


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.floats(0.01, 1.0), min_size=6, max_size=6), st.integers(0, 5), st.floats(0.1, 30)
)
def test_it_is_half_of_what_two_draws_lie_nearer_than_a_draw_and_the_truth(
    shares: list[float], truth: int, weight: float
) -> None:
    # The other form of the score (Gneiting and Raftery 2007, equation 21): E|X - y| - E|X - X'|/2.
    p = np.array(shares) / sum(shares)
    x = np.log(NUMBERS)
    expected = (p * abs(x - x[truth])).sum() - (
        p[:, None] * p[None, :] * abs(x[:, None] - x[None, :])
    ).sum() / 2
    found = score(p, truth, dataclasses.replace(SCALE, weight=weight))
    assert found == pytest.approx(weight * expected, rel=1e-3, abs=1e-4)


def test_what_is_less_far_away_costs_less() -> None:
    sure = np.full((6, 6), 1e-6) + np.eye(6)
    costs = [score(p / p.sum(), 2) for p in sure]
    assert costs[2] < 1e-4 and costs[2] < costs[3] < costs[1] < costs[4] < costs[5]


def kind(model: Path, **options: Any) -> CausalLM:
    task = TinyPrices()
    task.options = {**task.options, **options}
    task.load_state({**task.fit(Dataset.from_list(price_rows())), "largest": 999})
    training = {"max_steps": 1, "bf16": False, "eval_strategy": "no", "max_length": 96}
    lora = {"r": 4, "target_modules": "all-linear"}
    made = CausalLM(task, Recipe("t", "t", str(model), training=training, lora=lora))
    made.load()
    return made


def test_batches_score_the_number_and_no_other_token(tiny_llama: Path) -> None:
    made = kind(tiny_llama, rank_weight=2.0)
    train = Dataset.from_list(price_rows())
    encoded = made.tokenized(train)
    collate = made.collator(train)
    batch = collate([encoded[i] for i in range(6)])
    columns = {k: v for k, v in batch.items() if k.startswith("number_")}
    plain = {k: v for k, v in batch.items() if k not in columns}
    places = columns["number_places"]
    found = made.tokenizer.batch_decode(collate.scale.ids[places[places >= 0].numpy()][:, None])
    assert found == [str(n) for n in encoded["number"][:6]] and (places < 0).any()
    logits = torch.randn(len(places), len(made.tokenizer))
    torch.testing.assert_close(
        label_loss(logits, batch), label_loss(logits, plain) + ranked_score(logits, columns)
    )
    assert made.collator(train).scale.weight == 2.0
    assert kind(tiny_llama).collator(train).scale is None  # off unless a recipe wants it


@pytest.mark.parametrize("weight", [-1, "much", float("nan"), True])
def test_a_weight_that_is_none_is_refused(tiny_llama: Path, weight: Any) -> None:
    made = kind(tiny_llama, rank_weight=weight)
    with pytest.raises(RecipeError, match=r"task\.rank_weight is"):
        number_scale(made.tokenizer, made.task)


def test_numbers_of_several_tokens_are_trained_without_it_and_a_note_says_so(
    tiny_qwen: Path, tmp_path: Path
) -> None:
    made = kind(tiny_qwen, rank_weight=2.0)
    train = Dataset.from_list(price_rows())
    notes: list[str] = []
    made.train(
        DatasetDict({"train": train, "validation": train}), checkpoints=tmp_path / "c",
        adapter=tmp_path / "a", watch=TrainingWatch(on_note=notes.append),
    )  # fmt: skip
    assert any("rank_weight has no effect" in note for note in notes)
