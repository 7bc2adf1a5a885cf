"""TRL's ``SFTTrainer``, with the head and the loss computed only where there are labels.

Of eighty tokens of a price prompt two have labels. TRL computes the head, the loss, an entropy and
an accuracy at every token; here the hidden states are picked at the labelled positions before the
head. Rows come tokenized by the one renderer, so nothing is truncated or re-rendered by TRL.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch.utils.data import Sampler
from transformers import TrainerCallback
from trl import SFTConfig, SFTTrainer

from toolkit.kinds.base import TrainingWatch
from toolkit.kinds.causal_lm.numbers import SmoothedTargets
from toolkit.kinds.causal_lm.prompt import IGNORED
from toolkit.monitor import Monitor


class Collator:
    """Pads on the right and says where the labels are.

    Args:
        pad: the padding token's id.
        smoothed: soft targets for rows with a ``number``, or ``None`` for plain cross-entropy.
    """

    def __init__(self, pad: int, smoothed: SmoothedTargets | None = None) -> None:
        self.pad = pad
        self.smoothed = smoothed

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, torch.Tensor]:
        # A CPU prepares its kernels anew for every shape it has not seen, so there are few.
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
        return {key: torch.from_numpy(value) for key, value in batch.items()}

    def _soft(self, rows: Sequence[Mapping[str, Any]], hard: np.ndarray) -> dict[str, np.ndarray]:
        """Target ids and probabilities, each of shape (labelled positions, widest target)."""
        assert self.smoothed is not None
        targets = [t for row in rows for t in self.smoothed.targets(row["number"])]
        width = max(len(ids) for ids, _ in targets)
        ids = np.zeros((len(hard), width), dtype=np.int64)
        shares = np.zeros((len(hard), width), dtype=np.float32)
        for i, (token_ids, probabilities) in enumerate(targets):
            ids[i, : len(token_ids)] = token_ids
            shares[i, : len(token_ids)] = probabilities
        return {"soft_ids": ids, "soft_shares": shares}


class LengthGroupedSampler(Sampler[int]):
    """Rows in batches of similar length, in an order that follows from seed and epoch alone.

    transformers' own draws from the global random state, which a resumed run would have to find
    exactly as it was.
    """

    WINDOW = 50

    def __init__(self, lengths: Sequence[int], batch: int, seed: int) -> None:
        self.lengths = np.asarray(lengths)
        self.batch = batch
        self.seed = seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        random = np.random.default_rng((self.seed, self.epoch))
        order = random.permutation(len(self.lengths))
        window = self.batch * self.WINDOW
        batches: list[np.ndarray] = []
        for start in range(0, len(order), window):
            part = order[start : start + window]
            part = part[np.argsort(-self.lengths[part], kind="stable")]
            batches += [part[i : i + self.batch] for i in range(0, len(part), self.batch)]
        # The short last batch stays last: a batch in the middle must be whole to keep its borders.
        tail = [b for b in batches if len(b) < self.batch]
        whole = [b for b in batches if len(b) == self.batch]
        random.shuffle(whole)
        return iter(np.concatenate(whole + tail).tolist())


@contextlib.contextmanager
def head_at(model: Any, positions: torch.Tensor) -> Iterator[None]:
    """Within, the model's logits are those at flat positions only, of shape (1, n, vocabulary).

    A hook before the head, not a forward of one's own: it works for every architecture with a
    head, below PEFT and DDP, and keeps what the model does with its logits after the head.
    """

    def pick(module: Any, inputs: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        hidden = inputs[0]
        return (hidden.reshape(-1, hidden.shape[-1])[positions][None], *inputs[1:])

    handle = model.get_output_embeddings().register_forward_pre_hook(pick)
    try:
        yield
    finally:
        handle.remove()


def label_loss(logits: torch.Tensor, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Sum of the cross-entropies at the labelled positions, against hard or smoothed targets."""
    logits = logits.float()
    if "soft_ids" in inputs:
        chosen = torch.log_softmax(logits, -1).gather(-1, inputs["soft_ids"])
        return -(chosen * inputs["soft_shares"]).sum()
    hard = inputs["labels"].reshape(-1)[inputs["positions"] + 1]
    return torch.nn.functional.cross_entropy(logits, hard, reduction="sum")


class LabelTrainer(SFTTrainer):  # type: ignore[misc]
    """``SFTTrainer`` on rows that are tokenized and labelled already.

    Args:
        judge: called at each evaluation; returns the task's metrics on the select split.
        lengths: tokens of each training row.
        monitor: its samples are added to each logged step.
        arguments, keywords: as ``SFTTrainer``.
    """

    def __init__(
        self,
        *arguments: Any,
        judge: Callable[[LabelTrainer], dict[str, float]] | None = None,
        lengths: Sequence[int] = (),
        monitor: Monitor | None = None,
        **keywords: Any,
    ) -> None:
        super().__init__(*arguments, **keywords)
        self.judge = judge
        self.row_lengths = lengths
        self.monitor = monitor
        self.tokens_seen = 0
        self._logged = (0, time.perf_counter())
        self.model_accepts_loss_kwargs = True  # the loss divides by num_items_in_batch itself

    def _set_signature_columns_if_needed(self) -> None:
        self._signature_columns = ["input_ids", "labels", "number"]

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler[int]:
        batch = self.args.train_batch_size * self.args.gradient_accumulation_steps
        return LengthGroupedSampler(self.row_lengths, batch, self.args.seed)

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        if self.model.training:
            self.tokens_seen += int(inputs["attention_mask"].sum())
        with head_at(self.accelerator.unwrap_model(model), inputs["positions"]):
            outputs = model(
                input_ids=inputs["input_ids"],
                attention_mask=inputs["attention_mask"],
                use_cache=False,
            )
        loss = label_loss(outputs.logits[0], inputs)
        items = len(inputs["positions"]) if num_items_in_batch is None else num_items_in_batch
        loss = loss / torch.as_tensor(items).clamp(min=1)
        if self.args.average_tokens_across_devices and num_items_in_batch is not None:
            loss = loss * self.accelerator.num_processes
        return (loss, outputs) if return_outputs else loss

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Add tokens per second and memory, which stay in ``log_history`` over a resume."""
        if "loss" in logs:
            tokens, then = self._logged
            now = time.perf_counter()
            logs["tokens_per_second"] = round((self.tokens_seen - tokens) / (now - then), 1)
            if self.monitor is not None:
                logs |= self.monitor.now()
        super().log(logs, start_time)
        self._logged = (self.tokens_seen, time.perf_counter())

    def evaluate(self, *arguments: Any, **keywords: Any) -> dict[str, float]:
        """Loss and the task's own metrics on the select split, by the task's own decoders."""
        if self.judge is None:
            return {}
        training = self.model.training
        self.model.eval()
        metrics = self.judge(self)
        self.model.train(training)
        self.log(dict(metrics))
        handler: Any = self.callback_handler
        self.control: Any = handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def mean_loss(self, rows: Sequence[Mapping[str, Any]], batch: int = 64) -> float:
        """Mean loss per labelled token over tokenized rows, without gradients."""
        total, count = 0.0, 0
        ordered = sorted(rows, key=lambda r: -len(r["input_ids"]))
        for start in range(0, len(ordered), batch):
            inputs = self._prepare_inputs(self.data_collator(ordered[start : start + batch]))
            with torch.inference_mode(), self.compute_loss_context_manager():
                items = len(inputs["positions"])
                total += float(self.compute_loss(self.model, inputs)) * items
            count += items
        return total / max(1, count)


class Watcher(TrainerCallback):  # type: ignore[misc]
    """Passes the trainer's steps and logs on to whoever watches."""

    def __init__(self, watch: TrainingWatch, trainer: LabelTrainer) -> None:
        self.watch = watch
        self.trainer = trainer

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.watch.on_step(state.global_step, state.max_steps, self.trainer.tokens_seen)

    def on_log(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        newest = history(state)[-1:]
        if state.is_world_process_zero and newest and newest[0] is state.log_history[-1]:
            self.watch.on_log(newest[0])


def history(state: Any) -> list[dict[str, Any]]:
    """The learning curve: what was logged, without the trainer's closing summary."""
    return [e for e in state.log_history if "loss" in e or "eval_loss" in e]


def sft_config(fields: Mapping[str, Any]) -> SFTConfig:
    """``SFTConfig`` of a recipe's fields; the rows are prepared already."""
    return SFTConfig(**{**fields, "dataset_kwargs": {"skip_prepare_dataset": True}})
