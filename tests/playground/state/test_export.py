"""The preference data that votes leave behind are what TRL's DPO trainer reads."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from toolkit.system import upstream
from toolkit_playground.state.store import Vote
from toolkit_playground.state.vote_statistics import preferences

pytestmark = pytest.mark.slow


def test_dpo_trains_a_step_on_the_export(tiny_llama: Path, tmp_path: Path) -> None:
    from datasets import load_dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import DPOConfig, DPOTrainer

    votes = [
        Vote("me", False, i, f"cup {i}", f"cup {i}\nPrice is $", "base", "adapter",
             f"{i} red", f"{i} blue", "left" if i % 2 else "right")
        for i in range(4)
    ]  # fmt: skip
    place = tmp_path / "preferences.jsonl"
    place.write_text("".join(json.dumps(pair) + "\n" for pair in preferences(votes)))
    rows = load_dataset("json", data_files=str(place), split="train", cache_dir=str(tmp_path))
    trainer = DPOTrainer(
        model=AutoModelForCausalLM.from_pretrained(tiny_llama),
        args=DPOConfig(
            output_dir=str(tmp_path / "out"), max_steps=1, per_device_train_batch_size=2,
            use_cpu=True, bf16=False, report_to="none",
            **upstream.training_fields(DPOConfig, {"gradient_checkpointing": False}),
        ),
        train_dataset=rows,
        processing_class=AutoTokenizer.from_pretrained(tiny_llama),
    )  # fmt: skip
    assert len(trainer.train_dataset) == 4
    assert math.isfinite(trainer.train().training_loss)
