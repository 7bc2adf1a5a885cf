"""TRL's ``SFTTrainer``, with the head and the loss computed only where there are labels.

Of eighty tokens of a price prompt two have labels. TRL computes the head, the loss, an entropy and
an accuracy at every token; here the hidden states are selected at the labelled positions before the
head. Rows are already tokenized by the renderer, so TRL neither truncates nor renders them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from trl import SFTTrainer

from toolkit.kinds.causal_lm import shared_prefix
from toolkit.kinds.causal_lm.number_loss import NumberScale, SmoothedTargets, ranked_score
from toolkit.kinds.language.prompt import IGNORED
from toolkit.kinds.trainer import JudgedTrainer
from toolkit.models import loading


class Collator:
    """Makes batches: pads on the right and lists the positions of the labels.

    Args:
        pad: the padding token's id.
        smoothed: soft targets for rows with a ``number``, or ``None`` for plain cross-entropy.
        scale: for a loss on the distribution of numbers beside it.
    """

    def __init__(
        self, pad: int, smoothed: SmoothedTargets | None = None, scale: NumberScale | None = None
    ) -> None:
        self.pad = pad
        self.smoothed = smoothed
        self.scale = scale

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, torch.Tensor]:
        # A CPU prepares its kernels anew for every new shape: only multiples of eight are used.
        longest = -(-max(len(r["input_ids"]) for r in rows) // 8) * 8
        ids = np.full((len(rows), longest), self.pad, dtype=np.int64)
        labels = np.full((len(rows), longest), IGNORED, dtype=np.int64)
        mask = np.zeros((len(rows), longest), dtype=np.int64)
        for i, row in enumerate(rows):
            n = len(row["input_ids"])
            ids[i, :n], labels[i, :n], mask[i, :n] = row["input_ids"], row["labels"], 1
        at = np.nonzero(labels.ravel() != IGNORED)[0]
        batch = {
            "input_ids": ids,
            "attention_mask": mask,
            "labels": labels,
            # The state at a token predicts the next one; position 0 never has a label.
            "positions": at - 1,
        }
        if self.smoothed is not None:
            batch |= self._soft(rows, labels.ravel()[at])
        if self.scale is not None:
            batch |= self.scale.columns(labels.ravel()[at])
        if "segments" in rows[0]:
            batch |= self._joined(rows, longest)
        return {key: torch.from_numpy(value) for key, value in batch.items()}

    def _joined(self, rows: Sequence[Mapping[str, Any]], longest: int) -> dict[str, np.ndarray]:
        """Positions, and which token attends to which, of rows that hold several examples."""
        positions = np.zeros((len(rows), longest), dtype=np.int64)
        segments = np.full((len(rows), longest), -1, dtype=np.int64)
        for i, row in enumerate(rows):
            n = len(row["input_ids"])
            positions[i, :n], segments[i, :n] = row["position_ids"], row["segments"]
        return {"position_ids": positions, "visible": shared_prefix.visible(segments)}

    def _soft(self, rows: Sequence[Mapping[str, Any]], hard: np.ndarray) -> dict[str, np.ndarray]:
        """Target ids and probabilities, each of shape (labelled positions, widest target)."""
        assert self.smoothed is not None
        numbers = [n for row in rows for n in np.atleast_1d(row["number"]).tolist()]
        targets = [target for number in numbers for target in self.smoothed.targets(number)]
        width = max(len(ids) for ids, _ in targets)
        ids = np.zeros((len(hard), width), dtype=np.int64)
        shares = np.zeros((len(hard), width), dtype=np.float32)
        for i, (token_ids, probabilities) in enumerate(targets):
            ids[i, : len(token_ids)] = token_ids
            shares[i, : len(token_ids)] = probabilities
        return {"soft_ids": ids, "soft_shares": shares}


@contextlib.contextmanager
def head_at(model: Any, positions: torch.Tensor) -> Iterator[None]:
    """Within the context, logits are computed at some positions only: (1, n, vocabulary).

    A hook before the head is used rather than another ``forward``: it works for every architecture
    with a head, below PEFT and DDP, and keeps what the model does with its logits after the head.

    Args:
        model: a model with a head.
        positions: indices into the flattened tokens of a batch, shape (n,).
    """

    def pick(module: Any, inputs: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        hidden = inputs[0]
        return (hidden.reshape(-1, hidden.shape[-1])[positions][None], *inputs[1:])

    handle = model.get_output_embeddings().register_forward_pre_hook(pick)
    try:
        yield
    finally:
        handle.remove()


def labelled(model: Any, inner: Any, inputs: Mapping[str, torch.Tensor]) -> Any:
    """The model's outputs on a batch of :class:`Collator`, logits at the labelled positions only.

    Args:
        model: the model to call.
        inner: the same model without the wrappers of training, such as DDP.
        inputs: the batch.
    """
    seen: dict[str, torch.Tensor] = {"attention_mask": inputs["attention_mask"]}
    if "visible" in inputs:
        dtype = inner.get_input_embeddings().weight.dtype
        seen = {
            "attention_mask": shared_prefix.additive(inputs["visible"], dtype),
            "position_ids": inputs["position_ids"],
        }
    with head_at(inner, inputs["positions"]):
        return model(input_ids=inputs["input_ids"], use_cache=False, **seen)


def label_loss(logits: torch.Tensor, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Sum of the losses at the labelled positions: cross-entropy, and the score of numbers."""
    logits = logits.float()
    total = _cross_entropy(logits, inputs)
    return total + ranked_score(logits, inputs) if "number_places" in inputs else total


def _cross_entropy(logits: torch.Tensor, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Sum of the cross-entropies at the labelled positions, against hard or smoothed targets."""
    if "soft_ids" in inputs:
        chosen = torch.log_softmax(logits, -1).gather(-1, inputs["soft_ids"])
        return -(chosen * inputs["soft_shares"]).sum()
    hard = inputs["labels"].reshape(-1)[inputs["positions"] + 1]
    return torch.nn.functional.cross_entropy(logits, hard, reduction="sum")


def summed_loss(
    model: Any, inner: Any, inputs: Mapping[str, torch.Tensor]
) -> tuple[torch.Tensor, int, Any]:
    """The sum of a batch's losses, their number, and the outputs; see :func:`labelled`."""
    outputs = labelled(model, inner, inputs)
    return label_loss(outputs.logits[0], inputs), len(inputs["positions"]), outputs


@contextlib.contextmanager
def _unseen_head(model: Any) -> Iterator[None]:
    """Within the context, TRL does not see the model's head.

    TRL 1.16 refuses adapters on it, because its own loss reads the head's weight and would pass
    over them. The loss here goes through the head as it is.
    """
    model.get_output_embeddings = lambda: None
    try:
        yield
    finally:
        del model.get_output_embeddings


class LabelTrainer(JudgedTrainer, SFTTrainer):  # type: ignore[misc]
    """``SFTTrainer`` on rows that are tokenized and labelled already."""

    columns = ("input_ids", "labels", "number", "position_ids", "segments")

    def __init__(self, *arguments: Any, model: Any, **keywords: Any) -> None:
        with _unseen_head(model):
            super().__init__(*arguments, model=model, **keywords)
        # TRL switches it on for mixtures of experts, to weigh a loss of the routers; the loss here
        # is that of the answers, and a mixture that reports its routers cannot write with a cache.
        loading.without_router_logits(self.accelerator.unwrap_model(self.model))

    def summed_loss(self, model: Any, inputs: Mapping[str, torch.Tensor]) -> tuple[Any, int, Any]:
        return summed_loss(model, self.accelerator.unwrap_model(model), inputs)
