"""Large losses of rows are warnings with the most likely reason; small ones stay notes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from data_fixtures import write_csv
from toolkit.plugins.toml_task import read
from toolkit.preparation.losses import large_losses
from toolkit.preparation.preflight import Preflight, check
from toolkit.preparation.prepare import Source, prepare


def lost(reason: str, rows: int, total: int = 100, place: str = "") -> list[str]:
    left_out = {f"{place}{reason}": list(range(rows))}
    return [*large_losses(left_out, {place: total}, {}).values()]


@pytest.mark.parametrize(
    ("reason", "likely"),
    [
        ("no rating", "open tickets"), ("no target", "--target"), ("no text", "--text"),
        ("blank row", "spreadsheet"), ("unreadable price", "written otherwise"),
        ("no rating that can be read", "written otherwise"), ("price of zero", "not known"),
        ("label that the task does not know", "more classes"),
        ("the same text and target as an earlier row", "joined"),
        ("the answer does not stand in its context", "cut or cleaned"),
    ],
)  # fmt: skip
def test_more_than_a_tenth_is_a_warning_with_the_likely_reason(reason: str, likely: str) -> None:
    assert lost(reason, 10) == []
    (warning,) = lost(reason, 67, 100)
    assert warning.startswith(f"67 of 100 rows (67%) are left out: {reason}; ")
    assert likely in warning


def test_each_file_is_judged_by_its_own_rows() -> None:
    left_out = {"test: no price": [*range(30)], "train: no price": [*range(30)]}
    warnings = large_losses(left_out, {"train: ": 1000, "test: ": 100}, {})
    assert [*warnings] == ["test: no price"]
    assert warnings["test: no price"].startswith("30 of 100 test rows (30%) are left out: no price")


def test_rows_that_the_user_leaves_out_are_no_loss() -> None:
    assert lost("a label that --labels leaves out", 90) == []
    assert lost("more rows than are needed", 90, place="validation: ") == []
    assert large_losses({"no price": [1, 2]}, {}, {}) == {}, "a task that does not count its rows"


def test_texts_that_are_in_another_split_are_counted_after_the_limit() -> None:
    left_out = {"train: text is in test too": [*range(30)]}
    (warning,) = large_losses(left_out, {"train: ": 10_000}, {"train": 70}).values()
    assert warning.startswith("30 of 100 train rows (30%)") and "row by row" in warning


def looked_at(folder: Path, rows: list[tuple[str, str]]) -> Preflight:
    file = folder / "task.toml"
    file.write_text('kind = "sequence-classification"\nclasses = ["a", "b"]\n', "utf-8")
    source = Source(data=str(write_csv(folder / "data.csv", ("text", "label"), rows)))
    task: Any = read(file)()
    return check(task, prepare(task, source))


@pytest.mark.parametrize(("empty", "warned"), [(8, False), (60, True)])
def test_a_loss_is_said_once(tmp_path: Path, empty: int, warned: bool) -> None:
    rows = [(f"thing number {n}", "" if n < empty else "ab"[n % 2]) for n in range(160)]
    found = looked_at(tmp_path, rows)
    said = [line for line in found.sentences() if "left out" in line]
    warnings = [line for line in found.warnings() if "left out" in line]
    assert (len(said), len(warnings)) == ((0, 1) if warned else (1, 0))
    if warned:
        assert f"{empty} of 160 rows (38%) are left out: no label; rows that have no" in warnings[0]
