"""Where a run fails: its rows in order, for every kind of prediction, a page at a time."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from judging_fixtures import make_run
from toolkit import Metric
from toolkit.errors import RunError, ToolkitError, UsageError
from toolkit.evaluation.score import score
from toolkit.runs import predictions
from toolkit.runs.files import write_json
from toolkit.runs.run import Run
from toolkit_playground.state.failures import (
    ALL,
    PAGE,
    Failures,
    Kept,
    distance,
    held_out_row,
)
from toolkit_playground.state.library import Library

SIZES = {"validation": 30, "calibration": 30, "test": 90}


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Library, Run, Any]:
    folder = tmp_path_factory.mktemp("failures")
    run, task = make_run(folder, sizes=SIZES)
    write_json(run.path / "metrics.json", score(run, task))
    return Library(folder), run, task


@pytest.fixture
def found(scored: tuple[Library, Run, Any]) -> Failures:
    return Kept().of(*scored)


def stored(run: Run, system: str, split: str = "test") -> dict[int, dict[str, Any]]:
    lines = map(json.loads, (run.predictions / f"{system}.jsonl").read_text().splitlines())
    return {line["row_id"]: line for line in lines if line["split"] == split}


def every_row(library: Library, found: Failures, key: str, part: str = ALL) -> list[Any]:
    """All rows of an order, page by page."""
    order = found.order(key)
    pages = found.page(library, order, "test", part).pages
    listed = [found.page(library, order, "test", part, n).failures for n in range(1, pages + 1)]
    assert all(len(page) == PAGE for page in listed[:-1]) and 0 < len(listed[-1]) <= PAGE
    rows = [failure for page in listed for failure in page]
    assert [failure.rank for failure in rows] == list(range(1, len(rows) + 1))
    return rows


def test_rows_come_by_the_error_of_what_was_trained(
    scored: tuple[Library, Run, Any], found: Failures
) -> None:
    library, run, _ = scored
    errors = {row: line["metrics"]["mae"] for row, line in stored(run, "adapter").items()}
    rows = every_row(library, found, "error")
    assert [row.row_id for row in rows] == sorted(errors, key=lambda row: (-errors[row], row))
    first = rows[0]
    assert first.row is not None and first.row["price"] == first.lines["adapter"]["reference"]
    assert found.baseline == "ridge-log" and list(first.lines) == ["adapter", "base", "ridge-log"]


@pytest.mark.parametrize(("key", "other"), [("base", "base"), ("baseline", "ridge-log")])
def test_rows_come_by_disagreement_and_by_what_was_lost(
    scored: tuple[Library, Run, Any], found: Failures, key: str, other: str
) -> None:
    library, run, _ = scored
    ours, theirs = stored(run, "adapter"), stored(run, other)
    apart = {n: abs(line["prediction"] - theirs[n]["prediction"]) for n, line in ours.items()}
    rows = every_row(library, found, key)
    assert [row.distance for row in rows] == sorted(apart.values(), reverse=True)
    assert all(row.distance == pytest.approx(apart[row.row_id]) for row in rows)
    lost = {n: line["metrics"]["mae"] - theirs[n]["metrics"]["mae"] for n, line in ours.items()}
    rows = every_row(library, found, f"lost-{key}")
    assert [row.row_id for row in rows] == sorted(lost, key=lambda n: -lost[n])
    page = found.page(library, found.order(f"lost-{key}"), "test")
    assert page.amiss == sum(value > 0 for value in lost.values()) > 0


def test_a_slice_has_its_own_rows_and_the_worst_comes_first(
    scored: tuple[Library, Run, Any], found: Failures
) -> None:
    library, run, _ = scored
    parts = found.parts("test")
    assert parts[0] == ("All rows · 90 rows", ALL)
    prices = [(label, key) for label, key in parts if label.startswith("price: ")]
    assert len(prices) == 3
    values = [
        found.document["slices"]["price"][key.split("\x1f")[1]]["systems"]["adapter"]["value"]
        for _, key in prices
    ]
    assert values == sorted(values, reverse=True)
    label, key = prices[0]
    rows = every_row(library, found, "error", key)
    lines = stored(run, "adapter")
    wanted = key.split("\x1f")[1]
    assert {r.row_id for r in rows} == {
        n for n, line in lines.items() if line["slices"]["price"] == wanted
    }
    assert f"{len(rows)} rows" in label and "mean absolute error" in label


def test_pages_beyond_the_ends_are_the_last_and_the_first(
    scored: tuple[Library, Run, Any], found: Failures
) -> None:
    library, _, _ = scored
    order = found.order("nothing of the kind")
    assert order.key == "error"
    assert found.page(library, order, "test", number=99).number == 5
    assert found.page(library, order, "test", number=-3).number == 1
    empty = found.page(library, order, "challenge")
    assert (empty.rows, empty.pages, list(empty.failures)) == (0, 1, [])
    assert found.splits == ["test", "validation", "calibration"]


def test_rows_are_opened_by_split_and_number(scored: tuple[Library, Run, Any]) -> None:
    library, run, _ = scored
    number = next(iter(stored(run, "adapter", "validation")))
    assert held_out_row(library, run, "validation", number)["row_id"] == number
    with pytest.raises(UsageError, match=f"keeps no test row {number}"):
        held_out_row(library, run, "test", number)


def test_what_is_known_is_kept_until_the_run_changes(scored: tuple[Library, Run, Any]) -> None:
    library, run, task = scored
    kept = Kept()
    first = kept.of(library, run, task)
    assert kept.of(library, run, task) is first
    document = json.loads((run.path / "metrics.json").read_text())
    try:
        write_json(run.path / "metrics.json", {**document, "n": 91})
        assert kept.of(library, run, task) is not first
    finally:
        write_json(run.path / "metrics.json", document)


def test_a_run_that_is_not_scored_or_keeps_no_rows(tmp_path: Path) -> None:
    run, task = make_run(tmp_path, sizes={"validation": 5, "calibration": 5, "test": 12})
    library = Library(tmp_path)
    with pytest.raises(RunError, match="no scored predictions"):
        Kept().of(library, run, task)
    write_json(run.path / "metrics.json", score(run, task))
    (run.data / "heldout.jsonl").unlink()
    found = Kept().of(library, run, task)
    page = found.page(library, found.order("error"), "test")
    assert page.rows == 12 and all(failure.row is None for failure in page.failures)


# -- other kinds of predictions --------------------------------------------------------------------
def made(
    metric: Metric, rows: list[tuple[Any, Any, Any]], *, confusion: Any = None
) -> tuple[Any, Failures]:
    """A run of which each row is its reference, the base's answer and the adapter's."""

    def system(name: str, at: int) -> predictions.System:
        lines = {
            number: {
                "split": "test", "row_id": number, "reference": row[0], "prediction": row[at],
                "parsed": True, "metrics": {metric.name: metric.per_example(row[at], row[0])},
                "slices": {},
            }
            for number, row in enumerate(rows, start=1)
        }  # fmt: skip
        return predictions.System(name, name, {}, {"test": lines})

    document = {
        "primary_metric": metric.name, "confusion": confusion, "slices": {},
        "metrics": [{"name": metric.name, "greater_is_better": metric.greater_is_better,
                     "label": metric.label, "unit": "", "format": ""}],
        "systems": {"base": {"role": "base"}, "adapter": {"role": "adapter"}},
        "verdict": {"against": None, "best_baseline": None},
    }  # fmt: skip
    task: Any = SimpleNamespace(name="made", metric=lambda name=None: metric)
    run: Any = SimpleNamespace(id="made")
    library: Any = SimpleNamespace(held_out=lambda run, split: [])
    return library, Failures(run, task, [system("base", 1), system("adapter", 2)], document)


RIGHT = Metric("accuracy", lambda p, r: float(p == r), label="Accuracy")


def test_classes_are_right_or_wrong_and_the_same_or_not() -> None:
    rows = [("good", "bad", "good"), ("bad", "bad", "good"), ("good", "good", "good"),
            ("very bad", "very bad", "bad")]  # fmt: skip
    library, found = made(RIGHT, rows, confusion={"labels": []})
    order = every_row(library, found, "error")
    assert [row.row_id for row in order] == [2, 4, 1, 3]
    assert found.page(library, found.order("error"), "test").amiss == 2
    # Of the rows that differ those come first on which the adapter is wrong.
    assert [(row.row_id, row.distance) for row in every_row(library, found, "base")] == [
        (2, 1.0), (4, 1.0), (1, 1.0), (3, 0.0),
    ]  # fmt: skip
    assert [row.row_id for row in every_row(library, found, "lost-base")] == [2, 4, 3, 1]
    assert [order.key for order in found.orders] == ["error", "base", "lost-base"]


def test_answers_to_questions_and_texts_are_compared_word_by_word() -> None:
    span = {"text": "the red cup", "start": 4, "end": 11}
    assert distance(span, {**span, "text": "a blue cup"}) == pytest.approx(0.5)
    assert distance(span, {"text": "", "start": None, "end": None}) == 1.0
    assert distance({"text": ""}, {"text": ""}) == 0.0
    assert distance("Oak table, long", "oak table long") == 0.0
    assert 0 < distance("oak table", "oak chair") < 1
    assert distance(["a", "b"], ["b", "c"]) == pytest.approx(2 / 3)
    assert distance(3, 5.5) == 2.5 and distance("very bad", "bad", classes=True) == 1.0


def test_a_score_that_has_no_best_value_counts_nothing_as_amiss() -> None:
    stars = Metric("stars", lambda p, r: float(p), label="Stars")
    library, found = made(stars, [(5, 2, 4), (5, 2, 1), (5, 2, 3)])
    assert [row.row_id for row in every_row(library, found, "error")] == [2, 3, 1]
    assert found.page(library, found.order("error"), "test").amiss is None


def test_a_row_on_which_the_metric_says_nothing_is_not_among_the_errors() -> None:
    library, found = made(RIGHT, [("a", "a", "b"), ("a", "b", "a")])
    line: Any = found.by_name["adapter"].splits["test"][1]
    line["metrics"] = {"accuracy": None}
    assert [row.row_id for row in every_row(library, found, "error")] == [2]
    assert len(every_row(library, found, "base")) == 2


def test_no_metric_for_single_rows_and_nothing_trained_are_told() -> None:
    pair = Metric("r2", lambda p, r: (p, r), lambda a, b, axis=-1: 0.0, label="R²")
    with pytest.raises(ToolkitError, match="no metric of made"):
        made(pair, [(1, 2, 3)])
    _, found = made(RIGHT, [("a", "a", "b")])
    with pytest.raises(UsageError, match="has trained nothing"):
        Failures(
            found.run, found.task, [found.by_name["base"]],
            {**found.document, "systems": {"base": {"role": "base"}}},
        )  # fmt: skip


def test_ten_thousand_rows_are_sorted_once_and_sent_a_page_at_a_time() -> None:
    error = Metric("mae", lambda p, r: abs(p - r), greater_is_better=False, label="Error")
    library, found = made(error, [(n, n + 1, n + n % 977) for n in range(10_000)])
    seen: list[int] = []
    library.held_out = lambda run, split: seen.append(1) or []
    page = found.page(library, found.order("error"), "test", number=500)
    assert (page.pages, page.rows, len(page.failures)) == (500, 10_000, PAGE)
    lists = dict(found._sorted)
    found.page(library, found.order("error"), "test", number=2)
    assert all(found._sorted[key] is value for key, value in lists.items()) and len(lists) == 1
    assert page.failures[-1].distance <= page.failures[0].distance
