"""One training step on one row of a run, with what a reader has to know of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from toolkit import Row
from toolkit.errors import UsageError
from toolkit.kinds import OneStep
from toolkit_playground.state.engine import Engine
from toolkit_playground.state.library import Library
from toolkit_playground.state.tokens import pieces


@dataclass(frozen=True)
class Stepped:
    """A step, and the row that it was taken on.

    Args:
        run: the run's ID.
        row: the training row.
        pieces: the text of each of the answer's tokens.
        step: what happened.
        fresh: it began with a new adapter, and not with the trained one.
        differs: what was otherwise in the run's own training, as sentences.
    """

    run: str
    row: Row
    pieces: Sequence[str]
    step: OneStep
    fresh: bool
    differs: Sequence[str]


def take(engine: Engine, row: Row, *, fresh: bool) -> Stepped:
    """Take a step of the run's adapter on a row; the model stays as it was.

    Raises:
        UsageError: the run has no adapter, or the row does not fit.
        ModelError: a loss or a gradient is not finite.
    """
    step = engine.one_step(row, fresh=fresh)
    texts = pieces(engine, step.tokens)
    return Stepped(engine.run.id, row, texts, step, fresh, differences(engine))


def differences(engine: Engine) -> list[str]:
    """What the run's training did otherwise than one step on one row, as sentences."""
    recipe, task = engine.kind.recipe, engine.task
    found = []
    rows = int(recipe.training.get("per_device_train_batch_size", 8))
    rows *= int(recipe.training.get("gradient_accumulation_steps", 1))
    if rows > 1:
        found.append(f"a step of the run takes the mean over the tokens of {rows} rows")
    objective = task.options.get("loss", "cross-entropy")
    if objective != "cross-entropy":
        found.append(
            f"the run trains its numbers with the loss “{objective}”, which counts numbers near "
            "the right one too; here each token counts alone (cross-entropy)"
        )
    smoothing = recipe.training.get("label_smoothing_factor")
    if smoothing:
        found.append(f"the run smooths its labels by {smoothing}")
    dropout = (recipe.lora or {}).get("lora_dropout")
    if dropout:
        found.append(f"the run drops {dropout:.0%} of the adapter's inputs by chance (dropout)")
    found.append("its optimizer has gathered momentum, and its learning rate follows a schedule")
    return found


def training_row(library: Library, engine: Engine, at: int) -> Row:
    """The training row at a place of the order in which they are shown, which has no end."""
    rows = library.training(engine)
    return rows[at % len(rows)]


def numbered_row(library: Library, engine: Engine, row_id: int) -> Row:
    """The training row of that number; raises :class:`UsageError` where there is none."""
    for row in library.training(engine):
        if row["row_id"] == row_id:
            return row
    raise UsageError(f"row {row_id} is none of the training rows of run {engine.run.id} shown here")
