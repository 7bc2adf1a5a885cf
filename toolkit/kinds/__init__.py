"""The kinds of tasks; each has its model class, trainer, collator and way to predict."""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from toolkit.kinds.base import BASE as BASE
    from toolkit.kinds.base import TaskModel as TaskModel
    from toolkit.kinds.base import TrainingWatch as TrainingWatch
    from toolkit.kinds.base import Watch as Watch
    from toolkit.kinds.causal_lm.smollm2 import smollm2_recipe as smollm2_recipe
    from toolkit.kinds.language.text_model import TextModel as TextModel
    from toolkit.kinds.registry import model_class as model_class

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "base": ["BASE", "TaskModel", "TrainingWatch", "Watch"],
        "causal_lm.smollm2": ["smollm2_recipe"],
        "language.text_model": ["TextModel"],
        "registry": ["model_class"],
    },
)
