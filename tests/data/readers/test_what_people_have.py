"""Files as other programs write them: Excel's first line, backslashes, pandas' forms of JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import workbooks
from toolkit.data.load import read
from toolkit.data.readers import readable
from toolkit.data.source import Source
from toolkit.errors import DataError

ROWS = [{"text": f"chair {n}", "price": str(n + 5)} for n in range(30)]


def put(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def rows_of(path: Path, source: Source | None = None) -> list[dict[str, Any]]:
    found = [dict(row) for row in read(path, source or Source())]
    assert [row.pop("row_id") for row in found] == list(range(1, len(found) + 1))
    return found


def lines(mark: str, *, end: str = "", quoted: bool = False) -> list[str]:
    q = '"' if quoted else ""
    return [mark.join((f"{q}{row['text']}{q}", row["price"])) + end for row in ROWS]


# -- delimited text --------------------------------------------------------------------------------
@pytest.mark.parametrize("ending", ["csv", "tsv"])
@pytest.mark.parametrize("mark", [";", ",", "\t", "|", "^"])
@pytest.mark.parametrize("form", ["sep={}\n", '"sep={}"\r\n', "\ufeffsep={}\n", "SEP={}\n"])
def test_the_line_that_tells_excel_the_delimiter(
    ending: str, mark: str, form: str, tmp_path: Path
) -> None:
    text = form.format(mark) + "\n".join([f"text{mark}price", *lines(mark)]) + "\n"
    source = Source()
    assert rows_of(put(tmp_path / f"d.{ending}", text), source) == ROWS
    assert any("says what separates" in note for note in source.notes)


def test_lines_are_counted_with_that_line(tmp_path: Path) -> None:
    text = "sep=;\n" + "\n".join(["text;price", *lines(";"), "a;b;c"]) + "\n"
    with pytest.raises(DataError, match=r"row 31 \(line 33\) has 3 columns"):
        read(put(tmp_path / "d.csv", text), Source())


def test_a_column_of_that_name_is_a_column(tmp_path: Path) -> None:
    assert rows_of(put(tmp_path / "d.csv", "sep=x,price\na,1\n")) == [{"sep=x": "a", "price": "1"}]


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_quotes_behind_backslashes(mark: str, tmp_path: Path) -> None:
    texts = [f'chair {n}, 5\\" wide{mark} "nice"'.replace('"nice"', '\\"nice\\"') for n in range(9)]
    text = f"text{mark}price\n" + "".join(f'"{t}"{mark}{n}\n' for n, t in enumerate(texts))
    source = Source()
    found = rows_of(put(tmp_path / "d.csv", text), source)
    assert [row["text"] for row in found] == [t.replace('\\"', '"') for t in texts]
    assert [row["price"] for row in found] == [str(n) for n in range(9)]
    assert any("backslashes" in note for note in source.notes)


def test_a_backslash_at_the_end_of_a_value_escapes_nothing(tmp_path: Path) -> None:
    text = "folder,price\n" + "".join(f'"C:\\{n}\\",{n}\n' for n in range(9))
    source = Source()
    found = rows_of(put(tmp_path / "d.csv", text), source)
    assert found[3] == {"folder": "C:\\3\\", "price": "3"}
    assert not any("backslashes" in note for note in source.notes)


def test_a_text_with_a_quote_and_no_delimiter_keeps_its_quote_alone(tmp_path: Path) -> None:
    """Read leniently, the backslash would stay in the text."""
    text = "text,price\n" + "".join(f'"{n}\\" wide",{n}\n' for n in range(9))
    assert rows_of(put(tmp_path / "d.csv", text))[4] == {"text": '4" wide', "price": "4"}


@given(st.lists(st.text(st.sampled_from('a\\",;\n '), max_size=8), min_size=2, max_size=6))
def test_doubled_quotes_and_backslashes_are_read_as_they_are(texts: list[str]) -> None:
    """What the csv module writes is never taken for escapes that change it."""
    import csv
    import io
    import tempfile

    buffer = io.StringIO()
    csv.writer(buffer, quoting=csv.QUOTE_ALL).writerows([["text", "n"], *([t, "1"] for t in texts)])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "d.csv"
        path.write_text(buffer.getvalue(), newline="")
        assert [row["text"] for row in rows_of(path)] == texts


@pytest.mark.parametrize("mark", [",", ";", "|"])
def test_rows_that_end_in_a_delimiter(mark: str, tmp_path: Path) -> None:
    source = Source()
    text = "\n".join([f"text{mark}price", *lines(mark, end=mark)]) + "\n"
    assert rows_of(put(tmp_path / "d.csv", text), source) == ROWS
    assert any("behind which there is nothing" in note for note in source.notes)


@pytest.mark.parametrize("odd", ["chair, red,5,", "chair,5,x"])
def test_a_row_with_more_than_an_empty_end_is_still_refused(odd: str, tmp_path: Path) -> None:
    text = "\n".join(["text,price", *lines(",", end=","), odd]) + "\n"
    with pytest.raises(DataError, match="row 31"):
        read(put(tmp_path / "d.csv", text), Source())


# -- JSON ------------------------------------------------------------------------------------------
JSON_FORMS = {
    "columns": {name: {str(i): row[name] for i, row in enumerate(ROWS)} for name in ROWS[0]},
    "index": {str(i): row for i, row in enumerate(ROWS)},
    "named index": {f"r{i}": row for i, row in enumerate(ROWS)},
    "columns by name": {n: {f"r{i}": row[n] for i, row in enumerate(ROWS)} for n in ROWS[0]},
    "split": {
        "columns": ["text", "price"],
        "index": list(range(30)),
        "data": [list(row.values()) for row in ROWS],
    },
    "list": {name: [row[name] for row in ROWS] for name in ROWS[0]},
    "records": ROWS,
    "table": {"schema": {"fields": [{"name": "text"}]}, "data": ROWS},
}


@pytest.mark.parametrize("form", JSON_FORMS)
def test_the_forms_in_which_pandas_writes_json(form: str, tmp_path: Path) -> None:
    assert rows_of(put(tmp_path / "d.json", json.dumps(JSON_FORMS[form]))) == ROWS


def test_a_row_of_another_length_is_refused_with_its_number(tmp_path: Path) -> None:
    content = {"columns": ["text", "price"], "data": [["a", 1], ["b"]]}
    with pytest.raises(DataError, match="row 2 has 1 values, and there are 2 columns"):
        read(put(tmp_path / "d.json", json.dumps(content)), Source())


@pytest.mark.parametrize("number", ["9" * 5_000, "1" + 30 * "0", "-1e999", "NaN"])
@pytest.mark.parametrize("ending", ["json", "jsonl"])
def test_numbers_that_no_column_holds(number: str, ending: str, tmp_path: Path) -> None:
    rows = "\n,"[ending == "json"].join(['{"a": 1}', f'{{"a": {number}}}'])
    path = put(tmp_path / f"d.{ending}", f"[{rows}]" if ending == "json" else rows)
    said = ""
    try:
        assert len(rows_of(path)) == 2
    except DataError as error:
        said = str(error)
    assert "\n" not in said and len(said) < 500


# -- names and halves of characters ----------------------------------------------------------------
NAMES = ["a", "a", "a (2)", "row_id", "row_id (file)", ""]


def test_repeated_names_in_every_format_are_told_apart(tmp_path: Path) -> None:
    table = pa.Table.from_arrays([pa.array(["x", "y"])] * len(NAMES), names=NAMES)
    pq.write_table(table, tmp_path / "d.parquet")
    cells = [NAMES, ["x"] * len(NAMES), ["y"] * len(NAMES)]
    put(tmp_path / "d.csv", "\n".join(map(",".join, cells)) + "\n")
    workbooks.xlsx(tmp_path / "d.xlsx", {"one": cells})
    workbooks.ods(tmp_path / "d.ods", {"one": cells})
    for ending in ("parquet", "csv", "xlsx", "ods"):
        source = Source()
        found = read(tmp_path / f"d.{ending}", source)
        assert len(set(found.column_names)) == len(NAMES) + 1, ending
        assert found.column_names[:3] == ["a", "a (3)", "a (2)"], ending
        assert any("repeats a column name" in note for note in source.notes), ending


@given(st.lists(st.sampled_from(["a", "a (2)", "a (3)", "row_id", "row_id (file)", ""])))
def test_names_are_distinct_and_those_that_were_stay(names: list[str]) -> None:
    found = readable.distinct_names("f", names, lambda note: None)
    assert len(set(found)) == len(names) and "row_id" not in found
    if len(set(names)) == len(names) and "row_id" not in names:
        assert found == names


VALUES = st.recursive(
    st.text() | st.integers(), lambda inside: st.lists(inside) | st.dictionaries(st.text(), inside)
)


@given(VALUES)
def test_values_become_text_that_can_be_encoded(value: Any) -> None:
    made = readable.whole_value(value)
    json.dumps(made, ensure_ascii=False).encode()
    text = json.dumps(value)
    if not readable.may_have_halves(text):
        assert made == value
