"""A step on a training row of a run, from the page's side."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from toolkit.errors import UsageError
from toolkit.runs.run import Run
from toolkit_playground.state.library import Library
from toolkit_playground.state.training_step import numbered_row, take, training_row

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def library(played: Path) -> Library:
    return Library(played.parents[1])


def test_a_step_has_the_texts_of_its_tokens_and_what_differs(
    library: Library, played: Path
) -> None:
    engine = library.engine(played.name)
    before = {
        path: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in played.rglob("*")
        if path.is_file()
    }
    row = training_row(library, engine, 0)
    found = take(engine, row, fresh=False)
    said = "".join(found.pieces)
    assert said.startswith(str(round(row["price"]))) and len(found.pieces) == len(found.step.tokens)
    assert found.run == played.name and not found.fresh
    told = "; ".join(found.differs)
    assert "4 rows" in told and "regression-aware" in told and "momentum" in told
    assert found.step.rate == Run.open(played).info["recipe"]["training"]["learning_rate"]
    assert take(engine, row, fresh=True).fresh
    assert before == {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in before}
    assert {path for path in played.rglob("*") if path.is_file()} == set(before)


def test_rows_come_in_an_order_without_end_or_by_their_number(
    library: Library, played: Path
) -> None:
    engine = library.engine(played.name)
    rows = library.training(engine)
    assert training_row(library, engine, len(rows)) == training_row(library, engine, 0)
    assert numbered_row(library, engine, rows[3]["row_id"]) == rows[3]
    held_out = library.held_out(engine.run, "test")[0]["row_id"]
    with pytest.raises(UsageError, match=f"row {held_out} is none of the training rows"):
        numbered_row(library, engine, held_out)
