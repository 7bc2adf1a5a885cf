"""Answers token by token: both sides along both answers, and other ways on."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from toolkit.errors import UsageError
from toolkit.runs import read_jsonl
from toolkit.runs.run import Run
from toolkit_playground.state import tokens
from toolkit_playground.state.engine import Engine

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def engine(played: Path) -> Engine:
    return Engine(Run.open(played))


@pytest.fixture(scope="module")
def found(engine: Engine) -> tokens.Look:
    row = read_jsonl(engine.run.data / "heldout.jsonl")[0]
    return tokens.look(engine, row, True, threading.Event())


def test_both_sides_are_asked_along_both_answers(engine: Engine, found: tokens.Look) -> None:
    base, adapter = found.answers
    assert (base.label, adapter.label, found.run) == ("base", "adapter", engine.run.id)
    for answer in found.answers:
        for side in ("base", "adapter"):
            assert [place.token for place in answer.expected[side]] == answer.ids
        assert all(place.rank == 1 for place in answer.expected[answer.label])
        assert "".join(answer.pieces) == engine.shown(answer.ids)
    other = base.expected["adapter"]
    assert any(place.probability != own.probability for place, own in
               zip(other, base.expected["base"], strict=True))  # fmt: skip


def test_alternatives_are_the_likeliest_and_what_is_written(
    engine: Engine, found: tokens.Look
) -> None:
    answer = found.answer("base")
    own = tokens.alternatives(engine, answer, "base", 0)
    assert [one.rank for one in own] == list(range(1, 11))
    assert [one.written for one in own] == [True] + [False] * 9
    shares = [one.probability for one in own]
    assert shares == sorted(shares, reverse=True) and 0 < sum(shares) <= 1
    theirs = tokens.alternatives(engine, answer, "adapter", 0)
    assert next(one for one in theirs if one.written).token == answer.ids[0]
    with pytest.raises(UsageError, match="written no answer"):
        found.answer("nobody")


def test_a_branch_keeps_what_stands_before_and_goes_on_by_its_side(
    engine: Engine, found: tokens.Look
) -> None:
    answer, stop = found.answer("base"), threading.Event()
    way = tokens.alternatives(engine, answer, "adapter", 2)[1]
    branch = tokens.branch(engine, found, "base", 2, "adapter", way.token, stop)
    assert (branch.label, branch.chosen) == ("adapter", way.text)
    assert branch.before == engine.shown(answer.ids[:2])
    # The written token leads back to the answer itself.
    same = tokens.branch(engine, found, "base", 2, "base", answer.ids[2], stop)
    assert same.before + same.chosen + same.after == engine.shown(answer.ids)
    assert same.ended == answer.ended
    end = engine.text_model.renderer.end
    ended = tokens.branch(engine, found, "base", 1, "base", end, stop)
    assert (ended.after, ended.ended) == ("", "stop token")


def test_what_is_not_there_is_refused_and_a_stop_is_told(
    engine: Engine, found: tokens.Look
) -> None:
    stop = threading.Event()
    with pytest.raises(UsageError, match="no place 99"):
        tokens.branch(engine, found, "base", 99, "base", 1, stop)
    with pytest.raises(UsageError, match="no token -4"):
        tokens.branch(engine, found, "base", 0, "base", -4, stop)
    stop.set()
    with pytest.raises(UsageError, match="stopped"):
        tokens.look(engine, found.row, True, stop)


def test_letters_of_several_tokens_stay_letters(engine: Engine) -> None:
    ids = engine.kind.tokenizer("oak ☕ für", add_special_tokens=False)["input_ids"]
    texts = tokens.pieces(engine, ids)
    assert "".join(texts) == engine.shown(ids) and "\ufffd" not in "".join(texts)
    assert "" in texts  # the cup has several bytes, and a token for each
    assert tokens.piece(engine, ids[:1], ids[1]) == engine.shown(ids[:2])[len(engine.shown(ids[:1])):]  # fmt: skip # noqa: E501


def test_the_prompt_must_leave_room(engine: Engine) -> None:
    row: Any = {"row_id": 0, "text": "oak " * 400}
    with pytest.raises(UsageError, match="shorten it by about"):
        tokens.look(engine, row, False, threading.Event())
