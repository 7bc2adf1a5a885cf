"""The sequence-classification kind: one text in, logits or one number out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit.errors import RecipeError
from toolkit.kinds.base import Progress
from toolkit.kinds.encoder.model import Encoder
from toolkit.kinds.sequence_classification.class_weights import class_weights, cross_entropy
from toolkit.kinds.sequence_classification.linear_probe import Probe
from toolkit.kinds.sequence_classification.outputs import Classified
from toolkit.kinds.sequence_classification.task import SequenceClassificationTask
from toolkit.task import Row

if TYPE_CHECKING:
    import torch
    from datasets import Dataset

UNKNOWN = -100
"""The label of a class that is not in the training split: the loss ignores it."""
PROBE = "probe.safetensors"
CLASS_WEIGHTS = "class_weights"
"""The option of tasks with classes, and the key of its numbers in the task's state."""


class SequenceClassification(Encoder):
    """See :class:`~toolkit.kinds.encoder.model.Encoder`.

    The base is a linear probe: a linear layer that is fitted on the means of the untouched
    encoder's states. With a random head a base would predict by chance, and every adapter would
    beat it.
    """

    task: SequenceClassificationTask
    auto_class = "AutoModelForSequenceClassification"
    task_type = "SEQ_CLS"
    base_note = "a linear probe on the frozen encoder"

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.probe: Probe | None = None

    # -- rows --------------------------------------------------------------------------------------
    def head_arguments(self) -> dict[str, Any]:
        if self.task.num_labels == 1:
            return {"num_labels": 1, "problem_type": "regression"}
        names = [str(label) for label in self.task.labels]
        return {
            "num_labels": len(names),
            "id2label": dict(enumerate(names)),
            "label2id": {name: i for i, name in enumerate(names)},
        }

    @property
    def truncated(self) -> str | None:
        return "text" if self.task.truncate else None

    def lengths(self, rows: Dataset) -> Mapping[str, np.ndarray]:
        texts = [self.task.format_example(row)["text"] for row in rows]
        return {"text": np.array([len(ids) for ids in self._ids(texts, cut=False)], dtype=np.int32)}

    def features(self, row: Row) -> list[dict[str, list[int]]]:
        return [{"input_ids": self._ids([self.task.format_example(row)["text"]])[0]}]

    def _ids(self, texts: Sequence[str], *, cut: bool = True) -> list[list[int]]:
        limit = self.max_length if cut and self.truncated else None
        ids: list[list[int]] = self.tokenizer(
            list(texts), truncation=limit is not None, max_length=limit, verbose=False
        )["input_ids"]
        return ids

    def explain(self, row: Row) -> list[dict[str, Any]]:
        ids = self.features(row)[0]["input_ids"]
        return [{"text": text, "loss": False} for text in self.pieces(ids)]

    def target_of(self, row: Row) -> str | None:
        label = self.task.format_example(row)["label"]
        if self.task.num_labels == 1:
            return f"the number {label:.3f} (standardised)"
        # Where texts of the data must not be stored, the name of the class is replaced.
        named = f"the class {label}" if label in self.task.labels else "its class"
        return f"{named} (of {self.task.num_labels})"

    def tokenized(self, rows: Dataset) -> Dataset:
        import datasets

        examples = [self.task.format_example(row) for row in rows]
        return datasets.Dataset.from_dict(
            {
                "input_ids": self._ids([e["text"] for e in examples]),
                "labels": [self._label(e["label"]) for e in examples],
            }
        )

    def _label(self, label: Any) -> float | int:
        if self.task.num_labels == 1:
            return float(label)
        labels = self.task.labels
        return labels.index(label) if label in labels else UNKNOWN

    @property
    def weights(self) -> list[float] | None:
        """The weight of each class, in the loss and in the linear probe; ``None``: all are 1."""
        found: list[float] | None = self.task.state.get(CLASS_WEIGHTS)
        return found

    def fit_state(self, train: Dataset) -> dict[str, Any]:
        option = self.task.options.get(CLASS_WEIGHTS)
        if option is None:
            return {}
        kinds = [self.task.stratum(row) for row in train]
        return {CLASS_WEIGHTS: class_weights(option, self.task.labels, kinds)}

    def loss(self, arguments: Any) -> Callable[[Any, torch.Tensor], torch.Tensor]:
        from torch.nn import functional

        if self.task.num_labels > 1:
            return cross_entropy(self.weights, float(arguments.label_smoothing_factor))
        losses: dict[str, Callable[..., torch.Tensor]] = {
            "squared": functional.mse_loss,
            "absolute": functional.l1_loss,
            "huber": functional.huber_loss,
        }
        wanted = self.task.options.get("loss", "squared")
        if wanted not in losses:
            raise RecipeError(f"task.loss is {wanted!r}; it can be {', '.join(losses)}")
        return lambda outputs, labels: losses[wanted](
            outputs.logits.float().squeeze(-1), labels.float(), reduction="sum"
        )

    # -- prediction --------------------------------------------------------------------------------
    def predict(
        self,
        rows: Sequence[Row],
        *,
        adapter: bool,
        shots: Sequence[Row] = (),
        progress: Progress | None = None,
    ) -> list[Classified]:
        texts = [self.task.format_example(row)["text"] for row in rows]
        features = [{"input_ids": ids} for ids in (self._ids(texts) if texts else ())]
        if not adapter and self.probe is not None:
            return self._probed(features, progress)
        results: list[Classified | None] = [None] * len(features)
        for batch, out, seconds in self.forward(features, adapter=adapter, progress=progress):
            for i, logits in zip(batch, out.logits.float().cpu().numpy(), strict=True):
                results[i] = self._output(logits, seconds)
        return [result for result in results if result is not None]

    def _output(self, logits: np.ndarray, seconds: float) -> Classified:
        return Classified(logits.astype(np.float64), self.task.labels, seconds)

    def _probed(
        self, features: Sequence[Mapping[str, Sequence[int]]], progress: Progress | None
    ) -> list[Classified]:
        assert self.probe is not None
        states, seconds = self._means(features, progress)
        return [
            self._output(logits, share)
            for logits, share in zip(self.probe.logits(states), seconds, strict=True)
        ]

    def _means(
        self,
        features: Sequence[Mapping[str, Sequence[int]]],
        progress: Progress | None = None,
        *,
        fast: bool = False,
    ) -> tuple[np.ndarray, list[float]]:
        """Means of the untouched encoder's states, shape (rows, hidden), and seconds a row."""
        means: list[np.ndarray | None] = [None] * len(features)
        shares = [0.0] * len(features)
        for batch, out, seconds in self.forward(
            features, adapter=False, head=False, fast=fast, progress=progress
        ):
            states = out.last_hidden_state.float().cpu().numpy()
            for i, state in zip(batch, states, strict=True):
                means[i] = state[: len(features[i]["input_ids"])].mean(axis=0)
                shares[i] = seconds
        return np.stack([mean for mean in means if mean is not None]), shares

    # -- the base ----------------------------------------------------------------------------------
    def fit_base(self, train: Dataset, folder: Path) -> None:
        few = train.select(Probe.sample(len(train)))
        encoded = self.tokenized(few)
        read = [{"input_ids": ids} for ids in encoded["input_ids"]]
        states, _ = self._means(read, fast=True)  # the fit does not depend on the third digit
        labels = np.asarray(encoded["labels"])
        self.probe = Probe.fit(states, labels, classes=self.task.num_labels, weights=self.weights)
        self.probe.save(folder / PROBE)

    def load_base(self, folder: Path) -> None:
        if (folder / PROBE).is_file():
            self.probe = Probe.load(folder / PROBE)
