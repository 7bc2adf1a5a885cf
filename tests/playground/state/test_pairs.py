"""Pairs to vote on: where their rows come from, and what is noted of their answers."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from toolkit.errors import UsageError
from toolkit.runs.run import Run
from toolkit_playground.state.engine import Engine
from toolkit_playground.state.library import Library
from toolkit_playground.state.pairs import OWN, TRAINING, Request, next_pair, rows_to_judge
from toolkit_playground.state.store import Vote

pytestmark = pytest.mark.slow

BOTH = ("base", "adapter")
RAW = (4, 0.0, 1.0, 0, 1.0, 0)


@pytest.fixture(scope="module")
def engine(played: Path) -> Engine:
    return Engine(Run.open(played))


@pytest.fixture
def library(tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Library:
    from toolkit_playground.state.store import Store

    found = Library(engine.run.path.parents[1], [engine.run])
    monkeypatch.setattr(found, "store", lambda run: Store(tmp_path / "votes.sqlite"))
    return found


def held_out(engine: Engine) -> dict[int, str]:
    lines = (engine.run.data / "heldout.jsonl").read_text().splitlines()
    return {row["row_id"]: row["split"] for row in map(json.loads, lines)}


def test_pairs_come_from_training_rows_in_an_order_of_the_voters_own(
    library: Library, engine: Engine
) -> None:
    ann, bob = (
        [row["row_id"] for row in rows_to_judge(library, engine, who)] for who in ("ann", "bob")
    )
    assert sorted(ann) == sorted(bob) and ann != bob
    assert len(ann) == engine.run.info["data"]["sizes"]["train"]
    assert not set(ann) & set(held_out(engine))
    pair = next_pair(
        library, engine, Request(TRAINING, "", "ann", BOTH, RAW), threading.Event()
    )  # fmt: skip
    assert pair.row_id in ann[:5] and pair.split == "train" and pair.written
    assert json.loads(pair.example) in pair.prompt and "<s>" not in pair.example
    assert any(pair.cut)  # the base does not end an answer within four tokens
    library.store(engine.run).vote(pair.vote("left", "ann"))
    (vote,) = library.store(engine.run).votes()
    assert isinstance(vote, Vote) and vote.left_cut == pair.cut[0] and vote.split == "train"
    assert [row["row_id"] for row in rows_to_judge(library, engine, "ann")][-1] != ann[-1]


def test_predictions_of_numbers_are_judged_as_the_run_reads_them(
    library: Library, engine: Engine
) -> None:
    pair = next_pair(
        library, engine, Request(TRAINING, "", "ann", BOTH, None), threading.Event()
    )  # fmt: skip
    assert not pair.written and pair.left[1].startswith(("0", *"123456789"))


def test_an_input_of_ones_own_that_is_a_held_out_row_is_one(
    library: Library, engine: Engine
) -> None:
    row = library.held_out(engine.run, "test")[0]
    for text, split in ((f" {row['text']}\n", "test"), ("a cup of my own", "own")):
        wanted = Request(OWN, text, "ann", BOTH, RAW)
        assert next_pair(library, engine, wanted, threading.Event()).split == split
    with pytest.raises(UsageError, match="two sides"):
        next_pair(library, engine, Request(OWN, "x", "ann", BOTH[:1], RAW), threading.Event())
