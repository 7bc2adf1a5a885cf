"""What the outputs of a head mean: one class, several labels, or numbers.

One class for each :attr:`~toolkit.SequenceClassificationTask.problem`. It says what the head is
called upstream, what a row's label is as numbers, how the loss and the linear probe take it, and
what an output is. Everything else of the kind is the same for all problems.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from toolkit.errors import PluginError, RecipeError
from toolkit.kinds.sequence_classification.class_weights import (
    class_weights,
    cross_entropy,
    label_weights,
    labels_cross_entropy,
)
from toolkit.kinds.sequence_classification.outputs import Classified, Labelled
from toolkit.kinds.sequence_classification.task import SequenceClassificationTask

if TYPE_CHECKING:
    import torch
    from datasets import Dataset

    Loss = Callable[[Any, torch.Tensor], torch.Tensor]

UNKNOWN = -100
"""The label of a row whose class is not known or not in the training split; no loss counts it."""


class Problem(ABC):
    """What the outputs of a head mean.

    Args:
        task: the task, whose state is loaded when a method is called.
    """

    upstream: ClassVar[str]
    """``problem_type`` of the model's configuration."""

    def __init__(self, task: SequenceClassificationTask) -> None:
        self.task = task

    def head_arguments(self) -> dict[str, Any]:
        """Arguments of ``from_pretrained``; the labels' names stand in the model's files."""
        names = [str(label) for label in self.task.labels]
        return {
            "num_labels": len(names),
            "id2label": dict(enumerate(names)),
            "label2id": {name: i for i, name in enumerate(names)},
        }

    @property
    def classes(self) -> int:
        """Classes of the linear probe, see :meth:`Probe.fit`; 1: it predicts numbers."""
        return self.task.num_labels

    @abstractmethod
    def label(self, label: Any) -> Any:
        """A row's label as ``labels`` of the model's batches; :data:`UNKNOWN` where it has none."""

    @abstractmethod
    def target(self, label: Any) -> str:
        """A row's label in words, without texts of the data that are no known label."""

    @abstractmethod
    def own_loss(self, arguments: Any, weights: Any) -> Loss:
        """The loss of the kind, see :data:`toolkit.kinds.encoder.trainer.Loss`."""

    def weights(self, option: Any, train: Dataset) -> Any:
        """The values that ``task.class_weights`` stands for, as JSON values of the state."""
        return class_weights(option, self.task.labels, [self.task.stratum(row) for row in train])

    def output(self, logits: np.ndarray, seconds: float) -> Classified:
        """The output of a row whose logits these are, shape (outputs,)."""
        return Classified(logits.astype(np.float64), self.task.labels, seconds)

    def loss(self, arguments: Any, weights: Any) -> Loss:
        """The task's own loss where it has one, else that of the kind."""
        own = self.own_loss(arguments, weights)
        if type(self.task).row_losses is SequenceClassificationTask.row_losses:
            return own

        def loss(outputs: Any, labels: torch.Tensor) -> torch.Tensor:
            logits = outputs.logits.float()
            counts = labels.ne(UNKNOWN).reshape(len(labels), -1).sum(dim=1)
            known = counts > 0
            found = self.task.row_losses(logits[known], labels[known])
            if found is None:
                return own(outputs, labels)
            _check_losses(self.task, found, int(known.sum()), arguments)
            # The trainer divides by the number of labels: each row has as many as its loss is for.
            return (found * counts[known]).sum()

        return loss


def _check_losses(
    task: SequenceClassificationTask, found: torch.Tensor, rows: int, arguments: Any
) -> None:
    """Raise unless a task's own losses are one for each row, and the only ones asked for."""
    if tuple(getattr(found, "shape", ())) != (rows,):
        raise PluginError(
            f"{type(task).__name__}.row_losses gave {getattr(found, 'shape', found)!r:.60} for "
            f"{rows} rows; return one loss a row, a tensor of shape (rows,)"
        )
    if float(arguments.label_smoothing_factor):
        raise RecipeError(
            "training.label_smoothing_factor belongs to the kind's own loss, and "
            f"{type(task).__name__} has one of its own; take it out of the recipe"
        )


class SingleLabel(Problem):
    """One of several classes: a softmax over the outputs."""

    upstream = "single_label_classification"

    def label(self, label: Any) -> int:
        labels = self.task.labels
        return labels.index(label) if label in labels else UNKNOWN

    def target(self, label: Any) -> str:
        # Where texts of the data must not be stored, the name of the class is replaced.
        named = f"the class {label}" if label in self.task.labels else "its class"
        return f"{named} (of {self.task.num_labels})"

    def own_loss(self, arguments: Any, weights: Any) -> Loss:
        return cross_entropy(weights, float(arguments.label_smoothing_factor))


class MultiLabel(Problem):
    """Any number of labels: a sigmoid for each output."""

    upstream = "multi_label_classification"

    def head_arguments(self) -> dict[str, Any]:
        return {**super().head_arguments(), "problem_type": self.upstream}

    def label(self, label: Any) -> list[float]:
        labels = self.task.labels
        if label is None:
            return [float(UNKNOWN)] * len(labels)
        return [float(one in label) for one in labels]

    def target(self, label: Any) -> str:
        known = [str(one) for one in label or () if one in self.task.labels]
        named = f"the labels {', '.join(known)}" if known else "no label"
        return f"{named} (of {self.task.num_labels})"

    def own_loss(self, arguments: Any, weights: Any) -> Loss:
        return labels_cross_entropy(weights, float(arguments.label_smoothing_factor))

    def weights(self, option: Any, train: Dataset) -> Any:
        return label_weights(option, self.task.labels, [self.task.stratum(row) for row in train])

    def output(self, logits: np.ndarray, seconds: float) -> Labelled:
        return Labelled(logits.astype(np.float64), self.task.labels, seconds)


class Numbers(Problem):
    """One number for each output, on a scale that is standardised."""

    upstream = "regression"

    def head_arguments(self) -> dict[str, Any]:
        return {"num_labels": self.task.num_labels, "problem_type": self.upstream}

    @property
    def classes(self) -> int:
        return 1

    def label(self, label: Any) -> Any:
        return [float(n) for n in label] if isinstance(label, Sequence) else float(label)

    def target(self, label: Any) -> str:
        if not isinstance(label, Sequence):
            return f"the number {label:.3f} (standardised)"
        return f"the numbers {', '.join(f'{number:.3f}' for number in label)} (standardised)"

    def own_loss(self, arguments: Any, weights: Any) -> Loss:
        from torch.nn import functional

        losses: Mapping[str, Callable[..., torch.Tensor]] = {
            "squared": functional.mse_loss,
            "absolute": functional.l1_loss,
            "huber": functional.huber_loss,
        }
        wanted = self.task.options.get("loss", "squared")
        if wanted not in losses:
            raise RecipeError(f"task.loss is {wanted!r}; it can be {', '.join(losses)}")

        def loss(outputs: Any, labels: torch.Tensor) -> torch.Tensor:
            numbers = outputs.logits.float().reshape(labels.shape)
            return losses[wanted](numbers, labels.float(), reduction="sum")

        return loss

    def weights(self, option: Any, train: Dataset) -> Any:
        return class_weights(option, self.task.labels, ())


PROBLEMS: Mapping[str, type[Problem]] = {
    "single-label": SingleLabel,
    "multi-label": MultiLabel,
    "regression": Numbers,
}
"""The values of :attr:`~toolkit.SequenceClassificationTask.problem`."""


def problem_of(task: SequenceClassificationTask) -> Problem:
    """What a task's outputs mean; a task of one output predicts a number, whatever it says."""
    if task.num_labels == 1 and task.problem == "single-label":
        return Numbers(task)
    if task.problem not in PROBLEMS:
        raise PluginError(
            f"{type(task).__name__}.problem is {task.problem!r}; there are {', '.join(PROBLEMS)}"
        )
    return PROBLEMS[task.problem](task)
