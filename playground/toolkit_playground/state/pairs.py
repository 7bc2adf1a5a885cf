"""Pairs to vote on: two sides' answers in random order, so that nobody can tell which is which."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from toolkit import Row
from toolkit.errors import UsageError
from toolkit.evaluation import preference_sheet
from toolkit_playground.state.answers import answer_text
from toolkit_playground.state.engine import Engine
from toolkit_playground.state.inputs import inputs_of
from toolkit_playground.state.library import Library
from toolkit_playground.state.store import Vote
from toolkit_playground.state.writing import (
    Controls,
    checked_prompt,
    own_settings,
    sampling,
    write,
)

HELD_OUT, OWN, SHEET = "Held-out rows", "My own input", "Sheet of 100"
"""What a pair can be about, as the page offers it."""
TRIES = 5


@dataclass(frozen=True)
class Pair:
    """What a voter sees; which side is left and which right stays on the server until the vote.

    Args:
        run: its ID.
        sheet: whether the pair belongs to the evaluation sheet.
        row_id: the held-out row; ``None`` for an input of the voter's own.
        input: what is shown.
        prompt: what the model got.
        left, right: a side's label and its answer.
    """

    run: str
    sheet: bool
    row_id: int | None
    input: str
    prompt: str
    left: tuple[str, str]
    right: tuple[str, str]

    def vote(self, choice: str, voter: str) -> Vote:
        """The pair with the voter's choice, as it is stored."""
        return Vote(
            voter, self.sheet, self.row_id, self.input, self.prompt,
            self.left[0], self.right[0], self.left[1], self.right[1], choice,
        )  # fmt: skip


@dataclass(frozen=True)
class Request:
    """What a voter wants to judge.

    Args:
        source: held-out rows, the voter's own input, or the sheet.
        own: that input.
        voter: the name they gave.
        labels: of the sides, of which two are drawn.
        controls: values of the sampling controls; ``None``: the run's own decoder and limits.
    """

    source: str
    own: str
    voter: str
    labels: Sequence[str]
    controls: Controls | None


def next_pair(
    library: Library, engine: Engine, request: Request, stop: threading.Event
) -> Pair:  # fmt: skip
    """A pair with different answers, in random order."""
    if len(request.labels) < 2:
        raise UsageError("a pair needs two sides; choose another beside this one")
    drawn = random.SystemRandom()
    two = drawn.sample(list(request.labels), 2)
    if request.source == SHEET:
        return sheet_pair(library, engine, request.voter, two)
    if request.source == OWN:
        names = list(inputs_of(engine.task))
        if not (request.own or "").strip():
            raise UsageError("type an input first")
        row: Row = {"row_id": 0, **dict.fromkeys(names, ""), names[0]: request.own}
        return _answered(engine, row, None, two, request.controls, stop)
    rows = library.held_out(engine.run, "validation")
    if not rows:
        raise UsageError("this run keeps no rows (--no-store-data); vote on an input of your own")
    for _ in range(TRIES):
        row = dict(drawn.choice(rows))
        found = _answered(engine, row, int(row["row_id"]), two, request.controls, stop)
        if found.left[1] != found.right[1]:
            return found
    raise UsageError(
        f"both sides said the same {TRIES} times in a row; switch to raw text with a temperature"
    )


def _answered(
    engine: Engine,
    row: Row,
    row_id: int | None,
    two: Sequence[str],
    controls: Controls | None,
    stop: threading.Event,
) -> Pair:
    """Both sides' answers to a row: predictions, where more than the text is read."""
    shown = preference_sheet.shown(engine.task, row)
    prompt = engine.shown(engine.prompt(row)) if engine.writes else shown
    raw = controls is not None and engine.writes
    if not (raw or engine.follows):
        unit = engine.task.metric().unit
        readings = engine.predict(row, two)
        answers = [answer_text(reading.answer["prediction"], unit) for reading in readings]
    else:
        settings = own_settings(engine, row) if controls is None else sampling(*controls)
        ids = checked_prompt(engine, row, settings)
        texts = list(write(engine, [ids] * 2, two, settings, stop))[-1]
        if any(text.stopped for text in texts):
            raise UsageError("stopped")
        answers = [text.text for text in texts]
        prompt = engine.shown(ids)
    left, right = zip(two, answers, strict=True)
    return Pair(engine.run.id, False, row_id, shown, prompt, left, right)


def sheet_pair(library: Library, engine: Engine, voter: str, two: Sequence[str]) -> Pair:
    """The next pair of the evaluation sheet that this voter has not judged.

    The answers are those that the run's systems were scored on; nothing is generated anew.
    """
    run, task = engine.run, engine.task
    labels = {}
    for label in two:
        if engine.side(label).run is not run:
            raise UsageError(f"{label} has no predictions in this run; the sheet compares its own")
        labels[engine.side(label).system] = label
    done = {v.row_id for v in library.store(run).votes() if v.sheet and v.voter == voter}
    rows = {int(row["row_id"]): row for row in library.held_out(run, "test")}
    first, second = labels
    for pair in preference_sheet.draw(run, task, first, second):
        if pair.row_id in done:
            continue
        left, right = ((labels[system], answer) for system, answer in (pair.left, pair.right))
        prompt = engine.shown(engine.prompt(rows[pair.row_id])) if engine.writes else pair.input
        return Pair(run.id, True, pair.row_id, pair.input, prompt, left, right)
    raise UsageError("the sheet is done; export it, or give another name to fill it in again")
