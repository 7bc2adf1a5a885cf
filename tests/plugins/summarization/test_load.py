"""Files of strangers: lists of sentences, several references, dialogues, records."""

from __future__ import annotations

import json
from random import Random

import pytest

from toolkit import DataError, Source
from toolkit.preparation import prepare
from toolkit.preparation.preflight import check
from toolkit_summarization.claim_task import ClaimReport
from toolkit_summarization.task import Summarization


def written(folder, name, rows):
    path = folder / name
    if name.endswith(".jsonl"):
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    else:
        import csv

        with path.open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, rows[0].keys())
            table.writeheader()
            table.writerows(rows)
    return str(path)


def test_lists_of_sentences_are_joined_and_all_targets_are_references(tmp_path):
    rows = [{"source": ["One came.", "Two went."], "target": ["A.", "B."]},
            {"source": ["Three."], "target": ["C."]}]  # fmt: skip
    source = Source(data=written(tmp_path, "a.jsonl", rows))
    found = list(Summarization().load_rows(source))
    assert [row["article"] for row in found] == ["One came. Two went.", "Three."]
    assert [row["references"] for row in found] == [["A.", "B."], ["C."]]
    assert found[0]["summary"] == "A."
    assert any("several targets" in note for note in source.notes)


def test_rows_with_the_same_input_become_one(tmp_path):
    rows = [{"mr": "name[A], food[B]", "ref": "A has B."}, {"mr": "name[C]", "ref": "C."},
            {"mr": "name[A], food[B]", "ref": "B at A."},
            {"mr": "name[A],  food[B]", "ref": "A has B."}]  # fmt: skip
    source = Source(data=written(tmp_path, "a.csv", rows))
    found = list(ClaimReport().load_rows(source))
    assert [row["claim"] for row in found] == ["name[A], food[B]", "name[C]"]
    assert found[0]["references"] == ["A has B.", "B at A."]


def test_no_input_is_in_two_splits_even_where_the_file_repeats_it(tmp_path):
    rows = [{"mr": f"name[N{i % 50}], area[X]", "ref": f"text {i}"} for i in range(300)]
    prepared = prepare.prepare(ClaimReport(), Source(data=written(tmp_path, "a.csv", rows)))
    seen = [row["claim"] for part in prepared.splits.values() for row in part]
    assert len(seen) == len(set(seen)) == 50


def test_training_takes_another_reference_each_epoch():
    row = {"row_id": 1, "article": "x", "summary": "A.", "references": ["A.", "B.", "C."]}
    drawn = {Summarization().augment(row, Random(epoch))["summary"] for epoch in range(30)}
    assert drawn == {"A.", "B.", "C."}


def test_rows_without_text_or_target_are_left_out_and_counted(tmp_path):
    rows = [{"dialogue": "Doctor: Hm.", "section_text": "Hm."},
            {"dialogue": "", "section_text": "None."},
            {"dialogue": "Yes.", "section_text": ""}]  # fmt: skip
    source = Source(data=written(tmp_path, "a.csv", rows))
    found = list(ClaimReport().load_rows(source))
    assert [row["report"] for row in found] == ["Hm."]
    assert source.left_out == {"no text": [2], "no target": [3]}


def test_exact_duplicates_are_counted_and_other_targets_merged(tmp_path):
    texts = ["One.", "One.", "One. ", "Two.", "Two.", "Two.", "Two.", "Three.", "Three.", "Two."]
    pairs = zip(texts, ["A.", "A.", "A.", "B.", "C.", "B.", "C.", "", "D.", ""], strict=True)
    rows = [{"article": text, "summary": target} for text, target in pairs]
    source = Source(data=written(tmp_path, "a.csv", rows))
    found = list(Summarization().load_rows(source))
    assert [(row["article"], row["references"]) for row in found] == [
        ("One.", ["A."]), ("Two.", ["B.", "C."]), ("Three.", ["D."]),
    ]  # fmt: skip
    assert source.left_out == {
        "the same text and target as an earlier row": [2, 3, 6, 7], "no target": [10],
    }  # fmt: skip


def test_a_file_of_which_much_is_repeated_has_a_warning(tmp_path):
    rows = [{"article": f"Text {i % 60}.", "summary": f"Sum {i % 60}."} for i in range(90)]
    task = Summarization()
    prepared = prepare.prepare(task, Source(data=written(tmp_path, "a.csv", rows)))
    warnings = " ".join(check(task, prepared).warnings())
    assert "30 of 90 rows (33%) are left out: the same text and target" in warnings


def test_a_file_without_any_usable_row_is_refused(tmp_path):
    rows = [{"article": "x", "summary": ""}]
    with pytest.raises(DataError, match="no row of"):
        Summarization().load_rows(Source(data=written(tmp_path, "a.csv", rows)))


def test_inputs_to_predict_take_the_column_that_training_took(tmp_path):
    rows = [{"source": ["One.", "Two."], "target": ["A."]}]
    trained = Source(data=written(tmp_path, "a.jsonl", rows))
    Summarization().load_rows(trained)
    asked = Source(data=written(tmp_path, "b.jsonl", [{"source": ["Three.", "Four."]}]))
    asked.chosen = trained.chosen
    assert [row["article"] for row in Summarization().load_inputs(asked)] == ["Three. Four."]
