"""Fake outputs of a model, perfect and unreadable ones, for each kind of task."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from toolkit.data import tool_calls
from toolkit.errors import PluginError
from toolkit.formatting import is_number
from toolkit.kinds import registry
from toolkit.kinds.causal_lm.task import CausalLMTask, NumericLMTask
from toolkit.kinds.language.outputs import Generated, Numbers
from toolkit.kinds.question_answering.outputs import Answered, Span
from toolkit.kinds.question_answering.task import QuestionAnsweringTask
from toolkit.kinds.seq2seq_lm.task import Seq2SeqLMTask
from toolkit.kinds.sequence_classification.multi_label import MultiLabelTask
from toolkit.kinds.sequence_classification.outputs import Classified, Labelled
from toolkit.kinds.sequence_classification.task import SequenceClassificationTask
from toolkit.kinds.sequence_classification.vector_regression import VectorRegressionTask
from toolkit.plugins.contract.rule import Broken
from toolkit.task import Row, Task


class Probe(ABC):
    """Checks the examples of one kind of task, and makes fake outputs for them."""

    def __init__(self, task: Task) -> None:
        self.task = task

    @abstractmethod
    def check_example(self, example: Any) -> None:
        """Raise :class:`Broken` unless an example has the kind's columns and types."""

    @abstractmethod
    def prompt(self, row: Row) -> Any:
        """The model's input for a row."""

    @abstractmethod
    def answer(self, row: Row) -> str:
        """The answer that the model is to learn, as text."""

    @abstractmethod
    def perfect(self, row: Row) -> Any:
        """The output of a model that answers a row with the row's own answer."""

    @abstractmethod
    def unreadable(self) -> Sequence[tuple[str, Any]]:
        """Outputs that no decoder can read, each with a description for messages."""

    def odd(self) -> Sequence[tuple[str, Any]]:
        """Outputs that a decoder may be able to read, and must not raise on."""
        return ()

    def ideal(self, row: Row, prediction: Any) -> tuple[Any, Any] | None:
        """The best possible prediction, and the reference that it is scored with.

        The best prediction is the reference itself, or the first item of a list of references,
        that has the type of ``prediction``; ``None`` where neither has.
        """
        reference = self.task.reference(row)
        for candidate in (reference, *(reference if isinstance(reference, list) else ())):
            if (is_number(candidate) and is_number(prediction)) or type(candidate) is type(
                prediction
            ):
                return candidate, reference
        return None


OF_CHATS = ("tools", "chat_template_kwargs")
"""Columns that an example of messages may have besides prompt and completion."""


class CausalLMProbe(Probe):
    """Prompt and completion: two strings, or two lists of chat messages."""

    def check_example(self, example: Any) -> None:
        wanted = ("prompt", "completion")
        columns = set(example) if isinstance(example, Mapping) else set()
        chat = columns and not isinstance(example.get("prompt"), str)
        if columns - (set(OF_CHATS) if chat else set()) != set(wanted):
            got = ", ".join(map(str, example)) if isinstance(example, Mapping) else repr(example)
            raise Broken(f"format_example must give the columns prompt and completion, not {got}")
        prompt, completion = (example[name] for name in wanted)
        if isinstance(prompt, str) and isinstance(completion, str):
            if not prompt.strip():
                raise Broken("format_example gives an empty prompt")
        elif not (_is_chat(prompt) and _is_chat(completion)):
            raise Broken(
                "prompt and completion must be two strings or two lists of messages such as "
                f'{{"role": "user", "content": "…"}}, not {_kind(prompt)} and {_kind(completion)}'
            )

    def prompt(self, row: Row) -> Any:
        return self.task.format_example(row)["prompt"]

    def answer(self, row: Row) -> str:
        completion = self.task.format_example(row)["completion"]
        if isinstance(completion, str):
            return completion
        return tool_calls.spoken(completion[-1]["content"], completion[-1].get("tool_calls") or ())

    def perfect(self, row: Row) -> Generated:
        return Generated(text=self.answer(row), tokens=1)

    def unreadable(self) -> Sequence[tuple[str, Any]]:
        return [("an empty text", Generated(text=""))]

    def odd(self) -> Sequence[tuple[str, Any]]:
        return [("the text '???'", Generated(text="???"))]


class Seq2SeqLMProbe(CausalLMProbe):
    """Text and target: two strings."""

    def check_example(self, example: Any) -> None:
        wanted = ("text", "text_target")
        if not isinstance(example, Mapping) or sorted(example) != sorted(wanted):
            got = ", ".join(map(str, example)) if isinstance(example, Mapping) else repr(example)
            raise Broken(f"format_example must give the columns text and text_target, not {got}")
        for name in wanted:
            if not isinstance(example[name], str):
                raise Broken(f"{name} must be a string, not {_kind(example[name])}")
        if not example["text"].strip():
            raise Broken("format_example gives an empty text")

    def prompt(self, row: Row) -> Any:
        return self.task.format_example(row)["text"]

    def answer(self, row: Row) -> str:
        return str(self.task.format_example(row)["text_target"])


class NumericLMProbe(CausalLMProbe):
    """A completion that is one whole number, with the distribution it was taken from."""

    task: NumericLMTask

    def perfect(self, row: Row) -> Generated:
        number = self.task.number(row)
        # The number has all of the probability and its neighbours none: a model that is certain.
        numbers = Numbers(
            np.arange(number, number + 3, dtype=np.float64), np.array([1.0, 0.0, 0.0])
        )
        return Generated(text=self.answer(row), tokens=1, numbers=numbers)

    def unreadable(self) -> Sequence[tuple[str, Any]]:
        nothing = Numbers(np.array([]), np.array([]))
        return [
            *super().unreadable(),
            ("the text '???'", Generated(text="???", numbers=nothing)),
            ("a text without numbers", Generated(text="no idea", numbers=None)),
        ]

    def odd(self) -> Sequence[tuple[str, Any]]:
        return ()

    def ideal(self, row: Row, prediction: Any) -> tuple[Any, Any] | None:
        # The model writes numbers on the task's scale; the rule number-scale checks the rounding.
        if not is_number(self.task.reference(row)):
            return super().ideal(row, prediction)
        rounded = self.task.from_number(self.task.number(row))
        return rounded, rounded


class ClassificationProbe(Probe):
    """A text and a label: one of the task's classes, or a number."""

    task: SequenceClassificationTask

    def check_example(self, example: Any) -> None:
        self._check_columns(example)
        if example["label"] is not None:
            self.check_label(example["label"])

    def _check_columns(self, example: Any) -> None:
        if not isinstance(example, Mapping) or sorted(example) != ["label", "text"]:
            got = ", ".join(map(str, example)) if isinstance(example, Mapping) else repr(example)
            raise Broken(f"format_example must give the columns text and label, not {got}")
        text = example["text"]
        if not isinstance(text, str) or not text.strip():
            raise Broken(f"format_example must give a text, not {_kind(text)}")

    def check_label(self, label: Any) -> None:
        """Raise :class:`Broken` unless the label of an example is what the head can learn."""
        if self.task.num_labels == 1:
            if not is_number(label) or not np.isfinite(label):
                raise Broken(f"the label must be a finite number, not {_kind(label)}")
        elif label not in self.task.labels:
            known = ", ".join(map(str, self.task.labels))
            raise Broken(f"the label {label!r} is none of the classes {known}")

    def prompt(self, row: Row) -> Any:
        return self.task.format_example(row)["text"]

    def answer(self, row: Row) -> str:
        label = self.task.format_example(row)["label"]
        return "" if label is None else str(label)

    def perfect(self, row: Row) -> Classified:
        label = self.task.format_example(row)["label"]
        if self.task.num_labels == 1:
            return Classified(np.array([label], dtype=np.float64))
        # A model that is certain: nearly all of the probability is on the class.
        logits = np.where([one == label for one in self.task.labels], 40.0, 0.0)
        return Classified(logits, self.task.labels)

    def unreadable(self) -> Sequence[tuple[str, Any]]:
        outputs = 1 if self.task.num_labels == 1 else len(self.task.labels)
        nothing = Classified(np.full(outputs, np.nan), self.task.labels)
        return [("logits that are no numbers", nothing)]


class MultiLabelProbe(ClassificationProbe):
    """A text and a list of labels, each of them one of the task's."""

    task: MultiLabelTask

    def check_label(self, label: Any) -> None:
        if not isinstance(label, list):
            raise Broken(f"the label must be a list of labels, not {_kind(label)}")
        for one in label:
            if one not in self.task.labels:
                known = ", ".join(map(str, self.task.labels))
                raise Broken(f"the label {one!r} is none of the labels {known}")
        if len(set(label)) < len(label):
            raise Broken(f"a label stands twice in {label!r}; give each label of a row once")

    def answer(self, row: Row) -> str:
        label = self.task.format_example(row)["label"]
        return ", ".join(map(str, label)) or "(no label)" if label is not None else ""

    def perfect(self, row: Row) -> Labelled:
        label = self.task.format_example(row)["label"]
        logits = np.where([one in label for one in self.task.labels], 40.0, -40.0)
        return Labelled(logits, self.task.labels)

    def unreadable(self) -> Sequence[tuple[str, Any]]:
        nothing = Labelled(np.full(len(self.task.labels), np.nan), self.task.labels)
        return [("logits that are no numbers", nothing)]


class VectorProbe(ClassificationProbe):
    """A text and a list of numbers, as many as the head has outputs."""

    task: VectorRegressionTask

    def check_label(self, label: Any) -> None:
        wanted = self.task.num_labels
        if not isinstance(label, list) or len(label) != wanted:
            raise Broken(f"the label must be a list of {wanted} numbers, not {_kind(label)}")
        for number in label:
            if not is_number(number) or not np.isfinite(number):
                raise Broken(f"the label must be finite numbers, not {_kind(label)}")

    def perfect(self, row: Row) -> Classified:
        label = self.task.format_example(row)["label"]
        return Classified(np.array(label, dtype=np.float64))

    def unreadable(self) -> Sequence[tuple[str, Any]]:
        nothing = Classified(np.full(self.task.num_labels, np.nan))
        return [("logits that are no numbers", nothing)]


class QuestionAnsweringProbe(Probe):
    """Question, context and answers, as SQuAD has them."""

    task: QuestionAnsweringTask

    def check_example(self, example: Any) -> None:
        wanted = ["answers", "context", "id", "question"]
        if not isinstance(example, Mapping) or sorted(example) != wanted:
            got = ", ".join(map(str, example)) if isinstance(example, Mapping) else repr(example)
            raise Broken(f"format_example must give the columns {', '.join(wanted)}, not {got}")
        for name in ("id", "question", "context"):
            if not isinstance(example[name], str) or not example[name].strip():
                raise Broken(
                    f"format_example must give a text for {name}, not {_kind(example[name])}"
                )
        context, answers = example["context"], example["answers"]
        if not isinstance(answers, Mapping) or set(answers) != {"text", "answer_start"}:
            raise Broken(f"answers must be lists text and answer_start, not {_kind(answers)}")
        for text, start in zip(answers["text"], answers["answer_start"], strict=True):
            if not context.startswith(text, start):
                raise Broken(f"the answer {text!r:.40} does not stand at character {start}")

    def prompt(self, row: Row) -> Any:
        example = self.task.format_example(row)
        return [example["question"], example["context"]]

    def answer(self, row: Row) -> str:
        texts = self.task.format_example(row)["answers"]["text"]
        return str(texts[0]) if texts else "(no answer)"

    def perfect(self, row: Row) -> Answered:
        answers = self.task.format_example(row)["answers"]
        if not answers["text"]:
            return Answered((), null=0.0, no_answer=1.0)
        text, start = answers["text"][0], answers["answer_start"][0]
        span = Span(start, start + len(text), text, score=40.0, probability=1.0)
        return Answered((span,), null=0.0, no_answer=0.0)

    def unreadable(self) -> Sequence[tuple[str, Any]]:
        nothing = Answered((), null=float("nan"), no_answer=float("nan"))
        return [("scores that are no numbers", nothing)]

    def odd(self) -> Sequence[tuple[str, Any]]:
        return [("a context without tokens", Answered((), null=0.0, no_answer=1.0))]

    def ideal(self, row: Row, prediction: Any) -> tuple[Any, Any] | None:
        return prediction, self.task.reference(row)


def probe_for(task: Task) -> Probe:
    """The probe of a task's kind."""
    for kind, probe in PROBES:
        if isinstance(task, kind):
            return probe(task)
    if (brought := registry.added().get(str(task.kind))) is not None:
        made: Probe = brought.probe()(task)
        return made
    kinds = ", ".join(kind.__name__ for kind, _ in PROBES)
    raise PluginError(f"{type(task).__name__} is of no kind that can be checked; subclass {kinds}")


PROBES: tuple[tuple[type[Task], type[Probe]], ...] = (
    (NumericLMTask, NumericLMProbe),
    (CausalLMTask, CausalLMProbe),
    (Seq2SeqLMTask, Seq2SeqLMProbe),
    (MultiLabelTask, MultiLabelProbe),
    (VectorRegressionTask, VectorProbe),
    (SequenceClassificationTask, ClassificationProbe),
    (QuestionAnsweringTask, QuestionAnsweringProbe),
)
"""Kinds and their probes; the nearest class comes first."""


def _is_chat(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(
            isinstance(message, Mapping)
            and isinstance(message.get("role"), str)
            and isinstance(message.get("content"), str)
            for message in value
        )
    )


def _kind(value: Any) -> str:
    return f"{type(value).__name__} {str(value)[:40]!r}"
