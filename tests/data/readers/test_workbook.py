"""Workbooks are read as CSV files are: one sheet, its column names, its cells as text."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import workbooks
from toolkit.data.load import read
from toolkit.data.source import Source
from toolkit.errors import DataError, MissingExtra, ToolkitError, UsageError

pytest.importorskip("python_calamine")

GOODS: list[list[workbooks.Cell]] = [
    ["name", "price", "sold", None, "note"],
    ["a chair", 12, True, None, " two\nlines "],
    ["a lamp", 7.5, False, None, None],
    [None, None, None, None, None],
    ["café ★", 1299, True, None, "x"],
]
WRITERS = [(workbooks.xlsx, "a.xlsx"), (workbooks.ods, "a.ods")]
both = pytest.mark.parametrize(("write", "name"), WRITERS, ids=["xlsx", "ods"])
Write = Callable[[Path, workbooks.Sheets], Path]


def rows_of(path: Path, **options: Any) -> list[dict[str, Any]]:
    return [dict(row) for row in read(path, Source(**options))]


@both
def test_cells_are_text_and_empty_rows_and_columns_are_skipped(
    tmp_path: Path, write: Write, name: str
) -> None:
    rows = rows_of(write(tmp_path / name, {"Goods": GOODS, "Empty": []}))
    assert [" ".join(row.pop("note").split()) for row in rows] == ["two lines", "", "x"]
    assert rows == [
        {"name": "a chair", "price": "12", "sold": "True", "row_id": 1},
        {"name": "a lamp", "price": "7.5", "sold": "False", "row_id": 2},
        {"name": "café ★", "price": "1299", "sold": "True", "row_id": 3},
    ]


@both
def test_of_several_sheets_one_is_named(tmp_path: Path, write: Write, name: str) -> None:
    path = write(tmp_path / name, {"My Goods": GOODS, "Codes": [["x", "y"], ["1", "2"]]})
    with pytest.raises(DataError, match=r"'My Goods' \(5 rows\), 'Codes' \(2 rows\).*--sheet 'My"):
        read(path, Source())
    for sheet in ("Codes", "codes", "2"):
        assert rows_of(path, sheet=sheet) == [{"x": "1", "y": "2", "row_id": 1}]
    assert len(rows_of(path, sheet="My Goods")) == 3
    with pytest.raises(UsageError, match=r"no sheet 'Godes' – did you mean 'Codes'"):
        read(path, Source(sheet="Godes"))


@both
def test_a_title_above_the_column_names_is_skipped_and_said(
    tmp_path: Path, write: Write, name: str
) -> None:
    path = write(tmp_path / name, {"S": [["Sales 2024"], [], *GOODS]})
    source = Source()
    assert [row["name"] for row in read(path, source)] == ["a chair", "a lamp", "café ★"]
    assert source.notes == [f"the first 1 row(s) of {name} are a title, and are skipped"]


def test_without_column_names_columns_are_numbered(tmp_path: Path) -> None:
    path = workbooks.xlsx(tmp_path / "a.xlsx", {"S": [["good", 1], ["bad", 0]]})
    expected = [{"1": "good", "2": "1", "row_id": 1}, {"1": "bad", "2": "0", "row_id": 2}]
    assert rows_of(path, header=False) == rows_of(path, text=("1",), target="2") == expected


def test_many_rows_and_short_ones(tmp_path: Path) -> None:
    rows: list[list[workbooks.Cell]] = [["a", "b"], *([f"{n}", n] for n in range(2500)), ["last"]]
    found = rows_of(workbooks.xlsx(tmp_path / "a.xlsx", {"S": rows}))
    assert len(found) == 2501 and found[2499] == {"a": "2499", "b": "2499", "row_id": 2500}
    assert found[-1] == {"a": "last", "b": "", "row_id": 2501}


@pytest.mark.parametrize(
    "sheets", [{"S": []}, {"S": [["a", "b"]]}, {"S": [["a", "b"]], "T": []}, {}]
)
def test_a_workbook_without_rows(tmp_path: Path, sheets: workbooks.Sheets) -> None:
    with pytest.raises(DataError, match="no rows"):
        read(workbooks.xlsx(tmp_path / "a.xlsx", sheets), Source())


@pytest.mark.parametrize("name", ["a.xlsx", "a.ods", "a.xls"])
def test_what_is_no_workbook(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"name,price\nchair,12\n")
    with pytest.raises(ToolkitError, match="is not a workbook that can be read"):
        read(path, Source())


def test_without_the_extra_the_line_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = workbooks.xlsx(tmp_path / "a.xlsx", {"S": GOODS})
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(MissingExtra, match=r"adapter-toolkit\[spreadsheets\]"):
        read(path, Source())


def test_a_sheet_of_a_file_without_sheets_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2\n")
    source = Source(sheet="S")
    read(path, source)
    assert source.notes == ["a.csv has no sheets; --sheet is not used"]
