"""Fewer rows, or those of one category: the options ``rows`` and ``category``."""

from __future__ import annotations

from typing import Any

import pytest
from datasets import Dataset, DatasetDict

from toolkit import DataError, Source, UsageError
from toolkit_price_regression.load import selected


def rows(count: int = 30) -> Dataset:
    return Dataset.from_dict(
        {
            "row_id": list(range(1, count + 1)),
            "text": [f"thing {i}" for i in range(count)],
            "price": [float(i + 1) for i in range(count)],
            "category": [("Lamps", "Chairs", "Chairs")[i % 3] for i in range(count)],
        }
    )


def taken(source: Source | None = None, **settings: Any) -> Dataset:
    found = selected(rows(), settings, source or Source())
    assert isinstance(found, Dataset)
    return found


def test_without_the_options_all_rows_are_there() -> None:
    assert taken()["row_id"][:] == rows()["row_id"][:]
    assert len(taken(rows=30)) == len(taken(rows=99)) == 30


def test_so_many_rows_are_drawn_by_the_seed() -> None:
    one, same, other = (taken(Source(seed=s), rows=10)["row_id"][:] for s in (0, 0, 1))
    assert one == same != other
    assert len(one) == 10 and one == sorted(one)


def test_a_limit_of_the_command_line_goes_before() -> None:
    assert len(taken(Source(limit=20), rows=10)) == 30  # the core draws them


def test_one_category_by_name_or_by_size() -> None:
    source = Source()
    assert set(taken(source, category="largest")["category"]) == {"Chairs"}
    assert any("Chairs" in note for note in source.notes)
    assert set(taken(category="lamps")["category"]) == {"Lamps"}
    with pytest.raises(DataError, match="category 'beds'; there are Chairs, Lamps"):
        taken(category="beds")


@pytest.mark.parametrize("wrong", [0, -3, 2.5, "many"])
def test_a_number_of_rows_must_be_one(wrong: Any) -> None:
    with pytest.raises(UsageError, match=r"task\.rows"):
        taken(rows=wrong)


def test_held_out_rows_of_own_splits_are_kept() -> None:
    own = DatasetDict({"train": rows(), "test": rows(9)})
    found = selected(own, {"rows": 5, "category": "Chairs"}, Source())
    assert len(found["train"]) == 5 and len(found["test"]) == 6
