"""Predictions of whole files: in chunks, gone on with where they end, in three formats."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import datasets
import filelock
import pyarrow.parquet as pq
import pytest

from toolkit import Source
from toolkit.errors import UsageError
from toolkit.pipeline import predict_file, prediction_formats

ROWS = 2_345
RUN: Any = SimpleNamespace(id="20260101-000000-abc", info={"data": {}})


class Model:
    """Predicts the length of a text; counts the rows that it sees, and fails when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.chunks: list[int] = []
        self.fails_at: int | None = None
        self.opened = 0
        monkeypatch.setattr(predict_file, "open_run", self.open)
        monkeypatch.setattr(predict_file, "answered", self.answered)

    def open(self, run: Any, *, adapter: bool) -> tuple[Any, Any]:
        self.opened += 1
        return SimpleNamespace(load_inputs=self.inputs), None

    def inputs(self, source: Source) -> datasets.Dataset:
        with Path(str(source.data)).open(encoding="utf-8") as file:
            texts = [line["text"] for line in csv.DictReader(file)]
        return datasets.Dataset.from_dict({"row_id": range(1, len(texts) + 1), "text": texts})

    def answered(
        self, run: Any, task: Any, kind: Any, rows: Sequence[Any], *, adapter: bool
    ) -> list[dict[str, Any]]:
        if self.fails_at is not None and len(self.chunks) == self.fails_at:
            raise KeyboardInterrupt
        self.chunks.append(len(rows))
        return [
            {"row_id": row["row_id"], "input": row["text"], "prediction": len(row["text"]) + 0.5,
             "low": None, "parsed": True, "detail": {"words": row["text"].split()}}
            for row in rows
        ]  # fmt: skip


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Model:
    return Model(monkeypatch)


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["text"])
        table.writerows([[f"=row, {n} “quoted”\nand more"] for n in range(ROWS)])
    return path


def predicted(rows: Path, out: Path, **options: Any) -> list[dict[str, Any]]:
    """Predicts the file, and reads the JSON lines that are written."""
    assert predict_file.predict_file(RUN, Source(data=str(rows)), out, **options) == ROWS
    assert sorted(p.name for p in out.parent.iterdir()) == sorted({rows.name, out.name})
    return [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]


def test_no_more_than_a_chunk_is_in_memory(model: Model, rows: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    lines = predicted(rows, tmp_path / "a.jsonl", progress=lambda *at: seen.append(at))
    assert model.chunks == [1000, 1000, 345]
    assert seen == [(0, ROWS), (1000, ROWS), (2000, ROWS), (ROWS, ROWS)]
    assert [line["row_id"] for line in lines] == list(range(1, ROWS + 1))


@pytest.mark.parametrize("cut", [0, 1, 500])
def test_what_is_stopped_goes_on(model: Model, rows: Path, tmp_path: Path, cut: int) -> None:
    whole = predicted(rows, tmp_path / "a.jsonl")
    (tmp_path / "a.jsonl").unlink()
    model.chunks, model.fails_at = [], 2
    out, told = tmp_path / "b.jsonl", []
    with pytest.raises(KeyboardInterrupt):
        predict_file.predict_file(RUN, Source(data=str(rows)), out)
    assert not out.exists()
    journal = tmp_path / "b.jsonl.part"
    if cut:
        journal.write_bytes(journal.read_bytes()[:-cut])  # a line that was not written whole
    model.chunks, model.fails_at = [], None
    assert predicted(rows, out, say=told.append) == whole
    assert sum(model.chunks) < ROWS
    assert "rows were predicted before; going on with row" in told[0]


def test_a_journal_of_other_rows_or_another_run_is_not_gone_on_with(
    model: Model, rows: Path, tmp_path: Path
) -> None:
    out = tmp_path / "b.jsonl"
    for changed in (lambda: rows.write_bytes(rows.read_bytes().replace(b"row, 1 ", b"ROW, 1 ")),
                    lambda: RUN.__dict__.update(id="20260101-000000-def")):  # fmt: skip
        model.chunks, model.fails_at = [], 1
        with pytest.raises(KeyboardInterrupt):
            predict_file.predict_file(RUN, Source(data=str(rows)), out)
        changed()
        model.chunks, model.fails_at = [], None
        predicted(rows, out)
        assert sum(model.chunks) == ROWS


def test_all_formats_hold_the_same(model: Model, rows: Path, tmp_path: Path) -> None:
    lines = predicted(rows, tmp_path / "a.jsonl")
    for name in ("a.csv", "A.PARQUET"):
        predict_file.predict_file(RUN, Source(data=str(rows)), tmp_path / name)
    flat = [{**line, "detail": json.dumps(line["detail"], ensure_ascii=False)} for line in lines]
    assert pq.read_table(tmp_path / "A.PARQUET").to_pylist() == flat
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    assert [float(row["prediction"]) for row in table] == [line["prediction"] for line in lines]
    assert [row["detail"] for row in table] == [line["detail"] for line in flat]
    assert {row["input"][:2] for row in table} == {"'="}  # no formula for a spreadsheet


def test_a_name_without_a_format_is_refused_before_the_model_is_loaded(
    model: Model, rows: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=r"ends in \.jsonl, \.csv, \.parquet"):
        predict_file.predict_file(RUN, Source(data=str(rows)), tmp_path / "a.xlsx")
    with pytest.raises(UsageError, match="cannot write"):
        predict_file.predict_file(RUN, Source(data=str(rows)), tmp_path / "no" / "a.csv")
    assert model.opened == 0


def test_two_do_not_write_one_file(model: Model, rows: Path, tmp_path: Path) -> None:
    with (
        filelock.FileLock(tmp_path / "a.csv.part.lock"),
        pytest.raises(UsageError, match="another process is writing"),
    ):
        predict_file.predict_file(RUN, Source(data=str(rows)), tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("values", "kind"),
    [([1, 2], "int64"), ([1, 2.5], "double"), ([True, None], "bool"), (["a", 1], "string"),
     ([{"b": 1}, None], "string"), ([None, None], "string")],
)  # fmt: skip
def test_columns_of_parquet_fit_all_values(tmp_path: Path, values: list[Any], kind: str) -> None:
    out = tmp_path / "a.parquet"
    prediction_formats.write(lambda: [{"prediction": value} for value in values], out)
    assert str(pq.read_schema(out).field("prediction").type) == kind
    assert pq.read_table(out).num_rows == 2
