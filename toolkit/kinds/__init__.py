"""The kinds of tasks; each has its model class, trainer, collator and way to predict."""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from toolkit.kinds import checkpoints as checkpoints
    from toolkit.kinds import inspection as inspection
    from toolkit.kinds.base import BASE as BASE
    from toolkit.kinds.base import Progress as Progress
    from toolkit.kinds.base import TaskModel as TaskModel
    from toolkit.kinds.causal_lm.smollm2 import smollm2_recipe as smollm2_recipe
    from toolkit.kinds.encoder.linear_probe import LinearProbe as LinearProbe
    from toolkit.kinds.encoder.model import Encoder as Encoder
    from toolkit.kinds.language.following import Place as Place
    from toolkit.kinds.language.following import follow as follow
    from toolkit.kinds.language.one_step import OneStep as OneStep
    from toolkit.kinds.language.one_step import one_step as one_step
    from toolkit.kinds.language.text_model import TextModel as TextModel
    from toolkit.kinds.registry import Kind as Kind
    from toolkit.kinds.registry import model_class as model_class
    from toolkit.kinds.watching import TrainingWatch as TrainingWatch
    from toolkit.kinds.watching import Watch as Watch

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["checkpoints", "inspection"],
    submod_attrs={
        "base": ["BASE", "Progress", "TaskModel"],
        "causal_lm.smollm2": ["smollm2_recipe"],
        "encoder.linear_probe": ["LinearProbe"],
        "encoder.model": ["Encoder"],
        "language.following": ["Place", "follow"],
        "language.one_step": ["OneStep", "one_step"],
        "language.text_model": ["TextModel"],
        "registry": ["Kind", "model_class"],
        "watching": ["TrainingWatch", "Watch"],
    },
)
