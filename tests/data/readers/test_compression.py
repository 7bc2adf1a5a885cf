"""Compressed files of every kind that pyarrow reads, and files whose names hide what they are."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pyarrow as pa
import pytest

from toolkit.data.load import read
from toolkit.data.readers.encoding import COMPRESSIONS
from toolkit.data.source import Source
from toolkit.errors import DataError

every = pytest.mark.parametrize("ending", sorted(COMPRESSIONS))


def packed(path: Path, text: str, encoding: str = "utf-8") -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(path.stem, text.encode(encoding))
        return path
    with pa.CompressedOutputStream(str(path), COMPRESSIONS[path.suffix]) as file:
        file.write(text.encode(encoding))
    return path


@every
@pytest.mark.parametrize(
    ("kind", "text"),
    [(".csv", "a,b\n1,é\n"), (".tsv", "a\tb\n1\té\n"), (".jsonl", '{"a": "1", "b": "é"}\n'),
     (".json", '[{"a": "1", "b": "é"}]')],
)  # fmt: skip
def test_text_files_of_every_compression(tmp_path: Path, ending: str, kind: str, text: str) -> None:
    path = packed(tmp_path / f"data{kind}{ending}", text)
    assert [dict(row) for row in read(path, Source())] == [{"a": "1", "b": "é", "row_id": 1}]


@every
def test_encodings_and_many_rows(tmp_path: Path, ending: str) -> None:
    text = "a,b\n" + "".join(f"é {n},{n}\n" for n in range(3000))
    for name, encoding, given in (("a", "utf-16", None), ("b", "cp1252", "cp1252")):
        path = packed(tmp_path / f"{name}.csv{ending}", text, encoding)
        found = read(path, Source(encoding=given))
        assert len(found) == 3000 and found[2999]["a"] == "é 2999"
    wrong = packed(tmp_path / f"c.csv{ending}", text, "cp1252")
    with pytest.raises(DataError, match="row 1"):
        read(wrong, Source())


@every
@pytest.mark.parametrize("kind", [".csv", ".jsonl", ".json"])
def test_broken_files_are_refused(tmp_path: Path, ending: str, kind: str) -> None:
    text = "".join(f"{n * 7919 % 10007},{n * 104729 % 99991}\n" for n in range(30_000))
    path = packed(tmp_path / f"a{kind}{ending}", text)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match=f"a{kind}{ending}"):
        read(path, Source())
    path.write_bytes(b"a,b\n1,2\n" * 4)
    with pytest.raises(DataError, match="cannot read"):
        read(path, Source())


@every
def test_a_missing_ending_is_named(tmp_path: Path, ending: str) -> None:
    path = packed(tmp_path / f"a.csv{ending}", "a,b\n1,2\n").rename(tmp_path / "a.csv")
    if ending != ".br":  # Brotli has no signature
        with pytest.raises(DataError, match=f"let its name end in {ending}"):
            read(path, Source())


@pytest.mark.parametrize("name", ["a.parquet.gz", "a.xlsx.zst", "a.gz"])
def test_what_is_not_read_in_a_compressed_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="unknown format"):
        read(packed(tmp_path / name, "a"), Source())
