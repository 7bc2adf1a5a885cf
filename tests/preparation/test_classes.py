"""Classes that training lacks, spells otherwise or hardly has; splits that keep their classes."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from data_fixtures import Echo, write_csv
from tiny_tasks import TinyColours, TinyGoods
from toolkit.errors import DataError, PreflightError, UsageError
from toolkit.plugins.toml_task import read
from toolkit.preparation.classes import (
    ClassFindings,
    absent_classes,
    compare_classes,
    require_several,
)
from toolkit.preparation.preflight import Preflight, check
from toolkit.preparation.prepare import Prepared, Source, prepare

SEVERAL = {"a": 200, "b": 100}


def compared(
    train: dict[Any, int], test: dict[Any, int], validation: dict[Any, int] | None = None, **k: Any
) -> ClassFindings:
    """What is found in these numbers of rows by class."""
    counts = {
        "train": Counter(train),
        "validation": Counter(validation or train),
        "calibration": Counter(validation or train),
        "test": Counter(test),
    }
    return compare_classes(counts, **k)


def files(folder: Path, task: str = "", **rows: Sequence[tuple[str, str]]) -> tuple[Any, Source]:
    """A task file of classes, and files of texts with their labels."""
    file = folder / "task.toml"
    file.write_text(f'kind = "sequence-classification"\n{task}\n', "utf-8")
    paths: dict[str, Any] = {
        name: str(write_csv(folder / f"{name}.csv", ("text", "label"), given))
        for name, given in rows.items()
    }
    return read(file), Source(**paths)


def labelled(labels: Sequence[str], rows: int, first: int = 0) -> list[tuple[str, str]]:
    return [(f"thing number {n}", labels[n % len(labels)]) for n in range(first, first + rows)]


def looked_at(made: tuple[Any, Source]) -> tuple[Preflight, Prepared]:
    task = made[0]()
    prepared = prepare(task, made[1])
    task.load_state(task.fit(prepared.splits["train"]))
    return check(task, prepared), prepared


# -- one class, no class, other classes ------------------------------------------------------------


def test_healthy_classes_have_no_warning() -> None:
    assert compared(SEVERAL, {"a": 20, "b": 10}).warnings == []
    assert compared({True: 50, False: 50}, {True: 5, False: 5}).warnings == []
    assert compared({1: 50, 2: 50, 10: 50}, {1: 5, 2: 5, 10: 9}).warnings == []


@pytest.mark.parametrize("label", ["x", "1"])
def test_a_single_class_is_refused(tmp_path: Path, label: str) -> None:
    task, source = files(tmp_path, data=labelled([label], 80))
    prepared = prepare(task(), source)
    with pytest.raises(PreflightError, match=f"all 50 training rows have the class '{label}'"):
        require_several(task(), prepared.splits["train"])
    require_several(Echo(), prepared.splits["train"])  # a task without classes


def test_classes_that_training_lacks_are_named_with_their_rows() -> None:
    found = compared(SEVERAL, {"a": 20, "b": 10, "c": 7, "d": 1})
    assert found.unseen == {"test": {"c": 7, "d": 1}}
    (warning,) = [w for w in found.warnings if "training rows lack" in w]
    assert warning.startswith("the test split has 2 classes that training rows lack: 'c' (7 rows),")
    assert "'d' (1 row); whatever is predicted for these 8 rows is wrong" in warning


def test_a_split_of_other_classes_alone_is_refused(tmp_path: Path) -> None:
    rows = {"train": labelled("ab", 80), "test": labelled(["dog", "cat"], 20, 900)}
    with pytest.raises(PreflightError) as caught:
        looked_at(files(tmp_path, **rows))
    assert "no row of the test split has a class of the training rows: it has" in str(caught.value)
    with pytest.raises(PreflightError, match="validation"):
        compared(SEVERAL, SEVERAL, {"c": 10})


# -- spelling --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("train", "test", "difference"),
    [
        (("True", "False"), ("TRUE", "FALSE"), "case"),
        (("True", "False"), ("1", "0"), "spelling"),
        (("yes", "no"), ("Y", "N"), "spelling"),
        (("Café", "b"), (unicodedata.normalize("NFD", "Café"), "b"), "the Unicode form (NFC, NFD)"),
        (("Bar", "b"), ("Bar ", "b"), "blanks"),
        (("a b", "c"), ("a  b", "c"), "blanks"),
        (("abc", "d"), ("a\u200bbc", "d"), "spelling"),
    ],
)
def test_classes_that_are_spelled_otherwise_are_refused(
    train: tuple[str, str], test: tuple[str, str], difference: str
) -> None:
    with pytest.raises(PreflightError) as caught:
        compared(dict.fromkeys(train, 50), dict.fromkeys(test, 10))
    sentence = str(caught.value)
    assert f"the difference is in {difference})" in sentence and " for '" in sentence
    assert sentence.endswith("write the classes of all rows as the training rows do")


def test_a_class_is_no_other_spelling_of_two_classes() -> None:
    found = compared({"us": 50, "US": 50}, {"us": 9, "US": 9, "Us": 9})
    assert found.unseen == {"test": {"Us": 9}}
    assert any("differ in case alone: 'us' (50 rows) and 'US' (50 rows)" in w
               for w in found.warnings)  # fmt: skip
    assert compared({"1": 50, "0": 50, "2": 50}, {"1": 9, "True": 3}).unseen == {
        "test": {"True": 3}
    }


def test_a_few_rows_of_other_spelling_are_a_warning() -> None:
    (warning,) = compared(SEVERAL, {"a": 60, "b": 40, "A": 2}).warnings
    assert warning.startswith("2 of 102 test rows have a class that training rows spell otherwise")


def test_both_files_of_the_same_rows(tmp_path: Path) -> None:
    """From the files to the sentence; declared classes are read in both spellings."""
    rows = {
        "train": labelled(["True", "False"], 80),
        "test": labelled(["TRUE", "FALSE"], 20, 900),
    }
    with pytest.raises(PreflightError, match="'TRUE' for 'True'"):
        looked_at(files(tmp_path, **rows))
    found, prepared = looked_at(files(tmp_path, "classes = [true, false]", **rows))
    assert prepared.sizes["test"] == 20
    assert found.classes["counts"]["test"] == {"True": 10, "False": 10}
    assert found.classes["unseen"] == {}


def test_answers_of_a_language_model_are_compared_where_they_are_few() -> None:
    names = {"red": 40, "blue": 40}
    with pytest.raises(PreflightError, match="spell otherwise"):
        compared(names, {"Red": 9, "blue": 9}, declared=False)
    found = compared(names, {"red": 9, "green": 9}, declared=False)
    assert found.warnings == [] and found.unseen == {}, "other answers are what one expects"


def test_a_task_without_classes_whose_answers_are_few_is_examined() -> None:
    task = TinyColours()
    found = check(task, prepare(task, Source()))
    assert set(found.classes["counts"]["train"]) == {"red", "blue", "green", "white"}


def test_numbers_and_long_answers_are_no_classes(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", ("text", "score"), [(f"t {n}", n % 2) for n in range(99)])
    assert check(Echo(), prepare(Echo(), Source(data=str(path)))).classes == {}


# -- few rows --------------------------------------------------------------------------------------


def test_rare_classes_and_classes_without_test_rows() -> None:
    found = compared({"a": 200, "b": 9, "c": 30}, {"a": 30, "b": 1}, {"a": 10, "b": 1, "c": 3})
    assert (found.rare, found.single, found.untested) == ({"b": 9}, ["b"], ["c"])
    rare, single, untested = found.warnings
    assert rare.startswith("a class has under 10 training rows: 'b' (9)")
    assert single.startswith("a class has a single test row: 'b'; its recall is 0 or 1")
    assert untested.startswith("a class has no test row: 'c'")
    assert compared({"a": 10, "b": 10}, {"a": 2, "b": 2}).warnings == []


def test_many_classes_are_not_all_listed() -> None:
    many = {f"c{n:02}": 3 for n in range(40)}
    (warning,) = compared(many, dict.fromkeys(many, 2)).warnings
    assert warning.startswith("40 classes have under 10 training rows: 'c00' (3)")
    assert "and 35 more" in warning


def test_classes_of_the_task_that_no_training_row_has() -> None:
    counts = {"train": Counter(SEVERAL)}
    assert absent_classes(("a", "b"), counts) == [] == absent_classes(None, counts)
    assert absent_classes(("a", "b", "c"), counts) == [
        "no training row has the class 'c' of the task"
    ]


def test_rows_of_undeclared_classes_are_named(tmp_path: Path) -> None:
    found, prepared = looked_at(
        files(tmp_path, 'classes = ["a", "b"]', train=labelled("ab", 80),
              test=labelled(["a", "b", "purple"], 30, 900))
    )  # fmt: skip
    assert prepared.sizes["test"] == 20
    assert any("10 rows of test.csv have a label that the task does not know: 'purple' (10)" in n
               for n in found.notes)  # fmt: skip
    assert any(w.startswith("10 test rows are left out") for w in found.warnings())


# -- splits ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_a_rare_class_is_in_every_split(tmp_path: Path, seed: int) -> None:
    rows = [(f"thing number {n}", "rare" if n < 5 else "ab"[n % 2]) for n in range(300)]
    task, source = files(tmp_path, data=rows)
    prepared = prepare(task(), source, seed=seed)
    for name in ("train", "validation", "calibration", "test"):
        assert "rare" in prepared.splits[name]["label"][:]
    assert prepared.sizes == {"train": 240, "validation": 15, "calibration": 15, "test": 30}
    again = prepare(task(), Source(data=source.data), seed=seed)
    assert again.fingerprint == prepared.fingerprint
    moved = [n for n in prepared.notes if "than the one that was drawn" in n]
    assert len(moved) == 1 and "each split has the class 'rare'" in moved[0]


def test_the_halves_of_a_validation_file_both_have_the_rare_class(tmp_path: Path) -> None:
    held = [(f"new thing {n}", "rare" if n < 2 else "ab"[n % 2]) for n in range(60)]
    for seed in range(4):
        made = files(tmp_path, train=labelled(["a", "b", "rare"], 90), validation=held,
                     test=labelled(["a", "b", "rare"], 30, 900))  # fmt: skip
        prepared = prepare(made[0](), made[1], seed=seed)
        assert all("rare" in prepared.splits[n]["label"][:] for n in ("validation", "calibration"))
        assert prepared.sizes["validation"] == prepared.sizes["calibration"] == 30


def test_a_task_whose_classes_are_part_of_its_state_can_be_split() -> None:
    class OfState(TinyColours):
        def categories(self) -> Any:
            return self.state["labels"]

    class OfExample(TinyGoods):
        def format_example(self, row: Any) -> Any:
            return {"text": row["text"], "label": self.state["names"][row["good"]]}

    for task in (OfState(), OfExample()):
        assert sum(prepare(task, Source()).sizes.values()) == 80


# -- are they classes? -----------------------------------------------------------------------------


def test_several_labels_a_row_are_refused() -> None:
    lists = {"[27]": 40, "[2, 5]": 12, "[2]": 30, "[5, 7]": 8}
    with pytest.raises(PreflightError, match=r"20 of 90 rows holds several labels"):
        compared(lists, lists)
    with pytest.raises(PreflightError, match="several labels"):
        compared({"a": 9, "b": 9, "a,b": 9, "b,c": 9, "a,c": 9}, {"a": 1})
    assert not compared({"Sports, outdoors": 90, "Arts, crafts": 90}, {"Sports, outdoors": 9,
                        "Arts, crafts": 9}).warnings  # fmt: skip


@pytest.mark.parametrize(
    ("names", "what"),
    [
        ([f"{n}.5" for n in range(150)], "a task of regression"),
        ([f"the story of number {n} is long enough" for n in range(150)], "causal-lm"),
        ([f"person {n}" for n in range(150)], "names or numbers of rows"),
    ],
)
def test_a_target_of_hundreds_of_classes_is_questioned(names: list[str], what: str) -> None:
    many = dict.fromkeys(names, 12)
    (warning,) = compared(many, dict.fromkeys(names, 2)).warnings
    assert "150 different values in 1,800 training rows" in warning and what in warning
    with pytest.raises(PreflightError, match="these are no classes"):
        compared(dict.fromkeys(names, 1), dict.fromkeys(names, 2))
    hundred = dict.fromkeys(names[:100], 12)
    assert compared(hundred, dict.fromkeys(names[:100], 2)).warnings == []


def test_a_column_for_each_label_is_no_table_of_classes(tmp_path: Path) -> None:
    rows = [(f"text {n}", f"{n % 2}", f"{n % 3 // 2}", f"{n % 5 // 4}") for n in range(60)]
    table = write_csv(tmp_path / "many.csv", ("comment", "toxic", "threat", "insult"), rows)
    task = read_task(tmp_path, 'text = "comment"')
    with pytest.raises(DataError, match=r"3 columns hold 0 and 1.* --target toxic"):
        prepare(task(), Source(data=str(table)))
    prepared = prepare(task(), Source(data=str(table), target="toxic"))
    assert set(prepared.splits["train"]["label"]) == {"0", "1"}


# -- what the labels mean --------------------------------------------------------------------------


def read_task(folder: Path, lines: str) -> Any:
    file = folder / "task.toml"
    file.write_text(f'kind = "sequence-classification"\n{lines}\n', "utf-8")
    return read(file)


def test_labels_are_translated_as_the_user_says(tmp_path: Path) -> None:
    made, source = files(tmp_path, 'classes = ["bad", "good"]', data=labelled("013", 90))
    with pytest.raises(DataError, match=r"90 rows have a label that the task does not know: '0' "
                       r"\(30\).*--labels '0=MEANING,1=MEANING'"):  # fmt: skip
        prepare(made(), source)
    source = Source(data=source.data, labels="0.0=bad,1=good,3=")
    prepared = prepare(made(), source)
    rows = [row for split in prepared.splits.values() for row in split]
    assert Counter(row["label"] for row in rows) == {"bad": 30, "good": 30}
    assert {reason: len(ids) for reason, ids in prepared.left_out.items()} == {
        "a label that --labels leaves out": 30
    }
    with pytest.raises(UsageError, match="no scale"):
        prepare(made(), Source(data=source.data, labels="0..4"))


def test_lists_of_declared_classes_are_refused_as_such(tmp_path: Path) -> None:
    lists = ["joy, fear", "fear, anger", "anger, joy, fear", "anger, joy"]
    made = files(tmp_path, 'classes = ["joy", "fear"]', data=labelled(lists, 80))
    with pytest.raises(DataError, match="several labels"):
        prepare(made[0](), made[1])


def test_ordered_classes_are_read_from_ratings(tmp_path: Path) -> None:
    stars = read_task(tmp_path, "classes = [1, 2, 3, 4, 5]")()
    found = ["3", "3.0", "4.0 out of 5 stars", "★★☆☆☆", "5/5", "4/10", "6", "good", "3.5"]
    assert [stars.parse_answer(text) for text in found] == [
        3, 3, 4, 2, 5, None, None, None, None,
    ]  # fmt: skip
