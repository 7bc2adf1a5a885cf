"""The kinds by name: which class loads, trains and reads the model of a task.

A task class names its kind (``kind = "causal-lm"``), so that tasks are found and listed without
loading torch; the class itself is imported here, when a model is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
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


@dataclass(frozen=True)
class Kind:
    """A kind of task that a plugin brings, as :func:`register_kinds` receives it.

    Each function imports what it returns when it is called, so that listing tasks stays fast.

    Args:
        name: kebab-case; the ``kind`` of task classes and task files.
        summary: one line for ``toolkit new --kinds``.
        model: returns the class of its models, a :class:`~toolkit.kinds.TaskModel`.
        probe: returns a :class:`~toolkit.plugins.Probe`: the examples that ``toolkit check``
            expects, and outputs to check decoders with.
        templates: the folder of its template for ``toolkit new``, with files below ``PACKAGE``;
            ``None``: there is none.
        task_file: returns a :class:`~toolkit.plugins.FileKind`: what a task file in TOML of this
            kind means; ``None``: there is no such file.
    """

    name: str
    summary: str
    model: Callable[[], type[TaskModel]]
    probe: Callable[[], type[Any]]
    templates: Path | None = None
    task_file: Callable[[], Any] | None = None


_added: dict[str, Kind] = {}


def add(kind: Kind) -> None:
    """Make a plugin's kind known for this process.

    Raises:
        PluginError: there is another kind of that name.
    """
    if kind.name in KINDS or kind.name in _added:
        raise PluginError(f"there is a kind {kind.name!r} already; rename yours")
    _added[kind.name] = kind


def remove(name: str) -> None:
    """Forget a plugin's kind."""
    _added.pop(name, None)


def added() -> Mapping[str, Kind]:
    """The kinds that plugins have brought, by name; the core's own are in :data:`KINDS`."""
    return dict(_added)


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
    return _added[name].model() if name in _added else KINDS[name]()


def kind_name(task: Task | type[Task]) -> str:
    """The name of a task's kind, without importing its model.

    Raises:
        PluginError: the task names no kind, or one that does not exist.
    """
    declared: Any = getattr(task, "kind", None)  # a task class may have forgotten it
    if callable(declared):
        return OWN
    names = (*KINDS, *_added)
    label, known = getattr(task, "__qualname__", type(task).__qualname__), ", ".join(names)
    if not declared:
        raise PluginError(f"{label} has no kind; there are {known}")
    if declared not in names:
        raise PluginError(
            f"{label}: there is no kind {declared!r}{did_you_mean(declared, names)}; "
            f"there are {known}"
        )
    return str(declared)
