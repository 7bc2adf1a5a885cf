"""Fine-tuning an encoder with a head: LoRA or all of it, to a saved folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit import backends
from toolkit.kinds import training
from toolkit.kinds.base import Trained, TrainingWatch
from toolkit.kinds.encoder.trainer import Collator, EncoderTrainer
from toolkit.monitor import Monitor

if TYPE_CHECKING:
    from datasets import DatasetDict

    from toolkit.kinds.encoder.kind import Encoder


def fine_tune(
    kind: Encoder, splits: DatasetDict, *, checkpoints: Path, adapter: Path, watch: TrainingWatch
) -> Trained:
    """Train on ``train``, choose the checkpoint on ``select``, save adapter or whole model."""
    kind.check_recipe()
    kind.drop_adapter()
    train, lengths = training.fitting(kind.tokenized(splits["train"]), kind.max_length)
    select = kind.tokenized(splits["select"])
    kind.tuned = kind.trainable()
    arguments = training.arguments(kind, checkpoints)

    def build(monitor: Monitor) -> EncoderTrainer:
        return EncoderTrainer(
            model=kind.tuned,
            args=arguments,
            train_dataset=train,
            eval_dataset=select,
            processing_class=kind.tokenizer,
            data_collator=Collator(kind.tokenizer.pad_token_id),
            lengths=lengths,
            judge=training.judge(kind, splits["select"], select),
            monitor=monitor,
            loss=kind.loss(arguments),
        )

    trained = training.fit(
        kind, kind.tuned, build, lengths=lengths, checkpoints=checkpoints, watch=watch
    )
    _save(kind, splits, adapter)
    return trained


def _save(kind: Encoder, splits: DatasetDict, adapter: Path) -> None:
    canaries = training.canary_rows(kind, splits)
    kind.check_effect(canaries)
    extra: Mapping[str, Any] = {
        "task": kind.task.name,
        "model": kind.recipe.model,
        "prompt_sha": kind.digest(canaries),
        "head": kind.head_arguments(),
        "head_seed": kind.seed,
        "facts": kind.task.facts,
        "settings": kind.task.settings,
        "canaries": canaries,
    }
    backends.save_adapter(kind.tuned, kind.tokenizer, adapter, extra)
