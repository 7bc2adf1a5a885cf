"""ZIP archives as they are downloaded: one file of rows, with or without other things beside it."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from toolkit.data.load import read
from toolkit.data.source import Source
from toolkit.errors import DataError

ROWS = "a,b\n1,é\n"


def packed(path: Path, files: Mapping[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize(
    "files",
    [
        {"train.csv": ROWS},
        {"data/": "", "data/Train.CSV": ROWS},
        {"README.md": "notes", "train.csv": ROWS, "__MACOSX/._train.csv": "x", "a.png": "x"},
        {"rows.jsonl": '{"a": "1", "b": "é"}\n'},
    ],
)
def test_the_one_file_of_rows_is_read(tmp_path: Path, files: dict[str, str]) -> None:
    found = read(packed(tmp_path / "archive.zip", files), Source())
    assert [dict(row) for row in found] == [{"a": "1", "b": "é", "row_id": 1}]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"a.csv": ROWS, "b/c.tsv": ROWS}, r"holds 2 files of rows \(a.csv, b/c.tsv\): unpack it"),
        ({"a.txt": "x"}, "holds no file of rows, only a.txt"),
        ({}, "holds no file of rows, only nothing"),
        ({"a.parquet": "x"}, "holds a.parquet: unpack it, and name that file"),
    ],
)
def test_other_archives_are_refused_in_a_sentence(
    tmp_path: Path, files: dict[str, str], said: str
) -> None:
    path = packed(tmp_path / "archive.zip", files)
    with pytest.raises(DataError, match=said):
        read(path, Source())
    with pytest.raises(DataError, match="there is no file"):  # nor does it break the listing
        read(tmp_path / "other.csv", Source())


def test_a_file_with_a_password_is_refused(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", {"a.csv": ROWS})
    raw = bytearray(path.read_bytes())
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        raw[raw.index(signature) + flags] |= 1  # "encrypted", as both of its headers say
    path.write_bytes(bytes(raw))
    with pytest.raises(DataError, match=r"cannot unpack a.csv .* password"):
        read(path, Source())
