"""Pairs to vote on: two sides' answers in an order that nobody can tell."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolkit.errors import UsageError
from toolkit.run import Run
from toolkit.task import Row, Task
from toolkit_playground import html
from toolkit_playground.engine import Engine
from toolkit_playground.inputs import BOXES, generation
from toolkit_playground.library import inputs_of
from toolkit_playground.page import Page
from toolkit_playground.store import Vote

HELD_OUT, OWN, SHEET = "Held-out rows", "My own input", "Sheet of 100"
SHEET_ROWS = 100
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
    shown = _input(engine.task, row)
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
    """The next row of the evaluation sheet that this voter has not judged.

    The sheet's rows are drawn by the run's seed, the same for everybody; the answers are those
    that the run's ladder was scored on, so that nothing is generated anew.
    """
    run, task = engine.run, engine.task
    rows = sheet_rows(page, run)
    done = {v.row_id for v in page.library.store(run).votes() if v.sheet and v.voter == voter}
    ladder = page.library.ladder(run)
    systems = [engine.side(label).system for label in two]
    for label, system in zip(two, systems, strict=True):
        if system not in ladder or engine.side(label).run is not run:
            raise UsageError(f"{label} has no predictions in this run; the sheet compares its own")
    for row in rows:
        row_id = int(row["row_id"])
        if row_id in done:
            continue
        left, right = (
            (label, _answer(ladder[system][row_id], task))
            for label, system in zip(two, systems, strict=True)
        )
        if left[1] != right[1]:
            prompt = _prompt(engine, row)
            return Pair(run.id, True, row_id, _input(task, row), prompt, left, right)
    raise UsageError("the sheet is done; export it, or give another name to fill it in again")


def sheet_rows(page: Page, run: Run) -> list[Row]:
    """Rows of the sheet: held-out ones that are not kept for guessing come first."""
    first = page.library.held_out(run, "select", "calibrate")
    more = page.library.held_out(run, "test") if len(first) < SHEET_ROWS else []
    order = random.Random(f"{run.info['seed']} sheet")
    order.shuffle(first)
    order.shuffle(more)
    return [*first, *more][:SHEET_ROWS]


def _answer(line: Mapping[str, Any], task: Task) -> str:
    raw = line.get("raw")
    return str(raw) if raw else html.figure(line["prediction"], task.metric().unit)


def _prompt(engine: Engine, row: Row) -> str:
    return engine.shown(engine.prompt(row)) if engine.writes else _input(engine.task, row)


def _input(task: Task, row: Row) -> str:
    names = list(inputs_of(task))[:BOXES]
    return "\n".join(str(row.get(name, "")) for name in names)


def as_vote(pair: Pair, choice: str, voter: str) -> Vote:
    """A pair with its choice, as it is kept."""
    return Vote(
        voter, pair.sheet, pair.row_id, pair.input, pair.prompt,
        pair.left[0], pair.right[0], pair.left[1], pair.right[1], choice,
    )  # fmt: skip
