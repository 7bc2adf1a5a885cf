"""Training of an encoder begins from the base: before its first step it predicts the same."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from datasets import DatasetDict

from fed_judge import feed
from kinds.question_answering import test_question_answering as spans
from kinds.sequence_classification import test_sequence_classification as texts
from toolkit.decoding import primary_values
from toolkit.errors import ModelError
from toolkit.kinds.encoder import head
from toolkit.kinds.watching import TrainingWatch
from toolkit.testing import models

WIDTH = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
         "num_attention_heads": 4, "max_position_embeddings": 520}  # fmt: skip


def encoder(name: str, folder: Path) -> Path:
    """A tiny random encoder of an architecture, with letters and words as its tokens."""
    import transformers

    learned = models.letters()
    fields = {**WIDTH, "vocab_size": len(learned), "pad_token_id": learned.pad_token_id}
    if name in models.ARCHITECTURES:
        return models.ARCHITECTURES[name](folder, models.LINES)
    config = getattr(transformers, f"{name}Config")(**fields)
    return models.saved(folder, getattr(transformers, f"{name}Model"), config, learned)


CLASSIFIERS = ["bert", "distilbert", "Roberta", "DebertaV2", "MPNet", "Electra", "ModernBert"]
"""With a pooler, a random dense layer, a pooler of another form, a mean before the last layer."""
READERS = ["bert", "distilbert", "DebertaV2"]
"""Those that read token types, and have none, before the layer for spans."""


def difference(kind: Any, rows: list[Any], other: Any = None) -> float:
    """How far what was trained is from the base, or from another model's, in logits."""
    if hasattr(kind.task, "labels"):
        first, second = (
            np.stack([out.logits for out in model.predict(rows, adapter=on)])
            for model, on in ((kind, True), (other or kind, bool(other)))
        )
        return float(np.abs(first - second).max() / max(1.0, np.abs(second).max()))
    pieces = [piece for row in rows for piece in kind._read(row).pieces]
    found = [
        [one for _, one, _ in sorted(model._logits(pieces, on), key=lambda item: item[0])]
        for model, on in ((kind, True), (other or kind, bool(other)))
    ]
    return max(float(np.abs(a - b).max()) for a, b in zip(*found, strict=True))


def adapted(kind: Any) -> Any:
    """The kind with a recipe whose adapter fits any architecture."""
    if kind.recipe.lora:
        lora = {"r": 4, "target_modules": "all-linear"}
        kind.recipe = dataclasses.replace(kind.recipe, lora=lora)
    return kind


def begun(kind: Any, place: Path, train: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The kind after a training in which no step is better than the start."""
    better = kind.task.metric().greater_is_better
    with monkeypatch.context() as patch:
        feed(patch, [0.9, 0.5, 0.4, 0.3] if better else [0.1, 0.5, 0.6, 0.7])
        trained = train(kind, place)
    assert trained.info["best_step"] == 0
    assert next(e["step"] for e in trained.history if "eval_loss" in e) == 0
    return trained


@pytest.mark.parametrize(
    ("name", "full"), [*((name, False) for name in CLASSIFIERS), ("bert", True), ("Roberta", True)]
)
def test_a_classifier_begins_from_the_base(
    name: str, full: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = encoder(name, tmp_path / "model")
    kind = texts.made(folder, texts.Wood, full=full)
    kind.fit_base(texts.rows(64), tmp_path)
    begun(kind, tmp_path, texts.train, monkeypatch)
    assert difference(kind, texts.SAMPLE) < 1e-5
    again = texts.made(folder, texts.Wood, full=full)
    again.seed = 5  # another random head
    again.load_base(tmp_path)
    again.load_adapter(tmp_path / "adapter")
    assert difference(again, texts.SAMPLE) < 1e-5
    assert difference(again, texts.SAMPLE, kind) < 1e-5


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_no_dropout_stands_between_the_encoder_and_the_probe(name: str, tmp_path: Path) -> None:
    """What is trained begins from the probe in training too, where dropout counts."""
    import torch

    kind = texts.made(encoder(name, tmp_path / "model"), texts.Wood)
    kind.recipe.training["model_init_kwargs"] = {}
    kind.fit_base(texts.rows(64), tmp_path)
    whole = {"input_ids": torch.arange(5, 25)[None], "attention_mask": torch.ones(1, 20).long()}
    logits = []
    for training in (False, True, True):
        kind.model.train(training)
        kind.model.base_model.eval()
        with torch.no_grad():
            logits.append(kind.model(**whole).logits)
    assert torch.equal(logits[1], logits[0]) and torch.equal(logits[2], logits[0])


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_training_without_dropout_is_the_same_each_time(name: str, tmp_path: Path) -> None:
    """Whatever an architecture calls its dropout: names of one are unknown to another."""
    import torch

    kind = texts.made(encoder(name, tmp_path / "model"), texts.Wood)
    kind.recipe.training["model_init_kwargs"] = {}
    kind.recipe.training["dropout"] = False
    kind.fit_base(texts.rows(64), tmp_path)
    whole = {"input_ids": torch.arange(5, 25)[None], "attention_mask": torch.ones(1, 20).long()}
    kind.model.train()
    with torch.no_grad():
        assert torch.equal(kind.model(**whole).logits, kind.model(**whole).logits)


def test_a_recipe_that_names_dropout_keeps_it(tiny_bert: Path, tmp_path: Path) -> None:
    kind = texts.made(tiny_bert, texts.Wood)
    kind.recipe.training["model_init_kwargs"] = {"classifier_dropout": 0.3}
    kind.fit_base(texts.rows(64), tmp_path)
    assert kind.model.dropout.p == 0.3


@pytest.mark.parametrize("task", [texts.Stars, texts.Price])
def test_ordered_classes_and_numbers_begin_from_the_base(
    tiny_bert: Path, tmp_path: Path, task: type[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = texts.made(tiny_bert, task)
    kind.fit_base(texts.rows(64), tmp_path)
    begun(kind, tmp_path, texts.train, monkeypatch)
    assert difference(kind, texts.SAMPLE) < 1e-5
    rows = texts.SAMPLE
    adapter, base = (
        primary_values(kind.task, kind.predict(rows, adapter=on), rows) for on in (True, False)
    )
    assert adapter == pytest.approx(base, rel=1e-5)


@pytest.mark.parametrize(("name", "full"), [*((name, False) for name in READERS), ("bert", True)])
def test_spans_begin_from_the_base(
    name: str, full: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = encoder(name, tmp_path / "model")
    kind = adapted(spans.made(model, full=full))
    kind.fit_base(spans.rows(48), tmp_path)
    begun(kind, tmp_path, spans.train, monkeypatch)
    assert difference(kind, spans.SAMPLE) < 1e-4
    again = adapted(spans.made(model, full=full))
    again.seed = 5
    again.load_base(tmp_path)
    again.load_adapter(tmp_path / "adapter")
    assert difference(again, spans.SAMPLE) < 1e-4
    assert difference(again, spans.SAMPLE, kind) < 1e-4
    with again.as_variant("untrained-head"):
        assert difference(again, spans.SAMPLE) > 1e-3


@pytest.mark.parametrize(("of", "tasks"), [(texts, (texts.Wood, texts.Stars, texts.Price))])
def test_the_checkpoint_kept_is_not_below_the_base_on_validation(
    tiny_bert: Path, tmp_path: Path, of: Any, tasks: Any
) -> None:
    """Training at a rate that ruins the model ends with the base."""
    for task in tasks:
        kind = of.made(tiny_bert, task, training={"learning_rate": 1.0})
        of.train(kind, tmp_path / task.name)
        rows = [dict(row) for row in of.rows(24, seed=1)]
        adapter, base = (
            primary_values(kind.task, kind.predict(rows, adapter=on), rows) for on in (True, False)
        )
        metric = kind.task.metric()
        best = max if metric.greater_is_better else min
        found = best(adapter.values()), best(base.values())
        assert found[0] == pytest.approx(best(found), rel=1e-5)


def test_a_resumed_training_does_not_evaluate_its_start_again(
    tiny_bert: Path, tmp_path: Path
) -> None:
    def die(step: int, steps: int, tokens: int) -> None:
        if step == 1:
            raise RuntimeError("killed")

    splits = DatasetDict({"train": texts.rows(64), "validation": texts.rows(24, seed=1)})
    places = {"checkpoints": tmp_path / "c", "adapter": tmp_path / "adapter"}
    with pytest.raises(RuntimeError, match="killed"):
        texts.made(tiny_bert).train(splits, **places, watch=TrainingWatch(on_step=die))
    trained = texts.made(tiny_bert).train(splits, **places, watch=TrainingWatch())
    assert trained.info["resumed_from_step"] == 0
    assert [e["step"] for e in trained.history if "eval_loss" in e] == [0, 2, 4]


def test_a_model_without_a_linear_head_is_refused(tiny_bert: Path) -> None:
    kind = texts.made(tiny_bert)
    kind.load()
    with pytest.raises(ModelError, match="7 outputs"):
        head.output_layer(kind.model, 7)


def test_constant_states_get_no_weight() -> None:
    random = np.random.default_rng(0)
    states = random.normal(size=(80, 4))
    states[:, 2] = 1 + 1e-17 * random.normal(size=80)
    states[:, 3] = 1e-9 * random.normal(size=80)
    probe = texts.Probe.fit(states, (states[:, 0] > 0).astype(int), classes=2)
    assert np.abs(probe.weight).max() < 100 and not probe.weight[:, 2:].any()
