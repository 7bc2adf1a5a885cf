"""transformers' ``Seq2SeqTrainer`` on rows that are tokenized already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from transformers import Seq2SeqTrainer

from toolkit.kinds.batching import pad_right, rounded
from toolkit.kinds.language.prompt import IGNORED
from toolkit.kinds.trainer import JudgedTrainer


class Collator:
    """Makes batches: pads texts and targets on the right; the loss ignores the padding.

    Args:
        pad: the padding token's id.
    """

    def __init__(self, pad: int) -> None:
        self.pad = pad

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, torch.Tensor]:
        longest = rounded(max(len(row["labels"]) for row in rows))
        labels = np.full((len(rows), longest), IGNORED, dtype=np.int64)
        for i, row in enumerate(rows):
            labels[i, : len(row["labels"])] = row["labels"]
        read = [{"input_ids": row["input_ids"]} for row in rows]
        return {**pad_right(read, self.pad), "labels": torch.from_numpy(labels)}


def target_loss(
    model: Any, inner: Any, inputs: Mapping[str, torch.Tensor], smoothing: float = 0.0
) -> tuple[torch.Tensor, Any]:
    """The sum of a batch's losses, and the outputs.

    Args:
        model: the model to call.
        inner: the same model without the wrappers of training, such as DDP.
        inputs: a batch of :class:`Collator`.
        smoothing: the label smoothing.
    """
    labels = inputs["labels"]
    outputs = model(
        input_ids=inputs["input_ids"],
        attention_mask=inputs["attention_mask"],
        decoder_input_ids=inner.prepare_decoder_input_ids_from_labels(labels=labels),
        use_cache=False,
    )
    loss = torch.nn.functional.cross_entropy(
        outputs.logits.float().flatten(0, 1),
        labels.flatten(),
        ignore_index=IGNORED,
        reduction="sum",
        label_smoothing=smoothing,
    )
    return loss, outputs


class TargetTrainer(JudgedTrainer, Seq2SeqTrainer):  # type: ignore[misc]
    """``Seq2SeqTrainer`` that evaluates with the task's own metrics."""

    def summed_loss(self, model: Any, inputs: Mapping[str, torch.Tensor]) -> tuple[Any, int, Any]:
        smoothing = self.args.label_smoothing_factor if self.model.training else 0.0
        inner = self.accelerator.unwrap_model(model)
        loss, outputs = target_loss(model, inner, inputs, smoothing)
        return loss, int(inputs["labels"].ne(IGNORED).sum()), outputs
