"""Examples with a common beginning as one sequence: the results are those of one by one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from datasets import Dataset, DatasetDict
from hypothesis import given
from hypothesis import strategies as st

from tiny_tasks import TinyColours
from toolkit.kinds.causal_lm import shared_prefix
from toolkit.kinds.causal_lm.model import CausalLM
from toolkit.kinds.causal_lm.trainer import Collator, label_loss, labelled
from toolkit.kinds.language.prompt import IGNORED
from toolkit.kinds.watching import TrainingWatch
from toolkit.recipe import Recipe
from toolkit.task import Row

TEXT = "red cup and a blue lamp beside the green chair, pack of 5"
ASKED = (("which colour has the cup?", "red"), ("and the lamp?", "blue"), ("the chair?", "green"))


class Questions(TinyColours):
    """Several questions on each text."""

    joined = True

    def group(self, row: Row) -> str:
        return str(row["text"])

    def format_example(self, row: Row) -> dict[str, Any]:
        return {"prompt": f"{row['text']}\n{row['question']}", "completion": f" {row['colour']}"}


def rows(texts: int) -> list[dict[str, Any]]:
    return [
        {"row_id": 3 * i + j + 1, "text": f"{i + 10} times: {TEXT}", "question": asked,
         "colour": colour}
        for i in range(texts) for j, (asked, colour) in enumerate(ASKED)
    ]  # fmt: skip


def kind(model: Path, task: type[Questions] = Questions, **training: Any) -> CausalLM:
    fields = {"per_device_train_batch_size": 4, "num_train_epochs": 1, "learning_rate": 1e-3,
              "bf16": False, **training}  # fmt: skip
    lora = {"r": 4, "target_modules": "all-linear"}
    made = task()
    return CausalLM(made, Recipe("tiny", "tiny", str(model), training=fields, lora=lora))


def gradients(made: CausalLM, sequences: list[dict[str, Any]]) -> tuple[float, list[torch.Tensor]]:
    batch = Collator(made.tokenizer.pad_token_id)(sequences)
    made.model.zero_grad()
    loss = label_loss(labelled(made.model, made.model, batch).logits[0], batch)
    loss.backward()  # type: ignore[no-untyped-call]
    return float(loss.detach()), [
        p.grad.clone() for p in made.model.parameters() if p.grad is not None
    ]


@pytest.mark.parametrize("model", ["tiny_llama", "tiny_qwen"])
@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_losses_and_gradients_are_those_of_the_examples_one_by_one(
    model: str, attention: str, request: pytest.FixtureRequest
) -> None:
    made = kind(
        request.getfixturevalue(model), model_init_kwargs={"attn_implementation": attention}
    )
    made.load()
    apart = list(made.tokenized(Dataset.from_list(rows(4))))
    together = list(shared_prefix.join(Dataset.from_list(apart), 512))
    assert len(together) == 4 and len(apart) == 12
    assert sum(len(s["input_ids"]) for s in together) < sum(len(s["input_ids"]) for s in apart) / 2
    loss, found = gradients(made, together)
    wanted_loss, wanted = gradients(made, apart)
    assert loss == pytest.approx(wanted_loss, rel=1e-5)
    for a, b in zip(found, wanted, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-5)


def test_positions_go_on_and_no_segment_sees_another() -> None:
    ids = [[1] * 10 + own for own in ([5, 6, 7], [8, 9], [4, 3, 2])]
    labels = [[IGNORED] * (len(i) - 1) + i[-1:] for i in ids]
    (made,) = shared_prefix.sequences(list(zip(ids, labels, strict=True)), 100)
    # The second example's label is its twelfth token, so ten tokens can be shared.
    assert made["input_ids"] == [1] * 10 + [5, 6, 7, 8, 9, 4, 3, 2]
    assert made["position_ids"] == [*range(10), 10, 11, 12, 10, 11, 10, 11, 12]
    seen = shared_prefix.visible(np.array([[*made["segments"], -1]]))[0, 0]
    assert list(np.flatnonzero(seen[14])) == [*range(10), 13, 14]
    assert list(np.flatnonzero(seen[9])) == list(range(10))
    assert list(np.flatnonzero(seen[-1])) == [18]


@given(
    st.lists(st.lists(st.integers(1, 3), min_size=2, max_size=30), min_size=1, max_size=6),
    st.integers(1, 80), st.integers(0, 20),
)  # fmt: skip
def test_every_label_is_there_once_whatever_the_limit(
    own: list[list[int]], limit: int, shared: int
) -> None:
    examples = [([9] * shared + ids, [IGNORED] * (shared + 1) + ids[1:]) for ids in own]
    made = list(shared_prefix.sequences(examples, limit))
    labelled_tokens = [label for s in made for label in s["labels"] if label != IGNORED]
    assert labelled_tokens == [label for _, ls in examples for label in ls if label != IGNORED]
    for sequence in made:
        assert len({len(values) for values in sequence.values()}) == 1
        # More than the limit only where one example alone is.
        assert len(sequence["input_ids"]) <= limit or max(sequence["segments"]) == 1
        # What predicts a label is the token before it, of the same example.
        at = np.flatnonzero(np.array(sequence["labels"]) != IGNORED)
        segments = np.array(sequence["segments"])
        assert (segments[at] == segments[at - 1]).all() and (segments[at] > 0).all()


def train(made: CausalLM, folder: Path) -> Any:
    splits = DatasetDict(
        {"train": Dataset.from_list(rows(8)), "validation": Dataset.from_list(rows(10)[24:])}
    )
    return made.train(
        splits, checkpoints=folder / "checkpoints", adapter=folder / "adapter",
        watch=TrainingWatch(),
    )  # fmt: skip


def test_training_takes_groups_and_counts_rows(tiny_llama: Path, tmp_path: Path) -> None:
    info = train(kind(tiny_llama), tmp_path).info
    assert (info["rows"], info["steps"]) == (24, 2)  # eight groups in batches of four
    assert (tmp_path / "adapter" / "adapter_model.safetensors").is_file()


def test_a_model_that_takes_no_such_mask_is_trained_row_by_row(
    tiny_llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As a model does that makes its own mask and positions: every token sees all before it.
    def blind(allowed: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        length = allowed.shape[-1]
        below = torch.ones(length, length, dtype=torch.bool).tril()
        return torch.zeros_like(allowed, dtype=dtype).masked_fill_(~below, torch.finfo(dtype).min)

    monkeypatch.setattr(shared_prefix, "additive", blind)
    info = train(kind(tiny_llama), tmp_path / "blind").info
    assert (info["rows"], info["steps"]) == (24, 6)

    def refuse(allowed: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        raise ValueError("a mask of four dimensions")

    monkeypatch.setattr(shared_prefix, "additive", refuse)
    assert train(kind(tiny_llama), tmp_path / "refusing").info["steps"] == 6
