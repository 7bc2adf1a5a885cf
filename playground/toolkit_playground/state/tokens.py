"""An answer token by token: what base and adapter expected at each place, and other ways on."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolkit import Row
from toolkit.errors import UsageError
from toolkit.kinds import Place
from toolkit_playground.state.engine import Engine
from toolkit_playground.state.sides import own_labels
from toolkit_playground.state.writing import checked_prompt, own_settings

CONTEXT = 12
"""Tokens before a place with which its text is decoded: blanks and letters depend on them."""
PARTIAL = "\ufffd"
"""What a tokenizer writes for a part of a letter."""


@dataclass(frozen=True)
class Answer:
    """What one side has written, with what each side expects at each of its places.

    Args:
        label: who has written it.
        pieces: the text of each token; empty where it is a part of a letter.
        expected: side → the places along this text.
        ended: how it ended: ``stop token``, ``limit`` or ``stopped``.
    """

    label: str
    pieces: Sequence[str]
    expected: Mapping[str, Sequence[Place]]
    ended: str

    @property
    def ids(self) -> list[int]:
        """The ids of its tokens."""
        return [place.token for place in self.expected[self.label]]


@dataclass(frozen=True)
class Look:
    """The answers of a run's base and of what it has trained to one row.

    Args:
        run: the run's ID.
        row: the row.
        known: whether it is one of the run's rows.
        prompt: the ids of the prompt.
        limit: the most new tokens of an answer.
        answers: of the base, and of what was trained.
    """

    run: str
    row: Row
    known: bool
    prompt: Sequence[int]
    limit: int
    answers: Sequence[Answer]

    def answer(self, label: str) -> Answer:
        """A side's answer; raises :class:`UsageError` where there is none."""
        for answer in self.answers:
            if answer.label == label:
                return answer
        raise UsageError(f"{label!r} has written no answer here")


@dataclass(frozen=True)
class Alternative:
    """One token that could stand at a place.

    Args:
        token: its id.
        text: its text there; empty where it is a part of a letter.
        probability: from 0 to 1.
        rank: its place among all tokens, from 1.
        written: whether it is the one that stands there.
    """

    token: int
    text: str
    probability: float
    rank: int
    written: bool


@dataclass(frozen=True)
class Branch:
    """What greedy decoding goes on with from an alternative.

    Args:
        label: the side that goes on.
        before: what stands before the alternative.
        chosen: its text.
        after: what follows.
        ended: how it ended, as with :class:`Answer`.
    """

    label: str
    before: str
    chosen: str
    after: str
    ended: str


def look(engine: Engine, row: Row, known: bool, stop: threading.Event) -> Look:
    """Let base and adapter answer greedily, and ask each what it expects along both answers.

    Raises:
        UsageError: the row does not fit, or it was stopped.
    """
    labels = own_labels(engine.run)
    settings = own_settings(engine, row)
    prompt = checked_prompt(engine, row, settings)
    own = engine.follow(prompt, labels, limit=settings.new_tokens, stop=stop)
    if stop.is_set():
        raise UsageError("it was stopped before the answers were there")
    given = [[place.token for place in places] for places in reversed(own)]
    others = engine.follow(
        prompt, labels, limit=settings.new_tokens, given=given, goes_on=False, stop=stop
    )
    if stop.is_set():
        raise UsageError("it was stopped before both sides were asked")
    base, trained = labels
    stops = engine.text_model.renderer.stops
    answers = [
        Answer(
            label, pieces(engine, [place.token for place in places]),
            {base: expected[0], trained: expected[1]},
            ending(places, stops, settings.new_tokens),
        )
        for label, places, expected in (
            (base, own[0], (own[0], others[1])), (trained, own[1], (others[0], own[1])),
        )
    ]  # fmt: skip
    return Look(engine.run.id, row, known, prompt, settings.new_tokens, answers)


def ending(places: Sequence[Place], stops: Any, limit: int) -> str:
    """How a text ended."""
    if places and places[-1].token in stops:
        return "stop token"
    return "limit" if len(places) >= limit else "stopped"


def branch(
    engine: Engine, found: Look, writer: str, at: int, label: str, token: int, stop: threading.Event
) -> Branch:
    """What a side goes on with where another token had stood.

    Args:
        engine: the run's model.
        found: the answers.
        writer: the side whose answer it is.
        at: the place in it.
        label: the side that goes on.
        token: the id of the other token.
        stop: ends it early.
    """
    answer = found.answer(writer)
    if not 0 <= at < len(answer.ids):
        raise UsageError(f"the answer of {writer} has no place {at}")
    if not 0 <= token < len(engine.text_model.tokenizer):
        raise UsageError(f"the model has no token {token}")
    before = answer.ids[:at]
    (places,) = engine.follow(
        found.prompt, [label], limit=max(found.limit, at + 1), given=[[*before, token]], stop=stop
    )
    texts = pieces(engine, [place.token for place in places])
    stops = engine.text_model.renderer.stops
    return Branch(
        label, "".join(texts[:at]), "".join(texts[at : at + 1]), "".join(texts[at + 1 :]),
        ending(places, stops, found.limit),
    )  # fmt: skip


def alternatives(engine: Engine, answer: Answer, label: str, at: int) -> list[Alternative]:
    """The likeliest tokens of a side at a place of an answer, and the one that stands there."""
    place, before = answer.expected[label][at], answer.ids[:at]
    found = [
        Alternative(token, piece(engine, before, token), share, rank, token == place.token)
        for rank, (token, share) in enumerate(place.top, start=1)
    ]
    if not any(alternative.written for alternative in found):
        text = piece(engine, before, place.token)
        found.append(Alternative(place.token, text, place.probability, place.rank, True))
    return found


def piece(engine: Engine, before: Sequence[int], token: int) -> str:
    """A token's text behind others; empty where it is a part of a letter."""
    near = list(before[-CONTEXT:])
    old, new = engine.shown(near) if near else "", engine.shown([*near, token])
    if new.endswith(PARTIAL):
        return ""
    return new[len(old.rstrip(PARTIAL)) :]


def pieces(engine: Engine, ids: Sequence[int]) -> list[str]:
    """The text of each token; together they are the whole text, special tokens and all."""
    found, done = [], ""
    for count in range(1, len(ids) + 1):
        text = engine.shown(ids[:count])
        if text.endswith(PARTIAL) and count < len(ids):
            found.append("")  # the letter comes with its last part
        else:
            found.append(text[len(done) :])
            done = text
    return found
