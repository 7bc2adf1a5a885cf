"""What all trainers of the toolkit add to the upstream ones: row order, evaluation, speed, memory.

The upstream classes differ by kind (TRL's ``SFTTrainer``, transformers' ``Trainer``), so these
parts are a mixin that is put before either: ``class LabelTrainer(JudgedTrainer, SFTTrainer)``.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch.utils.data import Sampler
from transformers import TrainerCallback

from toolkit.kinds.checkpoints import order_by_step
from toolkit.kinds.divergence import Circumstances, Guard
from toolkit.kinds.watching import TrainingWatch
from toolkit.models.lora_start import Start
from toolkit.runs.files import usual_modes
from toolkit.system import distributed
from toolkit.system.monitor import Monitor


class LengthGroupedSampler(Sampler[int]):
    """Rows in batches of similar length, in an order that follows from seed and epoch alone.

    transformers' own sampler draws from the global random state, which a resumed run would have to
    restore exactly.

    Args:
        lengths: tokens of each row, shape (rows,), or (variants, rows) where the dataset has
            several variants of all rows, one after the other: each epoch takes the next.
        batch: rows of an optimizer step.
        seed: decides the order, with the epoch.
    """

    WINDOW = 50
    """Batches whose rows are sorted together."""

    def __init__(self, lengths: Sequence[int] | np.ndarray, batch: int, seed: int) -> None:
        self.lengths = np.atleast_2d(np.asarray(lengths))
        self.batch = batch
        self.seed = seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return int(self.lengths.shape[1])

    def __iter__(self) -> Iterator[int]:
        random = np.random.default_rng((self.seed, self.epoch))
        variant = self.epoch % len(self.lengths)
        lengths = self.lengths[variant]
        order = random.permutation(len(lengths))
        window = self.batch * self.WINDOW
        batches: list[np.ndarray] = []
        for start in range(0, len(order), window):
            part = order[start : start + window]
            part = part[np.argsort(-lengths[part], kind="stable")]
            batches += [part[i : i + self.batch] for i in range(0, len(part), self.batch)]
        # The short batch stays last: elsewhere it would shift the borders of all batches after it.
        tail = [b for b in batches if len(b) < self.batch]
        whole = [b for b in batches if len(b) == self.batch]
        random.shuffle(whole)
        return iter((variant * len(lengths) + np.concatenate(whole + tail)).tolist())


TIE = 1e-9
"""Metrics that differ by no more than this share of their size are equal."""


def ranked(metrics: Mapping[str, float], name: str | None, *, greater: bool) -> dict[str, float]:
    """An evaluation in which the lower loss breaks a tie of the primary metric.

    Few validation rows are soon all right. The first checkpoint that is, which may be the probe
    that training began from, is not the best one: those after it are surer of the same answers.

    Args:
        metrics: the evaluation, with ``eval_loss`` of at least 0.
        name: its primary metric; ``None`` where the checkpoint is chosen by nothing.
        greater: whether more is better.
    """
    loss = metrics.get("eval_loss", math.nan)
    if name is None or name not in metrics or not loss >= 0:
        return dict(metrics)
    value = metrics[name]
    step = TIE * max(1.0, abs(value)) / (1 + loss)
    return {**metrics, name: value + step if greater else value - step}


class JudgedTrainer:
    """A mixin before ``Trainer`` or a subclass of it, for rows that are tokenized already.

    A subclass defines :meth:`summed_loss`; the loss of a step is divided by the number of losses
    that it counts over all batches of the step.

    Args:
        judge: called at each evaluation with the trainer; returns the loss and the task's primary
            metric on the validation split.
        lengths: tokens of each training row, as :class:`LengthGroupedSampler` takes them.
        monitor: its samples are added to each logged step.
        rows: the tokenized training rows, where several of them share a sequence in training.
        arguments, keywords: as the upstream trainer.

    Raises:
        ModelError: while training, a loss or a gradient is NaN or infinite.
    """

    columns: ClassVar[tuple[str, ...]] = ("input_ids", "labels")
    """The columns of a tokenized row that the collator reads."""

    # What the upstream trainer brings.
    model: Any
    args: Any
    accelerator: Any
    data_collator: Any
    train_dataset: Any
    state: Any
    control: Any
    callback_handler: Any

    def __init__(
        self,
        *arguments: Any,
        judge: Callable[[Any], dict[str, float]] | None = None,
        lengths: Sequence[int] | np.ndarray = (),
        monitor: Monitor | None = None,
        rows: Any = None,
        **keywords: Any,
    ) -> None:
        super().__init__(*arguments, **keywords)
        self.judge = judge
        self.guard = Guard(self.train_dataset if rows is None else rows, self._circumstances)
        self.labels_seen = 0
        self.row_lengths = lengths
        self.monitor = monitor
        self.tokens_seen = 0
        self.evaluations, self.evaluation_seconds = 0, 0.0
        self._evaluated: tuple[int, dict[str, float]] | None = None
        self._logged = (0, time.perf_counter())
        self.model_accepts_loss_kwargs = True  # the loss divides by num_items_in_batch itself

    def summed_loss(self, model: Any, inputs: Mapping[str, torch.Tensor]) -> tuple[Any, int, Any]:
        """The sum of a batch's losses, their number, and the model's outputs."""
        raise NotImplementedError

    def _set_signature_columns_if_needed(self) -> None:
        self._signature_columns = list(self.columns)

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler[int]:
        batch = self.args.train_batch_size * self.args.gradient_accumulation_steps
        batch *= distributed.count()  # rows of an optimizer step, over all processes
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
        loss, count, outputs = self.summed_loss(model, inputs)
        self.labels_seen = count
        items = count if num_items_in_batch is None else num_items_in_batch
        loss = loss / torch.as_tensor(items).clamp(min=1)
        if self.args.average_tokens_across_devices and num_items_in_batch is not None:
            loss = loss * self.accelerator.num_processes
        return (loss, outputs) if return_outputs else loss

    # -- numbers that are none ---------------------------------------------------------------------
    def training_step(
        self, model: Any, inputs: dict[str, torch.Tensor], *arguments: Any, **keywords: Any
    ) -> Any:
        self.guard.begin(inputs)
        loss = super().training_step(model, inputs, *arguments, **keywords)  # type: ignore[misc]
        self.guard.loss(float(loss), self.labels_seen)
        return loss

    def _get_grad_norm(self, *arguments: Any, **keywords: Any) -> Any:
        norm = super()._get_grad_norm(*arguments, **keywords)  # type: ignore[misc]
        if norm is not None:
            self.guard.norm(float(norm))
        return norm

    def _circumstances(self) -> Circumstances:
        trained = [p for p in self.model.parameters() if p.requires_grad]
        types = {p.dtype for p in self.model.parameters()}
        return Circumstances(
            rate=float(self.args.learning_rate),
            clipping=self.args.max_grad_norm,
            half=bool(self.args.fp16),
            half_weights=torch.float16 in types,
            steps=self.state.global_step,
            whole=all(bool(p.detach().isfinite().all()) for p in trained),
        )

    # -- logging and evaluation --------------------------------------------------------------------
    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Add tokens per second and memory to the log; a resumed run keeps them."""
        if "loss" in logs:
            tokens, then = self._logged
            now = time.perf_counter()
            rate = (self.tokens_seen - tokens) / (now - then) * distributed.count()
            logs["tokens_per_second"] = round(rate, 1)
            if self.monitor is not None:
                logs |= self.monitor.now()
        super().log(logs, start_time)  # type: ignore[misc]
        self._logged = (self.tokens_seen, time.perf_counter())

    def evaluate(self, *arguments: Any, **keywords: Any) -> dict[str, float]:
        """Loss and the task's primary metric on the validation split, by the task's decoders.

        What is logged is as measured. What is returned, and what early stopping sees, has the
        metric as :func:`ranked` gives it, by which the best checkpoint is chosen.
        """
        if self.judge is None:
            return {}
        if self._evaluated is not None and self._evaluated[0] == self.state.global_step:
            return self._evaluated[1]  # the end of an epoch may be the end of the time as well
        if (known := self._known()) is not None:
            return known
        started = time.perf_counter()
        training = self.model.training
        self.model.eval()
        metrics = self.judge(self)
        self.model.train(training)
        self.evaluations += 1
        self.evaluation_seconds += time.perf_counter() - started
        self.log(dict(metrics))
        metrics = ranked(
            metrics, self.args.metric_for_best_model, greater=bool(self.args.greater_is_better)
        )
        self._evaluated = (self.state.global_step, metrics)
        self.control = self.callback_handler.on_evaluate(
            self.args, self.state, self.control, metrics
        )
        return metrics

    def _known(self) -> dict[str, float] | None:
        """The evaluation of this step that the checkpoint of a resumed training has logged already.

        Judged again it would stand in the learning curve twice, and count twice for early stopping.
        """
        if self._evaluated is not None:
            return None
        for entry in reversed(self.state.log_history):
            if entry.get("step") == self.state.global_step and "eval_loss" in entry:
                values = {k: v for k, v in entry.items() if k.startswith("eval_")}
                name, greater = self.args.metric_for_best_model, self.args.greater_is_better
                return ranked(values, name, greater=bool(greater))
        return None

    def _save_checkpoint(self, *arguments: Any, **keywords: Any) -> None:
        if distributed.first():
            order_by_step(Path(self.args.output_dir))
        super()._save_checkpoint(*arguments, **keywords)  # type: ignore[misc]

    def mean_loss(self, rows: Sequence[Mapping[str, Any]], batch: int = 64) -> float:
        """Mean loss over tokenized rows, without gradients."""
        total, count = 0.0, 0
        ordered = sorted(rows, key=lambda r: -len(r["input_ids"]))
        ordered = ordered[distributed.rank() :: distributed.count()]
        for start in range(0, len(ordered), batch):
            inputs = self._prepare_inputs(self.data_collator(ordered[start : start + batch]))  # type: ignore[attr-defined]
            with torch.inference_mode(), self.compute_loss_context_manager():  # type: ignore[attr-defined]
                loss, items, _ = self.summed_loss(self.model, inputs)
            self.guard.validation(float(loss), ordered[start : start + batch])
            total += float(loss)
            count += items
        sums = distributed.everywhere((total, count))
        return float(sum(total for total, _ in sums) / max(1, sum(count for _, count in sums)))


class StartHolder(TrainerCallback):  # type: ignore[misc]
    """Keeps the fixed half of an adapter as it is, see :mod:`toolkit.models.lora_start`."""

    def __init__(self, start: Start) -> None:
        self.start = start

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.start.take()

    def on_optimizer_step(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.start.hold()


class Watcher(TrainerCallback):  # type: ignore[misc]
    """Passes the trainer's steps and logs on to a :class:`TrainingWatch`."""

    def __init__(self, watch: TrainingWatch, trainer: JudgedTrainer) -> None:
        self.watch = watch
        self.trainer = trainer

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.watch.on_step(state.global_step, state.max_steps, self.trainer.tokens_seen)

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        saved = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        if distributed.first() and saved.is_dir():
            usual_modes(saved)

    def on_log(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        newest = history(state)[-1:]
        if state.is_world_process_zero and newest and newest[0] is state.log_history[-1]:
            self.watch.on_log(newest[0])


def history(state: Any) -> list[dict[str, Any]]:
    """The learning curve: what was logged, without the trainer's closing summary."""
    return [e for e in state.log_history if "loss" in e or "eval_loss" in e]
