"""Pairs to vote on: two sides' answers in an order that nobody can tell."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from toolkit.errors import UsageError
from toolkit.evaluation import preference_sheet
from toolkit.task import Row
from toolkit_playground.rendering import html
from toolkit_playground.state.engine import Engine
from toolkit_playground.state.library import inputs_of
from toolkit_playground.state.store import Vote
from toolkit_playground.views.inputs import generation
from toolkit_playground.views.page import Page

HELD_OUT, OWN, SHEET = "Held-out rows", "My own input", "Sheet of 100"
TRIES = 5


@dataclass(frozen=True)
class Pair:
    """What a voter has before them; who stands where is known to the server alone."""

    run: str
    sheet: bool
    row_id: int | None
    input: str
    prompt: str
    left: tuple[str, str]
    right: tuple[str, str]


def next_pair(
    page: Page,
    engine: Engine,
    source: str,
    own: str,
    voter: str,
    labels: Sequence[str],
    settings: Sequence[Any],
    stop: Any,
) -> Pair:
    """A pair with different answers, in an order that nobody can tell."""
    if len(labels) < 2:
        raise UsageError("a pair needs two sides; choose another beside this one")
    drawn = random.SystemRandom()
    two = drawn.sample(list(labels), 2)
    if source == SHEET:
        return sheet_pair(page, engine, voter, two)
    if source == OWN:
        names = list(inputs_of(engine.task))
        if not (own or "").strip():
            raise UsageError("type an input first")
        row: dict[str, Any] = {"row_id": 0, **dict.fromkeys(names, ""), names[0]: own}
        return _written(engine, row, None, two, settings, stop)
    rows = page.library.held_out(engine.run, "select")
    if not rows:
        raise UsageError("this run keeps no rows (--no-store-data); vote on an input of your own")
    for _ in range(TRIES):
        row = dict(drawn.choice(rows))
        found = _written(engine, row, int(row["row_id"]), two, settings, stop)
        if found.left[1] != found.right[1]:
            return found
    raise UsageError(
        f"both sides said the same {TRIES} times in a row; raise the temperature under Sampling"
    )


def _written(
    engine: Engine,
    row: Row,
    row_id: int | None,
    two: Sequence[str],
    settings: Sequence[Any],
    stop: Any,
) -> Pair:
    shown = preference_sheet.shown(engine.task, row)
    if not engine.writes:
        readings = engine.predict(row, two)
        unit = engine.task.metric().unit
        said = [html.figure(r.answer["prediction"], unit) for r in readings]
        return Pair(
            engine.run.id, False, row_id, shown, shown, (two[0], said[0]), (two[1], said[1])
        )
    *controls, seed = settings
    wanted = generation(*controls)
    prompt = engine.prompt(row)
    engine.check_length(prompt, engine.room, engine.answer_room)
    engine.check_length(prompt, engine.positions, wanted["max_new_tokens"])
    texts = list(
        engine.write([prompt] * 2, two, generation=wanted, seed=int(seed or 0), stop=stop)
    )[-1]
    if any(text.stopped for text in texts):
        raise UsageError("stopped")
    left, right = ((label, text.text) for label, text in zip(two, texts, strict=True))
    return Pair(engine.run.id, False, row_id, shown, engine.shown(prompt), left, right)


def sheet_pair(page: Page, engine: Engine, voter: str, two: Sequence[str]) -> Pair:
    """The next pair of the evaluation sheet that this voter has not judged.

    The answers are those that the run's ladder was scored on; nothing is generated anew.
    """
    run, task = engine.run, engine.task
    labels = {}
    for label in two:
        if engine.side(label).run is not run:
            raise UsageError(f"{label} has no predictions in this run; the sheet compares its own")
        labels[engine.side(label).system] = label
    done = {v.row_id for v in page.library.store(run).votes() if v.sheet and v.voter == voter}
    rows = {int(row["row_id"]): row for row in page.library.held_out(run, "test")}
    first, second = labels
    for pair in preference_sheet.draw(run, task, first, second):
        if pair.row_id in done:
            continue
        left, right = ((labels[system], said) for system, said in (pair.left, pair.right))
        prompt = engine.shown(engine.prompt(rows[pair.row_id])) if engine.writes else pair.input
        return Pair(run.id, True, pair.row_id, pair.input, prompt, left, right)
    raise UsageError("the sheet is done; export it, or give another name to fill it in again")


def as_vote(pair: Pair, choice: str, voter: str) -> Vote:
    """A pair with its choice, as it is kept."""
    return Vote(
        voter, pair.sheet, pair.row_id, pair.input, pair.prompt,
        pair.left[0], pair.right[0], pair.left[1], pair.right[1], choice,
    )  # fmt: skip
