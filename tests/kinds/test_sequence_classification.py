"""The sequence-classification kind on a tiny random BERT: heads, probe, LoRA and full training."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from datasets import Dataset, DatasetDict

from toolkit.kinds.base import TrainingWatch
from toolkit.kinds.sequence_classification import (
    SequenceClassificationTask,
    SequenceRegressionTask,
)
from toolkit.kinds.sequence_classification.kind import SequenceClassification
from toolkit.task import Metric, Recipe

WORDS = ("red", "blue", "green", "old", "new", "big", "small", "steel", "oak", "silk")
ACCURACY = Metric("accuracy", lambda p, r: float(p == r))


class Wood(SequenceClassificationTask):
    """Whether the words name wood."""

    name = "wood"
    summary = "wood or not"
    columns = {"text": "words", "label": "wood or other"}
    metrics = (ACCURACY,)
    primary_metric = "accuracy"
    recipes = ()

    def load_rows(self, source: Any) -> Dataset:
        return rows(40)

    def format_example(self, row: Any) -> dict[str, Any]:
        return {"text": row["text"], "label": row.get("label")}

    def reference(self, row: Any) -> str:
        return str(row["label"])


class Stars(Wood):
    """The same words as stars from 1 to 5."""

    name = "stars"
    classes = (1, 2, 3, 4, 5)
    ordinal = True
    metrics = (Metric("mae", lambda p, r: abs(p - r), greater_is_better=False),)
    primary_metric = "mae"

    def format_example(self, row: Any) -> dict[str, Any]:
        return {"text": row["text"], "label": row["stars"]}

    def reference(self, row: Any) -> int:
        return int(row["stars"])


class Price(SequenceRegressionTask):
    """A number that follows from the words."""

    name = "price"
    summary = "a price"
    columns = {"text": "words", "price": "a number"}
    metrics = (Metric("mae", lambda p, r: abs(p - r), greater_is_better=False),)
    primary_metric = "mae"
    recipes = ()

    def load_rows(self, source: Any) -> Dataset:
        return rows(40)

    def text(self, row: Any) -> str:
        return str(row["text"])

    def to_scale(self, row: Any) -> float | None:
        return math.log(row["price"]) if "price" in row else None

    def from_scale(self, number: float) -> float:
        return math.exp(number)

    def reference(self, row: Any) -> float:
        return float(row["price"])


def rows(n: int, seed: int = 0) -> Dataset:
    random = np.random.default_rng(seed)
    texts = [" ".join(random.choice(WORDS, size=random.integers(2, 9))) for _ in range(n)]
    return Dataset.from_dict(
        {
            "row_id": list(range(1, n + 1)),
            "text": texts,
            "label": ["wood" if "oak" in text else "other" for text in texts],
            "stars": [min(5, 1 + text.count("oak") + text.count("silk")) for text in texts],
            "price": [10.0 + 40 * ("oak" in t) + 7 * len(t.split()) for t in texts],
        }
    )


def recipe(model: Path, *, full: bool = False, **changes: Any) -> Recipe:
    training = {
        "per_device_train_batch_size": 8, "max_steps": 4, "learning_rate": 1e-2,
        "eval_strategy": "steps", "eval_steps": 2, "logging_steps": 1, "max_length": 64,
    }  # fmt: skip
    training |= changes.pop("training", {})
    lora = None if full else {"r": 4, "target_modules": "all-linear", "lora_dropout": 0.1}
    return Recipe("tiny", "tiny", str(model), training=training, lora=lora, **changes)


def made(model: Path, task: type[Any] = Wood, **changes: Any) -> SequenceClassification:
    kind = task.kind()
    ready = task()
    ready.adopt(ready.learn(rows(64)))
    built = kind(ready, recipe(model, **changes))
    assert isinstance(built, SequenceClassification)
    return built


def train(kind: SequenceClassification, folder: Path) -> Any:
    splits = DatasetDict({"train": rows(64), "select": rows(24, seed=1)})
    return kind.train(
        splits, checkpoints=folder / "checkpoints", adapter=folder / "adapter",
        watch=TrainingWatch(),
    )  # fmt: skip


SAMPLE = [dict(row) for row in rows(9, seed=2)]


def logits(kind: SequenceClassification, *, adapter: bool = True) -> np.ndarray:
    return np.stack([out.logits for out in kind.predict(SAMPLE, adapter=adapter)])


# -- training, saving, loading ---------------------------------------------------------------------


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("task", [Wood, Stars, Price])
def test_what_was_trained_loads_again_and_in_plain_libraries(
    tiny_bert: Path, tmp_path: Path, task: type[Any], full: bool
) -> None:
    from peft import PeftModel
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    kind = made(tiny_bert, task, full=full)
    trained = train(kind, tmp_path)
    assert trained.info["steps"] == 4
    assert (trained.info["parameters_trained"] == trained.info["parameters_total"]) == full
    ours = logits(kind)

    again = made(tiny_bert, task, full=full)
    again.seed = 7  # the head comes from the folder, whatever the seed
    again.load_adapter(tmp_path / "adapter")
    np.testing.assert_allclose(logits(again), ours, atol=1e-6)

    folder = str(tmp_path / "adapter")
    if full:
        plain = AutoModelForSequenceClassification.from_pretrained(folder)
    else:
        base = AutoModelForSequenceClassification.from_pretrained(
            str(tiny_bert), num_labels=kind.task.num_labels
        )
        plain = PeftModel.from_pretrained(base, folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    inputs = tokenizer([row["text"] for row in SAMPLE], padding=True, return_tensors="pt")
    with torch.no_grad():
        theirs = plain.eval()(**inputs).logits.numpy()
    np.testing.assert_allclose(theirs, ours, atol=1e-5)


def test_the_base_is_untouched_by_training(tiny_bert: Path, tmp_path: Path) -> None:
    for full in (False, True):
        kind = made(tiny_bert, full=full)
        kind.fit_base(rows(64), tmp_path / "base")
        before = logits(kind, adapter=False)
        train(kind, tmp_path / str(full))
        np.testing.assert_allclose(logits(kind, adapter=False), before, atol=1e-6)
        again = made(tiny_bert, full=full)
        again.load_base(tmp_path / "base")
        again.load_adapter(tmp_path / str(full) / "adapter")
        np.testing.assert_allclose(logits(again, adapter=False), before, atol=1e-6)
        assert np.abs(logits(again) - before).max() > 1e-3
