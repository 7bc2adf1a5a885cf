"""Pairs to vote on: two sides' answers in random order, so that nobody can tell which is which."""

from __future__ import annotations

import json
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

TRAINING, OWN, SHEET = "Training rows", "My own input", "Sheet of 100"
"""What a pair can be about, as the page offers it.

Preferences are trained on, so they come from rows that were trained on; the sheet measures, and its
test rows stay out of the preference data.
"""
TRIES = 5


@dataclass(frozen=True)
class Answers:
    """What two sides answered to a row.

    Args:
        texts: their answers.
        written: whether these are texts that the model wrote, and not predictions.
        cut: whether each ended at the limit of new tokens.
    """

    texts: tuple[str, str]
    written: bool = False
    cut: tuple[bool, bool] = (False, False)


@dataclass(frozen=True)
class Pair:
    """What a voter sees; which side is left and which right stays on the server until the vote.

    Args:
        run: its ID.
        sheet: whether the pair belongs to the evaluation sheet.
        row_id: the row; ``None`` for an input of the voter's own.
        input: what is shown.
        prompt: what the model got.
        left, right: a side's label and its answer.
        split, example, written, cut: as of a :class:`~toolkit_playground.state.store.Vote`.
    """

    run: str
    sheet: bool
    row_id: int | None
    input: str
    prompt: str
    left: tuple[str, str]
    right: tuple[str, str]
    split: str = ""
    example: str = ""
    written: bool = False
    cut: tuple[bool, bool] = (False, False)

    def vote(self, choice: str, voter: str, owner: str | None = None) -> Vote:
        """The pair with the voter's choice, as it is stored."""
        return Vote(
            voter, self.sheet, self.row_id, self.input, self.prompt,
            self.left[0], self.right[0], self.left[1], self.right[1], choice,
            self.split, self.example, self.written, *self.cut, owner or "",
        )  # fmt: skip


@dataclass(frozen=True)
class Request:
    """What a voter wants to judge.

    Args:
        source: training rows, the voter's own input, or the sheet.
        own: that input.
        voter: who they are.
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
    two = random.SystemRandom().sample(list(request.labels), 2)
    if request.source == SHEET:
        return sheet_pair(library, engine, request.voter, two)
    if request.source == OWN:
        names = list(inputs_of(engine.task))
        if not (request.own or "").strip():
            raise UsageError("type an input first")
        row: Row = {"row_id": 0, **dict.fromkeys(names, ""), names[0]: request.own}
        split = split_of(library, engine, row)
        return _pair(engine, row, None, split, two, answered(engine, row, two, request, stop))
    for row in rows_to_judge(library, engine, request.voter)[:TRIES]:
        library.tried(engine.run, request.voter).add(int(row["row_id"]))
        found = answered(engine, row, two, request, stop)
        if found.texts[0] != found.texts[1]:
            return _pair(engine, row, int(row["row_id"]), "train", two, found)
    raise UsageError(
        f"both sides said the same {TRIES} times in a row; go on, or switch to raw text with a "
        "temperature"
    )


def rows_to_judge(library: Library, engine: Engine, voter: str) -> list[Row]:
    """The training rows in an order of the voter's own, those that they have not seen first."""
    rows = list(library.training(engine))
    random.Random(f"{engine.run.info['seed']} votes {voter}").shuffle(rows)
    seen = library.tried(engine.run, voter) | {
        vote.row_id
        for vote in library.store(engine.run).votes()
        if vote.voter == voter and vote.split == "train"
    }
    return sorted(rows, key=lambda row: int(row["row_id"]) in seen)


def split_of(library: Library, engine: Engine, row: Row) -> str:
    """``own``, or the split of the held-out row that has the same inputs."""
    names = list(inputs_of(engine.task))

    def inputs(one: Row) -> list[str]:
        return [" ".join(str(one.get(name) or "").split()) for name in names]

    typed = inputs(row)
    for held in library.held_out(engine.run):
        if inputs(held) == typed:
            return str(held["split"])
    return "own"


def answered(
    engine: Engine, row: Row, two: Sequence[str], request: Request, stop: threading.Event
) -> Answers:
    """Both sides' answers to a row: predictions, where more than the text is read."""
    controls = request.controls
    if not (engine.follows or (controls is not None and engine.writes)):
        unit = engine.task.metric().unit
        first, second = (
            answer_text(one.answer["prediction"], unit) for one in engine.predict(row, two)
        )
        return Answers((first, second))
    settings = own_settings(engine, row) if controls is None else sampling(*controls)
    prompt = checked_prompt(engine, row, settings)
    a, b = list(write(engine, [prompt] * 2, two, settings, stop))[-1]
    if a.stopped or b.stopped:
        raise UsageError("stopped")
    return Answers((a.text, b.text), written=True, cut=(a.limit, b.limit))


def _pair(
    engine: Engine, row: Row, row_id: int | None, split: str, two: Sequence[str], found: Answers
) -> Pair:
    """A pair of answers to a row, which of them stands left is drawn with the sides."""
    shown = preference_sheet.shown(engine.task, row)
    left, right = zip(two, found.texts, strict=True)
    prompt, example = shown, ""
    if engine.writes:
        prompt = engine.shown(engine.prompt(row))
        example = json.dumps(engine.plain_prompt(row), ensure_ascii=False)
    return Pair(
        engine.run.id, False, row_id, shown, prompt, left, right, split, example, found.written,
        found.cut,
    )  # fmt: skip


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
        return Pair(run.id, True, pair.row_id, pair.input, prompt, left, right, split="test")
    raise UsageError("the sheet is done; export it, or give another name to fill it in again")
