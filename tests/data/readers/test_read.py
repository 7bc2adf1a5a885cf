"""Files from any source, and the errors for those that cannot be read."""

from __future__ import annotations

import csv
import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_fixtures import write_csv
from toolkit.data import tables
from toolkit.data.load import find_column, read, read_splits
from toolkit.data.readers import read as reading
from toolkit.data.readers.read import is_hub_id
from toolkit.data.source import Source
from toolkit.errors import DataError, ToolkitError, UsageError


def rows_of(path: Path, source: Source | None = None) -> list[dict[str, Any]]:
    return [dict(row) for row in read(path, source or Source())]


def refusal(path: Path, source: Source | None = None) -> str:
    with pytest.raises(ToolkitError) as caught:
        read(path, source or Source())
    assert caught.value.exit_code == 2
    message = str(caught.value)
    assert "\n" not in message
    return message


def put(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_importing_the_data_part_is_light() -> None:
    heavy = ["torch", "transformers", "datasets", "pyarrow", "pandas"]
    code = (
        "import sys, toolkit.preparation.prepare, toolkit.preparation.preflight\n"
        "import toolkit.data.columns\n"
        f"print([m for m in {heavy!r} if m in sys.modules])"
    )
    environment = {"PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
    )
    assert done.stdout.strip() == "[]"


# -- CSV -----------------------------------------------------------------------------------------


def test_csv_columns_are_text_and_rows_are_numbered(tmp_path: Path) -> None:
    path = put(tmp_path / "a.csv", 'text,price\n"two\nlines, one value","$1,250.00"\n\nb,12\n')
    with pytest.raises(DataError, match="row 1"):
        read(put(tmp_path / "b.csv", "text,price\nx,$1,250.00\n"), Source())
    assert rows_of(path) == [
        {"text": "two\nlines, one value", "price": "$1,250.00", "row_id": 1},
        {"text": "b", "price": "12", "row_id": 2},
    ]


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.tuples(*[st.text(st.characters(exclude_characters="\0", codec="utf-8"))] * 3),
        min_size=1,
        max_size=20,
    )
)
def test_whatever_csv_writes_is_read_back(rows: list[tuple[str, ...]]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        write_csv(path, ("first", "second", "third"), rows)
        with path.open(newline="", encoding="utf-8") as file:
            expected = list(csv.reader(file))[1:]
        found = [(r["first"], r["second"], r["third"]) for r in rows_of(path, Source(header=True))]
        assert found == [tuple(row) for row in expected if row]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_decides_the_encoding(tmp_path: Path, encoding: str) -> None:
    path = put(tmp_path / "a.csv", "text,price\ncafé,1\n".encode(encoding))
    assert rows_of(path)[0] == {"text": "café", "price": "1", "row_id": 1}


def test_a_mark_does_not_get_into_a_name_when_the_encoding_is_given(tmp_path: Path) -> None:
    path = put(tmp_path / "a.csv", "text,price\ncafé,1\n".encode("utf-8-sig"))
    assert "text" in rows_of(path, Source(encoding="UTF-8"))[0]


def test_wrong_encoding_names_row_column_and_byte(tmp_path: Path) -> None:
    rows = "".join(f"word {at},{at}\n" for at in range(3000))
    path = put(tmp_path / "a.csv", f"text,price\n{rows}café,1\n".encode("cp1252"))
    message = refusal(path)
    for part in ("row 3001", "line 3002", "'text'", "0xe9", "--encoding cp1252", str(path)):
        assert part in message
    assert rows_of(path, Source(encoding="cp1252"))[3000]["text"] == "café"


def test_an_unknown_encoding_is_refused(tmp_path: Path) -> None:
    path = put(tmp_path / "a.csv", "text\nx\n")
    with pytest.raises(UsageError, match="no such encoding"):
        read(path, Source(encoding="klingon"))


def test_ragged_rows_are_refused_with_their_numbers(tmp_path: Path) -> None:
    path = put(tmp_path / "a.csv", "a,b,c\n1,2,3\n1,2\n\n1,2,3\n1,2,3,4\n")
    message = refusal(path)
    for part in ("row 2 (line 3) has 2 columns", "header names 3", "2 rows do not fit: 2, 4"):
        assert part in message


def test_ragged_without_header_counts_from_the_first_row(tmp_path: Path) -> None:
    path = put(tmp_path / "a.csv", "1,2\n1\n")
    assert "row 2 (line 2) has 1 column, its first row has 2" in refusal(path, Source(header=False))


def test_an_open_quote_is_found(tmp_path: Path) -> None:
    assert "never closed" in refusal(put(tmp_path / "a.csv", 'a,b\n1,2\n3,"four\n5,6\n'))
    message = refusal(put(tmp_path / "b.csv", 'a,b\n1,"2\n3,"4\n5,6\n'))
    assert "row 1 (from line 2 on)" in message and "quote left open" in message
    message = refusal(put(tmp_path / "c.csv", 'a,b\n1,"2\n3,4"\n5,"6"7\n8,"9\n1",1\n'))
    assert "row 3 (lines 5–6, is a quote left open?) has 3 columns" in message


def test_a_row_of_megabytes(tmp_path: Path) -> None:
    long = "word " * 700_000
    path = write_csv(tmp_path / "a.csv", ("text", "n"), [(long, 1), ("b", 2), (long, 3)])
    found = rows_of(path)
    assert [row["n"] for row in found] == ["1", "2", "3"]
    assert found[2]["text"] == long


def test_the_field_limit_of_the_csv_module_is_restored(tmp_path: Path) -> None:
    before = csv.field_size_limit()
    rows_of(put(tmp_path / "a.csv", "a,b\n1,2\n"))
    refusal(put(tmp_path / "b.csv", "a,b\n1\n"))
    assert csv.field_size_limit() == before


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_other_delimiters_are_detected_and_noted(tmp_path: Path, delimiter: str) -> None:
    lines = [("name", "price"), ("chair", "1.250,50"), ("table, round", "80,00")]
    path = put(tmp_path / "a.csv", "".join(delimiter.join(line) + "\n" for line in lines))
    source = Source()
    assert rows_of(path, source)[1]["name"] == "table, round"
    assert "separated by" in source.notes[0]


def test_names_are_made_unique_and_never_row_id(tmp_path: Path) -> None:
    path = put(tmp_path / "a.csv", "a,,a,row_id\n1,2,3,4\n")
    assert rows_of(path)[0] == {
        "a": "1", "column 2": "2", "a (2)": "3", "row_id (file)": "4", "row_id": 1,
    }  # fmt: skip


# -- header --------------------------------------------------------------------------------------


def test_without_header_columns_are_numbers(tmp_path: Path) -> None:
    path = put(tmp_path / "a.csv", "great film,1\nbad film,0\n")
    source = Source(text=("1",), target="2")
    assert rows_of(path, source) == [
        {"1": "great film", "2": "1", "row_id": 1},
        {"1": "bad film", "2": "0", "row_id": 2},
    ]
    assert "read as data" in source.notes[0]
    assert len(rows_of(path)) == 1, "a header unless columns are named by number"
    assert len(rows_of(path, Source(header=False))) == 2


def test_a_header_is_recognised_when_columns_are_numbers(tmp_path: Path) -> None:
    path = put(tmp_path / "a.csv", "text,label\ngreat film,pos\nbad film,neg\nfine,pos\n")
    source = Source(text=("1",), target="2")
    dataset = read(path, source)
    assert len(dataset) == 3
    assert find_column(source, dataset, "2", (), "target") == "label"
    repeated = put(tmp_path / "b.csv", "good,pos\nbad,neg\nfine,pos\nwell,pos\n")
    assert len(rows_of(repeated, source)) == 4


# -- TSV -----------------------------------------------------------------------------------------


def test_quotes_in_tsv_are_characters_unless_the_whole_file_quotes(tmp_path: Path) -> None:
    stray = put(tmp_path / "a.tsv", 'text\tlabel\n"never again" he said\t0\n27" screen\t1\n"x\t1\n')
    assert [r["text"] for r in rows_of(stray)] == ['"never again" he said', '27" screen', '"x']
    quoted = put(tmp_path / "b.tsv", 'text\tlabel\n"two\nlines and ""more"""\t0\n')
    assert rows_of(quoted)[0]["text"] == 'two\nlines and "more"'


def test_the_error_for_ragged_tsv_is_of_the_layout_that_reads_furthest(tmp_path: Path) -> None:
    path = put(tmp_path / "a.tsv", 'text\tlabel\n"two\nlines"\t0\na\t1\nb\n')
    assert "row 3" in refusal(path)


# -- files that are no tables ----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.json", "a.jsonl", "a.parquet"])
def test_an_empty_file(tmp_path: Path, name: str) -> None:
    assert "is empty" in refusal(put(tmp_path / name, ""))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "\n\n"),
        ("a.csv", "﻿"),
        ("a.csv", "a,b\n"),
        ("a.jsonl", "\n\n"),
        ("a.json", "[]"),
        ("a.json", '{"data": []}'),
    ],
)
def test_a_file_without_rows(tmp_path: Path, name: str, content: str) -> None:
    assert "is empty" in refusal(put(tmp_path / name, content))


def test_a_folder_is_named_with_what_is_in_it(tmp_path: Path) -> None:
    put(tmp_path / "prices.csv", "a\n1\n")
    assert "is a folder" in (message := refusal(tmp_path)) and "prices.csv" in message


def test_a_missing_file_and_the_one_that_is_there(tmp_path: Path) -> None:
    put(tmp_path / "listings.csv", "a\n1\n")
    assert "did you mean 'listings.csv'?" in refusal(tmp_path / "listing.csv")
    assert "does not exist" in refusal(tmp_path / "nowhere" / "at all.csv")
    assert "owner/name" in refusal(tmp_path / "imdb")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04rest", "workbook"),
        (b"PAR1rest", "Parquet"),
        (b"\x1f\x8brest", "gzip"),
        (b"%PDF-1.7", "PDF"),
        (b"a,b\n\x00\x01\x02", "NUL"),
        (b"a,b\n" + b"1,2\n" * 5000 + b"1,\x00\n", "line 5002 holds a NUL byte"),
    ],
)
def test_binary_files(tmp_path: Path, content: bytes, said: str) -> None:
    assert said in refusal(put(tmp_path / "a.csv", content))


def test_an_unknown_suffix(tmp_path: Path) -> None:
    assert "must end in .csv" in refusal(put(tmp_path / "a.docx", b"x"))


def test_a_full_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "scratch", lambda suffix: tmp_path / "no" / "such")
    assert "TMPDIR" in refusal(put(tmp_path / "a.csv", "a,b\n1,2\n"))


# -- JSON, Parquet ---------------------------------------------------------------------------------


def test_json_in_its_shapes(tmp_path: Path) -> None:
    rows = [{"a": "x", "n": 1}, {"a": "y", "n": 2.5}]
    expected = [{"a": "x", "n": 1.0, "row_id": 1}, {"a": "y", "n": 2.5, "row_id": 2}]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    for name, text in (
        ("a.json", json.dumps(rows)),
        ("b.json", json.dumps({"version": "1", "data": rows})),
        ("c.json", json.dumps({"items": rows})),
        ("d.json", lines),
        ("a.jsonl", lines + "\n"),
        ("b.ndjson", "﻿" + lines),
    ):
        assert rows_of(put(tmp_path / name, text)) == expected, name


def test_json_columns_of_mixed_types_become_text(tmp_path: Path) -> None:
    rows = [{"p": n, "l": ["a"]} for n in range(1500)] + [{"p": "12 €", "l": ["b", "c"], "new": 1}]
    path = put(tmp_path / "a.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    found = rows_of(path)
    assert (found[0]["p"], found[0]["new"]) == ("0", None)
    assert found[-1] == {"p": "12 €", "l": ["b", "c"], "new": 1, "row_id": 1501}


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.jsonl", '{"a": 1}\n{"a": }\n', "line 2, column 7 is not JSON"),
        ("a.jsonl", '{"a": 1}\n[1]\n', "line 2 is a list, not an object"),
        ("a.json", '[{"a": 1},\n{"a" 2}]', "line 2, column 6 is not JSON"),
        ("a.json", '"text"', "is a string, not a list of objects"),
        ("a.json", '[{"a": 1}, 3]', "row 2 is a number"),
        ("a.jsonl", b'{"a": "\xe9"}', "--encoding"),
        ("a.json", b'[{"a": "\xe9"}]', "--encoding"),
    ],
)
def test_broken_json(tmp_path: Path, name: str, content: str | bytes, said: str) -> None:
    assert said in refusal(put(tmp_path / name, content))


def test_parquet(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table(
        {"a": pa.array(["x", "y", "x"]).dictionary_encode(), "row_id": ["p", "q", "r"]}
    )
    pq.write_table(table, tmp_path / "a.parquet")
    assert rows_of(tmp_path / "a.parquet")[2] == {"a": "x", "row_id (file)": "r", "row_id": 3}
    whole = (tmp_path / "a.parquet").read_bytes()
    assert "not a readable Parquet file" in refusal(put(tmp_path / "b.parquet", whole[:-20]))
    pq.write_table(table.slice(0, 0), tmp_path / "c.parquet")
    assert "is empty" in refusal(tmp_path / "c.parquet")


# -- the Hub -------------------------------------------------------------------------------------


def test_hub_ids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here").mkdir()
    assert is_hub_id("stanfordnlp/imdb") and is_hub_id("owner/name:config")
    for path in (
        "imdb",
        "here/file",
        "nowhere/file.csv",
        "a/b/c",
        "/owner/name",
        "owner/x.parquet",
    ):
        assert not is_hub_id(path), path


def test_the_hub_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    def offline(*_: Any, **__: Any) -> None:
        raise ConnectionError("Couldn't reach the Hub\nwith many lines")

    monkeypatch.setattr(reading, "_go_offline_without_a_network", lambda: None)
    monkeypatch.setattr(datasets, "load_dataset", offline)
    with pytest.raises(DataError) as caught:
        read("owner/name", Source())
    assert str(caught.value).startswith("cannot load the data set 'owner/name' from the Hub: Coul")


def test_no_name_server_means_the_cache_only(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    def nobody(*_: Any) -> None:
        raise OSError("Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    monkeypatch.setattr("urllib.request.getproxies", dict)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    with pytest.raises(DataError, match="cannot load the data set 'owner/there-is-none'"):
        read("owner/there-is-none", Source())
    assert constants.HF_HUB_OFFLINE is True


def test_splits_of_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    def load(name: str, config: str | None) -> Any:
        assert (name, config) == ("owner/name", "small")
        rows = datasets.Dataset.from_dict({"a": ["x", "y"]})
        return datasets.DatasetDict({"train": rows, "dev": rows})

    monkeypatch.setattr(reading, "_go_offline_without_a_network", lambda: None)
    monkeypatch.setattr(datasets, "load_dataset", load)
    source = Source(data="owner/name:small")
    assert read("owner/name:small", source)["row_id"][:] == [1, 2]
    assert "split 'train'" in source.notes[0]
    assert set(read_splits(source, lambda rows: rows)) == {"train", "validation"}


def test_a_device_is_not_a_file() -> None:
    if Path("/dev/null").exists():
        assert "not a regular file" in refusal(Path("/dev/null"))


def test_an_object_of_several_lists_is_no_table(tmp_path: Path) -> None:
    """One list for each split, of objects or of lists."""
    for rows in ([["turn it on", "lamp"]] * 3, [{"text": "turn it on", "label": "lamp"}] * 3):
        path = put(tmp_path / "a.json", json.dumps({"train": rows, "val": rows[:2]}).encode())
        message = refusal(path)
        assert "holds 2 lists of rows: 'train' (3), 'val' (2)" in message
        assert "--train, --validation and --test" in message
