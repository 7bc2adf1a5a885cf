"""Training stops where its numbers end: a loss or a gradient that is NaN or infinite.

From there on every weight is NaN, and nothing that training does brings it back. transformers goes
on for all epochs, and ``logging_nan_inf_filter`` writes the mean of earlier losses into the log.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolkit.errors import ModelError

NAMED = 8
"""Rows that are named; of more the number is given."""
SKIPPED = 20
"""Gradients in a row that float16's scaling may find infinite: it halves its scale each time."""
HIGH_RATE = 1e-2
"""A learning rate above this is named as the likely cause where nothing else stands out."""


@dataclass(frozen=True)
class Circumstances:
    """What a training is like, to tell the likely cause.

    Args:
        rate: the learning rate of the recipe.
        clipping: ``max_grad_norm``; 0 or ``None``: gradients are not clipped.
        half: whether training computes in float16, which ends at 65,504 (``fp16``).
        half_weights: whether the base's weights are float16.
        steps: optimizer steps that were done before.
        whole: whether the weights that are trained are all finite.
    """

    rate: float
    clipping: float | None
    half: bool
    half_weights: bool
    steps: int
    whole: bool = True


def cause(now: Circumstances, *, labels: int = 1) -> str:
    """The likely cause of a loss that is no number, and what to do, as part of a sentence.

    Args:
        now: of the training.
        labels: tokens or rows of the batch that have a label.
    """
    if labels == 0:
        return "no row of the batch has a label: look at these rows in the data"
    if now.half:
        return (
            "the likely cause is float16, which ends at 65,504: go on without it with toolkit "
            "resume --set training.fp16=false"
        )
    if now.half_weights:
        return (
            "the likely cause are the base's float16 weights, which end at 65,504: run it with "
            "--set training.model_init_kwargs.dtype=bfloat16"
        )
    if now.steps == 0 and now.whole:
        return (
            "nothing has been trained yet, so the base itself gives no numbers there: run it with "
            "--set training.model_init_kwargs.dtype=float32, or look at these rows"
        )
    rate = f"the likely cause is a learning rate of {now.rate:g}"
    other = f"toolkit resume --set training.learning_rate={lower(now.rate):g}"
    if not now.clipping:
        return (
            f"{rate} without gradient clipping: train anew with {other} --set "
            "training.max_grad_norm=1"
        )
    return f"{rate}: train anew with {other}"


def lower(rate: float) -> float:
    """A learning rate to try instead: a tenth, or an adapter's usual one where that is lower."""
    return rate / 10 if rate <= HIGH_RATE else 2e-4


def sentence(what: str, step: int, rows: Sequence[str], reason: str) -> str:
    """The message: what is no number, at which step, on which rows, and why.

    Args:
        what: such as ``the loss is nan``.
        step: the optimizer step, from 1.
        rows: ids of the rows of the batch.
        reason: of :func:`cause`.
    """
    return f"training stopped at step {step}: {what} on {named(rows)}; {reason}"


def named(rows: Sequence[str]) -> str:
    """Rows in words."""
    if not rows:
        return "the rows of this batch"
    shown = ", ".join(rows[:NAMED])
    more = len(rows) - NAMED
    return f"row{'s' if len(rows) > 1 else ''} {shown}" + (f" and {more} more" if more > 0 else "")


def ids_of(rows: Iterable[Mapping[str, Any]], wanted: Sequence[Sequence[int]]) -> list[str]:
    """The ids of the tokenized rows that some sequences hold, in the order of the data.

    They are looked for only when a training has failed, so that batches need not carry them.

    Args:
        rows: tokenized rows; those without ``row_id`` are numbered from 1.
        wanted: ``input_ids`` of a batch, without padding: of one row each, of several rows one
            after the other (packing), or of several that share their beginning.
    """
    whole, texts = {tuple(ids) for ids in wanted}, [_text(ids) for ids in wanted]
    equal: dict[str, None] = {}
    within: dict[str, None] = {}
    for number, row in enumerate(rows, start=1):
        ids, name = row["input_ids"], str(row.get("row_id", number))
        if tuple(ids) in whole:
            equal[name] = None
        elif not equal and any(
            _holds(one, text, ids) for one, text in zip(wanted, texts, strict=True)
        ):
            within[name] = None
    return list(equal or within)


def _text(ids: Sequence[int]) -> str:
    return f" {' '.join(map(str, ids))} "


def _holds(sequence: Sequence[int], text: str, ids: Sequence[int]) -> bool:
    """Whether a sequence holds a row's tokens, all together or those after a shared beginning."""
    shared = next(
        (at for at, (a, b) in enumerate(zip(sequence, ids, strict=False)) if a != b), len(ids)
    )
    return _text(ids) in text or (0 < shared < len(ids) and _text(ids[shared:]) in text)


def without_padding(inputs: Mapping[str, Any]) -> list[list[int]]:
    """The tokens of each row of a batch that is padded."""
    return [
        ids[mask.bool()].tolist()
        for ids, mask in zip(inputs["input_ids"], inputs["attention_mask"], strict=True)
    ]


class Guard:
    """Raises :class:`ModelError` at the first number of a training that is none.

    Args:
        rows: the tokenized training rows.
        now: the circumstances, asked for when something is wrong.
    """

    def __init__(self, rows: Iterable[Mapping[str, Any]], now: Callable[[], Circumstances]) -> None:
        self.rows, self.now = rows, now
        self.batches: list[Mapping[str, Any]] = []
        self.skipped = 0

    def begin(self, inputs: Mapping[str, Any]) -> None:
        """A batch is about to be trained on; the batches of one step are kept until it is done."""
        self.batches.append({name: inputs[name] for name in ("input_ids", "attention_mask")})

    def loss(self, value: float, labels: int) -> None:
        """Check the loss of the batch that has begun last, which has so many labels."""
        if not math.isfinite(value):
            self._stop(f"the loss is {value}", self.batches[-1:], labels)

    def norm(self, value: float) -> None:
        """Check the gradients' norm, after the last batch of a step."""
        self.skipped = 0 if math.isfinite(value) else self.skipped + 1
        # While the scaling for float16 looks for its scale, the optimizer passes over such steps.
        if self.skipped and (self.skipped > SKIPPED or not self.now().half):
            self._stop(f"the norm of the gradients is {value}", self.batches, 1)
        self.batches.clear()

    def validation(self, value: float, rows: Sequence[Mapping[str, Any]]) -> None:
        """Check the summed loss of some validation rows."""
        if math.isfinite(value):
            return
        now = self.now()
        names = [str(row["row_id"]) for row in rows if "row_id" in row]
        what = f"the loss on validation is {value}"
        raise ModelError(sentence(what, now.steps, names, cause(now)))

    def _stop(self, what: str, batches: Sequence[Mapping[str, Any]], labels: int) -> None:
        now = self.now()
        rows = ids_of(self.rows, [ids for batch in batches for ids in without_padding(batch)])
        raise ModelError(sentence(what, now.steps + 1, rows, cause(now, labels=labels)))
