"""Class weights: scikit-learn's definition, in the loss, in the probe, checked and stored."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.utils.class_weight import compute_class_weight

from tiny_tasks import TinyGoods, TinyPieces
from toolkit import SequenceClassificationTask, SequenceRegressionTask
from toolkit.errors import RecipeError, UsageError
from toolkit.kinds.registry import model_class
from toolkit.kinds.sequence_classification.class_weights import class_weights, cross_entropy
from toolkit.kinds.sequence_classification.linear_probe import Probe
from toolkit.plugins import lookup, recipes
from toolkit.plugins.toml_task import read
from toolkit.preparation.prepare import Source, prepare
from toolkit.recipe import Recipe

LABELS = ("a", "b", "c")
ROWS = ["a"] * 60 + ["b"] * 30 + ["c"] * 10


def test_balanced_is_scikit_learns() -> None:
    found = class_weights("balanced", LABELS, ROWS)
    expected = compute_class_weight("balanced", classes=np.array(LABELS), y=ROWS)
    assert found == pytest.approx(expected.tolist())
    assert class_weights(None, LABELS, ROWS) is None


def test_classes_without_rows_and_rows_without_a_class() -> None:
    found = class_weights("balanced", ("a", "z", "b"), [*ROWS[:90], None, "other"])
    assert found is not None and found[0] == pytest.approx(0.75) and found[2] == pytest.approx(1.5)


def test_of_a_table_only_the_ratios_matter() -> None:
    found = class_weights({"b": 2, "c": 4.5}, LABELS, ROWS)
    assert found is not None
    assert np.array(found) / found[0] == pytest.approx([1, 2, 4.5])
    assert np.mean([found[LABELS.index(row)] for row in ROWS]) == pytest.approx(1)
    numbers = class_weights({"1": 2}, (1, 2), [1, 1, 2, 2])
    assert numbers == pytest.approx([4 / 3, 2 / 3]), "classes that are numbers, by their names"


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("balance", "it can be balanced, or a table"),
        (2, "it can be balanced, or a table"),
        ({"d": 2}, "there is no class 'd'.*; there are a, b, c"),
        ({"a": 0}, "class_weights.a is 0; a weight is a number above 0"),
        ({"a": -1}, "number above 0"),
        ({"a": float("inf")}, "number above 0"),
        ({"a": "2"}, "number above 0"),
        ({"a": True}, "number above 0"),
    ],
)
def test_other_options_are_refused(option: Any, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        class_weights(option, LABELS, ROWS)


def test_regression_has_no_such_option() -> None:
    assert "class_weights" in SequenceClassificationTask.options
    assert SequenceRegressionTask.options == {"loss": "huber"}
    assert lookup.find("price-regression-encoder").options.keys() & {"class_weights"} == set()
    assert lookup.find("review-sentiment").options["class_weights"] is None
    with pytest.raises(RecipeError, match="this task has no classes"):
        class_weights("balanced", (), [])
    recipe = Recipe("r", "", "embedded:minilm", task={"class_weights": "balanced"})
    with pytest.raises(RecipeError, match=r"task\.class_weights: the task's options has no such"):
        recipes._refuse("task", recipe.task, SequenceRegressionTask.options, "the task's options")


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_loss_of_a_row_is_weighted_by_its_class(smoothing: float) -> None:
    logits, labels = torch.randn(6, 3), torch.tensor([0, 1, 2, 2, -100, 0])
    weights = [0.5, 2.0, 3.0]
    loss = cross_entropy(weights, smoothing)(SimpleNamespace(logits=logits), labels)
    assert loss == pytest.approx(
        float(
            torch.nn.functional.cross_entropy(
                logits, labels, weight=torch.tensor(weights), reduction="sum",
                label_smoothing=smoothing,
            )
        )
    )  # fmt: skip
    plain = cross_entropy(None, smoothing)(SimpleNamespace(logits=logits), labels)
    ones = cross_entropy([1.0] * 3, smoothing)(SimpleNamespace(logits=logits), labels)
    assert torch.allclose(plain, ones) and not torch.allclose(plain, loss)


@pytest.mark.parametrize("classes", [2, 3])
def test_the_probe_is_weighted_as_scikit_learn_weights(classes: int) -> None:
    random = np.random.default_rng(0)
    labels = random.choice(classes, 400, p=[0.9, 0.1] if classes == 2 else [0.85, 0.1, 0.05])
    states = random.normal(size=(400, 5)) + labels[:, None] * 0.4
    weights = class_weights("balanced", range(classes), labels.tolist())
    plain = Probe.fit(states, labels, classes=classes)
    weighted = Probe.fit(states, labels, classes=classes, weights=weights)

    def rare(probe: Probe) -> int:
        return int((probe.logits(states).argmax(axis=1) > 0).sum())

    assert rare(weighted) > 2 * rare(plain)
    scaled = (states - states.mean(axis=0)) / states.std(axis=0)
    for c in (0.003, 0.03, 0.3):  # one of the penalties that cross-validation chooses from
        model = LogisticRegression(C=c, max_iter=1000, class_weight="balanced").fit(scaled, labels)
        if (weighted.logits(states).argmax(axis=1) == model.predict(scaled)).mean() == 1:
            return
    pytest.fail("no model of scikit-learn predicts the same")


@pytest.mark.parametrize("task", [TinyGoods, TinyPieces])
def test_the_weights_are_part_of_the_state(tiny_bert: Path, task: type[Any]) -> None:
    """Declared classes, and classes that the training split names."""
    ready = task()
    train = prepare(ready, Source()).splits["train"]
    ready.load_state(ready.fit(train))
    recipe = Recipe("r", "", str(tiny_bert), training={"max_length": 64}, lora={"r": 2})
    kind = model_class(task)(ready, recipe)
    assert kind.fit_state(train) == {}
    ready.options |= {"class_weights": "balanced"}
    found = kind.fit_state(train)
    counted = [ready.stratum(row) for row in train]
    assert found == {"class_weights": class_weights("balanced", ready.labels, counted)}
    ready.load_state({**ready.state, **found})
    assert kind.weights == found["class_weights"]
    logits = torch.randn(2, len(ready.labels))
    loss = kind.loss(SimpleNamespace(label_smoothing_factor=0.0))
    batch = SimpleNamespace(logits=logits), torch.tensor([0, 1])
    assert torch.equal(loss(*batch), cross_entropy(kind.weights, 0.0)(*batch))
    ready.options["class_weights"] = {"no such class": 2}
    with pytest.raises(RecipeError, match="no class 'no such class'"):
        kind.fit_state(train)


def test_task_files_name_class_weights(tmp_path: Path) -> None:
    file = tmp_path / "t.toml"
    file.write_text('kind = "sequence-classification"\nclass_weights = "balanced"\n')
    assert read(file).options == {"class_weights": "balanced"}
    file.write_text('kind = "sequence-classification"\n[class_weights]\nspam = 3\n')
    assert read(file).options == {"class_weights": {"spam": 3}}
    file.write_text('kind = "sequence-classification"\n')
    assert read(file).options == {"class_weights": None}
    for text, message in (
        ('kind = "sequence-classification"\nclass_weights = 3\n', "must be"),
        ('kind = "causal-lm"\nclass_weights = "balanced"\n', "does not go with kind causal-lm"),
        ('kind = "seq2seq-lm"\nclass_weights = "balanced"\n', "does not go with kind seq2seq-lm"),
    ):
        file.write_text(text)
        with pytest.raises(UsageError, match=message):
            read(file)


def test_set_takes_a_table_entry_by_entry() -> None:
    recipe = recipes.resolve(
        TinyGoods, sets=["task.class_weights.cup=2", "task.class_weights.bed=0.5"]
    )
    assert recipe.task == {"class_weights": {"cup": 2, "bed": 0.5}}
