"""Columns, sources, splits and what is stored of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_fixtures import Echo, numbered, write_csv
from toolkit.data import splits
from toolkit.data.columns import rendering, split_option, tidy
from toolkit.data.load import find_column, read_splits
from toolkit.data.row_mapping import read_inputs
from toolkit.data.splits import HELD_OUT, MINIMUM, SPLITS
from toolkit.errors import DataError, PluginError, UsageError
from toolkit.preparation.prepare import Prepared, Source, heldout, prepare, read, save
from toolkit.runs.run import Run


def texts(prepared: Prepared) -> dict[str, list[str]]:
    return {name: prepared.splits[name]["text"][:] for name in SPLITS}


# -- columns -------------------------------------------------------------------------------------


def table(tmp_path: Path, *names: str) -> Any:
    path = write_csv(tmp_path / "t.csv", names, [[f"{name} {n}" for name in names] for n in (1, 2)])
    return read(path, Source(header=True))


def test_a_column_by_name_letters_or_number(tmp_path: Path) -> None:
    dataset = table(tmp_path, "Name", "sellingPrice", "7")
    source = Source()
    for wanted, found in (
        ("Name", "Name"), ("name", "Name"), ("selling_price", "sellingPrice"),
        ("2", "sellingPrice"),        ("7", "7"),
    ):  # fmt: skip
        assert find_column(source, dataset, wanted, (), "target") == found
    assert source.notes == []


def test_an_unknown_column(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        find_column(Source(), table(tmp_path, "name", "price"), "prise", (), "target")
    assert "did you mean 'price'?" in str(caught.value) and "'name', 'price'" in str(caught.value)
    with pytest.raises(DataError, match="no column '3'"):
        find_column(Source(), table(tmp_path, "name", "price"), "3", (), "target")
    with pytest.raises(DataError, match="no column 'row_id'"):
        find_column(Source(), table(tmp_path, "name", "price"), "row_id", (), "target")


def test_a_guess_is_noted_and_not_made_where_nothing_fits(tmp_path: Path) -> None:
    source = Source()
    dataset = table(tmp_path, "id", "list_price", "description")
    assert find_column(source, dataset, None, ("cost", "price"), "target") == "list_price"
    assert source.notes == ["the target is column 'list_price' (choose with --target)"]
    with pytest.raises(DataError, match="name it with --target; the data has columns 'id'"):
        find_column(source, dataset, None, ("rating",), "target")
    with pytest.raises(DataError, match="--text 1 --target 2"):
        find_column(
            source, table(tmp_path, "a film that is long in the making", "1"), None, ("x",), "text"
        )


def test_text_of_several_columns_and_templates() -> None:
    row = {"name": " Loft ", "about_us": "", "beds": "2.0", "tags": ["a", "b"], "n": 1.5}
    available = list(row)
    assert rendering(available, ("name", "about_us", "beds", "tags"))(row) == (
        "Loft\nbeds: 2\ntags: a, b"
    )
    assert rendering(available, ("{name} – {beds} beds ({N})",))(row) == "Loft – 2 beds (1.5)"
    assert rendering(available, ("{about_us}!",))(row) == "", "nothing to say is no text"
    assert rendering(available, ("about_us",)).batch({"about_us": [None, "x"]}) == ["", "x"]
    with pytest.raises(DataError, match="did you mean 'beds'"):
        rendering(available, ("{bed}",))


def test_the_option_for_texts() -> None:
    assert split_option("name, description") == ("name", "description")
    assert split_option("{name}, {description}") == ("{name}, {description}",)
    with pytest.raises(UsageError):
        split_option(" , ")


def test_tidy_values() -> None:
    given = [None, float("nan"), float("inf"), 2.0, 123456.5, True, " x ", "-3.0", "3.05"]
    expected = ["", "", "inf", "2", "123456.5", "True", "x", "-3", "3.05"]
    assert [tidy(value) for value in given] == expected


# -- sources -------------------------------------------------------------------------------------


def test_a_source_goes_through_json() -> None:
    source = Source(data="a.csv", text=("a", "b"), header=False, limit=5, seed=3)
    source.note("not a setting")
    source.leave_out("nor this", [1])
    stored = json.loads(json.dumps(source.as_dict()))
    assert "notes" not in stored and "left_out" not in stored
    assert Source.from_dict(stored) == source
    assert Source.from_dict({}) == Source()


def test_sources_that_contradict_themselves(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="give one of them"):
        read_splits(Source(data="a.csv", train="b.csv"), lambda rows: rows)
    with pytest.raises(UsageError, match="go with --data or --train"):
        read_splits(Source(test="b.csv"), lambda rows: rows)


def test_rows_to_predict(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "new.csv", ("Text", "more"), [("a", "b"), ("c", "")])
    rows = read_inputs(Source(data=str(path)), ["text"])
    assert [dict(row) for row in rows] == [{"row_id": 1, "text": "a"}, {"row_id": 2, "text": "c"}]
    several = read_inputs(Source(data=str(path), text=("Text", "more")), ["text"])
    assert several["text"][:] == ["a\nmore: b", "c"]
    with pytest.raises(DataError, match="no column 'question'"):
        read_inputs(Source(data=str(path)), ["question"])
    with pytest.raises(UsageError, match="--data"):
        read_inputs(Source(), ["text"])


# -- splits --------------------------------------------------------------------------------------


def test_sizes_and_caps(tmp_path: Path) -> None:
    prepared = prepare(Echo(), Source(data=str(numbered(tmp_path / "a.csv", 1_000))))
    assert prepared.sizes == {"train": 800, "validation": 50, "calibration": 50, "test": 100}
    assert splits.sizes(400_000) == {"validation": 600, "calibration": 600, "test": 2_000}
    assert splits.sizes(50) == {name: MINIMUM[name] for name in HELD_OUT}
    ids = [row for name in SPLITS for row in prepared.splits[name]["row_id"]]
    assert sorted(ids) == list(range(1, 1_001)), "no row is lost and none comes twice"
    assert prepared.splits["train"].column_names == ["row_id", "text", "score"]


def test_a_group_is_never_split(tmp_path: Path) -> None:
    path = numbered(tmp_path / "a.csv", 900, copies=7)
    prepared = prepare(Echo(), Source(data=str(path)), seed=5)
    owners: dict[str, set[str]] = {}
    for name, values in texts(prepared).items():
        for text in values:
            owners.setdefault(text, set()).add(name)
    assert len(owners) == 129 and all(len(names) == 1 for names in owners.values())


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(1, 12), min_size=60, max_size=120), st.integers(0, 9))
def test_assignments_have_the_requested_sizes(counts: list[int], seed: int) -> None:
    groups = np.repeat(np.arange(len(counts), dtype=np.uint64) * 7919, counts)
    held_out = splits.sizes(len(groups))
    owners = splits.assign(groups, held_out, seed, rest="train")
    for index, name in enumerate(SPLITS[1:], start=1):
        size = int((owners == index).sum())
        assert MINIMUM[name] <= size <= max(held_out[name], MINIMUM[name] + 11)
    for group in np.unique(groups):
        assert len(set(owners[groups == group].tolist())) == 1
    shuffled = np.random.default_rng(1).permutation(len(groups))
    again = splits.assign(groups[shuffled], held_out, seed, rest="train")
    assert (again == owners[shuffled]).all(), "the order of the rows does not matter"


def test_seeds(tmp_path: Path) -> None:
    path = str(numbered(tmp_path / "a.csv", 200))
    one, same, other = (
        prepare(Echo(), Source(data=path), seed=1),
        prepare(Echo(), Source(data=path, seed=1)),
        prepare(Echo(), Source(data=path), seed=2),
    )
    assert one.fingerprint == same.fingerprint and texts(one) == texts(same)
    assert one.fingerprint != other.fingerprint


def test_the_fingerprint_does_not_depend_on_the_process(tmp_path: Path) -> None:
    path = numbered(tmp_path / "a.csv", 100, copies=2)
    code = (
        "from data_fixtures import Echo; from toolkit.preparation.prepare import *\n"
        f"print(prepare(Echo(), Source(data={str(path)!r})).fingerprint)"
    )
    here = ":".join([*sys.path, str(Path(__file__).parents[1])])
    found = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONPATH": here, "PYTHONHASHSEED": seed},
        ).stdout.strip()
        for seed in ("1", "2")
    }  # fmt: skip
    assert found == {prepare(Echo(), Source(data=str(path))).fingerprint}


def test_the_fingerprint_depends_on_the_content(tmp_path: Path) -> None:
    path = numbered(tmp_path / "a.csv", 100)
    before = prepare(Echo(), Source(data=str(path))).fingerprint
    path.write_text(path.read_text().replace(",50\n", ",51\n"))
    assert prepare(Echo(), Source(data=str(path))).fingerprint != before


def test_too_few_rows_and_too_few_texts(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"49 usable rows are too few: it takes at least 50 \(20 to"
    ):
        prepare(Echo(), Source(data=str(numbered(tmp_path / "a.csv", 49))))
    source = Source(data=str(tmp_path / "a.csv"))
    source.leave_out("no text", [50, 51])
    with pytest.raises(DataError, match="10 to test\\); left out were: no text 2"):
        prepare(Echo(), source)
    assert prepare(Echo(), Source(data=str(numbered(tmp_path / "b.csv", 50)))).sizes["train"] == 20
    with pytest.raises(DataError, match="there are too few groups"):
        prepare(Echo(), Source(data=str(numbered(tmp_path / "c.csv", 60, copies=30))))


def test_a_limit_is_noted(tmp_path: Path) -> None:
    source = Source(data=str(numbered(tmp_path / "a.csv", 300)), limit=100)
    prepared = prepare(Echo(), source)
    assert sum(prepared.sizes.values()) == 100
    assert "100 of 300 rows are used (--limit)" in prepared.notes


def test_restrict_keeps_the_held_out_rows(tmp_path: Path) -> None:
    whole = prepare(Echo(), Source(data=str(numbered(tmp_path / "a.csv", 200))))
    less = whole.restrict(30)
    assert less.sizes == {**whole.sizes, "train": 30}
    assert texts(less)["test"] == texts(whole)["test"] and less.fingerprint != whole.fingerprint
    assert whole.restrict(10_000) is whole


# -- splits of one's own ---------------------------------------------------------------------------


def own(tmp_path: Path, **sizes: tuple[int, int]) -> Source:
    """Files of rows ``first … first + rows``; overlapping ranges share their texts."""
    files: dict[str, Any] = {
        name: str(numbered(tmp_path / f"{name}.csv", rows, first=first))
        for name, (first, rows) in sizes.items()
    }
    return Source(**files)


def test_own_splits_are_honoured(tmp_path: Path) -> None:
    source = own(tmp_path, train=(0, 100), validation=(100, 41), test=(200, 30))
    prepared = prepare(Echo(), source)
    assert prepared.sizes == {"train": 100, "validation": 20, "calibration": 21, "test": 30}
    assert prepared.left_out == {}
    assert set(texts(prepared)["test"]) == {f"thing number {n} of the lot" for n in range(200, 230)}


def test_missing_own_splits_are_drawn_from_train(tmp_path: Path) -> None:
    prepared = prepare(Echo(), own(tmp_path, train=(0, 200), test=(300, 40)))
    assert prepared.sizes == {"train": 180, "validation": 10, "calibration": 10, "test": 40}
    prepared = prepare(Echo(), own(tmp_path, train=(0, 200), validation=(300, 40)))
    assert prepared.sizes == {"train": 180, "validation": 20, "calibration": 20, "test": 20}
    source = own(tmp_path, test=(300, 40))
    source.data = str(tmp_path / "train.csv")
    assert prepare(Echo(), source).sizes["test"] == 40, "--data with --test"


def test_rows_that_are_held_out_are_not_trained_on(tmp_path: Path) -> None:
    source = own(tmp_path, train=(0, 100), validation=(90, 40), test=(120, 30))
    prepared = prepare(Echo(), source)
    assert prepared.sizes == {"train": 90, "validation": 15, "calibration": 15, "test": 30}
    assert prepared.left_out == {
        "validation: text is in test too": list(range(31, 41)),
        "train: text is in validation too": list(range(91, 101)),
    }
    assert any(note.startswith("10 train rows have a text") for note in prepared.notes)


def test_own_splits_that_are_too_small(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the test split has 9 usable rows"):
        prepare(Echo(), own(tmp_path, train=(0, 100), test=(200, 9)))
    with pytest.raises(DataError, match="the validation split has 19 usable rows"):
        prepare(Echo(), own(tmp_path, train=(0, 100), validation=(200, 19)))
    with pytest.raises(DataError, match="19 usable rows are too few: it takes at least 20"):
        prepare(Echo(), own(tmp_path, train=(0, 19), validation=(200, 20), test=(300, 10)))


def test_validation_rows_beyond_the_caps_are_not_trained_on(tmp_path: Path) -> None:
    source = own(tmp_path, train=(0, 100), validation=(100, 60), test=(200, 30))
    prepared = prepare(Echo(), source, caps={"validation": 12, "calibration": 15, "test": 10})
    assert prepared.sizes == {"train": 100, "validation": 12, "calibration": 15, "test": 30}
    assert len(prepared.left_out["validation: more rows than are needed"]) == 33


# -- tasks that break the contract -----------------------------------------------------------------


def test_what_load_rows_must_return() -> None:
    import datasets

    class Wrong(Echo):
        rows: Any = None

        def load_rows(self, source: Source) -> Any:
            return self.rows

    task = Wrong()
    with pytest.raises(PluginError, match="returned NoneType"):
        prepare(task, Source())
    task.rows = datasets.Dataset.from_dict({"text": ["a"]})
    with pytest.raises(PluginError, match="gave no column 'score'"):
        prepare(task, Source())
    task.rows = datasets.DatasetDict({"test": task.rows})
    with pytest.raises(DataError, match="no train split"):
        prepare(task, Source())
    many = {"text": [f"t {n}" for n in range(60)], "score": [1.0] * 60, "other": [0] * 60}
    task.rows = datasets.DatasetDict({"train": datasets.Dataset.from_dict(many)})
    task.rows["unsupervised"] = task.rows["train"]
    prepared = prepare(task, Source())
    assert prepared.splits["train"].column_names == ["row_id", "text", "score"]
    assert "splits that are not used: unsupervised" in prepared.notes


# -- in the run directory --------------------------------------------------------------------------


def test_held_out_rows_come_back(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    prepared = prepare(Echo(), Source(data=str(numbered(tmp_path / "a.csv", 120, copies=2))))
    run = Run.create(tmp_path / "runs", {"task": "echo", "recipe": {}, "source": {}, "seed": 0})
    save(prepared, run)
    stored = pq.read_table(run.data / "splits.parquet").to_pydict()
    assert sorted(stored["row_id"]) == list(range(1, 121)) and len(set(stored["sha"])) == 120
    back = heldout(run)
    for name in HELD_OUT:
        assert back[name].to_list() == prepared.splits[name].to_list()


def test_private_rows_are_not_stored(tmp_path: Path) -> None:
    prepared = prepare(Echo(), Source(data=str(numbered(tmp_path / "a.csv", 60))))
    run = Run.create(tmp_path / "runs", {"task": "echo", "recipe": {}, "source": {}, "seed": 0})
    save(prepared, run, store_rows=False)
    assert [file.name for file in run.data.iterdir()] == ["splits.parquet"]
    with pytest.raises(DataError, match="without storing data"):
        heldout(run)


# -- several ways to group rows --------------------------------------------------------------------
class InPlaces(Echo):
    """Rows whose text is a country, a town and a number: two ways to group them."""

    def groupings(self) -> Any:
        return {
            "country": lambda row: row["text"].split()[0],
            "town": lambda row: " ".join(row["text"].split()[:2]),
        }

    def group(self, row: Any) -> str:
        return self.groupings()[self.state.get("group_by", "town")](row)


def places(path: Path, countries: int, towns: int, rows: int) -> str:
    lines = [
        f"c{c} t{t} {n},{n}"
        for c in range(countries) for t in range(towns) for n in range(rows)
    ]  # fmt: skip
    path.write_text("\n".join(["text,score", *lines]), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("countries", "towns", "rows", "way", "beside"),
    [
        (210, 2, 2, "country", None),
        (20, 20, 4, "town", "by country only 2 groups would be in the test split"),
        (3, 100, 2, "town", "by country a split would be too small"),
        (100, 1, 3, "town", None),  # a country is a town, so there is nothing to choose
    ],
)
def test_the_coarsest_grouping_with_enough_groups_in_test_is_taken(
    tmp_path: Path, countries: int, towns: int, rows: int, way: str, beside: str | None
) -> None:
    task = InPlaces()
    prepared = prepare(task, Source(data=places(tmp_path / "p.csv", countries, towns, rows)))
    assert prepared.found["group_by"] == task.state["group_by"] == way
    note = next(note for note in prepared.notes if note.startswith("rows are grouped by"))
    assert note.startswith(f"rows are grouped by {way}: ")
    assert beside is None or beside in note
    assert (";" in note) is (beside is not None)
    of_splits = [{task.group(row) for row in rows_} for rows_ in prepared.splits.values()]
    assert sum(map(len, of_splits)) == len(set().union(*of_splits))
    assert f" {len(of_splits[list(prepared.splits).index('test')]):,} groups" in note


def test_rows_of_own_splits_are_left_out_by_the_finest_grouping(tmp_path: Path) -> None:
    """A test file with known countries does not take the training rows of those countries away."""
    train = places(tmp_path / "train.csv", 30, 6, 2)
    test = tmp_path / "test.csv"
    lines = [f"c{c} t{t} {n},{n}" for c in range(25) for t in (5, 7) for n in range(2)]
    test.write_text("\n".join(["text,score", *lines]), encoding="utf-8")
    prepared = prepare(InPlaces(), Source(train=train, test=str(test)))
    assert prepared.found["group_by"] == "country"
    (left,) = [rows for why, rows in prepared.left_out.items() if "test too" in why]
    assert len(left) == 25 * 2  # town 5 of each country


def test_a_task_with_one_grouping_has_no_note_on_it(tmp_path: Path) -> None:
    prepared = prepare(Echo(), Source(data=str(numbered(tmp_path / "a.csv", 200))))
    assert "group_by" not in prepared.found
    assert not any("grouped" in note for note in prepared.notes)
