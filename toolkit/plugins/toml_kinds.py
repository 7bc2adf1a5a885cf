"""What a task file means for each kind: the class it makes, and the keys it takes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from toolkit import baselines
from toolkit.data.column_mapping import ColumnMapping
from toolkit.data.form_columns import form_columns
from toolkit.errors import did_you_mean
from toolkit.kinds.causal_lm.task import CausalLMTask
from toolkit.kinds.question_answering.task import QuestionAnsweringTask
from toolkit.kinds.seq2seq_lm.task import Seq2SeqLMTask
from toolkit.kinds.sequence_classification.task import (
    SequenceClassificationTask,
    SequenceRegressionTask,
)
from toolkit.panels import Panel
from toolkit.plugins.answering import Answering, text_baselines
from toolkit.plugins.chat_task import FormTask
from toolkit.task import Baseline, Row, Task

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

    from toolkit.data.source import Source

OF_CLASSES = ("classes", "class_weights")
"""The keys that go with classes alone."""
OF_PROMPTS = ("prompt", "prompt_without", "columns")
"""The keys that go with causal language models alone."""
FIELD = re.compile(r"\{([^{}]+)\}")
Refuse = Callable[[str], Exception]


def filled(template: str, row: Row) -> str:
    """A template with the row's values in it."""
    return FIELD.sub(lambda match: str(row[match[1].strip()]), template)


def _fields(template: str, refuse: Refuse, key: str) -> list[str]:
    names = list(dict.fromkeys(name.strip() for name in FIELD.findall(template)))
    if not names:
        raise refuse(f"{key} names no column; write it with {{column}} in it")
    return names


class PromptTask(Answering, CausalLMTask):
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
        return text_baselines(self._prompt, str(self.answer))


class TextTask(Answering, Seq2SeqLMTask):
    """A text with columns in it, and the column that it is to become."""

    template: ClassVar[str]
    truncate: ClassVar[str | None] = None

    def format_example(self, row: Row) -> dict[str, Any]:
        target = str(row.get(self.answer or "", ""))
        return {"text": filled(self.template, row), "text_target": target}

    def baselines(self) -> Mapping[str, Baseline]:
        return text_baselines(lambda row: filled(self.template, row), str(self.answer))


class PairTask(Answering, Seq2SeqLMTask):
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
        return text_baselines("text", "target")


class ClassTask(SequenceClassificationTask):
    """A text with columns in it, and the column of its class."""

    template: ClassVar[str]
    truncate: ClassVar[str | None] = None

    def format_example(self, row: Row) -> dict[str, Any]:
        return {"text": filled(self.template, row), "label": row.get(self.answer or "")}

    def reference(self, row: Row) -> Any:
        return row[self.answer or ""]

    def baselines(self) -> Mapping[str, Baseline]:
        answer = str(self.answer)

        def text(row: Row) -> str:
            return filled(self.template, row)

        return {
            "most-frequent": baselines.most_frequent(answer),
            "tfidf-logistic": baselines.tfidf_logistic(text, answer, self.group),
            "embeddings-logistic": baselines.embeddings_logistic(text, answer, self.group),
        }


class NumberTask(SequenceRegressionTask):
    """A text with columns in it, and the column of a number."""

    template: ClassVar[str]
    truncate: ClassVar[str | None] = None

    def text(self, row: Row) -> str:
        return filled(self.template, row)

    def to_scale(self, row: Row) -> float | None:
        number = row.get(self.answer or "")
        return None if number is None else float(number)

    def from_scale(self, number: float) -> float:
        return number

    def reference(self, row: Row) -> float:
        return float(row[self.answer or ""])

    def baselines(self) -> Mapping[str, Baseline]:
        answer = str(self.answer)
        return {
            "median": baselines.median(answer),
            "tfidf-ridge": baselines.tfidf_ridge(self.text, answer, self.group),
            "embeddings-ridge": baselines.embeddings_ridge(self.text, answer, self.group),
        }


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


Made = tuple[type[Task], dict[str, Any]]
"""The class to inherit from, and its members that the file decides."""


@dataclass(frozen=True)
class FileKind:
    """One kind of task file.

    Args:
        metrics: what counts where the file names no metrics; the first is the primary one.
        make: the file's content, and how to refuse it → the class to make.
    """

    metrics: tuple[str, ...]
    make: Callable[[Mapping[str, Any], Refuse], Made]


def _prompted(given: Mapping[str, Any], refuse: Refuse) -> Made:
    _refuse_keys(given, ("text", *OF_CLASSES), refuse, "causal-lm")
    if "prompt" not in given:
        for key in ("target", "prompt_without"):
            if key in given:
                raise refuse(f"{key} needs a prompt with {{column}} in it")
        return FormTask, {"named": _form_columns(given.get("columns", {}), refuse)}
    if "columns" in given:
        raise refuse("columns names those of a known form, which a prompt does not have")
    made = _templated(given, "prompt", given["prompt"], refuse)
    return PromptTask, {**made, "without": _without(given, made, refuse)}


def _form_columns(named: Mapping[str, Any], refuse: Refuse) -> dict[str, str]:
    """Columns of a known form → where they are in the file: a column, or a template."""
    known = form_columns()
    for name, value in named.items():
        if name not in known:
            raise refuse(
                f"columns: no known form has a column {name!r}{did_you_mean(name, known)}; "
                f"there are {', '.join(known)}"
            )
        if not isinstance(value, str) or not value.strip():
            raise refuse(f"columns: {name} must be a column or a template, not {value!r}")
    return dict(named)


def _without(given: Mapping[str, Any], made: Mapping[str, Any], refuse: Refuse) -> dict[str, str]:
    """The templates of rows in which a column is empty, by column."""
    found: dict[str, str] = {}
    for column, template in given.get("prompt_without", {}).items():
        if column not in made["columns"] or column == made["answer"]:
            raise refuse(f"prompt_without: the prompt does not show {{{column}}}")
        if not isinstance(template, str):
            raise refuse(f"prompt_without: {column} must be a template, not {template!r}")
        for name in _fields(template, refuse, f"prompt_without.{column}"):
            if name == column or name not in made["columns"] or name == made["answer"]:
                raise refuse(f"prompt_without.{column} shows {{{name}}}, which the prompt does not")
        found[column] = template
    return found


def _classified(given: Mapping[str, Any], refuse: Refuse) -> Made:
    _refuse_keys(given, OF_PROMPTS, refuse, "sequence-classification")
    made = _of_text({"text": "text", "target": "label", **given}, refuse)
    weights = {"class_weights": given.get("class_weights")}
    return ClassTask, {**made, "classes": tuple(given.get("classes", ())), "options": weights}


def _measured(given: Mapping[str, Any], refuse: Refuse) -> Made:
    _refuse_keys(given, (*OF_PROMPTS, *OF_CLASSES), refuse, "sequence-regression")
    if "target" not in given:
        raise refuse("target is missing: name the column with the number to predict")
    return NumberTask, _of_text({"text": "text", **given}, refuse)


def _rewritten(given: Mapping[str, Any], refuse: Refuse) -> Made:
    _refuse_keys(given, (*OF_PROMPTS, *OF_CLASSES), refuse, "seq2seq-lm")
    if "text" in given:
        return TextTask, _of_text(given, refuse)
    if "target" in given:
        raise refuse("target needs a text: a column, or a template with {column} in it")
    return PairTask, {}


def _of_text(given: Mapping[str, Any], refuse: Refuse) -> dict[str, Any]:
    """The members that ``text`` (a column, a template, several columns) and ``target`` decide."""
    text = given["text"]
    if isinstance(text, list):
        return _of_columns(text, given.get("target"), refuse)
    template = text if FIELD.search(text) else "{" + text + "}"
    made = _templated(given, "text", template, refuse)
    inputs = [name for name in made["columns"] if name != made["answer"]]
    return {**made, "truncate": inputs[0] if len(inputs) == 1 else None}


def _of_columns(names: Sequence[str], target: str | None, refuse: Refuse) -> dict[str, Any]:
    """The members of a task whose text is made of several columns, as with ``--text a,b``.

    The rows hold the text that is made; fields that are empty are left out of it.
    """
    if target is None:
        raise refuse("target is missing: name the column to predict")
    if target in names:
        raise refuse(f"text shows {target!r}, which is the target")
    text = "text" if target != "text" else "input"
    columns = {text: f"the columns {', '.join(map(str, names))}", target: f"the column {target}"}
    return {"columns": columns, "answer": target, "template": f"{{{text}}}", "truncate": text}


def _asked(given: Mapping[str, Any], refuse: Refuse) -> Made:
    _refuse_keys(given, (*OF_PROMPTS, "text", "target", *OF_CLASSES), refuse, "question-answering")
    return SpanTask, {}


def _templated(given: Mapping[str, Any], key: str, template: str, refuse: Refuse) -> dict[str, Any]:
    names = _fields(template, refuse, key)
    target = given.get("target")
    if target is None:
        raise refuse("target is missing: name the column to predict")
    if target in names:
        raise refuse(f"{key} shows {{{target}}}, which is the target")
    columns = {name: f"the column {name}" for name in (*names, target)}
    return {"columns": columns, "answer": target, "template": template}


def _refuse_keys(given: Mapping[str, Any], keys: Sequence[str], refuse: Refuse, kind: str) -> None:
    for key in keys:
        if key in given:
            raise refuse(f"{key} does not go with kind {kind}")


KINDS: Mapping[str, FileKind] = {
    "causal-lm": FileKind(("token_f1", "exact_match"), _prompted),
    "seq2seq-lm": FileKind(("token_f1", "exact_match"), _rewritten),
    "sequence-classification": FileKind(("accuracy", "macro_f1"), _classified),
    "sequence-regression": FileKind(("mae", "rmse"), _measured),
    "question-answering": FileKind(("token_f1", "exact_match"), _asked),
}
"""The kinds by the names that task files and ``toolkit new`` give them."""
