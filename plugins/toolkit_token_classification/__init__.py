"""The kind ``token-classification``: a text goes in, places in it with labels come out.

A plugin that brings a kind of task and no task: :class:`TokenClassificationTask` is what packages
and task files build on.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import lazy_loader

from toolkit import hookimpl
from toolkit.kinds import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from toolkit_token_classification.metrics import entity_metrics as entity_metrics
    from toolkit_token_classification.outputs import Tagged as Tagged
    from toolkit_token_classification.task import (
        TokenClassificationTask as TokenClassificationTask,
    )

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "metrics": ["entity_metrics"],
        "outputs": ["Tagged"],
        "task": ["TokenClassificationTask"],
    },
)

NAME = "token-classification"


def _model() -> type[Any]:
    from toolkit_token_classification.model import TokenClassification

    return TokenClassification


def _probe() -> type[Any]:
    from toolkit_token_classification.probe import TokenProbe

    return TokenProbe


def _task_file() -> Any:
    from toolkit_token_classification.task_file import FILE_KIND

    return FILE_KIND


@hookimpl
def register_kinds(register: Callable[[Kind], None]) -> None:
    """Register the kind."""
    register(
        Kind(
            NAME,
            "an encoder: text in, places in it with labels out (transformers' Trainer)",
            model=_model,
            probe=_probe,
            templates=Path(__file__).parent / "templates",
            task_file=_task_file,
        )
    )
