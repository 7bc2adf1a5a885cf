"""Groups that a column of the file decides on, and near-duplicates."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data_fixtures import Echo, numbered, write_csv
from toolkit.data import near_duplicates
from toolkit.data.grouping import ROW_GROUP, group_key
from toolkit.data.normalization import normalized
from toolkit.data.source import Source
from toolkit.errors import DataError, MissingExtra, UsageError
from toolkit.evaluation.groups import groups_of_rows
from toolkit.preparation.preflight import check
from toolkit.preparation.prepare import prepare
from toolkit_price_regression.task import PriceRegression
from toolkit_qa.task import QuestionAnswering

WORDS = [f"word{n}" for n in range(400)]


def goods(folder: Path, rows: int = 200, owners: int = 40) -> str:
    made = [(f"thing {n}", f"Owner {n % owners} ", n + 1) for n in range(rows)]
    return str(write_csv(folder / "goods.csv", ("title", "seller", "price"), made))


def long_text(random_: random.Random, at: int) -> str:
    return f"{' '.join(random_.choices(WORDS, k=60))} lot {at}"


# -- --group ---------------------------------------------------------------------------------------
def test_rows_of_one_value_of_a_column_stay_in_one_split(tmp_path: Path) -> None:
    task = PriceRegression()
    found = prepare(task, Source(data=goods(tmp_path), group="Seller"))
    owner: dict[str, str] = {}
    for name, rows in found.splits.items():
        for row in rows:
            seller = str((row["row_id"] - 1) % 40)
            assert owner.setdefault(seller, name) == name
    assert "rows with the same 'seller' stay in one split (--group)" in found.notes
    assert found.grouped_by == "seller"


def test_figures_know_the_groups_too(tmp_path: Path) -> None:
    task = PriceRegression()
    found = prepare(task, Source(data=goods(tmp_path), group="seller"))
    rows = found.splits["test"].to_list()
    groups = groups_of_rows(task, rows)
    assert groups is not None
    assert len(set(groups)) == len({(row["row_id"] - 1) % 40 for row in rows}) < len(rows)
    for row in rows:
        del row[ROW_GROUP]
    assert groups_of_rows(task, rows) is None, "rows of earlier versions have their texts alone"


def test_a_group_column_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no column 'seler' for the group.*did you mean 'seller'"):
        prepare(PriceRegression(), Source(data=goods(tmp_path), group="seler"))
    with pytest.raises(UsageError, match="--group goes with a file"):
        prepare(Echo(), Source(data=str(numbered(tmp_path / "a.csv", 100)), group="text"))


def test_a_text_of_two_owners_is_in_one_split_alone(tmp_path: Path) -> None:
    made = [(f"thing {n % 90}", f"owner {n % 50}", n + 1) for n in range(300)]
    path = write_csv(tmp_path / "a.csv", ("title", "seller", "price"), made)
    source = Source(data=str(path), group="seller", text=("title",))
    found = prepare(PriceRegression(), source)
    owner: dict[str, str] = {}
    for name, rows in found.splits.items():
        for text in rows["text"]:
            assert owner.setdefault(text, name) == name
    lost = found.left_out["text of another group is in a later split"]
    assert len(lost) + sum(found.sizes.values()) == 300
    assert any(
        f"{len(lost)} rows have the text of a row in a later split" in n for n in found.notes
    )


def test_titles_group_questions_where_they_are_asked_for(tmp_path: Path) -> None:
    rows = [(f"How many in {n}?", f"In {n} there were {n} of them.", str(n), f"T {n % 30}")
            for n in range(240)]  # fmt: skip
    path = write_csv(tmp_path / "a.csv", ("question", "context", "answer", "theme"), rows)
    task = QuestionAnswering()
    found = prepare(task, Source(data=str(path), group="theme"))
    themes = [{(n - 1) % 30 for n in part["row_id"]} for part in found.splits.values()]
    assert sum(map(len, themes)) == 30
    assert "group_by" not in found.found


def test_few_groups_for_many_texts_are_a_warning(tmp_path: Path) -> None:
    task = PriceRegression()
    found = prepare(task, Source(data=goods(tmp_path, 300, 12), group="seller"))
    warnings = check(task, found).warnings()
    assert any("all rows are in 12 groups, though they have 300" in w for w in warnings)
    found = prepare(task, Source(data=goods(tmp_path, 300)))
    assert not any("groups, though" in warning for warning in check(task, found).warnings())


def test_a_key_is_that_of_the_normal_form() -> None:
    assert group_key("Café  au lait") == group_key("CAFÉ AU LAIT ")
    assert group_key("") == group_key(" ") == group_key("short", least=6) == ""


def test_options_on_groups_are_part_of_a_source() -> None:
    source = Source(data="a.csv", group="user", near_duplicates=True)
    assert Source.from_dict(source.as_dict()) == source
    former = {k: v for k, v in source.as_dict().items() if k not in ("group", "near_duplicates")}
    assert Source.from_dict(former).group is None, "run.json of earlier versions"


# -- near-duplicates -------------------------------------------------------------------------------
def test_nearly_the_same_texts_are_joined_and_others_are_not() -> None:
    draw = random.Random(0)
    texts = [long_text(draw, n) for n in range(300)]
    changed = [" ".join(("other", *text.split()[1:])) for text in texts[:100]]
    half = [" ".join([*text.split()[:30], *draw.choices(WORDS, k=30)]) for text in texts[:100]]
    every = [*texts, *changed, *half]
    labels = near_duplicates.joined(every, np.arange(len(every), dtype=np.uint64))
    together = sum(labels[n] == labels[300 + n] for n in range(100))
    assert together >= 98, "their Jaccard similarity is 0.97"
    assert not any(labels[n] == labels[400 + n] for n in range(100)), "here it is 0.3"
    assert len(set(labels.tolist())) == 500 - together


def test_short_texts_are_joined_by_their_groups_alone() -> None:
    texts = ["a red lamp", "a red lamp", "a red lamp!", "the same but longer " * 8]
    labels = near_duplicates.joined(texts, np.array([7, 7, 3, 9], dtype=np.uint64))
    assert labels[0] == labels[1] and len(set(labels.tolist())) == 3


@pytest.mark.parametrize("own", [False, True], ids=["drawn", "own files"])
def test_near_copies_are_on_one_side(tmp_path: Path, own: bool) -> None:
    draw = random.Random(1)
    texts = [long_text(draw, n) for n in range(120)]
    copies = [text.replace(" lot ", " item ") for text in texts]
    header = ("text", "price")
    if own:
        priced = [(text, 5 + n) for n, text in enumerate(texts)]
        train = write_csv(tmp_path / "t.csv", header, priced)
        test = write_csv(
            tmp_path / "e.csv", header, [(t, 5 + n) for n, t in enumerate(copies[:40])]
        )
        source = Source(train=str(train), test=str(test), near_duplicates=True)
    else:
        both = write_csv(
            tmp_path / "a.csv", header, [(t, 5 + n) for n, t in enumerate((*texts, *copies))]
        )
        source = Source(data=str(both), near_duplicates=True)
    task = PriceRegression()
    found = prepare(task, source)
    owner: dict[str, str] = {}
    for name, rows in found.splits.items():
        for text in rows["text"]:
            key = normalized(text).replace(" item ", " lot ")
            assert owner.setdefault(key, name) == name
    if own:
        assert len(found.left_out["train: near copy is in test too"]) == 40
    else:
        assert any("240 groups of rows became 120" in note for note in found.notes)
        held: Any = found.splits["test"].to_list()
        assert groups_of_rows(task, held) is not None


def test_near_duplicates_name_their_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "rensa", None)
    source = Source(data=goods(tmp_path), near_duplicates=True)
    with pytest.raises(MissingExtra, match="near-duplicates"):
        prepare(PriceRegression(), source)
