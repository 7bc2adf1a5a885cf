"""The trained model of a run in one piece, and the model of a folder in the place of a run's."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.errors import ModelError
from toolkit.kinds.encoder.model import Encoder
from toolkit.kinds.language.asking import AskingRenderer
from toolkit.kinds.language.model import LanguageModel
from toolkit.kinds.sequence_classification.model import READING, SequenceClassification
from toolkit.kinds.sequence_classification.reading import Reading
from toolkit.models import loading, merging
from toolkit.models.foreign import Foreign
from toolkit.pipeline.restore import make_kind
from toolkit.plugins import recipes
from toolkit.runs.files import read_json

if TYPE_CHECKING:
    from toolkit.kinds.base import TaskModel
    from toolkit.runs.run import Run
    from toolkit.task import Task


def in_one_piece(
    run: Run, task: Task, kind: TaskModel, dtype: str | None = None
) -> tuple[TaskModel, Any]:
    """The trained model of a run as transformers has it: its adapter merged, without PEFT.

    Args:
        run: the run.
        task: its task.
        kind: its model with the adapter, which is used up. Where its base is quantized, the adapter
            is put on the unquantized one.
        dtype: the type of the weights, see :func:`toolkit.models.merging.merge`.

    Returns:
        the kind whose tokenizer and limits belong to the model, and the model.

    Raises:
        ModelError: it cannot be merged.
    """
    import torch

    if kind.recipe.quantization:
        kind = make_kind(run, task, recipe=dataclasses.replace(kind.recipe, quantization=None))
        kind.load()
        kind.load_base(run.base)
        kind.load_adapter(run.adapter)
    if isinstance(kind, Encoder):
        trained, whole = kind.tuned, kind.full
    else:
        assert isinstance(kind, LanguageModel)
        whole = kind.whole is not None
        trained = kind.whole if whole else kind.model
    if not whole:
        model = merging.merge(trained, dtype)
    else:
        model = trained.to(getattr(torch, dtype)) if dtype else trained
    if isinstance(kind, SequenceClassification):
        _name_classes(model.config, kind)
    return kind, model


def _name_classes(config: Any, kind: SequenceClassification) -> None:
    """Name the outputs of the head as the task does, in the head's own order."""
    labels = [str(label) for label in kind.task.labels]
    if not labels:
        return
    order = kind.label_order or range(len(labels))
    config.id2label = dict(sorted(zip(order, labels, strict=True)))
    config.label2id = {label: place for place, label in config.id2label.items()}


def open_whole(run: Run, task: Task, folder: Path, model: Any = None) -> TaskModel:
    """A run's kind with a whole model in the place of what was trained.

    Everything that the folder has is used as it is there, for it is what others will use: its
    tokenizer, chat template, stop tokens and names of classes.

    Args:
        run: the run whose task, decoders and way of reading are used.
        task: its task.
        folder: a model, or what describes one: configuration and tokenizer.
        model: computes in the place of the folder's weights, such as a session of another runtime:
            called like a transformers model, with ``config`` and ``device``.

    Raises:
        ModelError: it cannot be loaded, or its classes are not the task's.
    """
    recipe = recipes.from_dict(run.info["recipe"])
    init = dict(recipe.training.get("model_init_kwargs") or {})
    init.pop("dtype", None)
    training = {**recipe.training, "model_init_kwargs": init} if init else dict(recipe.training)
    if not init:
        training.pop("model_init_kwargs", None)
    own = dataclasses.replace(recipe, model=str(folder), quantization=None, training=training)
    kind = make_kind(run, task, recipe=own)
    if isinstance(kind, Encoder):
        _open_encoder(run, kind, folder, model)
        return kind
    assert isinstance(kind, LanguageModel)
    if _asks(run):
        kind.renderer = AskingRenderer(kind.tokenizer, kind.limits)
    kind.tell_date(task.state, stored=True)
    if model is None:
        kind.load()
    else:
        kind.model = model
    kind.whole = kind.model
    return kind


def _asks(run: Run) -> bool:
    """Whether what was trained elsewhere is asked by its own chat template."""
    speaks = read_json(run.adapter / "toolkit.json").get("speaks") or {}
    return bool(speaks.get("prompt") == "adapter")


def _open_encoder(run: Run, kind: Encoder, folder: Path, model: Any) -> None:
    kind.full = True
    if isinstance(kind, SequenceClassification):
        if (run.base / READING).is_file():
            kind.reading = Reading(**read_json(run.base / READING))
        if kind.task.labels:
            kind.label_order = _order(folder, [str(label) for label in kind.task.labels])
    elif outputs := kind.head_arguments().get("id2label"):
        order = _order(folder, [str(name) for _, name in sorted(outputs.items())])
        if order != sorted(order):  # others read the outputs by these names
            raise ModelError(f"{folder} names the outputs of its head in another order")
    if model is None:
        model = loading.load_trained(
            kind.auto_class, folder, trust_remote_code=kind.trust_remote_code
        )
        model.config.pad_token_id = kind.tokenizer.pad_token_id
    kind.model = kind.tuned = model


def _order(folder: Path, labels: list[str]) -> list[int]:
    """For each of the task's classes the output of the folder's head that is called so.

    Raises:
        ModelError: the folder names other classes.
    """
    named = Foreign(folder.name, folder).classes
    if sorted(named) != sorted(labels):
        raise ModelError(
            f"{folder} names the classes {', '.join(named) or 'none'}, and the task has "
            f"{', '.join(labels)}"
        )
    return [named.index(label) for label in labels]
