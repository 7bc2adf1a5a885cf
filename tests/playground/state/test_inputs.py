"""What stands in the boxes, and the row that is made of it."""

from __future__ import annotations

import pytest

from toolkit.errors import UsageError
from toolkit_playground.state.inputs import (
    BOXES,
    box_texts,
    example_rows,
    inputs_of,
    read_row,
    reference_text,
    summary,
)
from toolkit_playground.state.library import Library
from toolkit_price_regression.task import PriceRegression

TASK = PriceRegression()
EXAMPLE = {"row_id": 7, "text": "red oak\n table", "price": 12.5, "category": ""}


def test_an_example_that_was_not_changed_counts_with_its_reference() -> None:
    boxes = box_texts(TASK, EXAMPLE)
    assert len(boxes) == BOXES and boxes[: len(inputs_of(TASK))] == [EXAMPLE["text"]]
    assert read_row(TASK, EXAMPLE, boxes) == (EXAMPLE, True)
    without = {"row_id": 7, "text": EXAMPLE["text"]}
    assert read_row(TASK, without, boxes) == (without, False)


def test_a_changed_example_is_a_row_of_ones_own() -> None:
    assert read_row(TASK, EXAMPLE, ["a chair", ""]) == ({"row_id": 0, "text": "a chair"}, False)
    with pytest.raises(UsageError, match="nothing in the input yet"):
        read_row(TASK, EXAMPLE, ["  ", None])


def test_an_example_is_listed_in_a_line_with_its_reference() -> None:
    assert summary(TASK, EXAMPLE) == "red oak table"
    assert reference_text(TASK, EXAMPLE) == "12.5\u00a0$"
    assert reference_text(TASK, {"text": "a chair"}) == ""


def test_where_no_rows_were_kept_the_panels_own_examples_are_there(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = library.given[0]
    monkeypatch.setattr(library, "held_out", lambda run, split: [EXAMPLE] * 30)
    assert len(example_rows(library, run, TASK)) == 24
    monkeypatch.setattr(library, "held_out", lambda run, split: [])
    own = TASK.panel.examples if TASK.panel else ()
    assert [row["text"] for row in example_rows(library, run, TASK)] == [e["text"] for e in own]
