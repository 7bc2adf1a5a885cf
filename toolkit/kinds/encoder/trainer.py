"""transformers' ``Trainer`` on rows that are tokenized already, with the kind's own loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import Trainer

from toolkit.kinds.batching import pad_right
from toolkit.kinds.trainer import JudgedTrainer

Loss = Callable[[Any, torch.Tensor], torch.Tensor]
"""A model's outputs and a batch's labels → the *sum* of the losses of all labels."""


class Collator:
    """Makes batches: pads on the right and stacks ``labels``, which may have any shape.

    Args:
        pad: the padding token's id.
        of_tokens: whether each token has a label; padding has -100.
    """

    def __init__(self, pad: int, *, of_tokens: bool = False) -> None:
        self.pad, self.of_tokens = pad, of_tokens

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, torch.Tensor]:
        inputs = pad_right(rows, self.pad)
        found = [row["labels"] for row in rows]
        if self.of_tokens:
            width = inputs["input_ids"].shape[1]
            found = [[*labels, *[-100] * (width - len(labels))] for labels in found]
        return {**inputs, "labels": torch.tensor(found)}


class EncoderTrainer(JudgedTrainer, Trainer):  # type: ignore[misc]
    """``Trainer`` with the kind's loss; labels of -100 are ignored.

    The model before its first step, which is the base, is evaluated and saved as ``checkpoint-0``
    (``eval_on_start``): the best checkpoint may be that one.

    Args:
        loss: see :data:`Loss`.
        arguments, keywords: as :class:`~toolkit.kinds.trainer.JudgedTrainer`.
    """

    columns = ("input_ids", "token_type_ids", "labels")

    def __init__(self, *arguments: Any, loss: Loss, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.label_loss = loss

    def summed_loss(self, model: Any, inputs: Mapping[str, torch.Tensor]) -> tuple[Any, int, Any]:
        outputs = model(**{name: value for name, value in inputs.items() if name != "labels"})
        labels = inputs["labels"]
        return self.label_loss(outputs, labels), int(labels.ne(-100).sum()), outputs

    def _evaluate(
        self, trial: Any, ignore_keys_for_eval: Any, skip_scheduler: bool = False
    ) -> dict[str, float]:
        start = skip_scheduler  # upstream passes it before the first step alone
        if start and self.state.log_history:
            return {}  # a resumed training has evaluated its start
        metrics: dict[str, float] = super()._evaluate(trial, ignore_keys_for_eval, skip_scheduler)
        if start:
            self._determine_best_metric(metrics, trial)
            # Upstream takes step 0 for no step at all when it notes the best checkpoint.
            self.state.best_model_checkpoint = str(Path(self.args.output_dir) / "checkpoint-0")
            self._save_checkpoint(self.model, trial)
        return metrics
