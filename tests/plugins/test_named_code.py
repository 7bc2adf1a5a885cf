"""Python in a task file of TOML: metrics, baselines, decoders, what fails, and who may run it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from several_fixtures import label_rows, write_csv
from toolkit import testing
from toolkit.errors import PluginError, UsageError
from toolkit.evaluation.prediction_files import UNREADABLE, scores
from toolkit.metrics import Metric, whole_set_metric
from toolkit.plugins import discovery, fingerprint, task_file
from toolkit.runs import trust
from toolkit.runs.predictions import System, _without_failed
from toolkit.task import Task

MINE = """
from toolkit import Metric
from toolkit.metrics import judge_metrics, whole_set_metric

def judge(prediction, reference):
    if "login" in reference and prediction == ["billing"]:
        raise ValueError("cannot judge this")
    return {"few": 1 - len(prediction) / 4, "right": float(prediction == reference)}

scores = judge_metrics(judge, on_failure="leave-out", few={}, right={})
cost = Metric("cost", lambda p, r: float(len(set(p) ^ set(r))), greater_is_better=False)

def spread(predictions, references):
    return len({tuple(p) for p in predictions}) / 8

spread = whole_set_metric("spread", spread)

def always_billing(train):
    return lambda rows: [["billing"] for _ in range(len(rows))]

def shorter(output, row, tuned):
    labels = [l for l, p in zip(output.labels, output.probabilities) if p >= 0.5]
    return labels[:1] if output.readable else None
"""

FILE = """
kind = "sequence-classification"
problem = "multi-label"
data = "rows.csv"
text = "text"
target = "labels"
classes = ["billing", "delivery", "login"]
synthetic = true
metric = "mine.py:cost"
metrics = ["micro_f1", "mine.py:spread", "mine.py:scores"]
baselines = ["mine.py:always_billing"]
decoders = ["mine.py:shorter"]
"""


@pytest.fixture(autouse=True)
def forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TOOLKIT_STATE", str(tmp_path / "state"))
    yield
    discovery.load.cache_clear()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    write_csv(tmp_path / "rows.csv", label_rows())
    (tmp_path / "mine.py").write_text(MINE)
    path = tmp_path / "mine.toml"
    path.write_text(FILE)
    return path


def test_metrics_baselines_and_decoders_are_those_of_the_file(file: Path) -> None:
    task = task_file.load(file)
    assert [m.name for m in task.metrics] == ["cost", "micro_f1", "spread", "few", "right"]
    assert task.primary_metric == "cost"
    made = task()
    assert "always-billing" in made.baselines() and "tfidf-logistic" in made.baselines()
    assert list(made.decoders()) == ["half", "threshold", "shorter"]


def test_a_run_scores_with_them_and_counts_what_is_left_out(
    file: Path, run_task: Callable[..., testing.FinishedRun]
) -> None:
    finished = run_task(task_file.load(file), data=file.parent / "rows.csv", limit=None)
    systems = finished.metrics["systems"]
    assert systems["always-billing"]["metrics"]["spread"]["value"] == pytest.approx(1 / 8)
    rows = finished.predictions("always-billing")
    failing = [r for r in rows if "login" in r["reference"]]
    assert all("ValueError: cannot judge" in r["failed"]["few"] for r in failing)
    wrong = [r["row_id"] for r in failing if r["split"] == "test"]
    assert wrong, "each split has each label"
    left = systems["always-billing"]["metrics"]["few"]
    assert left["left_out"] >= len(wrong)
    assert "left out of all systems" in left["note"]
    same = {name: system["metrics"]["few"].get("left_out") for name, system in systems.items()}
    assert set(same.values()) == {left["left_out"]}, "all systems are scored on the same rows"
    report = (finished.path / "report.md").read_text(encoding="utf-8")
    assert "rows are left out of all systems" in report


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"mine.py:cost"', '"other.py:cost"', "there is no file"),
        ('"mine.py:cost"', '"mine.py:costs"', "has no 'costs' – did you mean 'cost'"),
        ('"mine.py:cost"', '"mine.py:judge"', "and no metric; write it like"),
        ('["mine.py:always_billing"]', '["median"]', "'median' names no function"),
        ('["mine.py:shorter"]', '["mine.py:cost"]', "and no function"),
    ],
)
def test_a_mistake_is_one_sentence(file: Path, old: str, new: str, message: str) -> None:
    file.write_text(FILE.replace(old, new))
    with pytest.raises(UsageError, match=message):
        task_file.load(file)


def test_what_the_code_raises_names_its_line(file: Path) -> None:
    (file.parent / "mine.py").write_text("import toolkit\n\n1 / 0\n")
    with pytest.raises(PluginError, match=r"mine\.py: line 3 raised ZeroDivisionError"):
        task_file.load(file)


# -- who may run it --------------------------------------------------------------------------------
class Received:
    """A run that names a task file, as somebody else's would."""

    def __init__(self, file: Path) -> None:
        self.id, self.path = "received", file.parent
        self.info = {"plugin": {"file": str(file.resolve())}}


def test_such_a_file_is_code_and_an_edit_of_what_it_names_is_noticed(file: Path) -> None:
    run: Any = Received(file)
    assert trust.is_code(file) and trust.in_code(run)
    with pytest.raises(UsageError, match=r"mine\.toml, which you have not run"):
        trust.task_file(run)
    task = task_file.load(file)
    before = fingerprint.of_task(task)["sha256"], discovery.load().origins[task.name].version
    assert trust.task_file(run) == str(file.resolve())
    (file.parent / "mine.py").write_text(MINE + "\nimport os\n")
    with pytest.raises(UsageError, match=r"mine\.py, which has changed since you ran it"):
        trust.task_file(run)
    discovery.load.cache_clear()
    task = task_file.load(file)
    after = fingerprint.of_task(task)["sha256"], discovery.load().origins[task.name].version
    assert before[0] != after[0] and before[1] != after[1]
    assert trust.task_file(run) == str(file.resolve())


# -- rows that fail --------------------------------------------------------------------------------
def fails_on_long(prediction: str, reference: str) -> float:
    if len(prediction) > 3:
        raise ValueError("too long")
    return float(prediction == reference)


def task_with(**members: Any) -> Any:
    defaults = {
        "name": "odd", "fallback": lambda self: "abc", "on_unreadable": Task.on_unreadable,
        "metrics": (Metric("exact", fails_on_long, **members.pop("metric", {})),),
    }  # fmt: skip
    return type("Odd", (), {**defaults, **members})()


ROW = {"row_id": 7}


def test_a_failing_row_stops_is_left_out_or_counts_as_the_fallback() -> None:
    with pytest.raises(PluginError, match="raised ValueError for row 7: too long"):
        scores(task_with(), "long", "abc", ROW, True)
    values, failed = scores(task_with(metric={"on_failure": "leave-out"}), "long", "abc", ROW, True)
    assert values == {"exact": None} and "too long" in failed["exact"]
    values, failed = scores(task_with(metric={"on_failure": "fallback"}), "long", "abc", ROW, True)
    assert values == {"exact": 1.0} and not failed


def test_unreadable_outputs_count_as_the_fallback_are_left_out_or_stop() -> None:
    assert scores(task_with(), "abc", "abc", ROW, False) == ({"exact": 1.0}, {})
    left = scores(task_with(on_unreadable="leave-out"), "abc", "abc", ROW, False)
    assert left == ({"exact": None}, {"exact": UNREADABLE})
    with pytest.raises(PluginError, match="row 7 cannot be read, and odd stops"):
        scores(task_with(on_unreadable="stop"), "abc", "abc", ROW, False)


def test_a_row_that_fails_for_one_system_counts_for_none() -> None:
    def line(value: float | None, **more: Any) -> dict[str, Any]:
        return {"metrics": {"a": value, "b": 1.0}, **more}

    one = System("one", "base", {}, {"test": {1: line(0.5), 2: line(0.7)}})
    other = System("other", "base", {}, {"test": {1: line(None, failed={"a": "x"}), 2: line(0.1)}})
    first, second = _without_failed([one, other])
    assert first.values("a") == [None, 0.7] and second.values("a") == [None, 0.1]
    assert first.values("b") == [1.0, 1.0]
    assert first.failed("a") == second.failed("a") == 1 and first.failed("b") == 0


def test_stored_values_of_whole_sets_are_read_in_another_process(tmp_path: Path) -> None:
    from toolkit.runs.predictions import compared

    def share(predictions: list[Any], references: list[Any]) -> float:
        return sum(p == r for p, r in zip(predictions, references, strict=True)) / len(references)

    def lines(metric: Metric, right: int) -> dict[int, dict[str, Any]]:
        return {
            n: {
                "row_id": n, "split": "test", "prediction": n if n < right else -n, "reference": n,
                "metrics": {"share": metric.per_example(n if n < right else -n, n)},
            }
            for n in range(1, 41)
        }  # fmt: skip

    before = whole_set_metric("share", share)
    stored = json.loads(json.dumps([lines(before, 30), lines(before, 10)]))
    a, b = (
        System(str(i), "base", {}, {"test": {int(n): line for n, line in rows.items()}})
        for i, rows in enumerate(stored)
    )
    found = compared(whole_set_metric("share", share), a, b)
    assert found.difference == pytest.approx(20 / 40) and found.p < 0.01
