"""Tasks for an encoder with a head on a whole text: classes, ordered classes, or a number.

Importing this loads no model library; that happens when a run needs it.
"""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from toolkit import decoding
from toolkit.data import columns, several_labels
from toolkit.data.column_mapping import ANSWER_NAMES
from toolkit.data.label_scales import read_mark
from toolkit.data.load import column_names, read
from toolkit.data.normalization import class_key
from toolkit.data.readers.read import is_hub_id
from toolkit.errors import DataError
from toolkit.kinds.sequence_classification import scales
from toolkit.kinds.sequence_classification.outputs import Classified
from toolkit.recipe import Recipe
from toolkit.task import Baseline, Decoder, Row, Task, untuned

if TYPE_CHECKING:
    import numpy as np
    import torch
    from datasets import Dataset, DatasetDict

    from toolkit.data.source import Source

MINILM = Recipe(
    name="minilm",
    summary="all-MiniLM-L6-v2 with LoRA, for a first try on a few hundred rows",
    model="embedded:minilm",
    training={
        "per_device_train_batch_size": 16,
        "num_train_epochs": 6,
        "learning_rate": 1e-3,
        "lr_scheduler_type": "cosine",
        "warmup_steps": 0.05,
        "eval_strategy": "epoch",
        "logging_steps": 10,
        "max_length": 256,
    },
    lora={"r": 16, "lora_alpha": 32, "lora_dropout": 0.05, "target_modules": "all-linear"},
    early_stopping={"early_stopping_patience": 3},
)
"""The recipe of tasks that name none."""


class SequenceClassificationTask(Task):
    """A task that puts a whole text into a class, trained by transformers' ``Trainer``.

    ``format_example`` gives ``text`` and ``label``, one of :attr:`labels` (``None`` for a row
    whose class is not known). :meth:`postprocess` gets a :class:`Classified`. A text that is too
    long loses its end where :attr:`truncate` names its column; otherwise such rows are refused.

    The option ``class_weights`` makes rows of rare classes count more in training: ``balanced``, or
    a table of classes with their weights, of which only the ratios matter.
    """

    kind: ClassVar[str] = "sequence-classification"
    recipes: ClassVar[tuple[Recipe, ...]] = (MINILM,)
    classes: ClassVar[Sequence[Any]] = ()
    """The classes, as JSON values; where empty, those of the training split, sorted."""
    problem: ClassVar[str] = "single-label"
    """What the outputs mean: ``single-label``, ``multi-label`` or ``regression``."""
    ordinal: ClassVar[bool] = False
    """Whether the classes are ordered numbers (stars): predictions may be between two of them."""
    options = {"class_weights": None}
    _kind_options: ClassVar[Mapping[str, Any]] = {"class_weights": None}

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        cls.options = {**cls._kind_options, **cls.options}

    def load_rows(self, source: Source) -> Dataset | DatasetDict:
        """As :meth:`toolkit.Task.load_rows`; files with a column for each label are refused."""
        try:
            return super().load_rows(source)
        except DataError as error:
            sentence = None if source.target or self.num_labels == 1 else self._several(source)
            if sentence is None:
                raise
            raise DataError(sentence) from error

    def _several(self, source: Source) -> str | None:
        """Why a file without a column of classes cannot be read, if it has several labels."""
        path = source.data or source.train
        if path is None or is_hub_id(path):
            return None
        dataset = read(path, dataclasses.replace(source))
        named = columns.guess(column_names(dataset), (self.answer or "label", *ANSWER_NAMES))
        return None if named else several_labels.in_columns(dataset)

    @property
    def labels(self) -> tuple[Any, ...]:
        """The classes in the order of the logits; empty for regression."""
        return tuple(self.classes or self.state.get("labels", ()))

    @property
    def num_labels(self) -> int:
        """Outputs of the head; 1 is regression."""
        return len(self.labels)

    def stratum(self, row: Row) -> Any | None:
        """The label of the row's example; regression has none."""
        if self.num_labels == 1:
            return None
        try:
            return self.format_example(row).get("label")
        except KeyError:  # the example needs the state, which is fitted to the training split
            return None

    def fit(self, train: Dataset) -> dict[str, Any]:
        """The classes, where the task does not name them; a ``fit`` of your own should call it."""
        if self.classes:
            return {}
        found = sorted({self.format_example(row)["label"] for row in train})
        if len(found) < 2:
            raise DataError(
                f"all {len(train):,} training rows have the class {found[0]!r}: there is nothing "
                "to tell apart; choose another --target, or data with several classes"
            )
        return {"labels": found}

    def parse_answer(self, text: str) -> Any | None:
        """One of the task's classes by its name; where the task names none, any text.

        A name in other spelling (``TRUE`` for ``True``, another Unicode form) is read as the class
        if it can be no other.
        """
        if not self.classes:
            return text or None
        exact = [value for value in self.classes if str(value) == text]
        alike = exact or [v for v in self.classes if class_key(str(v)) == class_key(text)]
        return alike[0] if len(alike) == 1 or exact else self._of_mark(text)

    def _of_mark(self, text: str) -> Any | None:
        """The class that a rating states (``4.0 out of 5 stars``), of classes that are numbers."""
        mark = read_mark(text)
        numbers = [v for v in self.classes if type(v) in (int, float)]
        if mark is None or len(numbers) < len(self.classes):
            return None
        same = mark.of is None or mark.of == max(numbers)
        return next((v for v in numbers if same and v == mark.number), None)

    def row_losses(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor | None:
        """The loss of each row of a batch, in place of the kind's own; ``None``: the kind's own.

        Rows whose label is not known are left out of the batch. Class weights are in :attr:`state`
        as ``class_weights``, in the order of :attr:`labels`; a loss of your own has to use them.

        Args:
            logits: shape (rows, outputs), float32.
            labels: the numbers of the classes, shape (rows,); of several labels 0 and 1, shape
                (rows, labels); of regression the standardised numbers.

        Returns:
            shape (rows,); the mean over the rows of a step is what training makes smaller.
        """
        return None

    def postprocess(self, output: Classified, row: Row) -> Any | None:
        return self.labels[int(output.logits.argmax())] if output.readable else None

    def decoders(self) -> Mapping[str, Decoder]:
        """The likeliest class; for ordered classes also mean and median of the distribution."""
        if not self.ordinal:
            return {"likeliest": untuned(self.postprocess)}
        return {
            "likeliest": untuned(self.postprocess),
            "mean": self._between(decoding.mean),
            "median": self._between(decoding.median),
        }

    def _between(self, reduce: Callable[[np.ndarray, np.ndarray], float]) -> Decoder:
        def decoder(output: Classified, row: Row, tuned: Mapping[str, Any]) -> float | None:
            import numpy as np

            if not output.readable:
                return None
            return reduce(np.asarray(self.labels, dtype=np.float64), output.probabilities)

        return decoder

    def fallback(self) -> Any:
        """What an unreadable output counts as: the first class."""
        return self.labels[0]

    def baselines(self) -> Mapping[str, Baseline]:
        """Name → cheap way to do the task.

        Default, for a task whose reference is the answer's column: the most frequent class, and
        logistic regressions on TF-IDF and on sentence embeddings.
        """
        if self.answer is None or type(self).reference is not Task.reference:
            return {}
        from toolkit.baselines import class_baselines

        return class_baselines(self._read, self.answer, self.group)

    def categories(self) -> Sequence[Any] | None:
        return self.labels or None


class SequenceRegressionTask(SequenceClassificationTask):
    """A task whose answer is a number, read off one output of the head (``num_labels=1``).

    The head predicts the numbers of :meth:`to_scale`, standardised over the training split. The
    option ``loss`` is ``squared``, ``absolute`` or ``huber`` (squared near zero, absolute from
    one standard deviation).
    """

    problem = "regression"
    options = {"loss": "huber"}
    _kind_options = {}

    @abstractmethod
    def text(self, row: Row) -> str:
        """The text that the model reads."""

    def to_scale(self, row: Row) -> float | None:
        """The row's target on a scale on which errors are comparable, such as a log price.

        ``None`` for a row to be predicted, which has no answer column. Default: the number itself.
        """
        number = row.get(self.answer or "")
        return None if number is None else float(number)

    def from_scale(self, number: float) -> Any:
        """The inverse: a prediction from a number on that scale."""
        return number

    def reference(self, row: Row) -> Any:
        """What the metrics compare a prediction with; default: the answer as a number."""
        return float(super().reference(row))

    def baselines(self) -> Mapping[str, Baseline]:
        """Name → cheap way to do the task.

        Default, for a task whose reference is the answer's column: the median, and ridge
        regressions on TF-IDF and on sentence embeddings.
        """
        if self.answer is None or type(self).reference is not SequenceRegressionTask.reference:
            return {}
        from toolkit.baselines import number_baselines

        return number_baselines(self.text, self.answer, self.group)

    @property
    def num_labels(self) -> int:
        return 1

    @property
    def labels(self) -> tuple[Any, ...]:
        return ()

    def parse_answer(self, text: str) -> float | None:
        """The number in a text; ``None``: the text is not one finite number.

        Digits of any script are read, and ratings such as ``4.0 out of 5 stars`` (4) and ``80 %``
        (80); of ``1,250`` no one can tell whether it is a thousand.
        """
        mark = read_mark(text)
        return mark.number if mark is not None else None

    def fit(self, train: Dataset) -> dict[str, Any]:
        """Mean, deviation and ends of the scale; a ``fit`` of your own should call it."""
        return {"scale": scales.of_numbers([self.to_scale(row) for row in train])}

    def format_example(self, row: Row) -> dict[str, Any]:
        number = self.to_scale(row)
        label = None if number is None else scales.standardised(number, self.state["scale"])
        return {"text": self.text(row), "label": label}

    def postprocess(self, output: Classified, row: Row) -> Any | None:
        if not output.readable:
            return None
        return self.from_scale(scales.number(float(output.logits[0]), self.state["scale"]))

    def decoders(self) -> Mapping[str, Decoder]:
        return {"number": untuned(self.postprocess)}

    def fallback(self) -> Any:
        """What an unreadable output counts as: the middle of the training split's scale."""
        return self.from_scale(float(self.state["scale"]["mean"]))

    def residual(self, prediction: Any, reference: Any) -> float | None:
        """How far off a prediction is, in the unit of the predictions."""
        return abs(float(prediction) - float(reference))

    def interval(self, prediction: Any, width: float) -> tuple[float, float]:
        return float(prediction) - width, float(prediction) + width
