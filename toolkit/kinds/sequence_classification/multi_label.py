"""Tasks whose rows have any number of labels: none, one or several.

Importing this loads no model library; that happens when a run needs it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from toolkit.data.row_mapping import ARROW
from toolkit.data.several_answers import LabelMapping
from toolkit.errors import DataError, PluginError
from toolkit.kinds.sequence_classification.outputs import Classified
from toolkit.kinds.sequence_classification.task import SequenceClassificationTask
from toolkit.task import Decoder, Row

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

    from toolkit.data.source import Source

HALF = 0.5
THRESHOLDS = tuple(number / 20 for number in range(1, 20))
"""The thresholds that are tried on the validation rows."""


class MultiLabelTask(SequenceClassificationTask):
    """A task that gives a text any number of labels.

    The column :attr:`answer` holds a list of labels, and so does ``label`` of ``format_example``;
    predictions and references are such lists, in the order of :attr:`labels`. A file may have the
    labels as a list, as one text between separators, or as a column of 0 and 1 for each (``--target
    red,green``); an empty cell is a row without labels.
    """

    problem = "multi-label"
    separator: ClassVar[str] = ""
    """What stands between labels in one cell; empty: a comma, semicolon or bar."""

    def load_rows(self, source: Source) -> Dataset | DatasetDict:
        """As :meth:`toolkit.Task.load_rows`; the answer is a list of labels."""
        if self.answer is None:
            return super().load_rows(source)
        mapping = LabelMapping(
            tuple(self.columns), self.answer, self.input_columns(), self.parse_answer,
            separator=self.separator, closed=bool(self.classes), items=self._type(),
        )  # fmt: skip
        return mapping.load_rows(source, self.own_data)

    def _type(self) -> str:
        """The Arrow type of a label, which all classes of a task share."""
        kinds = {type(value) for value in self.classes} or {str}
        if len(kinds) > 1 or not kinds <= ARROW.keys():
            raise PluginError(
                f"{type(self).__name__}: classes are of several types; write all of them as texts"
            )
        return ARROW[kinds.pop()]

    def stratum(self, row: Row) -> Any | None:
        """The labels of the row, of which every split should have each."""
        try:
            return self.format_example(row).get("label")
        except KeyError:  # the example needs the state, which is fitted to the training split
            return None

    def fit(self, train: Dataset) -> dict[str, Any]:
        """The labels, where the task does not name them; a ``fit`` of your own should call it."""
        if self.classes:
            return {}
        found = {label for row in train for label in self.format_example(row)["label"] or ()}
        if len(found) < 2:
            raise DataError(
                f"the {len(train):,} training rows have "
                f"{f'the label {found.pop()!r} alone' if found else 'no label'}: there is nothing "
                "to tell apart; choose another --target, or data with several labels"
            )
        return {"labels": sorted(found)}

    def reference(self, row: Row) -> list[Any]:
        """The labels of the row, in the order of :attr:`labels`; others follow."""
        return self._ordered(self.format_example(row)["label"] or ())

    def _ordered(self, found: Sequence[Any]) -> list[Any]:
        known = self.labels
        others = sorted({label for label in found if label not in known}, key=str)
        return [label for label in known if label in found] + others

    def postprocess(self, output: Classified, row: Row) -> list[Any] | None:
        return self._above(output, HALF)

    def _above(self, output: Classified, threshold: float) -> list[Any] | None:
        if not output.readable:
            return None
        pairs = zip(self.labels, output.probabilities.tolist(), strict=True)
        return [label for label, share in pairs if share >= threshold]

    def decoders(self) -> Mapping[str, Decoder]:
        """The labels above a half, and above the threshold that :meth:`tune` found."""
        return {
            "half": lambda output, row, tuned: self.postprocess(output, row),
            "threshold": lambda output, row, tuned: self._above(
                output, float(tuned.get("threshold", HALF))
            ),
        }

    def tune(self, outputs: Sequence[Any], rows: Sequence[Row]) -> dict[str, Any]:
        """The threshold of all labels by which the validation rows have the best primary metric.

        Of equals the nearest to a half. One threshold for all: a rare label has too few validation
        rows for one of its own.
        """
        from toolkit.decoding import or_fallback

        metric = self.metric()
        references = [self.reference(row) for row in rows]
        sign = 1 if metric.greater_is_better else -1

        def quality(threshold: float) -> tuple[float, float]:
            found = or_fallback(self, [self._above(output, threshold) for output in outputs])
            pairs = zip(found, references, strict=True)
            value = metric.value([metric.of_row(*pair) for pair in pairs])
            return sign * value, -abs(threshold - HALF)

        return {"threshold": max(THRESHOLDS, key=quality)} if outputs else {}

    def fallback(self) -> list[Any]:
        """What an unreadable output counts as: no label."""
        return []

    def categories(self) -> Sequence[Any] | None:
        """No confusion matrix: a row is in several classes, or in none."""
        return None
