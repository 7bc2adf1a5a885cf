"""Rows of files → rows of a task: what is kept, left out, refused and decided once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset

from data_fixtures import write_csv
from toolkit import data
from toolkit.data import Source, Unusable
from toolkit.errors import DataError, UsageError


def upper(row: Mapping[str, Any]) -> dict[str, Any] | None:
    if not row["word"]:
        raise Unusable("no word")
    return (
        None if row["word"] == "again" else {"word": row["word"].upper(), "size": len(row["word"])}
    )


TYPES = {"word": "string", "size": None}


def words(path: Path, *values: str) -> str:
    return str(write_csv(path, ("word", "other"), [(value, "x") for value in values]))


def convert(source: Source, dataset: Dataset) -> Dataset:
    return data.map_rows(source, dataset, upper, TYPES, needed=["word"])


def test_rows_are_kept_skipped_and_left_out_with_their_numbers(tmp_path: Path) -> None:
    source = Source(data=words(tmp_path / "a.csv", "one", "", "again", "three", ""))
    rows: Any = data.load_rows(source, convert)
    assert rows.to_list() == [
        {"row_id": 1, "word": "ONE", "size": 3}, {"row_id": 4, "word": "THREE", "size": 5},
    ]  # fmt: skip
    assert source.left_out == {"no word": [2, 5]}


def test_reasons_of_own_splits_name_the_split(tmp_path: Path) -> None:
    train, test = words(tmp_path / "a.csv", "one"), words(tmp_path / "b.csv", "", "two")
    source = Source(train=train, test=test)
    rows: Any = data.load_rows(source, convert)
    assert set(rows) == {"train", "test"} and source.left_out == {"test: no word": [1]}


def test_a_file_without_a_usable_row_is_refused(tmp_path: Path) -> None:
    source = Source(data=words(tmp_path / "a.csv", "", ""))
    with pytest.raises(DataError, match=r"no row can be used: no word \(2\)"):
        data.load_rows(source, convert)
    with pytest.raises(DataError, match="nothing: 2"):
        data.map_rows(
            source, data.read(str(source.data), source), upper, TYPES,
            nothing_left=lambda left_out: DataError(f"nothing: {len(left_out['no word'])}"),
        )  # fmt: skip


def test_more_rows_than_a_batch_holds(tmp_path: Path) -> None:
    values = ["" if n % 1000 < 999 and n < 2000 else f"w{n}" for n in range(2_500)]
    rows: Any = data.load_rows(Source(data=words(tmp_path / "a.csv", *values)), convert)
    assert rows["row_id"][:] == [n + 1 for n, value in enumerate(values) if value]


def test_the_tasks_own_rows_are_read_where_none_are_named(tmp_path: Path) -> None:
    path = Path(words(tmp_path / "own.csv", "one", ""))
    source = Source()

    def noted(source: Source, dataset: Dataset) -> Dataset:
        source.note("the word is column 'word'")
        source.chosen = {"word": "word"}
        return convert(source, dataset)

    rows: Any = data.load_rows(source, noted, lambda: data.OwnData(path, synthetic=True))
    assert rows["word"][:] == ["ONE"] and source.synthetic
    assert source.notes == [
        "the data are the task's own, and made up (own.csv; name others with --data)"
    ]
    assert source.chosen == {"word": "word"} and source.left_out == {"no word": [2]}


def test_what_is_decided_on_the_first_file_holds_for_all(tmp_path: Path) -> None:
    names = []
    decided = data.for_all_files(lambda source, dataset: names.append(source.file) or len(names))
    source = Source(train=words(tmp_path / "a.csv", "one"), test=words(tmp_path / "b.csv", "two"))
    made = []

    def both(source: Source, dataset: Dataset) -> Dataset:
        made.append(decided(source, dataset))
        return convert(source, dataset)

    data.load_rows(source, both)
    assert made == [1, 1] and names == [source.train]


def test_rows_to_predict_are_all_answered_or_refused(tmp_path: Path) -> None:
    def maker(dataset: Dataset) -> Any:
        assert data.column_names(dataset) == ["word", "other"]
        return lambda row: {"word": (upper(row) or {})["word"]}

    source = Source(data=words(tmp_path / "a.csv", "one", "two"))
    assert data.map_inputs(source, ["word"], maker)["word"][:] == ["ONE", "TWO"]
    with pytest.raises(DataError, match=r"b\.csv: row 2: no word"):
        data.map_inputs(Source(data=words(tmp_path / "b.csv", "one", "")), ["word"], maker)
    with pytest.raises(UsageError, match="--data"):
        data.map_inputs(Source(), ["word"], maker)


def test_the_facades_have_what_they_name_and_load_nothing_heavy() -> None:
    code = (
        "import sys, toolkit.data, toolkit.metrics\n"
        "heavy = {'datasets', 'numpy', 'pyarrow', 'torch', 'transformers'} & sys.modules.keys()\n"
        "assert not heavy, heavy\n"
        "for module in (toolkit.data, toolkit.metrics):\n"
        "    assert all(getattr(module, name) for name in module.__all__)\n"
        "    assert set(dir(module)) == set(module.__all__)\n"
        "heavy = {'datasets', 'numpy', 'pyarrow', 'torch', 'transformers'} & sys.modules.keys()\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_first_row_does_not_decide_on_the_type_of_a_column(tmp_path: Path) -> None:
    def sized(row: Mapping[str, Any]) -> dict[str, Any]:
        return {"size": 1 if row["word"] == "one" else 2.5}

    source = Source(data=words(tmp_path / "a.csv", "one", "two"))
    rows = data.load_rows(
        source, lambda s, dataset: data.map_rows(s, dataset, sized, {"size": None})
    )
    assert rows["size"][:] == [1.0, 2.5]
