"""The classes and the scale of a head that was trained elsewhere, as the task's.

A head's outputs are numbers; which class each stands for is in ``config.json`` (``id2label``) or
nowhere. A head on a number writes numbers of the user's file, which the toolkit's own heads write
standardised.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from toolkit.data.normalization import class_key
from toolkit.errors import ModelError
from toolkit.kinds.sequence_classification.task import SequenceClassificationTask
from toolkit.models.foreign import Foreign
from toolkit.task import Task

WIDEST = 1e300
"""The ends of the scale of a head on a number, about which its folder says nothing."""


def adjusted(task: Task, fitted: Mapping[str, Any], found: Sequence[Foreign]) -> dict[str, Any]:
    """A task's state with the classes that the heads know, or with their scale.

    Args:
        task: the task.
        fitted: its state as it was fitted to rows.
        found: the folders that are judged.
    """
    state = dict(fitted)
    if not isinstance(task, SequenceClassificationTask):
        return state
    if "scale" in state:
        state["scale"] = {"mean": 0.0, "deviation": 1.0, "lowest": -WIDEST, "highest": WIDEST}
    elif not task.classes and "labels" in state:
        state["labels"] = _with_further(state["labels"], found)
    return state


def _with_further(labels: Sequence[Any], found: Sequence[Foreign]) -> list[Any]:
    """The classes of the rows, and those of the heads that no row has."""
    known = {class_key(str(label)): label for label in labels}
    further = {class_key(name): name for one in found for name in one.classes}
    if not known.keys() <= further.keys():
        return list(labels)  # refused where the order is asked for, with a sentence
    kinds = {type(label) for label in labels}
    made = [known.get(key, _typed(name, kinds)) for key, name in further.items()]
    return sorted(made, key=lambda label: (str(type(label)), label))


def _typed(name: str, kinds: set[type]) -> Any:
    """The name of a class as a value of the type that the rows' classes have."""
    if kinds == {int}:
        return int(name) if name.lstrip("-").isdigit() else name
    return name


def described(kind: Any, task: Task, found: Foreign) -> dict[str, Any]:
    """What ``toolkit.json`` says of a model's head: how texts are read, and which class is which.

    Raises:
        ModelError: the classes cannot be told, or are not the task's.
    """
    # Late, as all that imports model libraries: the environment must be prepared before.
    from toolkit.kinds.sequence_classification.model import LABEL_ORDER, SequenceClassification
    from toolkit.kinds.sequence_classification.reading import Reading

    if not isinstance(kind, SequenceClassification):
        return {}
    reading = found.ours.get("reading") or Reading().document()
    made: dict[str, Any] = {"reading": reading, "head": kind.head_arguments()}
    if task.name == found.ours.get("task"):
        return {"reading": reading}
    if isinstance(task, SequenceClassificationTask) and task.num_labels > 1:
        order = order_of(task, found)
        if order != sorted(order):
            made[LABEL_ORDER] = order
    return made


def order_of(task: SequenceClassificationTask, found: Foreign) -> list[int]:
    """The output of a head for each of the task's classes.

    Raises:
        ModelError: a folder names no classes and the task leaves their order open, or the names
            are others.
    """
    labels = [str(label) for label in task.labels]
    names = found.classes
    if found.named_by_number or not names:
        numbers = [str(number) for number in range(len(labels))]
        if (not task.classes and labels != numbers) or (names and len(names) != len(labels)):
            raise ModelError(
                f"{found.name} does not say which of its outputs is which class (config.json has "
                f"no id2label with names), and the classes are {_listed(labels)}; write id2label "
                "into its config.json, or give a task file that names its classes in that order"
            )
        return list(range(len(labels)))
    places = {class_key(name): number for number, name in enumerate(names)}
    keys = [class_key(label) for label in labels]
    if sorted(keys) != sorted(places):
        raise ModelError(
            f"the classes of {found.name} are {_listed(names)} (id2label in config.json), and "
            f"those of the task are {_listed(labels)}; --labels says what the labels of a file mean"
        )
    return [places[key] for key in keys]


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:8]))
    return f"{shown} and {len(names) - 8} more" if len(names) > 8 else shown


def has_head(kind: Any) -> bool:
    """Whether a model has a head of its own, which may be all that was trained."""
    from toolkit.kinds.encoder.model import Encoder

    return isinstance(kind, Encoder)
