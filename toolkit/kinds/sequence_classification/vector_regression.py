"""Tasks whose answer is several numbers, read off as many outputs of the head.

Importing this loads no model library; that happens when a run needs it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from toolkit.data.label_scales import read_mark
from toolkit.data.several_answers import NumbersMapping
from toolkit.kinds.sequence_classification import scales
from toolkit.kinds.sequence_classification.outputs import Classified
from toolkit.kinds.sequence_classification.task import SequenceClassificationTask
from toolkit.task import Decoder, Row, untuned

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

    from toolkit.data.source import Source


class VectorRegressionTask(SequenceClassificationTask):
    """A task whose answer is several numbers, each with a name.

    :attr:`outputs` names them; rows have a column for each, and predictions and references are
    ``{name: number}``. The head predicts the numbers of :meth:`to_scale`, each standardised over
    the training split, so that all count alike in the loss. The option ``loss`` is ``squared``,
    ``absolute`` or ``huber``.
    """

    problem = "regression"
    options = {"loss": "huber"}
    _kind_options: ClassVar[Mapping[str, Any]] = {}
    outputs: ClassVar[Sequence[str]]
    """The columns of the numbers, in the order of the head's outputs."""

    @abstractmethod
    def text(self, row: Row) -> str:
        """The text that the model reads."""

    def to_scale(self, name: str, number: float) -> float:
        """A number on a scale on which its errors are comparable; default: the number itself."""
        return number

    def from_scale(self, name: str, number: float) -> float:
        """The inverse of :meth:`to_scale`."""
        return number

    @property
    def num_labels(self) -> int:
        return len(self.outputs)

    @property
    def labels(self) -> tuple[Any, ...]:
        return ()

    def load_rows(self, source: Source) -> Dataset | DatasetDict:
        """The rows of the user's file or of :attr:`data`.

        The numbers are found by the names of :attr:`outputs`; ``--target a,b`` names other columns
        in their order, or one that holds a list of them.
        """
        mapping = NumbersMapping(
            tuple(self.columns), "", self.input_columns(), self.parse_answer,
            outputs=tuple(self.outputs),
        )  # fmt: skip
        return mapping.load_rows(source, self.own_data)

    def input_columns(self) -> list[str]:
        return [name for name in super().input_columns() if name not in self.outputs]

    def parse_answer(self, text: str) -> float | None:
        """A number as :meth:`SequenceRegressionTask.parse_answer` reads it."""
        mark = read_mark(text)
        return mark.number if mark is not None else None

    def stratum(self, row: Row) -> Any | None:
        """Numbers are no classes."""
        return None

    def fit(self, train: Dataset) -> dict[str, Any]:
        """The scale of each number; a ``fit`` of your own should call it."""
        return {
            "scales": {
                name: scales.of_numbers([self.to_scale(name, float(n)) for n in train[name][:]])
                for name in self.outputs
            }
        }

    def format_example(self, row: Row) -> dict[str, Any]:
        label = None
        if all(row.get(name) is not None for name in self.outputs):
            label = [
                scales.standardised(
                    self.to_scale(name, float(row[name])), self.state["scales"][name]
                )
                for name in self.outputs
            ]
        return {"text": self.text(row), "label": label}

    def reference(self, row: Row) -> dict[str, float]:
        return {name: float(row[name]) for name in self.outputs}

    def postprocess(self, output: Classified, row: Row) -> dict[str, float] | None:
        if not output.readable:
            return None
        return {
            name: self.from_scale(name, scales.number(value, self.state["scales"][name]))
            for name, value in zip(self.outputs, output.logits.tolist(), strict=True)
        }

    def decoders(self) -> Mapping[str, Decoder]:
        return {"numbers": untuned(self.postprocess)}

    def fallback(self) -> dict[str, float]:
        """What an unreadable output counts as: the middle of the training split's scales."""
        return {
            name: self.from_scale(name, float(self.state["scales"][name]["mean"]))
            for name in self.outputs
        }

    def categories(self) -> Sequence[Any] | None:
        """Numbers are no classes."""
        return None
