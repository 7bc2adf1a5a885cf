"""Chooses how long texts are read: by the minutes that a recipe has, and by validation rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from toolkit.decoding import primary_values
from toolkit.kinds.sequence_classification import reading
from toolkit.kinds.sequence_classification.linear_probe import Probe
from toolkit.kinds.sequence_classification.reading import Reading

if TYPE_CHECKING:
    from datasets import Dataset

    from toolkit.kinds.sequence_classification.outputs import Classified
    from toolkit.kinds.sequence_classification.task import SequenceClassificationTask
    from toolkit.recipe import Recipe
    from toolkit.task import Row

Pieces = Sequence[Mapping[str, Sequence[int]]]


class Reader(Protocol):
    """What is used of a model of this kind."""

    task: SequenceClassificationTask
    recipe: Recipe
    reading: Reading | None

    @property
    def max_length(self) -> int | None: ...
    def token_ids(self, texts: Sequence[str], *, cut: bool = True) -> list[list[int]]: ...
    def features(self, row: Row) -> list[dict[str, list[int]]]: ...
    def tokenized(self, rows: Dataset) -> Dataset: ...
    def states(self, features: Pieces) -> tuple[np.ndarray, np.ndarray]: ...
    def fit_head(self, states: np.ndarray, labels: np.ndarray) -> Probe: ...
    def output_of(self, logits: np.ndarray, seconds: float) -> Classified: ...
    def forward(self, features: Pieces, *, adapter: bool, fast: bool = False) -> Iterator[Any]: ...


def settled(kind: Reader, train: Dataset, validation: Dataset | None) -> Reading:
    """How a run reads its texts.

    Args:
        kind: the model, whose texts have a limit and may be cut.
        train: the training rows.
        validation: the rows on which the part that is read is chosen; ``None``: the beginning.
    """
    asked, limit, notes = reading.wanted(kind.recipe), kind.max_length, []
    assert limit is not None
    few = train.select(Probe.sample(len(train)))
    ids = kind.token_ids([kind.task.format_example(row)["text"] for row in few], cut=False)
    longest = max(map(len, ids))
    if longest > reading.SHORTEST and kind.recipe.training.get("shorten_to_time"):
        shorter, share = _affordable(kind, ids, len(train), limit)
        if shorter < limit:
            notes.append(
                f"texts are read to {shorter} tokens and not {limit}, at which the minutes "
                f"would allow about {share:.0%} of the training"
            )
            limit = shorter
    found = Reading("head" if asked == "auto" else asked, limit)
    if asked == "auto" and validation is not None and longest > limit:
        better, note = _better_part(kind, limit, train, validation)
        found = dataclasses.replace(found, truncation=better)
        notes.append(note)
    return dataclasses.replace(found, note="; ".join(notes))


def _affordable(kind: Reader, ids: Sequence[list[int]], rows: int, limit: int) -> tuple[int, float]:
    """See :func:`~toolkit.kinds.sequence_classification.reading.affordable`."""
    minutes = (kind.recipe.early_stopping or {}).get("minutes")
    if minutes is None:
        return limit, 1.0
    longest = sorted(ids, key=len, reverse=True)[: reading.TIMED_ROWS]
    fast = bool(kind.recipe.training.get("bf16"))

    def forward(length: int) -> int:
        pieces = [{"input_ids": one[:length]} for one in longest]
        for _ in kind.forward(pieces, adapter=False, fast=fast):
            pass
        return sum(len(piece["input_ids"]) for piece in pieces)

    training = kind.recipe.training
    epochs = float(training.get("num_train_epochs", 3))
    if (steps := int(training.get("max_steps", -1))) > 0:
        step = int(training.get("per_device_train_batch_size", 8))
        step *= int(training.get("gradient_accumulation_steps", 1))
        epochs = steps * step / rows
    return reading.affordable(
        [len(one) for one in ids], limit, passes=epochs * rows / len(ids),
        seconds=60 * float(minutes), rate=reading.timed(forward),
    )  # fmt: skip


def _better_part(kind: Reader, limit: int, train: Dataset, validation: Dataset) -> tuple[str, str]:
    """The part of long texts with which a probe is better on validation rows, and a note."""
    metric = kind.task.metric()
    held = [dict(row) for row in _few(validation, reading.COMPARED_VALIDATION)]
    values = {}
    before = kind.reading
    try:
        for way in reading.WAYS:
            kind.reading = Reading(way, limit)
            encoded = kind.tokenized(_few(train, reading.COMPARED_TRAIN))
            states, _ = kind.states([{"input_ids": ids} for ids in encoded["input_ids"]])
            probe = kind.fit_head(states, np.asarray(encoded["labels"]))
            read = [piece for row in held for piece in kind.features(row)]
            outputs = [kind.output_of(one, 0.0) for one in probe.logits(kind.states(read)[0])]
            found = primary_values(kind.task, outputs, held).values()
            values[way] = max(found) if metric.greater_is_better else min(found)
    finally:
        kind.reading = before
    sign = 1 if metric.greater_is_better else -1
    better = max(reading.WAYS, key=lambda way: sign * values[way])  # equal: the beginning
    figures = ", ".join(f"{way} {value:{metric.format}}" for way, value in values.items())
    return better, f"long texts are read as {better}: {metric.name} on validation {figures}"


def _few(rows: Dataset, count: int) -> Dataset:
    """At most so many of the rows, drawn at random."""
    if len(rows) <= count:
        return rows
    return rows.select(np.sort(np.random.default_rng(0).choice(len(rows), count, replace=False)))
