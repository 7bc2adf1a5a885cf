"""Question-answering files as strangers have them: what is read, refused, mended and counted."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from toolkit import DataError, Source
from toolkit.errors import UsageError
from toolkit.preparation.prepare import prepare
from toolkit_qa.aligning import MOVED, REWRITTEN, align, answers_of, problem
from toolkit_qa.load import load_rows

CONTEXT = "The bridge was opened in 1871. It was designed by Ada Finch."


def qa(number: int = 1, **changes: Any) -> dict[str, Any]:
    answers = [{"text": "1871", "answer_start": 25}]
    return {"id": f"q{number}", "question": "When was it opened?", "answers": answers} | changes


def squad(*qas: dict[str, Any], context: str = CONTEXT, title: str = "Bridge") -> dict[str, Any]:
    return {"version": "1.1", "data": [
        {"title": title, "paragraphs": [{"context": context, "qas": list(qas)}]}]}  # fmt: skip


def put(folder: Path, content: Any, name: str = "squad.json") -> str:
    path = folder / name
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return str(path)


def load(path: str, *, repair: bool = False, **options: Any) -> tuple[Any, Source]:
    source = Source(data=path, **options)
    return load_rows(source, repair=repair), source


def refusal(path: str, **options: Any) -> str:
    with pytest.raises(DataError) as caught:
        load(path, **options)
    assert "\n" not in str(caught.value) and caught.value.exit_code == 2
    return str(caught.value)


# -- what is read --------------------------------------------------------------------------------
def test_squad_1_and_2_are_read(tmp_path):
    none = qa(2, answers=[], is_impossible=True, plausible_answers=[{"text": "x"}])
    rows, _ = load(put(tmp_path, squad(qa(), none)))
    assert rows[0]["answers"] == {"text": ["1871"], "answer_start": [25]}
    assert rows[1]["answers"] == {"text": [], "answer_start": []}
    assert [row["id"] for row in rows] == ["q1", "q2"] and rows[0]["title"] == "Bridge"
    assert rows[0]["row_id"] == 1


@pytest.mark.parametrize(
    "cell",
    [
        "1871",
        '{"text": ["1871"], "answer_start": [25]}',
        "{'text': ['1871'], 'answer_start': [25]}",
        '[{"text": "1871", "answer_start": 25}]',
        '["1871"]',
    ],
)
def test_a_table_may_write_answers_in_several_ways(tmp_path, cell):
    path = tmp_path / "qa.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([["Question", "Context", "Answer"], ["When?", CONTEXT, cell],
                          ["Who?", CONTEXT, ""]])  # fmt: skip
    rows, _ = load(str(path))
    assert rows[0]["answers"] == {"text": ["1871"], "answer_start": [25]}
    assert rows[1]["answers"]["text"] == []
    assert [row["id"] for row in rows] == ["1", "2"]


def test_columns_can_be_named(tmp_path):
    path = put(tmp_path, [{"q": "When?", "passage": CONTEXT, "gold": "1871"}])
    rows, _ = load(path, text=("q", "passage"), target="gold")
    assert rows[0]["question"] == "When?"
    assert "--text QUESTION,CONTEXT" in refusal(put(tmp_path, [{"q": "a", "passage": "b"}]))


def test_of_several_places_the_first_is_taken_and_said(tmp_path):
    rows, source = load(
        put(tmp_path, [{"question": "?", "context": "one one", "answer": "one"}], "a.json")
    )
    assert rows[0]["answers"]["answer_start"] == [0]
    assert any("more than once" in note for note in source.notes)


def test_halves_of_surrogate_pairs_are_replaced(tmp_path):
    path = tmp_path / "squad.json"
    path.write_text(json.dumps(squad(qa(), context=CONTEXT + " \ud83d")), encoding="utf-8")
    rows, _ = load(str(path))
    assert rows[0]["context"].endswith("\ufffd")


# -- what is refused -----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"paragraphs": []}, "the top level has no 'data'"),
        ({"data": {"paragraphs": []}}, "data is an object, not a list"),
        ({"data": [{"title": "x", "qas": []}]}, "data[0] has no 'paragraphs'"),
        ({"data": [{"paragraphs": [{"context": "x", "question": "?"}]}]},
         "data[0].paragraphs[0] has no 'qas'"),
        ({"data": [{"paragraphs": [{"qas": []}]}]}, "data[0].paragraphs[0] has no 'context'"),
        ({"data": [{"paragraphs": [{"context": "x", "qas": {"a": 1}}]}]},
         "data[0].paragraphs[0].qas is an object, not a list"),
        ({"data": [{"paragraphs": [{"context": "x", "qas": ["?"]}]}]},
         "data[0].paragraphs[0].qas[0] is a text, not an object"),
        (squad(qa(), qa(2, answers="1871")), "paragraphs[0].qas[1].answers is a text, not a list"),
        (squad(qa(answers=[{"text": "1871"}])), "qas[0].answers[0] has no 'answer_start'"),
        (squad(qa(answers=[{"text": "1871", "answer_start": "2.5"}])),
         "answers[0].answer_start is a text, not a whole number"),
        (squad(qa(question=None)), "qas[0].question is null, not a text"),
    ],
)  # fmt: skip
def test_wrong_nesting_is_told_with_its_path(tmp_path, content, said):
    message = refusal(put(tmp_path, content))
    assert message.startswith("squad.json: ") and said in message


def test_what_is_wrong_in_rows_is_told_with_its_path(tmp_path):
    wrong = qa(1, answers=[{"text": "1871", "answer_start": 20}])
    message = refusal(put(tmp_path, squad(wrong, qa(2, id=None), qa(3), qa(3))))
    assert "3 things in 4 questions are wrong" in message
    assert "data[0].paragraphs[0].qas[0].answers[0]: answer_start 20 points at 'd in'" in message
    assert "data[0].paragraphs[0].qas[1] has no id" in message
    assert "data[0].paragraphs[0].qas[3] has the id 'q3' of data[0].paragraphs[0].qas[2]" in message
    assert "3 can be mended: --mend (task.repair=true)" in message


def test_an_answer_that_stands_nowhere_cannot_be_mended(tmp_path):
    nowhere = qa(1, answers=[{"text": "1999", "answer_start": 25}])
    path = put(tmp_path, squad(nowhere, qa(2)))
    assert "none can be mended" in refusal(path)
    rows, source = load(path, repair=True)
    assert len(rows) == 1
    assert source.left_out == {"the answer does not stand in its context": [1]}


def test_a_row_of_a_table_is_named_by_its_number(tmp_path):
    rows = [{"question": "?", "context": "one", "answer": "two"}]
    assert "row 1: 'two' does not stand in the context" in refusal(put(tmp_path, rows))


# -- what is mended ------------------------------------------------------------------------------
def test_rows_are_mended_when_asked_and_counted(tmp_path):
    near = qa(1, answers=[{"text": "1871", "answer_start": 27}])
    path = put(tmp_path, squad(near, qa(2, id=""), qa(3), qa(3), qa(3, question="Since when?")))
    rows, source = load(path, repair=True)
    assert len(rows) == 4
    for row in rows:
        start = row["answers"]["answer_start"][0]
        assert row["context"][start:].startswith(row["answers"]["text"][0])
    assert len({row["id"] for row in rows}) == 4
    notes = " ".join(source.notes)
    assert "1 answers are moved to where their text stands (task.repair)" in notes
    assert "answer_start 27 → 25" in notes and "1 ids are made" in notes
    assert "1 ids that came twice are changed" in notes
    assert source.left_out == {"the same question with the same id again": [4]}


@pytest.mark.parametrize(
    ("start", "wanted"),
    [(25, 25), (26, 25), (0, 25), (124, 25), (None, 25), (-3, 25), (10_000, 25)],
)
def test_the_nearest_place_is_taken(start, wanted):
    found = align(CONTEXT, "1871", start)
    assert found is not None and found.start == wanted
    assert bool(found.mended) == (start not in (25, None))


def test_of_several_far_places_none_is_guessed():
    context = "one " + "x" * 300 + " one"
    assert align(context, "one", 150) is None
    assert align(context, "one", 290).start == 305


CAT = "Nel 1900 il Gatto vide la casa. Poi Il Gatto tornò, e il gatto dormì."


@pytest.mark.parametrize(
    ("text", "start", "wanted", "at"),
    [
        ("Il Gatto", 9, "il Gatto", 9),  # not moved to 36, where the case is the same
        ("il Gatto", 36, "Il Gatto", 36),
        ("IL GATTO", 54, "il gatto", 54),
        ("Il Gatto ", 36, "Il Gatto ", 36),
        (" Il Gatto ", 36, "Il Gatto", 36),
        ("il Gatto ", 36, "Il Gatto", 36),
        ("Il Gatto", 8, "il Gatto", 9),  # the place begins with the blank before the answer
        ("il  Gatto", 9, "il Gatto", 9),
        ("casa ", 26, "casa", 26),
    ],
)
def test_the_stated_place_goes_before_others_in_the_right_case(text, start, wanted, at):
    found = align(CAT, text, start)
    assert found is not None and (found.text, found.start) == (wanted, at)
    assert CAT[found.start :].startswith(found.text)
    assert found.kind == (REWRITTEN if text != wanted or start != at else "")


def test_exact_places_go_before_those_in_another_case():
    found = align(CAT, "Il Gatto", 30)
    assert found is not None and (found.start, found.kind) == (36, MOVED)
    found = align(CAT, "Gatto dormì", 50)
    assert found is not None and (found.text, found.kind) == ("gatto dormì", MOVED)


def test_answers_in_another_case_stay_where_they_are(tmp_path):
    answer = {"text": "The Bridge", "answer_start": CONTEXT.index("The bridge")}
    path = put(tmp_path, squad(qa(1, answers=[answer])))
    assert "1 can be mended" in refusal(path)
    rows, source = load(path, repair=True)
    assert rows[0]["answers"] == {"text": ["The bridge"], "answer_start": [answer["answer_start"]]}
    assert any("1 answers are written as their context has them" in n for n in source.notes)


def test_blanks_at_the_ends_of_an_answer_are_shown():
    assert problem("one two", " two  ", 2) == "answer_start 2 points at 'e two', not at '␣two␣␣'"
    found = align("one two", " two  ", 3)
    assert found is not None and found.mended == "'␣two␣␣' → 'two'"


def test_case_and_blanks_may_differ():
    found = align("It is Pale\n marble here.", "pale marble", 3)
    assert found is not None and found.text == "Pale\n marble" and found.start == 6


@pytest.mark.parametrize("value", [7, {"texts": []}, [3], {"text": ["a"], "answer_start": [1, 2]}])
def test_what_is_no_answer_is_said(value):
    with pytest.raises(ValueError, match=r"answer|text"):
        answers_of(value)


# -- splits --------------------------------------------------------------------------------------
def many(documents: int, contexts: int = 6, first: int = 0) -> dict[str, Any]:
    data = []
    for d in range(first, first + documents):
        paragraphs = [
            {
                "context": f"{CONTEXT} Number {d}-{c}.",
                "qas": [qa(0, id=f"{d}-{c}-{n}", question=f"When, {n}?") for n in range(4)],
            }
            for c in range(contexts)
        ]
        data.append({"title": f"Document {d}", "paragraphs": paragraphs})
    return {"version": "1.1", "data": data}


def owners(prepared: Any, column: str) -> dict[str, set[str]]:
    return {split: set(rows[column]) for split, rows in prepared.splits.items()}


@pytest.mark.parametrize("option", ["group_by", "group"])
@pytest.mark.parametrize(("grouping", "column"), [("document", "title"), ("context", "context")])
def test_documents_or_contexts_stay_in_one_split(tmp_path, grouping, column, option):
    from toolkit_qa.task import QuestionAnswering

    task = QuestionAnswering()
    task.options[option] = grouping  # "group" is its former name
    prepared = prepare(task, Source(data=put(tmp_path, many(20))))
    found = owners(prepared, column)
    seen = [name for names in found.values() for name in names]
    assert len(seen) == len(set(seen))
    assert prepared.found["group_by"] == grouping == task.options["group_by"]
    if grouping == "context":
        assert len([t for titles in owners(prepared, "title").values() for t in titles]) > 20


def test_documents_are_the_groups_where_enough_of_them_are_in_test(tmp_path):
    from toolkit_qa.task import QuestionAnswering

    task = QuestionAnswering()
    prepared = prepare(task, Source(data=put(tmp_path, many(230, contexts=2))))
    found = owners(prepared, "title")
    assert len(found["test"]) >= 20 and not found["train"] & found["test"]
    assert prepared.found["group_by"] == "document"
    assert f"rows are grouped by document: {len(found['test'])} groups" in "\n".join(prepared.notes)
    task.load_state(prepared.found)
    row = prepared.splits["test"][0]
    assert task.group(row) == row["document"]


def test_documents_that_share_a_context_are_one(tmp_path):
    content = many(20)
    for article in content["data"][:10]:
        article["paragraphs"][0]["context"] = CONTEXT
    rows, _ = load(put(tmp_path, content))
    assert len(set(rows["document"])) == 11


def test_few_documents_are_split_by_context_and_that_is_told(tmp_path):
    from toolkit_qa.task import QuestionAnswering

    task = QuestionAnswering()
    prepared = prepare(task, Source(data=put(tmp_path, many(40))))
    assert prepared.found["group_by"] == "context"
    note = prepared.notes[-1]
    assert note.startswith("rows are grouped by context: 24 groups in the test split; by document")
    assert "4 groups would be in the test split, and it takes 20" in note
    task.load_state(prepared.found)
    row = prepared.splits["test"][0]
    assert task.group(row) != row["document"]
    assert task.group(row) == task.group({**row, "context": f" {row['context']} "})


def test_a_run_of_an_earlier_version_keeps_the_groups_of_its_column():
    from toolkit_qa.task import QuestionAnswering

    task = QuestionAnswering()
    task.load_state({})
    assert task.group({"context": CONTEXT, "document": "document 7"}) == "document 7"


def test_own_splits_that_share_contexts_are_told_and_kept_apart(tmp_path):
    from toolkit_qa.task import QuestionAnswering

    train = put(tmp_path, many(12), "train.json")
    dev = put(tmp_path, many(4, first=10), "dev.json")
    source = Source(train=train, validation=dev)
    prepared = prepare(QuestionAnswering(), source)
    assert any("train.json and dev.json share 12 contexts (of 72 and 24)" in n
               for n in prepared.notes)  # fmt: skip
    found = owners(prepared, "context")
    assert not found["train"] & (found["validation"] | found["calibration"] | found["test"])
    assert sum(len(v) for k, v in prepared.left_out.items() if "validation too" in k) == 48


def test_the_built_in_data_is_synthetic_and_keeps_its_own_splits():
    from toolkit_qa.task import QuestionAnswering

    prepared = prepare(QuestionAnswering(), Source())
    assert prepared.synthetic
    assert prepared.sizes == {"train": 4400, "validation": 200, "calibration": 200, "test": 800}


def test_own_splits_can_be_kept_apart_by_document(tmp_path):
    from toolkit_qa.task import QuestionAnswering

    train = put(tmp_path, many(14), "train.json")
    test = put(tmp_path, many(4, first=12), "test.json")
    task = QuestionAnswering()
    task.options["group_by"] = "document"
    prepared = prepare(task, Source(train=train, test=test))
    found = owners(prepared, "title")
    assert len(found["test"]) == 4 and not found["train"] & found["test"]
    task.options["group_by"] = "paragraph"
    with pytest.raises(UsageError, match=r"auto, document or context"):
        prepare(task, Source(data=train))


@pytest.mark.parametrize("start", ["25", " 25 ", 25])
def test_a_start_may_be_written_as_a_text(tmp_path, start):
    rows, _ = load(put(tmp_path, squad(qa(answers=[{"text": "1871", "answer_start": start}]))))
    assert rows[0]["answers"] == {"text": ["1871"], "answer_start": [25]}


@pytest.mark.parametrize("start", ["25.5", "", "first"])
def test_what_is_no_start_is_refused_with_its_path(tmp_path, start):
    file = put(tmp_path, squad(qa(answers=[{"text": "1871", "answer_start": start}])))
    assert "answers[0].answer_start is a text, not a whole number" in refusal(file)


def test_long_answers_are_shown_where_they_differ():
    context = "The old mill by the river was sold to the town in spring, and burnt in May."
    said = problem(context, context[4:56].replace("spring", "sprinG"), 4)
    assert "at '…e town in spring…', not at '…e town in sprinG…'" in said


def test_columns_of_a_table_that_are_not_read_are_named(tmp_path):
    path = tmp_path / "qa.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(
            [["id", "question", "context", "answer", "author", "date"]]
            + [[str(n), f"When? {n}", CONTEXT, "1871", "Ann", "2021-03-04"] for n in range(30)]
        )
    _, source = load(str(path))
    assert "not used: columns 'author', 'date'" in source.notes
