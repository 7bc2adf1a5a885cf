"""What a task file means for each kind: the class it makes, and the keys it takes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from toolkit import baselines
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

OF_CLASSES = ("classes", "class_weights")
"""The keys that go with classes alone."""
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

    def format_example(self, row: Row) -> dict[str, Any]:
        answer = str(row.get(self.answer or "", ""))
        blank = "" if self.template[-1:].isspace() else " "
        return {
            "prompt": filled(self.template, row),
            "completion": blank + answer if answer else "",
        }

    def baselines(self) -> Mapping[str, Baseline]:
        return text_baselines(lambda row: filled(self.template, row), str(self.answer))


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
        if "target" in given:
            raise refuse("target needs a prompt with {column} in it")
        return FormTask, {}
    return PromptTask, _templated(given, "prompt", given["prompt"], refuse)


def _classified(given: Mapping[str, Any], refuse: Refuse) -> Made:
    _refuse_keys(given, ("prompt",), refuse, "sequence-classification")
    made = _of_text({"text": "text", "target": "label", **given}, refuse)
    weights = {"class_weights": given.get("class_weights")}
    return ClassTask, {**made, "classes": tuple(given.get("classes", ())), "options": weights}


def _measured(given: Mapping[str, Any], refuse: Refuse) -> Made:
    _refuse_keys(given, ("prompt", *OF_CLASSES), refuse, "sequence-regression")
    if "target" not in given:
        raise refuse("target is missing: name the column with the number to predict")
    return NumberTask, _of_text({"text": "text", **given}, refuse)


def _rewritten(given: Mapping[str, Any], refuse: Refuse) -> Made:
    _refuse_keys(given, ("prompt", *OF_CLASSES), refuse, "seq2seq-lm")
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
    _refuse_keys(given, ("prompt", "text", "target", *OF_CLASSES), refuse, "question-answering")
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
