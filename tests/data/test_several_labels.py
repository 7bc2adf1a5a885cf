"""Rows with several labels are recognised, and classes whose names look like lists are not."""

from __future__ import annotations

from collections import Counter

import datasets
import pytest

from toolkit.data.several_labels import in_columns, items_of_list, listed


@pytest.mark.parametrize(
    ("text", "items"),
    [("[2, 5]", ["2", "5"]), ("['a', 'b c']", ["a", "b c"]), ("[2 5]", ["2", "5"]),
     ("[27]", ["27"]),
     ("{a; b}", ["a", "b"]), ("[]", []), ("2, 5", None), ("a [b]", None)],
)  # fmt: skip
def test_lists_in_brackets(text: str, items: list[str] | None) -> None:
    assert items_of_list(text) == items


@pytest.mark.parametrize(
    "values",
    [
        ["[27]", "[2, 5]", "[2]", "[5, 7]"],
        ["27", "2, 5", "2", "5", "2, 5", "5, 27"],
        ["a|b", "a", "b", "b|c", "a|c"],
        ["joy;fear", "joy", "fear", "fear;anger", "joy;anger", "anger"],
    ],
)
def test_combinations_are_several_labels(values: list[str]) -> None:
    sentence = listed(Counter(values * 10))
    assert sentence and "holds several labels" in sentence and "--target" in sentence


@pytest.mark.parametrize(
    "values",
    [
        ["negative", "positive"],
        ["Sports, outdoors", "Arts, crafts", "Home"],
        ["Electronics|Phones|Cases", "Electronics|Phones|Chargers", "Electronics|Audio|Cables"],
        ["[27]", "[2]", "[5]"],
        ["2,5", "3,5", "7,1"],
        [],
    ],
)
def test_names_with_separators_are_classes(values: list[str]) -> None:
    assert listed(Counter(values * 10)) is None


def test_a_few_odd_rows_are_no_reason_to_refuse_a_file() -> None:
    assert listed(Counter({"a": 500, "b": 500, "a, b": 3, "c": 400})) is None


def table(**columns: list[object]) -> datasets.Dataset:
    return datasets.Dataset.from_dict({**columns, "row_id": [1, 2, 3, 4]})


@pytest.mark.parametrize("on_off", [("1", "0"), (1, 0), (True, False), ("True", "False")])
def test_a_column_for_each_label(on_off: tuple[object, object]) -> None:
    on, off = on_off
    sentence = in_columns(
        table(id=["0", "1", "0", "1"], text=["a", "b", "c", "d"], toxic=[on, on, off, off],
              threat=[off, on, off, off], insult=[on, off, off, on])
    )  # fmt: skip
    assert sentence and "3 columns hold 0 and 1: toxic (2 rows), threat (1 row)" in sentence
    assert sentence.endswith("--target toxic")


def test_one_label_spread_over_columns_is_said() -> None:
    sentence = in_columns(table(a=[1, 0, 0, 0], b=[0, 1, 0, 0], c=[0, 0, 1, 1]))
    assert sentence and "write them as one column" in sentence


def test_other_numbers_are_no_labels() -> None:
    assert in_columns(table(a=[1, 0, 0, 2], b=[0, 1, 0, 0], c=[0, 0, 1, 1])) is None
    assert in_columns(table(a=[1, 1, 1, 1], b=[0, 1, 0, 0], c=[0, 0, 1, 1])) is None
