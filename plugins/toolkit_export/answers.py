"""The answers of one copy of a model to held-out rows, and what these answers are made of."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from toolkit import Row, Task
from toolkit.errors import RunError
from toolkit.evaluation import noninferiority
from toolkit.kinds import Progress, TaskModel, inspection
from toolkit.pipeline import heldout_rows, read
from toolkit.runs import Run, trained_models

if TYPE_CHECKING:
    import numpy as np

ROWS = 200
"""Rows that are asked at least, where there are so many."""
CHAT = (
    {"role": "user", "content": "How are you?"},
    {"role": "assistant", "content": "Well."},
    {"role": "user", "content": "Good."},
)
"""What a chat template is asked to write."""
SPLITS = ("test", "validation", "calibration", "challenge")
"""The order in which rows of held-out splits are taken."""
LOGITS = 64
"""Rows whose logits are compared: each may have those of a whole vocabulary."""


@dataclass(frozen=True)
class Answers:
    """What a copy of a model gives for the rows.

    Args:
        predictions: one for each row.
        values: the primary metric of each row.
        logits: of the first :data:`LOGITS` rows, see :mod:`toolkit.kinds.inspection`.
        tokens: the token ids that it reads for each row.
        stops: ids of the tokens that end its texts; empty where it writes none.
        chat: a conversation as its chat template writes it; empty where it has none.
    """

    predictions: Sequence[Any]
    values: Sequence[Any]
    logits: Sequence[np.ndarray]
    tokens: Sequence[list[list[int]]]
    stops: tuple[int, ...]
    chat: str = ""


class Reads(Protocol):
    """What a runtime that reads texts by itself shows of it."""

    def tokens(self, text: str) -> list[int]:
        """Its token ids of a text, control tokens as such."""

    def ends(self) -> list[int]:
        """Ids of the tokens at which it ends a text."""


@dataclass(frozen=True)
class Opened:
    """An artefact that its own runtime has opened.

    Args:
        kind: the run's kind with the artefact in the place of what was trained.
        runtime: what computes, in words.
        reads: how it reads texts, where it does so by itself and shows it.
    """

    kind: TaskModel
    runtime: str
    reads: Reads | None = None


def of(
    run: Run, task: Task, kind: TaskModel, rows: Sequence[Row], progress: Progress | None = None
) -> Answers:
    """Ask what was trained, or what stands in its place.

    Args:
        run: the run, whose decoder and tuned values read the outputs.
        task: its task.
        kind: the loaded model.
        rows: rows with their answers.
        progress: called with (done, total).
    """
    outputs = _outputs(kind, rows, progress)
    found = read(run, task, trained_models(run)[0].system, outputs, rows)
    predictions = [one["prediction"] for one in found]
    stops = tuple(kind.limits.stops) if kind.written is not None else ()
    return Answers(
        predictions,
        noninferiority.row_values(task, predictions, rows),
        inspection.answer_logits(kind, rows[:LOGITS], adapter=True),
        [inspection.read_tokens(kind, row) for row in rows],
        stops,
        _chat(kind),
    )


def _chat(kind: Any) -> str:
    """A conversation by the chat template, which the rows may not use and other programs do."""
    tokenizer: Any = getattr(kind, "tokenizer", None)
    if not getattr(tokenizer, "chat_template", None):
        return ""
    try:
        return str(tokenizer.apply_chat_template(CHAT, tokenize=False, add_generation_prompt=True))
    except Exception as error:  # of a template, anything
        return f"{type(error).__name__}: {error}"


def _outputs(kind: TaskModel, rows: Sequence[Row], progress: Progress | None) -> list[Any]:
    if not getattr(kind.model, "one_by_one", False):
        return list(kind.predict(rows, adapter=True, progress=progress))
    found: list[Any] = []
    for row in rows:
        found += kind.predict([row], adapter=True)
        if progress:
            progress(len(found), len(rows))
    return found


def own_reading(opened: Opened, tokens: Sequence[list[list[int]]]) -> dict[str, Any] | None:
    """How a runtime reads the rows by itself; ``None`` where it does not, or does not show it.

    Args:
        opened: the artefact.
        tokens: what its tokenizer makes of each row, as :class:`Answers` has it.

    Returns:
        ``different``: rows that it reads as other tokens than the tokenizer in the artefact does;
        ``ends``: ids of the tokens at which it ends a text.
    """
    if opened.reads is None:
        return None
    tokenizer: Any = opened.kind.tokenizer
    different = 0
    for (ids,) in tokens:
        text = tokenizer.decode(ids, clean_up_tokenization_spaces=False)
        ours = tokenizer(text, add_special_tokens=False)["input_ids"]
        different += opened.reads.tokens(text) != list(ours)
    return {"different": different, "ends": opened.reads.ends()}


def chosen_rows(run: Run, *, every: bool) -> tuple[list[Row], list[tuple[str, Any]], int]:
    """The rows that are asked: those of the test split before others.

    Args:
        run: the run.
        every: all held-out rows, and not :data:`ROWS` of them.

    Returns:
        the rows, the split and number of each, and the number of all held-out rows.

    Raises:
        RunError: the run stores no rows.
    """
    held = heldout_rows(run)
    if not held:
        raise RunError(
            f"run {run.id} stores no held-out rows (--no-store-data), so nothing can show that an "
            "export answers as it was measured"
        )
    keys = _drawn(held, len(held) if every else ROWS)
    return [held[key] for key in keys], keys, len(held)


def _drawn(held: Mapping[tuple[str, Any], Row], most: int) -> list[tuple[str, Any]]:
    """Keys of rows, drawn from one split after the other until there are enough."""
    found: list[tuple[str, Any]] = []
    splits = [*SPLITS, *sorted({split for split, _ in held} - {*SPLITS})]
    for split in splits:
        keys = [key for key in held if key[0] == split]
        room = most - len(found)
        if len(keys) > room:
            keys = sorted(random.Random(0).sample(keys, room))
        found += keys
    return found
