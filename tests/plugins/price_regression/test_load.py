"""Rows of the price task, from the catalogue and from strangers' files."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from toolkit import Source
from toolkit.data import ROW_GROUP
from toolkit.errors import DataError, UsageError
from toolkit.task import group_of
from toolkit_price_regression import load
from toolkit_price_regression.load import group, groups, load_inputs, load_rows
from toolkit_price_regression.prices import EMPTY, INFINITE, NEGATIVE, UNREADABLE, ZERO
from toolkit_price_regression.task import PriceRegression

LONG = "a long description of what is to be had here and of all that comes with it"


def put(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return str(path)


def loaded(source: Source, *, mask_target: bool = False) -> list[dict[str, Any]]:
    rows: Any = load_rows(source, mask_target=mask_target)
    further = [name for name in rows.column_names if name == ROW_GROUP]
    assert rows.column_names == ["row_id", "text", "price", "category", *further]
    return [{name: row[name] for name in row if name != ROW_GROUP} for row in rows]


def test_the_catalogue_is_called_synthetic(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "CATALOGUE_ROWS", 1_234)
    source = Source()
    rows = loaded(source)
    assert [row["row_id"] for row in rows] == list(range(1, 1_235))
    assert source.synthetic and "synthetic" in source.notes[0]
    assert source.found == {"currency": "$"}
    assert isinstance(rows[0]["price"], float) and rows[0]["category"]


def test_title_details_and_description_are_found(tmp_path: Path) -> None:
    header = ("id", "description", "Name", "room_type", "bedrooms", "cleaning_fee", "price")
    rows = [
        (n, f"{LONG} {n}", f"Loft {n}", ("whole", "room ")[n % 2], "2.0", "$9", f"$1,{n:03}.00")
        for n in range(40)
    ]
    source = Source(data=put(tmp_path / "a.csv", header, rows))
    found = loaded(source)
    assert found[1] == {
        "row_id": 2,
        "text": f"Loft 1\nroom type: room\nbedrooms: 2\n{LONG} 1",
        "price": 1001.0,
        "category": "room",
    }
    said = "\n".join(source.notes)
    for part in ("target is column 'price'", "'cleaning_fee'", "--text Name,room_type,bedrooms,d",
                 "by column 'room_type' (2 values)"):  # fmt: skip
        assert part in said
    assert source.chosen["text"] == ["Name", "room_type", "bedrooms", "description"]
    assert source.chosen["currency"] == "$" and source.chosen["target"] == "price"


def test_the_only_column_of_long_texts_is_the_text(tmp_path: Path) -> None:
    rows = [("x", f"{LONG} {n}", n + 1) for n in range(5)]
    found = loaded(Source(data=put(tmp_path / "a.csv", ("code", "blurb", "amount"), rows)))
    assert found[0]["text"] == f"{LONG} 0" and found[4]["price"] == 5.0
    path = put(tmp_path / "b.csv", ("code", "amount"), [("x", 1)])
    with pytest.raises(DataError, match="cannot tell which column holds the text"):
        load_rows(Source(data=path))
    path = put(tmp_path / "c.csv", ("text", "stars"), [("x", 1)])
    with pytest.raises(DataError, match="cannot tell which column holds the target"):
        load_rows(Source(data=path))


def test_columns_that_were_asked_for(tmp_path: Path) -> None:
    path = put(tmp_path / "a.csv", ("title", "text", "was", "price"), [("a", "b", "7", "9")])
    source = Source(data=path, text=("text", "title"), target="was")
    assert loaded(source)[0]["text"] == "b\ntitle: a" and source.chosen["target"] == "was"
    with pytest.raises(DataError, match="is the target and cannot be part of --text"):
        load_rows(Source(data=path, text=("{text} {price}",)))


def test_unusable_rows_are_left_out_with_their_numbers(tmp_path: Path) -> None:
    prices = ["12", "", "0", "-3", "x", "inf", "NaN", "13", ""]
    texts = ["a", "b", "c", "d", "e", "f", "g", " ", ""]
    path = put(tmp_path / "a.csv", ("text", "price"), zip(texts, prices, strict=True))
    source = Source(data=path)
    assert [row["row_id"] for row in loaded(source)] == [1]
    assert source.left_out == {
        "no price": [2, 7], "price of zero": [3], "negative price": [4], "unreadable price": [5],
        "infinite price": [6], "no text": [8], "blank row": [9],
    }  # fmt: skip


def test_no_usable_price_at_all(tmp_path: Path) -> None:
    path = put(tmp_path / "a.csv", ("text", "price"), [("a", "cheap"), ("b", "dear"), ("c", "0")])
    with pytest.raises(DataError) as caught:
        load_rows(Source(data=path))
    assert (
        "'price' holds no usable price in 3 rows: 2 × unreadable price, 1 × price of zero "
        "(row 1: 'cheap', row 2: 'dear', row 3: '0')" in str(caught.value)
    )
    path = put(tmp_path / "b.csv", ("text", "price"), [("", "12"), ("b", "")])
    with pytest.raises(DataError, match="no row has both a price and a text"):
        load_rows(Source(data=path))


def test_decimals_are_decided_by_the_column(tmp_path: Path) -> None:
    rows = [("a", "1.250 €"), ("b", "12,50 €")]
    path = put(tmp_path / "a.csv", ("text", "price"), rows)
    assert [row["price"] for row in loaded(Source(data=path))] == [1250.0, 12.5]


def test_own_splits_follow_the_training_file(tmp_path: Path) -> None:
    train = put(tmp_path / "a.csv", ("text", "price"), [("a", "1.250"), ("b", "12,50")])
    test = put(
        tmp_path / "b.csv", ("text", "title", "price"), [("c", "T", "1.250"), ("d", "U", "")]
    )
    source = Source(train=train, test=test)
    splits: Any = load_rows(source)
    assert splits["test"].to_list() == [{"row_id": 1, "text": "c", "price": 1250.0, "category": ""}]
    assert source.left_out == {"test: no price": [2]}
    other = put(tmp_path / "c.csv", ("review", "price"), [("c", "1")])
    with pytest.raises(DataError, match="there is no column 'text'"):
        load_rows(Source(train=train, test=other))


def test_a_column_of_all_sorts(tmp_path: Path) -> None:
    values = ["1.250 €", "80,00 €", "", "0", "-3,5", "x", "inf"]
    path = put(tmp_path / "a.csv", ("text", "price"), [("a", value) for value in values])
    source = Source(data=path)
    assert [row["price"] for row in loaded(source)] == [1250.0, 80.0]
    assert source.left_out == {
        EMPTY: [3], ZERO: [4], NEGATIVE: [5], UNREADABLE: [6], INFINITE: [7],
    }  # fmt: skip
    assert source.chosen["currency"] == source.found["currency"] == "€"
    assert not any("currencies" in note for note in source.notes)


def test_several_currencies_are_said_loudly(tmp_path: Path) -> None:
    rows = [("a", "$5"), ("b", "$6"), ("c", "£7"), ("d", "8")]
    source = Source(data=put(tmp_path / "a.csv", ("text", "price"), rows))
    loaded(source)
    assert source.chosen["currency"] is None and source.found["currency"] == ""
    warning = "WARNING: prices are in several currencies ($ 2, £ 1)"
    assert any(note.startswith(warning) for note in source.notes)


def test_numbers_from_json_are_prices(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "a", "price": 3}\n{"text": "b", "price": 2.5}\n{"text": "c"}\n')
    source = Source(data=str(path))
    assert [row["price"] for row in loaded(source)] == [3.0, 2.5]
    assert source.left_out == {"no price": [3]}


def test_masking_takes_the_price_out(tmp_path: Path) -> None:
    path = put(tmp_path / "a.csv", ("text", "price"), [("Sofa, Rs. 499 only", "499")])
    source = Source(data=path)
    assert loaded(source, mask_target=True)[0]["text"] == "Sofa, [price] only"
    assert any("--mask-target" in note for note in source.notes)
    new = Source(data=put(tmp_path / "new.csv", ("text",), [("Chair at $20",)]))
    assert load_inputs(new, source.chosen)["text"][:] == ["Chair at [price]"]
    assert load_inputs(new, mask_target=True)["text"][:] == ["Chair at [price]"]


def test_rows_to_predict_are_made_as_the_training_texts_were(tmp_path: Path) -> None:
    rows = [(f"Loft {n}", f"{LONG} {n}", "2.0", "$5") for n in range(20)]
    source = Source(data=put(tmp_path / "a.csv", ("name", "description", "beds", "price"), rows))
    trained = loaded(source)
    new = put(
        tmp_path / "new.csv", ("beds", "description", "name"), [("2.0", f"{LONG} 3", "Loft 3")]
    )
    for chosen in (source.chosen, None):
        assert load_inputs(Source(data=new), chosen)["text"][:] == [trained[3]["text"]]
    assert load_inputs(Source(data=new, text=("name",)), source.chosen)["text"][:] == ["Loft 3"]
    with pytest.raises(DataError, match="no column 'name'"):
        load_inputs(Source(data=put(tmp_path / "x.csv", ("title",), [("x",)])), source.chosen)
    with pytest.raises(UsageError):
        load_inputs(Source())


def test_rows_are_grouped_by_their_whole_text() -> None:
    assert group(f"Loft\nbeds: 2\n{LONG}") == group(f"LOFT\nbeds:  2\n{LONG.upper()} ")
    assert group(f"Loft\nbeds: 2\n{LONG}") != group(f"Loft\nbeds: 3\n{LONG}")
    assert group("") == ""


def test_rows_with_the_same_free_text_are_one_group_whatever_else_they_say(tmp_path: Path) -> None:
    """A description that was listed under two names must not be trained on and tested on."""
    descriptions = [f"{LONG} {n // 2}" for n in range(40)]
    descriptions[0] = descriptions[1] = "No description yet"
    rows = [(f"Loft {n}", d, 10 + n) for n, d in enumerate(descriptions)]
    source = Source(data=put(tmp_path / "a.csv", ("name", "description", "price"), rows))
    task = PriceRegression()
    found = list(load_rows(source))
    assert group_of(task, found[2]) == group_of(task, found[3])
    assert group_of(task, found[0]) != group_of(task, found[1]), "too short to be the same thing"
    assert any("same 'description' stay in one split" in note for note in source.notes)
    assert len(set(groups(load_rows(source)))) == 19 + 2


def test_a_description_that_differs_in_its_price_alone_is_the_same(tmp_path: Path) -> None:
    rows = [(f"Sofa {n}", f"{LONG}, now $ {n}", 10 + n) for n in range(20)]
    path = put(tmp_path / "a.csv", ("name", "description", "price"), rows)
    masked: Any = load_rows(Source(data=path), mask_target=True)
    assert len(set(groups(masked))) == 1
    assert len(set(groups(load_rows(Source(data=path))))) == 20


# -- ways to write prices --------------------------------------------------------------------------


def priced(folder: Path, column: str, values: Sequence[str]) -> tuple[list[float], Source]:
    rows = [(f"thing number {n}", value) for n, value in enumerate(values)]
    source = Source(data=put(folder / "priced.csv", ("name", column), rows))
    return [row["price"] for row in loaded(source)], source


def test_lakh_and_crore_in_one_column(tmp_path: Path) -> None:
    values = ["₹ 3.00 Lakh", "₹11,000", "Rs. 1.3 Cr", "4.5 lakh*", "Rs 1,299/-"]
    found, source = priced(tmp_path, "price", values)
    assert found == [300_000, 11_000, 13_000_000, 450_000, 1_299]
    assert source.found == {"currency": "₹"}


@pytest.mark.parametrize(
    ("column", "value", "price", "currency"),
    [
        ("Price_euros", "12.50", 12.5, "€"), ("Price (GBP)", "12", 12, "£"),
        ("Preço (R$)", "1.250,00", 1250, "R$"), ("Precio", "12,50 €", 12.5, "€"),
        ("price_in_lakhs", "3.5", 350_000, ""), ("Price (USD)", "€12", 12, "€"),
        ("価格", "１２，５００円", 12_500, "¥"), ("السعر", "٣٫٥ ريال", 3.5, "SAR"),
    ],
)  # fmt: skip
def test_a_columns_name_is_found_and_says_the_currency(
    tmp_path: Path, column: str, value: str, price: float, currency: str
) -> None:
    found, source = priced(tmp_path, column, [value, value])
    assert found == [price, price] and source.found == {"currency": currency}


def test_prices_that_say_lakh_themselves_are_not_multiplied_again(tmp_path: Path) -> None:
    found, source = priced(tmp_path, "price_in_lakh", ["3.5 Lakh", "4 lakh"])
    assert found == [350_000, 400_000]
    found, source = priced(tmp_path, "price_in_lakh", ["3.5", "4"])
    assert any("says 'lakh': its numbers are multiplied by 100,000" in n for n in source.notes)


def test_what_cannot_be_read_is_shown(tmp_path: Path) -> None:
    _, source = priced(tmp_path, "price", ["$3", "on request", "10-20", "on request", "99¢"])
    assert "prices that cannot be read: 'on request' (2), '10-20' (1), '99¢' (1)" in source.notes


def test_prices_for_different_units_have_a_warning(tmp_path: Path) -> None:
    _, source = priced(tmp_path, "rent price", ["£500 pcm", "£120 pw", "£480 per month"])
    assert any(n.startswith("WARNING: prices are for different units") for n in source.notes)
