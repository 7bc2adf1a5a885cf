"""Groups: stored with predictions, found again in older runs, used by every figure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from judging_fixtures import METRICS, NOISES, FakePrices, finish, make_rows, make_run
from toolkit.evaluation import groups, outputs, prediction_files
from toolkit.evaluation import recompute as again
from toolkit.evaluation.score import score
from toolkit.pipeline import compare
from toolkit.pipeline.verify import recompute
from toolkit.reporting import comparison, report
from toolkit.runs.files import read_json, read_jsonl, write_json, write_jsonl
from toolkit.runs.predictions import System, compared, estimate, grouping
from toolkit.runs.run import Run

SIZE = 5
"""Rows of each group."""


class OfFamilies(FakePrices):
    """Five offers of one maker are a group, as five questions about one review are."""

    metrics = METRICS[:1]

    def group(self, row: Any) -> str:
        return f"maker {row['row_id'] // SIZE}"


def families(folder: Path, *, stored: bool) -> tuple[Run, OfFamilies]:
    """A run on rows of families, its lines with their groups or, as in older runs, without."""
    rows = make_rows({"validation": 60, "calibration": 60, "test": 200}, np.random.default_rng(2))
    run, _ = make_run(
        folder, rows=rows, noises={k: NOISES[k] for k in ("ridge-log", "base", "adapter")}
    )
    task = OfFamilies()
    by_id = {(row["split"], row["row_id"]): row for row in rows}
    for entry in read_json(run.predictions / "systems.json"):
        place = run.predictions / entry["file"]
        lines = read_jsonl(place)
        for line in lines:
            line["metrics"] = {"mae": line["metrics"]["mae"]}
            if stored:
                row = by_id[line["split"], line["row_id"]]
                line["group"] = groups.group_of(task, row)
        write_jsonl(place, lines)
    return run, task


@pytest.fixture(scope="module")
def grouped(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, OfFamilies, dict[str, Any]]:
    run, task = families(tmp_path_factory.mktemp("runs"), stored=True)
    finish(run)
    doc = score(run, task)
    write_json(run.path / "metrics.json", doc)
    return run, task, doc


def lines_of(name: str, values: list[float], of: list[str | None]) -> System:
    rows = {
        i: {"row_id": i, "metrics": {"mae": value}, "group": group}
        for i, (value, group) in enumerate(zip(values, of, strict=True))
    }
    return System(name, "baseline", {}, {"test": rows})


# -- in the files --------------------------------------------------------------------------------
def test_a_line_holds_the_hash_of_its_group_and_not_its_text() -> None:
    task = FakePrices()
    row = {"row_id": 1, "text": "a secret of a person", "price": 3.0, "category": "x"}
    line = prediction_files.line(task, "test", row, 3.0, None, seconds=0.1)
    same = prediction_files.line(task, "test", row | {"row_id": 2}, 4.0, None, seconds=0.1)
    assert line["group"] == same["group"] and len(line["group"]) == 16
    assert "secret" not in str(line)
    assert line["group"] == "f6d36f651e5d7aac", "the hash is the same in every process and version"


def test_no_group_is_a_group_of_its_own() -> None:
    assert grouping([{"group": "a"}, {"group": None}, {}]) is None
    found = grouping([{"group": "a"}, {"group": "a"}, {"group": None}, {}])
    assert found is not None and len(set(found)) == 3
    task = FakePrices()
    task.group = lambda row: ""  # type: ignore[method-assign]
    assert groups.group_of(task, {}) is None


def test_conformal_widths_take_the_groups_of_calibration_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: list[Any] = []
    monkeypatch.setattr(outputs, "conformal_width", lambda residuals, groups: given.append(groups))
    rows = make_rows({"calibration": 20}, np.random.default_rng(0))
    outputs.interval_width(OfFamilies(), [1.0] * 20, rows)
    outputs.interval_width(FakePrices(), [1.0] * 20, rows)
    assert given[0] is not None and len(set(given[0])) == 5  # of row numbers 1 to 20
    assert given[1] is None, "rows that share no group are passed as independent"


# -- in the figures ------------------------------------------------------------------------------
def test_figures_and_comparisons_are_those_of_groups(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    a = lines_of("a", [1.0, 2.0, 3.0, 4.0], ["x", "x", "y", None])
    b = lines_of("b", [2.0, 2.0, 3.0, 5.0], ["x", "x", "y", None])
    one, two = estimate(METRICS[0], a), compared(METRICS[0], a, b)
    assert one.groups == two.groups == 3
    alone = lines_of("c", [1.0, 2.0, 3.0, 4.0], [None] * 4)
    assert estimate(METRICS[0], alone).groups is None


def test_the_document_counts_groups_beside_rows(
    grouped: tuple[Run, OfFamilies, dict[str, Any]],
) -> None:
    _, _, doc = grouped
    count = len({n // SIZE for n in range(121, 321)})
    assert (doc["n"], doc["groups"]) == (200, count)
    assert doc["systems"]["adapter"]["groups"] == count
    assert doc["systems"]["adapter"]["metrics"]["mae"]["groups"] == count
    assert doc["systems"]["adapter"]["parse_failures"]["groups"] == count
    assert doc["systems"]["adapter"]["interval"]["groups"] == count
    assert all(c["groups"] == count for c in doc["comparisons"] + doc["decoder_comparisons"])
    assert all(d["groups"] == count for rows in doc["decoders"].values() for d in rows)
    part = doc["slices"]["price"]["30–100"]
    assert 1 < part["systems"]["adapter"]["groups"] <= min(part["n"], count)
    assert doc["verdict"]["caveats"][0].startswith(f"The 200 test rows are of {count} groups; ")


def test_groups_widen_the_interval_where_rows_of_a_group_are_alike() -> None:
    rng = np.random.default_rng(1)
    values = list(np.repeat(rng.normal(0, 1, 60), SIZE))
    of: list[str | None] = [str(i // SIZE) for i in range(len(values))]
    by_group = estimate(METRICS[0], lines_of("a", values, of))
    by_row = estimate(METRICS[0], lines_of("a", values, [None] * len(values)))
    ratio = (by_group.high - by_group.low) / (by_row.high - by_row.low)
    assert ratio == pytest.approx(SIZE**0.5, rel=0.2)


def test_the_report_names_rows_and_groups(grouped: tuple[Run, OfFamilies, dict[str, Any]]) -> None:
    run, task, doc = grouped
    page = report.write(run, task).read_text(encoding="utf-8")
    rows = f"200 test rows of {doc['groups']} groups"
    assert page.count(rows) >= 3
    assert rows in (run.path / "report.md").read_text(encoding="utf-8")
    assert "group by group" in page


# -- older runs ----------------------------------------------------------------------------------
def test_an_older_run_gets_its_groups_from_its_rows(
    grouped: tuple[Run, OfFamilies, dict[str, Any]], tmp_path: Path
) -> None:
    run, task = families(tmp_path, stored=False)
    assert "group" not in read_jsonl(run.predictions / "adapter.jsonl")[0]
    found = score(run, task)
    for part in ("systems", "comparisons", "slices", "decoders"):
        assert found[part] == grouped[2][part]


def test_an_older_run_without_rows_counts_each_row(tmp_path: Path) -> None:
    run, task = families(tmp_path, stored=False)
    (run.data / "heldout.jsonl").unlink()
    found = score(run, task)
    assert found["groups"] is None and "groups" not in found["systems"]["adapter"]


def test_one_system_with_groups_lends_them_to_the_others(tmp_path: Path) -> None:
    """As where a run is resumed, or guessed at, by a later version."""
    run, task = families(tmp_path, stored=True)
    place = run.predictions / "base.jsonl"
    write_jsonl(
        place, [{k: v for k, v in line.items() if k != "group"} for line in read_jsonl(place)]
    )
    (run.data / "heldout.jsonl").unlink()
    found = score(run, task)
    assert found["systems"]["base"]["groups"] == found["groups"] > 1


# -- verify and compare --------------------------------------------------------------------------
def test_an_altered_group_is_found(grouped: tuple[Run, OfFamilies, dict[str, Any]]) -> None:
    run, task, _ = grouped
    place = run.predictions / "base.jsonl"
    before = read_jsonl(place)
    changed = [{**line, "group": "f" * 16} if line is before[-1] else line for line in before]
    write_jsonl(place, changed)
    try:
        found = recompute(run, task)
    finally:
        write_jsonl(place, before)
    assert any("base.jsonl" in sentence and "group is 'ffff" in sentence for sentence in found)


def test_runs_are_compared_by_groups(
    grouped: tuple[Run, OfFamilies, dict[str, Any]], tmp_path: Path
) -> None:
    first, task, doc = grouped
    second, _ = families(tmp_path, stored=False)
    finish(second)
    write_json(second.path / "metrics.json", score(second, task))
    found = compare.compare([first, second], [task, task])
    assert found["pairs"][0]["groups"] == doc["groups"]
    assert all(row["groups"] == doc["groups"] for row in found["ladder"])
    assert f"200 of {doc['groups']} groups" in comparison.text(found)


def test_the_width_of_grouped_calibration_rows_is_verified_by_groups(
    grouped: tuple[Run, OfFamilies, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, task, _ = grouped
    given: list[Any] = []
    width = again.conformal_width

    def spy(residuals: Any, *args: Any, **options: Any) -> float | None:
        given.append(options.get("groups"))
        return width(residuals)

    monkeypatch.setattr(again, "conformal_width", spy)
    recompute(run, task)
    assert given and all(found is not None for found in given)
