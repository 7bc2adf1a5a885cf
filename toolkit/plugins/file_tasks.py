"""The classes of the tasks that task files describe, one for each form of a question."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from toolkit import baselines
from toolkit.data.column_mapping import ColumnMapping
from toolkit.kinds.causal_lm.task import CausalLMTask
from toolkit.kinds.question_answering.task import QuestionAnsweringTask
from toolkit.kinds.seq2seq_lm.task import Seq2SeqLMTask
from toolkit.kinds.sequence_classification.multi_label import MultiLabelTask
from toolkit.kinds.sequence_classification.task import (
    SequenceClassificationTask,
    SequenceRegressionTask,
)
from toolkit.kinds.sequence_classification.vector_regression import VectorRegressionTask
from toolkit.panels import Panel
from toolkit.task import Baseline, Row

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

    from toolkit.data.source import Source

FIELD = re.compile(r"\{([^{}]+)\}")


def filled(template: str, row: Row) -> str:
    """A template with the row's values in it."""
    return FIELD.sub(lambda match: str(row[match[1].strip()]), template)


class PromptTask(CausalLMTask):
    """A prompt with columns in it, and the column that answers it."""

    template: ClassVar[str]
    without: ClassVar[Mapping[str, str]] = {}
    """Column → the template of rows in which it is empty."""

    def load_rows(self, source: Source) -> Dataset | DatasetDict:
        needed = [name for name in self.input_columns() if name not in self.without]
        mapping = ColumnMapping(tuple(self.columns), str(self.answer), needed, self.parse_answer)
        return mapping.load_rows(source, self.own_data)

    def _template(self, row: Row) -> str:
        for column, template in self.without.items():
            if not str(row.get(column) or "").strip():
                return template
        return self.template

    def _prompt(self, row: Row) -> str:
        return filled(self._template(row), row)

    def format_example(self, row: Row) -> dict[str, Any]:
        answer = str(row.get(self.answer or "", ""))
        blank = "" if self._template(row)[-1:].isspace() else " "
        return {"prompt": self._prompt(row), "completion": blank + answer if answer else ""}

    def baselines(self) -> Mapping[str, Baseline]:
        return baselines.text_baselines(self._prompt, str(self.answer))


class TextTask(Seq2SeqLMTask):
    """A text with columns in it, and the column that it is to become."""

    template: ClassVar[str]

    def format_example(self, row: Row) -> dict[str, Any]:
        target = str(row.get(self.answer or "", ""))
        return {"text": filled(self.template, row), "text_target": target}

    def baselines(self) -> Mapping[str, Baseline]:
        return baselines.text_baselines(lambda row: filled(self.template, row), str(self.answer))


class PairTask(Seq2SeqLMTask):
    """Rows in a form that people use for fine-tuning, or with the columns text and target.

    A conversation becomes one text that says who speaks: encoder–decoders have no chat template.
    """

    columns: ClassVar[Mapping[str, str]] = {
        "text": "what is read",
        "target": "what it is to become",
    }
    answer = "target"
    truncate = "text"

    def format_example(self, row: Row) -> dict[str, Any]:
        return {"text": row["text"], "text_target": row.get("target", "")}

    def baselines(self) -> Mapping[str, Baseline]:
        return baselines.text_baselines("text", "target")


class ClassTask(SequenceClassificationTask):
    """A text with columns in it, and the column of its class."""

    template: ClassVar[str]

    def format_example(self, row: Row) -> dict[str, Any]:
        return {"text": filled(self.template, row), "label": row.get(self.answer or "")}

    def baselines(self) -> Mapping[str, Baseline]:
        return baselines.class_baselines(
            lambda row: filled(self.template, row), str(self.answer), self.group
        )


class NumberTask(SequenceRegressionTask):
    """A text with columns in it, and the column of a number."""

    template: ClassVar[str]

    def text(self, row: Row) -> str:
        return filled(self.template, row)

    def baselines(self) -> Mapping[str, Baseline]:
        return baselines.number_baselines(self.text, str(self.answer), self.group)


class LabelsTask(MultiLabelTask):
    """A text with columns in it, and its labels: a list, or a column of 0 and 1 for each."""

    template: ClassVar[str]

    def format_example(self, row: Row) -> dict[str, Any]:
        return {"text": filled(self.template, row), "label": row.get(self.answer or "")}

    def baselines(self) -> Mapping[str, Baseline]:
        return baselines.class_baselines(
            lambda row: filled(self.template, row), str(self.answer), self.group
        )


class NumbersTask(VectorRegressionTask):
    """A text with columns in it, and the columns of several numbers."""

    template: ClassVar[str]

    def text(self, row: Row) -> str:
        return filled(self.template, row)

    def baselines(self) -> Mapping[str, Baseline]:
        return baselines.number_baselines(self.text, self.outputs, self.group)


class SpanTask(QuestionAnsweringTask):
    """Questions, contexts and answers that stand in them: a table or a SQuAD file."""

    columns: ClassVar[Mapping[str, str]] = {
        "question": "the question",
        "context": "the text that may hold the answer",
        "answers": "lists text and answer_start; empty where there is no answer",
        "title": "the title of the context's document; empty where it has none",
    }
    panel = Panel(inputs={"question": "Question", "context": "Context"}, view="spans")

    def baselines(self) -> Mapping[str, Baseline]:
        return {"nearest-sentence": baselines.nearest_sentence()}
