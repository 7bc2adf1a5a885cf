"""Several answers a row: lists, texts between separators, a column for each; labels and numbers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from several_fixtures import TOPICS, label_rows, number_rows, write_csv, write_jsonl
from toolkit import MultiLabelTask, VectorRegressionTask
from toolkit.data.several_answers import separator_of, split_labels
from toolkit.data.source import Source
from toolkit.errors import DataError
from toolkit.metrics import multi_label_metrics, vector_metrics


class Topics(MultiLabelTask):
    name, summary, api_version = "topics", "topics of messages", 2
    columns = {"text": "the message", "labels": "its topics"}
    truncate = "text"
    answer = "labels"
    metrics = multi_label_metrics(tuple(TOPICS))
    primary_metric = "micro_f1"

    def format_example(self, row: Any) -> dict[str, Any]:
        return {"text": row["text"], "label": row.get("labels")}


class Known(Topics):
    classes = tuple(TOPICS)


class Dishes(VectorRegressionTask):
    name, summary, api_version = "dishes", "minutes and calories of dishes", 2
    columns = {"text": "the dish", "minutes": "its minutes", "kcal": "its calories"}
    truncate = "text"
    outputs = ("minutes", "kcal")
    metrics = vector_metrics(outputs)
    primary_metric = "scaled_mae"

    def text(self, row: Any) -> str:
        return str(row["text"])


def loaded(task: type[Topics], path: Path, **options: Any) -> tuple[list[list[str]], Source]:
    source = Source(data=str(path), **options)
    return task().load_rows(source)["labels"][:], source


@pytest.mark.parametrize("separator", ["; ", " | ", ", "])
@pytest.mark.parametrize("task", [Topics, Known])
def test_labels_between_separators(tmp_path: Path, task: type[Topics], separator: str) -> None:
    rows = label_rows()
    found, source = loaded(task, write_csv(tmp_path / "rows.csv", rows, separator))
    assert found == [row["labels"] for row in rows]
    bare = sum(not row["labels"] for row in rows)
    assert any(f"{bare} of 120 rows have no labels" in note for note in source.notes)


@pytest.mark.parametrize("task", [Topics, Known])
def test_labels_as_lists(tmp_path: Path, task: type[Topics]) -> None:
    rows = label_rows()
    assert loaded(task, write_jsonl(tmp_path / "rows.jsonl", rows))[0] == [
        row["labels"] for row in rows
    ]
    renamed = [{"message": row["text"], "tags": row["labels"]} for row in rows]
    assert loaded(task, write_jsonl(tmp_path / "tags.jsonl", renamed))[0] == [
        row["labels"] for row in rows
    ]


def test_lists_written_into_the_cells_of_a_table(tmp_path: Path) -> None:
    rows = label_rows()
    written = [{**row, "labels": json.dumps(row["labels"])} for row in rows]
    assert loaded(Known, write_csv(tmp_path / "rows.csv", written))[0] == [
        row["labels"] for row in rows
    ]


def test_a_column_of_0_and_1_for_each_label(tmp_path: Path) -> None:
    rows = label_rows()
    wide = [
        {"text": row["text"], **{t: int(t in row["labels"]) for t in TOPICS}, "note": "x"}
        for row in rows
    ]
    path = write_csv(tmp_path / "wide.csv", wide)
    assert loaded(Known, path, target="billing,delivery,login")[0] == [r["labels"] for r in rows]
    wide[3]["login"] = 7
    source = Source(data=str(write_csv(tmp_path / "odd.csv", wide)), target="billing,login")
    assert len(Known().load_rows(source)) == len(rows) - 1
    assert source.left_out == {"login is neither 0 nor 1": [4]}
    with pytest.raises(DataError, match="no column 'logins' for the target"):
        loaded(Known, path, target="billing,logins")


def test_a_label_that_the_task_does_not_know_leaves_the_row_out(tmp_path: Path) -> None:
    rows = label_rows()
    rows[5]["labels"] = ["billing", "parking"]
    found, source = loaded(Known, write_jsonl(tmp_path / "rows.jsonl", rows))
    assert len(found) == len(rows) - 1
    assert any("'parking' (1)" in note for note in source.notes)


@pytest.mark.parametrize(
    ("cells", "known", "separator"),
    [
        (["a;b", "a", "b"], None, ";"),
        (["a, b", "c"], None, ","),
        (["a", "b"], None, ""),
        (["x, y", "z", "x, y;z"], {"x, y", "z"}, ";"),
        (["x, y", "z"], {"x, y", "z"}, ""),
    ],
)
def test_what_stands_between_labels_is_found(
    cells: Sequence[str], known: set[str] | None, separator: str
) -> None:
    assert separator_of(cells, None if known is None else known.__contains__) == separator


def test_a_cell_is_split_at_the_separator_alone() -> None:
    assert split_labels("a, b; c ;", ";") == ["a, b", "c"]
    assert split_labels("['a', 'b']", ";") == ["a", "b"]
    assert split_labels("", ";") == []


def numbers(path: Path, **options: Any) -> list[tuple[float, float]]:
    rows = Dishes().load_rows(Source(data=str(path), **options))
    return list(zip(rows["minutes"][:], rows["kcal"][:], strict=True))


def test_numbers_from_their_columns_others_and_lists(tmp_path: Path) -> None:
    rows = number_rows()
    right = [(row["minutes"], row["kcal"]) for row in rows]
    assert numbers(write_csv(tmp_path / "rows.csv", rows)) == right
    other = [{"dish": r["text"], "time": r["minutes"], "energy": r["kcal"]} for r in rows]
    path = write_csv(tmp_path / "other.csv", other)
    assert numbers(path, target="time,energy", text=("dish",)) == right
    lists = [{"text": r["text"], "both": [r["minutes"], r["kcal"]]} for r in rows]
    assert numbers(write_jsonl(tmp_path / "lists.jsonl", lists), target="both") == right
    cells = [{"text": r["text"], "both": f"{r['minutes']};{r['kcal']}"} for r in rows]
    assert numbers(write_csv(tmp_path / "cells.csv", cells), target="both") == right


def test_rows_without_all_numbers_are_left_out_and_counted(tmp_path: Path) -> None:
    rows = number_rows()
    rows[0]["kcal"], rows[1]["minutes"] = "", "long"
    source = Source(data=str(write_csv(tmp_path / "rows.csv", rows)))
    assert len(Dishes().load_rows(source)) == len(rows) - 2
    assert source.left_out == {"no kcal": [1], "minutes is no number": [2]}


def test_a_wrong_number_of_columns_is_one_sentence(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "rows.csv", number_rows())
    with pytest.raises(DataError, match=r"names 3 columns, and the task predicts 2 numbers"):
        numbers(path, target="minutes,kcal,text")
    bare = [{"text": row["text"], "minutes": row["minutes"]} for row in number_rows()]
    with pytest.raises(DataError, match="no column 'kcal' for the numbers to predict"):
        numbers(write_csv(tmp_path / "bare.csv", bare))
