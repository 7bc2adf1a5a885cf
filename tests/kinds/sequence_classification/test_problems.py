"""Several labels and several numbers: what the head, the loss and the linear probe make of them."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from several_fixtures import TOPICS, label_rows
from toolkit import Labelled, MultiLabelTask, SequenceClassificationTask, VectorRegressionTask
from toolkit.errors import DataError, PluginError, RecipeError
from toolkit.kinds.sequence_classification.class_weights import (
    label_weights,
    labels_cross_entropy,
)
from toolkit.kinds.sequence_classification.linear_probe import Probe
from toolkit.kinds.sequence_classification.outputs import Classified
from toolkit.kinds.sequence_classification.problems import (
    UNKNOWN,
    MultiLabel,
    Numbers,
    SingleLabel,
    problem_of,
)
from toolkit.metrics import multi_label_metrics, vector_metrics
from toolkit.task import classes_of

PLAIN = SimpleNamespace(label_smoothing_factor=0.0)


class Topics(MultiLabelTask):
    name, summary, api_version = "topics", "topics of messages", 2
    columns = {"text": "the message", "labels": "its topics"}
    truncate = "text"
    answer = "labels"
    classes = tuple(TOPICS)
    metrics = multi_label_metrics(classes)
    primary_metric = "micro_f1"

    def format_example(self, row: Any) -> dict[str, Any]:
        return {"text": row["text"], "label": row.get("labels")}


class Dishes(VectorRegressionTask):
    name, summary, api_version = "dishes", "numbers of dishes", 2
    columns = {"text": "the dish", "minutes": "its minutes", "kcal": "its calories"}
    truncate = "text"
    outputs = ("minutes", "kcal")
    metrics = vector_metrics(outputs)
    primary_metric = "scaled_mae"

    def text(self, row: Any) -> str:
        return str(row["text"])


def outputs(logits: Any) -> Any:
    return SimpleNamespace(logits=torch.tensor(logits, dtype=torch.float32))


def test_each_problem_has_its_head() -> None:
    labels = problem_of(Topics())
    assert isinstance(labels, MultiLabel)
    head = labels.head_arguments()
    assert head["problem_type"] == "multi_label_classification" and head["num_labels"] == 3
    assert head["id2label"] == dict(enumerate(TOPICS))
    numbers = problem_of(Dishes())
    assert isinstance(numbers, Numbers) and numbers.head_arguments()["num_labels"] == 2
    with pytest.raises(PluginError, match="problem is 'several'; there are single-label"):
        problem_of(type("Odd", (Topics,), {"problem": "several"})())


def test_a_task_of_one_output_predicts_a_number_whatever_it_says() -> None:
    class One(Topics):
        problem = "single-label"
        num_labels = 1  # type: ignore[assignment]

    assert isinstance(problem_of(One()), Numbers)


def test_labels_are_ones_and_zeros_and_unknown_where_there_are_none() -> None:
    problem = problem_of(Topics())
    assert problem.label(["login", "billing"]) == [1.0, 0.0, 1.0]
    assert problem.label([]) == [0.0, 0.0, 0.0]
    assert problem.label(None) == [float(UNKNOWN)] * 3
    assert problem.target(["login", "secret"]) == "the labels login (of 3)"
    assert problem.target([]) == "no label (of 3)"


def test_the_loss_is_torchs_and_leaves_unknown_rows_out() -> None:
    logits = [[0.3, -1.2, 2.0], [1.0, 0.0, -0.5]]
    labels = torch.tensor([[1.0, 0.0, 1.0], [UNKNOWN] * 3])
    expected = functional.binary_cross_entropy_with_logits(
        torch.tensor(logits[:1]), labels[:1], reduction="sum"
    )
    assert labels_cross_entropy(None, 0.0)(outputs(logits), labels).item() == pytest.approx(
        expected.item()
    )
    weighted = labels_cross_entropy([[1.0, 3.0], [2.0, 1.0], [1.0, 1.0]], 0.0)
    parts = functional.binary_cross_entropy_with_logits(
        torch.tensor(logits[:1]), labels[:1], reduction="none"
    )
    weights = torch.tensor([[3.0, 2.0, 1.0]])
    assert weighted(outputs(logits), labels).item() == pytest.approx((parts * weights).sum().item())
    smoothed = labels_cross_entropy(None, 0.2)(outputs(logits), labels)
    wanted = functional.binary_cross_entropy_with_logits(
        torch.tensor(logits[:1]), torch.tensor([[0.9, 0.1, 0.9]]), reduction="sum"
    )
    assert smoothed.item() == pytest.approx(wanted.item())


def test_weights_of_labels_have_the_mean_1_and_the_ratio_that_is_asked_for() -> None:
    found = [["a"]] * 10 + [[]] * 30
    (without, with_it), _ = label_weights("balanced", ("a", "b"), [*found, ["b"]]) or []
    assert with_it / without == pytest.approx(31 / 10)
    assert (10 * with_it + 31 * without) / 41 == pytest.approx(1)
    ((without, with_it),) = label_weights({"a": 5}, ("a",), [*found, None]) or []
    assert with_it / without == pytest.approx(5)
    assert label_weights(None, ("a",), found) is None
    with pytest.raises(RecipeError, match="there is no class 'c'"):
        label_weights({"c": 2}, ("a",), found)
    with pytest.raises(RecipeError, match="it can be balanced"):
        label_weights("equal", ("a",), found)


def test_the_probe_tells_each_label_by_itself() -> None:
    chance = np.random.default_rng(0)
    states = chance.normal(size=(300, 8))
    labels = np.stack([states[:, 0] > 0.3, states[:, 1] > 1.0, np.zeros(300)], axis=1).astype(float)
    labels[:4] = UNKNOWN
    probe = Probe.fit(states, labels, classes=3)
    found = probe.logits(states)[4:] > 0
    assert probe.weight.shape == (3, 8) and (found == labels[4:].astype(bool)).mean() > 0.95
    assert -10 < probe.bias[2] < -3, "a label that no row has is unlikely, and not impossible"


def test_the_probe_of_several_numbers_is_a_ridge_for_each() -> None:
    chance = np.random.default_rng(0)
    states = chance.normal(size=(100, 5))
    numbers = states @ chance.normal(size=(5, 2)) + chance.normal(size=(100, 2))
    both = Probe.fit(states, numbers, classes=1)
    for at in range(2):
        single = Probe.fit(states, numbers[:, at], classes=1)
        assert both.weight[at] == pytest.approx(single.weight[0], rel=1e-6)
        assert both.bias[at] == pytest.approx(single.bias[0], abs=1e-9)


def test_predictions_are_lists_of_labels_by_a_threshold() -> None:
    task = Topics()
    sure = Labelled(np.array([2.0, -0.3, -3.0]), task.labels)
    assert sure.probabilities.sum() > 1 and sure.text.startswith("billing 0.88")
    assert sure.detail == {"billing": 0.8808, "delivery": 0.4256, "login": 0.0474}
    decoders = task.decoders()
    assert decoders["half"](sure, {}, {}) == ["billing"]
    assert decoders["threshold"](sure, {}, {"threshold": 0.4}) == ["billing", "delivery"]
    none = Labelled(np.array([-2.0, -0.3, -3.0]), task.labels)
    assert decoders["half"](none, {}, {}) == []
    unreadable = Labelled(np.full(3, np.nan), task.labels)
    assert all(decoder(unreadable, {}, {}) is None for decoder in decoders.values())


def test_the_threshold_is_the_one_with_the_best_figure_and_near_a_half() -> None:
    task, rows = Topics(), label_rows(40)
    # A model that is too careful: whatever is right has a probability of 0.3.
    logits = [np.where([t in row["labels"] for t in TOPICS], -0.85, -3.0) for row in rows]
    found = task.tune([Labelled(one, task.labels) for one in logits], rows)
    assert 0.06 <= found["threshold"] <= 0.3
    right = [task.decoders()["threshold"](Labelled(one, task.labels), {}, found) for one in logits]
    assert right == [task.reference(row) for row in rows]
    sure = [np.where([t in row["labels"] for t in TOPICS], 9.0, -9.0) for row in rows]
    assert task.tune([Labelled(one, task.labels) for one in sure], rows) == {"threshold": 0.5}
    assert task.tune([], []) == {}


def test_labels_are_those_of_the_training_rows_where_the_task_names_none() -> None:
    open_task = type("Open", (Topics,), {"classes": ()})()
    assert open_task.fit(label_rows()) == {"labels": sorted(TOPICS)}  # type: ignore[arg-type]
    with pytest.raises(DataError, match="have the label 'billing' alone"):
        open_task.fit([{"text": "a", "labels": ["billing"]}])  # type: ignore[arg-type]
    assert classes_of(Topics(), {"text": "a", "labels": ["login", "billing"]}) == (
        "login",
        "billing",
    )
    assert Topics().reference({"text": "", "labels": ["login", "billing"]}) == ["billing", "login"]


def test_numbers_are_standardised_each_by_itself_and_come_back_by_name() -> None:
    import datasets

    rows = [{"text": "x", "minutes": m, "kcal": k} for m, k in ((10.0, 100.0), (30.0, 500.0))]
    task = Dishes()
    task.load_state(task.fit(datasets.Dataset.from_list(rows)))
    assert task.format_example(rows[1])["label"] == [1.0, 1.0]
    assert task.format_example({"text": "x"})["label"] is None
    output = Classified(np.array([0.0, 1.0]))
    assert task.postprocess(output, {}) == {"minutes": 20.0, "kcal": 500.0}
    far = task.postprocess(Classified(np.array([99.0, 0.0])), {})
    assert far == {"minutes": 50.0, "kcal": 300.0}, "at most its own width beyond the range"
    assert task.fallback() == {"minutes": 20.0, "kcal": 300.0}
    assert output.text == "0, 1" and task.labels == () and task.num_labels == 2


# -- a loss of the task's own ----------------------------------------------------------------------
class Focal(SequenceClassificationTask):
    """Rows that are sure already count less."""

    name, summary, api_version = "focal", "classes by a loss of its own", 2
    columns = {"text": "words", "label": "a class"}
    truncate = "text"
    classes = ("a", "b")

    def format_example(self, row: Any) -> dict[str, Any]:
        return {"text": row["text"], "label": row.get("label")}

    def reference(self, row: Any) -> str:
        return str(row["label"])

    def row_losses(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor | None:
        plain = functional.cross_entropy(logits, labels, reduction="none")
        return (1 - (-plain).exp()) ** 2 * plain


def test_a_task_may_have_a_loss_of_its_own() -> None:
    problem = problem_of(Focal())
    assert isinstance(problem, SingleLabel)
    logits, labels = outputs([[2.0, 0.0], [0.0, 0.5], [1.0, 1.0]]), torch.tensor([0, 1, UNKNOWN])
    found = problem.loss(PLAIN, None)(logits, labels)
    expected = Focal().row_losses(logits.logits[:2], labels[:2])
    assert expected is not None and found.item() == pytest.approx(expected.sum().item())
    smoothed = SimpleNamespace(label_smoothing_factor=0.1)
    with pytest.raises(RecipeError, match="Focal has one of its own"):
        problem.loss(smoothed, None)(logits, labels)


@pytest.mark.parametrize("members", [{"row_losses": lambda self, logits, labels: logits.sum()},
                                     {"row_losses": lambda self, logits, labels: 3.0}])  # fmt: skip
def test_a_loss_that_is_not_one_a_row_is_one_sentence(members: Mapping[str, Any]) -> None:
    problem = problem_of(type("Wrong", (Focal,), dict(members))())
    with pytest.raises(PluginError, match=r"Wrong\.row_losses gave .* return one loss a row"):
        problem.loss(PLAIN, None)(outputs([[2.0, 0.0]]), torch.tensor([0]))


def test_of_several_labels_the_mean_over_rows_is_what_becomes_smaller() -> None:
    class Own(Topics):
        def row_losses(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor | None:
            return logits.sum(dim=1)

    labels = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
    summed = problem_of(Own()).loss(PLAIN, None)(outputs([[1.0] * 3, [2.0] * 3]), labels)
    # The trainer divides by the number of labels that are known.
    assert summed.item() / labels.ne(UNKNOWN).sum().item() == pytest.approx((3 + 6) / 2)


def test_where_it_gives_none_the_kinds_own_loss_counts() -> None:
    class Sometimes(Focal):
        def row_losses(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor | None:
            return None

    logits, labels = outputs([[2.0, 0.0], [0.0, 0.5]]), torch.tensor([0, 1])
    expected = functional.cross_entropy(logits.logits, labels, reduction="sum")
    found = problem_of(Sometimes()).loss(PLAIN, None)(logits, labels)
    assert found.item() == pytest.approx(expected.item())
