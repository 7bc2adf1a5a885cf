"""The preference data that votes leave behind are what TRL's DPO trainer reads."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from toolkit.system import upstream
from toolkit_playground.state.store import Vote
from toolkit_playground.state.vote_statistics import preferences

pytestmark = pytest.mark.slow


def exported(prompts: Sequence[Any]) -> Sequence[Mapping[str, Any]]:
    votes = [
        Vote("me", False, i, "cup", "<s>cup", "base", "adapter", f"{i} red", f"{i} blue",
             "left" if i % 2 else "right", "train", json.dumps(prompt), True)
        for i, prompt in enumerate(prompts)
    ]  # fmt: skip
    return preferences(votes).pairs


@pytest.mark.parametrize("form", ["text", "messages"])
def test_dpo_trains_a_step_on_the_export(
    form: str, tiny_llama: Path, tiny_qwen: Path, tmp_path: Path
) -> None:
    """A model without a chat template gets texts, one with a template gets messages."""
    from datasets import load_dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import DPOConfig, DPOTrainer

    model = tiny_llama if form == "text" else tiny_qwen
    texts = [f"cup {i}\nPrice is $" for i in range(4)]
    pairs = exported(
        texts if form == "text" else [[{"role": "user", "content": text}] for text in texts]
    )
    place = tmp_path / "preferences.jsonl"
    place.write_text("".join(json.dumps(pair) + "\n" for pair in pairs))
    rows = load_dataset("json", data_files=str(place), split="train", cache_dir=str(tmp_path))
    tokenizer = AutoTokenizer.from_pretrained(model)
    special = [token for token in tokenizer.all_special_tokens if token in place.read_text()]
    assert not special
    trainer = DPOTrainer(
        model=AutoModelForCausalLM.from_pretrained(model),
        args=DPOConfig(
            output_dir=str(tmp_path / "out"), max_steps=1, per_device_train_batch_size=2,
            use_cpu=True, bf16=False, report_to="none",
            **upstream.training_fields(DPOConfig, {"gradient_checkpointing": False}),
        ),
        train_dataset=rows,
        processing_class=tokenizer,
    )  # fmt: skip
    assert len(trainer.train_dataset) == 4
    for row in trainer.train_dataset:
        ids = row.get("prompt_ids") or row["prompt_input_ids"]
        assert tokenizer.bos_token_id is None or ids.count(tokenizer.bos_token_id) <= 1
    assert math.isfinite(trainer.train().training_loss)
