"""Tasks for encoder–decoders such as T5: a text in, another text out.

Importing this loads no model library; that happens when a run needs it.
"""

from __future__ import annotations

from typing import ClassVar

from toolkit.kinds.language.outputs import Generated as Generated
from toolkit.kinds.language.task import LanguageTask
from toolkit.recipe import Recipe

EMBEDDED = Recipe(
    name="embedded",
    summary="the small encoder–decoder of the wheel, for a first try on a few hundred rows",
    model="embedded:seq2seq-lm",
    training={
        "per_device_train_batch_size": 8,
        "num_train_epochs": 6,
        "learning_rate": 2e-3,
        "lr_scheduler_type": "cosine",
        "warmup_steps": 0.05,
        "eval_strategy": "epoch",
        "logging_steps": 10,
        "max_length": 512,
        "max_target_length": 128,
        "model_init_kwargs": {"dtype": "float32"},
    },
    lora={"r": 16, "lora_alpha": 32, "target_modules": "all-linear"},
    early_stopping={"early_stopping_patience": 3},
)
"""The recipe of tasks that name none."""


class Seq2SeqLMTask(LanguageTask):
    """A task for an encoder–decoder, trained by transformers' ``Seq2SeqTrainer``.

    ``format_example`` gives two strings, ``text`` and ``text_target`` (which tokenizers call so,
    too). :meth:`postprocess` gets a :class:`Generated`. ``max_length`` in ``[training]`` bounds the
    text, ``max_target_length`` the target.
    """

    kind: ClassVar[str] = "seq2seq-lm"
    recipes: ClassVar[tuple[Recipe, ...]] = (EMBEDDED,)
    few_shot: ClassVar[int] = 2
