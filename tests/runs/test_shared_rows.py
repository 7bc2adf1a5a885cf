"""Rows that two runs share are known by what they hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from toolkit.errors import RunError
from toolkit.runs.run import Run
from toolkit.runs.shared_rows import digest_of_split, of_split, row_digests, shared_test_rows


def made(folder: Path, rows: list[tuple[int, str, str]]) -> Run:
    info: dict[str, Any] = {"id": folder.name}
    (folder / "data").mkdir(parents=True)
    numbers, splits, digests = (list(column) for column in zip(*rows, strict=True))
    table = pa.table({"row_id": numbers, "split": splits, "sha": digests})
    pq.write_table(table, folder / "data" / "splits.parquet")
    return Run(folder, info)


def test_numbers_and_other_splits_do_not_matter(tmp_path: Path) -> None:
    a = made(tmp_path / "a", [(1, "test", "x"), (2, "test", "y"), (3, "train", "z")])
    b = made(tmp_path / "b", [(7, "test", "y"), (8, "train", "x"), (9, "test", "z")])
    assert shared_test_rows(a, b) == [(2, 7)]
    assert row_digests(a)["train", 3] == "z"


def test_rows_that_are_repeated_have_a_partner_each(tmp_path: Path) -> None:
    a = made(tmp_path / "a", [(n, "test", "x") for n in (1, 2, 3)])
    b = made(tmp_path / "b", [(n, "test", "x") for n in (4, 5)])
    assert shared_test_rows(a, b) == [(1, 4), (2, 5)]


def test_a_run_without_a_table_shares_nothing(tmp_path: Path) -> None:
    a = made(tmp_path / "a", [(1, "test", "x")])
    assert shared_test_rows(a, Run(tmp_path / "none", {"id": "none"})) == []


def test_a_split_has_one_digest_whatever_the_others_hold(tmp_path: Path) -> None:
    a = made(tmp_path / "a", [(1, "test", "x"), (2, "train", "y")])
    b = made(tmp_path / "b", [(5, "train", "z"), (1, "test", "x")])
    other = made(tmp_path / "c", [(1, "test", "y")])
    assert digest_of_split(a, "test") == digest_of_split(b, "test")
    assert digest_of_split(a, "test") != digest_of_split(other, "test")
    assert of_split(b, "train") == ["z"]


def test_a_damaged_table_is_one_sentence(tmp_path: Path) -> None:
    a = made(tmp_path / "a", [(1, "test", "x")])
    (a.path / "data" / "splits.parquet").write_bytes(b"PAR1 is not all of it")
    with pytest.raises(RunError, match=r"run a: data/splits\.parquet cannot be read"):
        row_digests(a)
    assert digest_of_split(a, "test") is None
