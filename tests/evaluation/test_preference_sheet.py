"""The sheet of human evaluation: blind, the same for all readers, read back; and agreement."""

from __future__ import annotations

import csv
import math
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from toolkit.errors import DataError, RunError
from toolkit.evaluation import preference_sheet
from toolkit.pipeline.restore import load_task
from toolkit.runs.files import read_jsonl
from toolkit.runs.run import Run


@pytest.fixture(scope="module")
def run(played: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    target = tmp_path_factory.mktemp("sheet") / "runs" / "price-regression" / played.name
    shutil.copytree(played, target)
    return Run.open(target)


@pytest.fixture(scope="module")
def pairs(run: Run) -> list[preference_sheet.SheetPair]:
    return preference_sheet.draw(run, load_task(run), "base", "adapter")


def answers(run: Run, system: str) -> dict[int, str]:
    lines = read_jsonl(run.predictions / f"{system}.jsonl")
    return {line["row_id"]: line["raw"] for line in lines if line["split"] == "test"}


def filled(place: Path, pairs: list[preference_sheet.SheetPair], choose: Any) -> Path:
    """A sheet that a reader has filled in: ``choose`` gives the choice of a pair by its number."""
    rows = list(csv.DictReader(preference_sheet.to_csv(pairs).splitlines(keepends=True)))
    with place.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.DictWriter(file, preference_sheet.COLUMNS)
        writer.writeheader()
        for row in rows:
            said = row | {"choice": choose(int(row["pair"]))}
            writer.writerow({k: v.replace("\n", "\r\n") for k, v in said.items()})
    return place


def test_pairs_are_answers_of_two_systems_to_test_rows_in_shuffled_order(
    run: Run, pairs: list[preference_sheet.SheetPair]
) -> None:
    said = {name: answers(run, name) for name in ("base", "adapter")}
    assert 10 < len(pairs) <= preference_sheet.ROWS
    for pair in pairs:
        for name, text in (pair.left, pair.right):
            if said[name][pair.row_id]:
                assert text == said[name][pair.row_id]
        assert pair.left[1] != pair.right[1]
    lefts = Counter(pair.left[0] for pair in pairs)
    assert min(lefts["base"], lefts["adapter"]) >= len(pairs) // 5
    order = [pair.row_id for pair in pairs]
    assert order != sorted(order) and len(set(order)) == len(order)


def test_the_sheet_is_the_same_for_all_readers_and_names_no_system(
    run: Run, pairs: list[preference_sheet.SheetPair]
) -> None:
    assert preference_sheet.draw(run, load_task(run), "adapter", "base") == pairs
    text = preference_sheet.to_csv(pairs)
    header = text.splitlines()[0]
    assert header == "pair,input,A,B,choice"
    assert "adapter" not in text and "base" not in text.replace("based", "")
    assert preference_sheet.draw(run, load_task(run), "base", "adapter", rows=3) == pairs[:3]


def test_a_filled_in_sheet_gives_the_preferred_systems(
    tmp_path: Path, pairs: list[preference_sheet.SheetPair]
) -> None:
    words = ("A", "b", "Tie", "both-bad", "")
    place = filled(tmp_path / "ann.csv", pairs, lambda n: words[n % 5])
    found = preference_sheet.read_csv(place, pairs)
    for number, pair in enumerate(pairs, 1):
        wanted = {0: pair.left[0], 1: pair.right[0], 2: "tie", 3: "both-bad"}.get(number % 5)
        assert found.get(pair.row_id) == wanted


def test_another_sheet_and_unknown_words_are_refused(
    tmp_path: Path, pairs: list[preference_sheet.SheetPair]
) -> None:
    odd = filled(tmp_path / "odd.csv", pairs, lambda n: "left-ish")
    with pytest.raises(DataError, match="write A, B, tie, both bad"):
        preference_sheet.read_csv(odd, pairs)
    whole = filled(tmp_path / "whole.csv", pairs, lambda n: "A")
    with pytest.raises(DataError, match="not a pair of this run's sheet"):
        preference_sheet.read_csv(whole, pairs[1:])


def test_agreement_is_cohens(pairs: list[preference_sheet.SheetPair]) -> None:
    # 2 x 2 by hand: 20 both yes, 5 and 10 apart, 15 both no: kappa 0.4 (Wikipedia's example).
    votes = [("base", "base")] * 20 + [("base", "adapter")] * 5
    votes += [("adapter", "base")] * 10 + [("adapter", "adapter")] * 15
    judged = {
        "ann": {i: a for i, (a, _) in enumerate(votes)},
        "bob": {i: b for i, (_, b) in enumerate(votes)},
        "cy": {0: "base"},  # one row in common is too few
    }
    (found,) = preference_sheet.agreement(judged)
    assert (found.a, found.b, found.rows, found.share) == ("ann", "bob", 50, 0.7)
    assert found.kappa == pytest.approx(0.4)
    ties = {"x": dict.fromkeys(range(5), "tie"), "y": dict.fromkeys(range(9), "tie")}
    (same,) = preference_sheet.agreement(ties)
    assert same.rows == 5 and math.isnan(same.kappa)


def test_a_system_without_predictions_is_refused(run: Run) -> None:
    with pytest.raises(RunError, match="no predictions of nobody"):
        preference_sheet.draw(run, load_task(run), "base", "nobody")


def test_cells_are_no_formulas() -> None:
    pair = preference_sheet.SheetPair(1, "=SUM(A1)", ("base", "+1"), ("adapter", "-2"))
    line = preference_sheet.to_csv([pair]).splitlines()[1]
    assert line == "1,'=SUM(A1),'+1,'-2,"


def test_no_cell_is_a_formula_or_a_secret(tmp_path: Path) -> None:
    starts = ("=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "\n=1", "＝1")
    token = "hf_" + "aB3" * 11
    pairs = [
        preference_sheet.SheetPair(i, text, ("a", f"{text}{i}"), ("b", f"{token}{text}"))
        for i, text in enumerate(starts)
    ]
    place = filled(tmp_path / "ann.csv", pairs, lambda number: "A")
    assert token not in place.read_text()
    with place.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    cells = [row[name] for row in rows for name in ("input", "A")]
    assert len(cells) == 2 * len(starts) and all(cell.startswith("'") for cell in cells)
    assert len(preference_sheet.read_csv(place, pairs)) == len(starts)
