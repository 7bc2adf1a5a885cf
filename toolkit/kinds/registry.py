"""The kinds by name: which class loads, trains and reads the model of a task.

A task class names its kind (``kind = "causal-lm"``), so that tasks are found and listed without
loading torch; the class itself is imported here, when a model is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from toolkit.errors import PluginError, did_you_mean

if TYPE_CHECKING:
    from toolkit.kinds.base import TaskModel
    from toolkit.task import Task


def _causal_lm() -> type[TaskModel]:
    from toolkit.kinds.causal_lm.model import CausalLM

    return CausalLM


def _seq2seq_lm() -> type[TaskModel]:
    from toolkit.kinds.seq2seq_lm.model import Seq2SeqLM

    return Seq2SeqLM


def _sequence_classification() -> type[TaskModel]:
    from toolkit.kinds.sequence_classification.model import SequenceClassification

    return SequenceClassification


def _question_answering() -> type[TaskModel]:
    from toolkit.kinds.question_answering.model import QuestionAnswering

    return QuestionAnswering


KINDS: Mapping[str, Callable[[], type[TaskModel]]] = {
    "causal-lm": _causal_lm,
    "seq2seq-lm": _seq2seq_lm,
    "sequence-classification": _sequence_classification,
    "question-answering": _question_answering,
}
"""Name of a kind → function that imports its class; ``toolkit new --kind`` has the same names."""
OWN = "own"
"""The name shown for a task that provides the class of its model itself."""


def model_class(task: Task | type[Task]) -> type[TaskModel]:
    """The class of a task's model, imported here.

    Raises:
        PluginError: the task names no kind, or one that does not exist.
    """
    name = kind_name(task)
    if name == OWN:
        # Contract version 1: kind() is a class method that returns the class.
        declared: Any = task.kind
        found: type[TaskModel] = declared()
        return found
    return KINDS[name]()


def kind_name(task: Task | type[Task]) -> str:
    """The name of a task's kind, without importing its model.

    Raises:
        PluginError: the task names no kind, or one that does not exist.
    """
    declared: Any = getattr(task, "kind", None)  # a task class may have forgotten it
    if callable(declared):
        return OWN
    label, known = getattr(task, "__qualname__", type(task).__qualname__), ", ".join(KINDS)
    if not declared:
        raise PluginError(f"{label} has no kind; there are {known}")
    if declared not in KINDS:
        raise PluginError(
            f"{label}: there is no kind {declared!r}{did_you_mean(declared, KINDS)}; "
            f"there are {known}"
        )
    return str(declared)
